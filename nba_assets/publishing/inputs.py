"""Which dates of a run have their inputs: what a table reads of its own date must have been built, or ingested, for it.

A date without a table or a required feed is refused, the others are computed; a date without an optional feed is
computed and says so. What a table reads of earlier dates is in
`lineage`, and in the completeness of its rows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import date

from nba_assets.entities.outcomes import Outcome
from nba_assets.publishing.input_state import InputState
from nba_assets.publishing.lineage import note_inputs
from nba_assets.publishing.observations import rows_expected
from nba_assets.publishing.refusals import refusal_text, stored_refusals, upstream_refused
from nba_assets.publishing.table_run import TableRun
from nba_assets.raw.refusals import not_ingested
from nba_assets.raw.tables import RAW_TABLES, SCHEDULE
from nba_assets.tables.spec import INPUTS_INGESTED, Table
from nba_assets.wording import listed

DATES_NAMED = 5


class MissingInputsError(Exception):
    """No date of a run has all that its table reads of its own date; the message says what is lacking and how to build
    it.
    """


def computed(run: TableRun, build: Callable[[TableRun], Outcome]) -> Outcome:
    """What a table's function computes for those dates of a run that have their inputs; the others are refused.

    Raises MissingInputsError where no date is left; every date of the run is noted as refused then.
    """
    if run.scope.is_empty:
        return Outcome({})
    with run.session():
        run.begin()
        refused = dates_without_inputs(run, note_inputs(run))
    if len(refused) == len(run.dates):
        run.refuse(refused)
        raise MissingInputsError(_advice(run))
    run.refuse(refused)
    return build(run)


def own_date_inputs(table: Table) -> list[Table]:
    """The tables of which a table needs its own date, those that hold the state of all tables apart: it reads it, or
    its season as a whole.
    """
    needed = {source.table.name for source in table.inputs if source.own_date or source.whole_season}
    return [source for source in table.upstream if source.name in needed]


def dates_without_inputs(run: TableRun, state: InputState) -> dict[date, str]:
    """The dates of a run on which something is lacking that its table cannot do without, with the reason; `state` is
    that of the run's inputs.

    Dates that get no rows anyway need nothing but the schedule that says so. An optional feed that was not ingested is
    noted under `inputs_ingested`.
    """
    inputs = own_date_inputs(run.table)
    if not inputs:
        return {}
    names = [table.name for table in inputs]
    there = {(name, day) for name in names for day in state.dates_of(name).tolist()}
    with run.timed("read"), run.session():
        refusals = {
            (refusal.table, refusal.day): refusal.reason
            for refusal in stored_refusals(run.warehouse, names, run.start, run.end)
        }
    days = run.game_days[rows_expected(run.table, run.settings, run.calendar, run.game_days)].tolist()
    refused: dict[date, str] = {}
    lacking: list[tuple[str, date]] = []
    for table in inputs:
        raw = RAW_TABLES.get(table.name)
        for day in run.dates if table.name == SCHEDULE.name else days:
            key = table.name, day
            if key in refusals:
                refused.setdefault(day, upstream_refused(table.name, day, refusals[key]))
            elif key not in there and raw is None:
                refused.setdefault(day, f"upstream {table.name} is not built for {day}")
            elif key not in there:
                lacking.append(key)
    for name, day, why in _reasons(run, lacking):
        said = f"{name} was not ingested for {day}: {why}"
        if RAW_TABLES[name].required:
            refused.setdefault(day, said)
        else:
            run.notice(INPUTS_INGESTED.name, day, said)
    return refused


def _reasons(run: TableRun, lacking: Sequence[tuple[str, date]]) -> Iterator[tuple[str, date, str]]:
    """Raw tables and dates that were not ingested, each with the reason."""
    if lacking:
        reasons = not_ingested(run.warehouse, sorted({name for name, _ in lacking}), [day for _, day in lacking])
        yield from ((name, day, reasons[name, day]) for name, day in lacking)


def _advice(run: TableRun) -> str:
    """Why no date is left, and the command that builds what is lacking."""
    days = sorted(run.refused)
    unbuilt = [
        table
        for table in own_date_inputs(run.table)
        if table.name not in RAW_TABLES
        and any(run.refused[day] == f"upstream {table.name} is not built for {day}" for day in days)
    ]
    if not unbuilt:
        return refusal_text(run.table.qualified_name, run.refused)
    lacking = [day for day in days if run.refused[day] == f"upstream {unbuilt[0].name} is not built for {day}"]
    command = f"run {lacking[0]}" if len(lacking) == 1 else f"backfill {lacking[0]} {lacking[-1]}"
    return (
        f"{run.table.qualified_name} reads the rows of its own date in {unbuilt[0].qualified_name}, which is not "
        f"built for {listed(lacking, DATES_NAMED, 'dates')}. "
        f"Build it first: nba-assets {command} --table {unbuilt[0].name}"
    )
