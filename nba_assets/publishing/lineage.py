"""What the dates of a run are built from: noted before the run reads, recorded with each date, and shown as facts about
each input. How the state of inputs is read and compared is in `input_state`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np

from nba_assets.publishing.input_state import NO_DATES, Dates, InputState, inputs_texts
from nba_assets.publishing.table_run import RUN_SCHEDULE_COLUMNS, TableRun
from nba_assets.tables.spec import Columns, Table


@dataclass(frozen=True)
class InputFacts:
    """What an input held in the window of one date, by its `Input.name`: dates built there, rows in them, digest over
    them, newest `processed_at`.
    """

    name: str
    dates_built: int
    row_count: int
    digest: str
    newest_processed_at: str | None
    game_days_found: int | None
    """Of an input that has all finals: dates with final games that have rows there."""
    game_days_expected: int | None
    """Of an input that has all finals: dates with final games in the window."""

    @property
    def is_thin(self) -> bool:
        """A date with final games has no rows."""
        return self.game_days_found is not None and self.game_days_found < (self.game_days_expected or 0)


def note_inputs(run: TableRun) -> InputState:
    """Note what a run is about to read, for the record of its dates; to be called before its first read, in the session
    of that.
    """
    state = InputState.read(run.warehouse, run.table.inputs, run.start, run.end, of_schedule=RUN_SCHEDULE_COLUMNS)
    run.built_from = dict(zip(run.dates, inputs_texts(state.digests(run.table.inputs, run.days)), strict=True))
    run.input_state = state
    return state


def inputs_by_date(run: TableRun) -> dict[date, list[InputFacts]]:
    """The inputs of every date of the run, in the order of their declaration, as they stood when the run began to read;
    empty where that was not noted.
    """
    inputs: dict[date, list[InputFacts]] = {day: [] for day in run.dates}
    state = run.input_state
    if state is None or not run.dates:
        return inputs
    digests = state.digests(run.table.inputs, run.days)
    for source in run.table.inputs:
        mine = state.entries.get(source.table.name, NO_ENTRIES)
        first, last = state.window(source, run.days)
        starts = np.searchsorted(mine["partition_date"], first)
        stops = np.maximum(starts, np.searchsorted(mine["partition_date"], last, side="right"))
        rows, newest = mine["row_count"], mine["newest_processed_at"]
        for place, (day, start, stop) in enumerate(zip(run.dates, starts, stops, strict=True)):
            seen = newest[start:stop][~np.isnat(newest[start:stop])]
            with_rows = mine["partition_date"][start:stop][rows[start:stop] > 0]
            inputs[day].append(
                InputFacts(
                    source.name,
                    int(stop - start),
                    int(rows[start:stop].sum()),
                    f"{digests[source.name][place]:016x}",
                    str(seen.max()) if len(seen) else None,
                    *(_game_days(run, with_rows, first[place], last[place]) if source.has_all_finals else (None, None)),
                )
            )
    return inputs


NO_ENTRIES: Columns = {
    "partition_date": NO_DATES,
    "row_count": np.array([]),
    "newest_processed_at": np.array([], dtype="M8[us]"),
}


def thin_look_backs(table: Table, inputs: Mapping[date, Sequence[InputFacts]]) -> list[str]:
    """A warning for each upstream table that lacks results which the dates of a run look back on."""
    warnings = []
    for name in dict.fromkeys(source.name for sources in inputs.values() for source in sources):
        thin = {
            day: source
            for day, sources in inputs.items()
            for source in sources
            if source.name == name and source.is_thin
        }
        if thin:
            day, source = max(thin.items())
            warnings.append(
                f"{table.name} looks back on thin data: for {len(thin)} of {len(inputs)} dates {name} lacks rows of "
                f"days with final games, for {day} "
                f"{source.game_days_found} of {source.game_days_expected} are there. Build the missing dates, then "
                "these again."
            )
    return warnings


def _game_days(run: TableRun, with_rows: Dates, first: np.datetime64, last: np.datetime64) -> tuple[int, int]:
    """How many of the days with final games within bounds have rows, and how many there are."""
    start, stop = np.searchsorted(run.final_days, first), np.searchsorted(run.final_days, last, side="right")
    expected = run.final_days[start:stop]
    return int(np.isin(expected, with_rows).sum()), len(expected)
