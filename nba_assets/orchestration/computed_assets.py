"""Tables as Dagster assets: their definitions, and the metadata of their runs.

`table_asset` makes a table's asset of the function that builds its rows. The function says what to read and compute;
everything that all tables do alike (partitions, checks, publishing, metadata) is said here, once.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from hashlib import blake2b
from typing import Any

import dagster as dg

from nba_assets.entities.outcomes import Outcome
from nba_assets.orchestration.check_results import CheckEvent, check_events
from nba_assets.orchestration.column_schema import column_schema
from nba_assets.orchestration.daily import DAILY
from nba_assets.orchestration.entities_resource import ParallelEntitiesResource
from nba_assets.orchestration.opening import warehouse_kind
from nba_assets.orchestration.presentation import newest_date, presented, rows_of
from nba_assets.orchestration.warehouse_resource import WarehouseResource
from nba_assets.publishing.inputs import MissingInputsError, computed
from nba_assets.publishing.lineage import InputFacts, inputs_by_date, thin_look_backs
from nba_assets.publishing.observations import Observation, observation_names
from nba_assets.publishing.publication import DateFacts, Publication, PublicationRefusedError, prepare
from nba_assets.publishing.refusals import (
    DATES_PUBLISHED,
    DATES_PUBLISHED_DESCRIPTION,
    dates_published,
    recorded_refusals,
    refusal_lines,
    refused_metadata,
)
from nba_assets.publishing.retry import RETRY_TAG, Retry
from nba_assets.publishing.scope import WholeDates
from nba_assets.publishing.table_run import TableRun, entries_of
from nba_assets.registry import description
from nba_assets.settings import Settings
from nba_assets.tables.audit import Finding, check_names
from nba_assets.tables.dictionary import input_text
from nba_assets.tables.spec import Table
from nba_assets.warehouse.interface import OvertakenError, Warehouse

OWNERS = ["team:nba-assets"]
FRESH = dg.FreshnessPolicy.time_window(fail_window=timedelta(days=8), warn_window=timedelta(hours=36))
"""A table is fresh while its newest build is no older than a night and a day; the longest break within a season, around
the All-Star game, is a warning yet.
"""
ENTITIES = {"player_lookup": "player", "team_abbr": "team", "defending_team_abbr": "team"}
"""What a row is about, by the column of its key."""
PREVIEW_ROWS, PREVIEW_COLUMNS = 5, 10
TRIES = 3
"""How often a run computes its dates before it gives up because others write them in the meantime."""

Build = Callable[[TableRun], Outcome]
"""Reads what a table needs and computes its rows for the dates of a run."""


def table_asset(table: Table, build: Build) -> dg.AssetsDefinition:
    """The asset of a table, from the function that builds its rows."""

    @dg.asset(
        name=table.name,
        deps=[source.name for source in table.upstream],
        partitions_def=DAILY,
        backfill_policy=dg.BackfillPolicy.single_run(),
        group_name=table.layer,
        kinds={"python", warehouse_kind()},
        tags=asset_tags(table),
        owners=OWNERS,
        freshness_policy=FRESH,
        code_version=table.code_version,
        description=description(table),
        metadata=definition_metadata(table),
        check_specs=check_specs(table),
    )
    def asset(
        context: dg.AssetExecutionContext, warehouse: WarehouseResource, entities: ParallelEntitiesResource
    ) -> Iterator[CheckEvent | dg.MaterializeResult[None]]:
        for tries_left in reversed(range(TRIES)):
            run = _table_run(context, table, warehouse.open(), entities)
            publication: Publication | None = None
            facts: list[DateFacts] = []
            nothing_published = None
            try:
                publication = prepare(run, _outcome(run, build))
            except MissingInputsError as error:
                run.warehouse.replace(recorded_refusals(run))
                findings, nothing_published = [dates_published(run)], str(error)
                break
            findings = publication.findings
            try:
                facts = publication.write()
            except PublicationRefusedError as error:
                nothing_published = str(error)
            except OvertakenError as error:
                if not tries_left:
                    raise dg.Failure(f"{table.qualified_name} was {error}. Run it again.") from None
                context.log.warning(f"{table.name} was {error}: it reads and computes again")
                continue
            break
        yield from check_events(context, _check_results(table, findings))
        if nothing_published is not None:
            # The step of a whole build succeeds all the same: a failed one would keep the tables behind it from being
            # built as far as they can be, and from recording that they are refused.
            context.log.error(nothing_published)
            if not run.scope.is_whole:
                raise dg.Failure(nothing_published, allow_retries=False)
        inputs = inputs_by_date(run) if facts else {}
        for warning in thin_look_backs(table, inputs):
            context.log.warning(warning)
        _add_date_metadata(context, run, publication, facts, inputs)
        for line in refusal_lines(table.name, run.refused):
            context.log.error(line)
        yield dg.MaterializeResult(
            metadata={} if facts else run_metadata(run, facts),
            data_version=data_version([fact.digest for fact in facts]),
        )

    return asset


def _outcome(run: TableRun, build: Build) -> Outcome:
    """What a table computes. Nobody but the one it is handed to holds it, who lets go of it once it is stored rows."""
    with run.reading():
        return computed(run, build)


def asset_tags(table: Table) -> dict[str, str]:
    """Tags to filter tables by: their layer, and whether a row is about a player, a team or a game."""
    return {
        "layer": table.layer,
        "entity": next((kind for column, kind in ENTITIES.items() if column in table.key), "game"),
    }


def data_version(digests: Sequence[str]) -> dg.DataVersion | None:
    """The digest of a run's date as its data version; of several dates one over their digests, since Dagster gives all
    partitions of a run the same. None where no date is published.

    Dagster's own version of a range is four times as long, and stands with each date of it and of the tables behind.
    """
    if not digests:
        return None
    whole = blake2b(" ".join(digests).encode(), digest_size=8).hexdigest()
    return dg.DataVersion(digests[0] if len(digests) == 1 else whole)


def _add_date_metadata(
    context: dg.AssetExecutionContext,
    run: TableRun,
    publication: Publication | None,
    facts: Sequence[DateFacts],
    inputs: Mapping[date, Sequence[InputFacts]],
) -> None:
    """What the UI shows of each date of the run: published (`facts`), left as it was, or refused."""
    if publication is not None and facts:
        shown, newest = presented(publication, facts), newest_date(facts)
        shown[newest] |= details_metadata(run, facts, inputs[newest]) | _preview(publication, newest)
        for fact in facts:
            context.add_asset_metadata(shown[fact.day] | date_metadata(run, fact), partition_key=fact.day.isoformat())
    for day, standing in _left_alone(run, partition_dates(context), facts):
        context.add_asset_metadata(standing, partition_key=day.isoformat())
    for day, refused in refused_metadata(run).items():
        context.add_asset_metadata(refused, partition_key=day.isoformat())


def _table_run(
    context: dg.AssetExecutionContext,
    table: Table,
    warehouse: Warehouse,
    entities: ParallelEntitiesResource,
) -> TableRun:
    """The computation of a table for the partitions of a Dagster run; a run with the tag of a retry computes failed
    entities only.
    """
    now, dates = utc_now(), writable_dates(context, warehouse)
    # Read before everything else: what is written in the meantime is newer than what this run is going to see.
    begun = entries_of(warehouse, table, dates)
    retry = Retry.of(warehouse, table, dates, now) if RETRY_TAG in context.run.tags else None
    return TableRun(
        table,
        (retry.dates if retry else []) or dates,
        warehouse,
        entities.parallel_entities,
        Settings.from_environment(),
        context.run.run_id,
        now,
        context.log.info,
        scope=retry or WholeDates(),
        as_begun=begun,
        clock=utc_now,
    )


def utc_now() -> datetime:
    """The time of runs."""
    return datetime.now(UTC)


def _left_alone(
    run: TableRun, dates: Sequence[date], facts: Sequence[DateFacts]
) -> Iterator[tuple[date, dict[str, Any]]]:
    """The partitions on which a retry had nothing to do, and what they hold already."""
    if isinstance(run.scope, Retry):
        written = {fact.day for fact in facts}
        yield from ((day, run.scope.standing(day)) for day in dates if day not in written and day not in run.refused)


def partition_dates(context: dg.AssetExecutionContext) -> list[date]:
    """The dates of a run, ascending: one, or a whole range."""
    return sorted(date.fromisoformat(key) for key in context.partition_keys)


def writable_dates(context: dg.AssetExecutionContext, warehouse: Warehouse) -> list[date]:
    """The dates of a run; raises Failure, before anything is read, for more than one write of the warehouse can
    replace.
    """
    dates, most = partition_dates(context), warehouse.largest_write_dates
    if most is not None and len(dates) > most:
        raise dg.Failure(
            f"{len(dates):,} dates in one run, of which the warehouse takes {most:,}: launch them season by season, or "
            "with `nba-assets backfill`, which does that by itself",
            allow_retries=False,
        )
    return dates


def definition_metadata(table: Table) -> dict[str, Any]:
    """What the UI shows of a table before anything has run."""
    return {
        "dagster/column_schema": column_schema(table),
        "dagster/table_name": table.qualified_name,
        "grain": table.grain,
        "key": ", ".join(table.key),
        "reads": "; ".join(map(input_text, table.inputs)) or "files of the landing zone",
    }


def check_specs(table: Table) -> list[dg.AssetCheckSpec]:
    """Dagster's names for the table's checks, made before the write by the run that computes the rows.

    None of them keeps the tables behind from being built: what they find is left out of this table already.
    """
    names = [*check_names(table), (DATES_PUBLISHED, True, DATES_PUBLISHED_DESCRIPTION), *observation_names(table)]
    return [dg.AssetCheckSpec(name, asset=table.name, description=description) for name, _, description in names]


def _check_results(table: Table, findings: Sequence[Finding]) -> Iterator[dg.AssetCheckResult]:
    """A result of every check; one that found nothing to look at, because no date is published, has passed."""
    found = {finding.name: finding for finding in findings}
    for spec in check_specs(table):
        nothing = dg.AssetCheckResult(
            passed=True, check_name=spec.name, severity=dg.AssetCheckSeverity.WARN, metadata={"dates_looked_at": 0}
        )
        yield check_result(found[spec.name]) if spec.name in found else nothing


def check_result(finding: Finding) -> dg.AssetCheckResult:
    """A finding as Dagster shows it; in a range, the failing dates are named."""
    counted = (
        finding.counted if isinstance(finding, Observation) else "dates" if finding.name == DATES_PUBLISHED else "rows"
    )
    metadata: dict[str, Any] = {f"offending_{counted}": finding.offending_count}
    if not finding.passed:
        metadata |= {
            "dates": [day.isoformat() for day in finding.dates],
            "examples": [str(example) for example in finding.examples],
        }
    severity = dg.AssetCheckSeverity.ERROR if finding.blocking else dg.AssetCheckSeverity.WARN
    return dg.AssetCheckResult(passed=finding.passed, check_name=finding.name, severity=severity, metadata=metadata)


def date_metadata(run: TableRun, fact: DateFacts) -> dict[str, Any]:
    """What the UI shows of every date: numbers that plot over time."""
    return {
        "dagster/partition_row_count": fact.row_count,
        "rows": fact.row_count,
        "failures": sum(fact.failures.values()),
        "digest": fact.digest,
        "changed": fact.changed,
        **run.date_notes.get(fact.day, {}),
    }


def details_metadata(run: TableRun, facts: Sequence[DateFacts], inputs: Sequence[InputFacts]) -> dict[str, Any]:
    """What the UI shows beside on the newest date of a run: where its rows come from, and the run as a whole.

    Dagster stores each materialization twice. With this on every date three seasons left 427 MB of events beside 88 MB
    of tables; what a date was built from stands in table_partitions.
    """
    return {
        "inputs": {
            source.name: {
                "dates_built": source.dates_built,
                "rows": source.row_count,
                "digest": source.digest,
                "newest_processed_at": source.newest_processed_at,
                **(
                    {}
                    if source.game_days_expected is None
                    else {"game_days": f"{source.game_days_found} / {source.game_days_expected}"}
                ),
            }
            for source in inputs
        },
        "input_rows": sum(source.row_count for source in inputs),
        **_speed(run),
        **run_metadata(run, facts),
    }


def run_metadata(run: TableRun, facts: Sequence[DateFacts]) -> dict[str, Any]:
    """What the UI shows of the run as a whole."""
    counts = {"dates_in_run": len(facts), "rows_in_run": sum(fact.row_count for fact in facts)}
    return counts | ({"dates_refused": len(run.refused)} if run.refused else {}) | run.notes


def _speed(run: TableRun) -> dict[str, Any]:
    computing = run.seconds["compute"]
    return {
        "entities": run.entity_count,
        "entities_per_second": round(run.entity_count / computing, 1) if computing > 0 else 0.0,
        **{f"seconds_{stage}": round(seconds, 4) for stage, seconds in run.seconds.items()},
    }


def _preview(publication: Publication, day: date) -> dict[str, Any]:
    """A few rows of a date as a Markdown table."""
    table = publication.run.table
    names = [*table.key, *(name for name in table.column_names if name not in table.key)][:PREVIEW_COLUMNS]
    lines = [names, ["---"] * len(names)]
    lines += [
        ["" if value is None else str(value) for value in row.values()]
        for row in rows_of(publication, day).select(names).slice(length=PREVIEW_ROWS).to_pylist()
    ]
    return {"preview": dg.MetadataValue.md("\n".join("|" + "|".join(line) + "|" for line in lines))}
