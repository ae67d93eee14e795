"""Carrying out planned runs and showing how they ended: as a table and lines, or as JSON."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import typer

from nba_assets.commands.output import console, is_wide, say, table_of, warn

if TYPE_CHECKING:
    from nba_assets.automation.planned_runs import Launch
    from nba_assets.orchestration.damage import Damage
    from nba_assets.orchestration.launch import Built, RunReport, StepReport


def carry_out(
    launches: Sequence[Launch],
    execute: Callable[[Launch], RunReport],
    *,
    as_json: bool,
    said: Sequence[str] = (),
    nothing: str = "",
) -> None:
    """Carry out runs one after the other and show each; raises Exit with the worst of their codes.

    `said` is what was said of the plan, `nothing` what is said where there is no run.
    """
    from nba_assets.orchestration.damage import ExitCode

    codes = [ExitCode.PUBLISHED]
    results = []
    if not launches and not as_json:
        say(nothing)
    for launch in [part for whole in launches for part in whole.by_season]:
        if not as_json:
            console.print(f"Run of {len(launch.assets)} assets from {launch.start} to {launch.end}", highlight=False)
        report = execute(launch)
        result = _result_of(report, launch)
        results.append(result)
        if not as_json:
            _show(result)
        # A file of an earlier date that cannot be read keeps that date from being ingested, not this one from being
        # built.
        codes += [result.damage.exit_code, ExitCode.PUBLISHED if report.succeeded else ExitCode.DAMAGED]
    code = min((code for code in codes if code), default=ExitCode.PUBLISHED)
    if as_json:
        runs = [result.plain() for result in results]
        typer.echo(json.dumps({"exit_code": int(code), "messages": [*said], "runs": runs}, indent=2))
    if code:
        raise typer.Exit(code)


def warn_of_failed_steps(report: RunReport) -> None:
    """Print to standard error what the failed steps of a run said."""
    lines = (f"{step.asset}: {step.message.removeprefix(f'{step.asset}: ')}" for step in report.steps if step.message)
    warn(lines, to_stderr=True)


@dataclass(frozen=True)
class _Result:
    """A run that has ended, and what the warehouse holds of its dates now."""

    launch: Launch
    report: RunReport
    holds: Mapping[str, Built]
    damage: Damage

    def steps(self) -> list[StepReport]:
        """The tables of the run in the order of the pipeline."""
        from nba_assets.registry import ALL_TABLES

        places = {name: place for place, name in enumerate(ALL_TABLES)}
        return sorted(self.report.steps, key=lambda step: places.get(step.asset, len(places)))

    def plain(self) -> dict[str, Any]:
        """As JSON has it."""
        tables = [
            {
                "table": step.asset,
                "succeeded": step.succeeded,
                "seconds": round(step.seconds, 3),
                "message": step.message,
                "quarantined": self.damage.quarantined.get(step.asset, 0),
                **(asdict(self.holds[step.asset]) if step.asset in self.holds else {}),
            }
            for step in self.steps()
        ]
        dates = {"start": str(self.launch.start), "end": str(self.launch.end)}
        return {
            "run_id": self.report.run_id,
            **dates,
            "succeeded": self.report.succeeded,
            "tables": tables,
            "messages": list(self.damage.lines()),
        }


def _result_of(report: RunReport, launch: Launch) -> _Result:
    from nba_assets.orchestration.damage import damage_of
    from nba_assets.orchestration.instance import dagster_instance
    from nba_assets.orchestration.launch import built
    from nba_assets.orchestration.opening import open_warehouse

    warehouse = open_warehouse()
    with dagster_instance() as instance, warehouse.session():
        return _Result(launch, report, built(warehouse, launch), damage_of(warehouse, instance, report.run_id))


def _show(result: _Result) -> None:
    from nba_assets.raw.tables import RAW_TABLES

    with_digest = is_wide()
    raw, computed = ({step.asset in RAW_TABLES for step in result.steps()} >= {is_raw} for is_raw in (True, False))
    columns = [
        "dates",
        "rows",
        *(["failures"] if computed else []),
        *(["quarantined"] if raw else []),
        "seconds",
        *(["digest"] if with_digest else []),
    ]
    shown = table_of("table", *columns)
    for step in result.steps():
        holds = result.holds.get(step.asset) if step.succeeded else None
        is_raw = step.asset in RAW_TABLES
        failures = f"{holds.failures:,}" if holds and not is_raw else ""
        quarantined = f"{result.damage.quarantined.get(step.asset, 0):,}" if is_raw else ""
        shown.add_row(
            step.asset,
            f"{holds.dates:,}" if holds else "",
            f"{holds.rows:,}" if holds else "",
            *([failures] if computed else []),
            *([quarantined] if raw else []),
            f"{step.seconds:.2f}" if step.succeeded else "FAILED",
            *([holds.digest if holds else ""] if with_digest else []),
        )
    console.print(shown)
    warn_of_failed_steps(result.report)
    warn(result.damage.summary(), to_stderr=True)
