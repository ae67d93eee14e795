"""What the schedule said before it was changed: which changes are kept, and the games as they were known at a moment.

Only what a table reads of games to come is kept, that is of the regular season who plays whom on which date, whether on
prime time, and whether the game is called off; how games end is no announcement. When changes are written is in
`ingestion`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from nba_assets.entities.outcomes import concatenate, take
from nba_assets.raw.league_time import end_of_hour
from nba_assets.raw.normalise import utc
from nba_assets.raw.schedule import POSTPONED, SCHEDULED
from nba_assets.raw.tables import SCHEDULE
from nba_assets.tables.bookkeeping import SCHEDULE_HISTORY
from nba_assets.tables.columns import blank, to_arrow, to_columns
from nba_assets.tables.digest import column_hashes
from nba_assets.tables.spec import Columns
from nba_assets.warehouse.interface import Warehouse

ANNOUNCED = ("game_id", "game_date", "season_year", "home_team_abbr", "away_team_abbr", "is_primetime")
"""Columns that the history and the schedule have in common."""

KNOWN_COLUMNS = (*ANNOUNCED, "is_regular_season", "is_playoffs", "game_status", "game_time_utc")
"""Columns of the schedule without which nobody can tell how it was known."""

Dates = NDArray[np.datetime64]
Moments = NDArray[np.datetime64]
AN_INSTANT = np.timedelta64(1, "us")


@dataclass(frozen=True, eq=False)
class ScheduleHistory:
    """The changes of the schedule around some dates, ascending by `known_until`."""

    changes: Columns

    @classmethod
    def none(cls) -> ScheduleHistory:
        """No changes on record."""
        return cls({column.name: blank(column.type, 0) for column in SCHEDULE_HISTORY.columns})

    @classmethod
    def read(cls, warehouse: Warehouse, start: date, end: date) -> ScheduleHistory:
        """The changes that concern games scheduled from `start` to `end`."""
        rows = to_columns(warehouse.read(SCHEDULE_HISTORY, SCHEDULE_HISTORY.column_names, start, end))
        return cls(take(rows, np.argsort(rows["known_until"], kind="stable")))

    @property
    def is_empty(self) -> bool:
        """Whether no change is on record."""
        return not len(self.changes["game_id"])

    def of_season(self, season: int) -> ScheduleHistory:
        """The changes of one season."""
        return ScheduleHistory(take(self.changes, self.changes["season_year"] == season))

    def as_known(self, games: Columns, days: Dates) -> Iterator[tuple[Dates, Columns]]:
        """Dates in groups, each with the games as they were known before the first tip-off of its dates; `games` itself
        for those before which everything was known as it is.

        `games` are whole seasons of the schedule (`KNOWN_COLUMNS` and any others; these are null for a game that was
        known otherwise). A date before which nothing was known of a season reads the season as it is.
        """
        if self.is_empty:
            yield days, games
            return
        moments = np.unique(np.concatenate([self.changes["known_from"], self.changes["known_until"]]))
        tips = first_tips(games, days)
        epochs, as_it_is = np.searchsorted(moments, tips), np.zeros(len(days), dtype=bool)
        for epoch in np.unique(epochs):
            mine = epochs == epoch
            known = self._known_before(games, tips[mine][0])
            if known is games:
                as_it_is |= mine
            else:
                yield days[mine], known
        if as_it_is.any():
            yield days[as_it_is], games

    def _known_before(self, games: Columns, moment: np.datetime64) -> Columns:
        """The games as they were known before a moment, without those that a change had called off by then."""
        is_known = self.changes["known_until"] < moment
        changed, later = self.changes["game_id"][is_known], take(self.changes, ~is_known)
        # What held at the moment is what the first change after it has replaced.
        held = take(later, np.unique(later["game_id"].astype(str), return_index=True)[1])
        held = take(held, held["known_from"] < moment)
        dropped = _among(games["game_id"], held["game_id"]) | (
            (games["game_status"] == POSTPONED) & _among(games["game_id"], changed)
        )
        is_off = (held["was_called_off"] == 1) & _among(held["game_id"], changed)
        added = take(held, (held["was_listed"] == 1) & ~is_off)
        if not dropped.any() and not len(added["game_id"]):
            return games
        known = concatenate([take(games, ~dropped), _as_scheduled(added, tuple(games))])
        return take(known, np.argsort(known["game_id"].astype(str), kind="stable"))


def _among(games: NDArray[np.object_], others: NDArray[np.object_]) -> NDArray[np.bool_]:
    return np.isin(games.astype(str), others.astype(str))


def _as_scheduled(held: Columns, names: tuple[str, ...]) -> dict[str, NDArray[Any]]:
    """Games of the history as rows of the schedule."""
    size = len(held["game_id"])
    status = np.where(held["was_called_off"] == 1, float(POSTPONED), float(SCHEDULED))
    given = {name: held[name] for name in ANNOUNCED} | {
        "is_regular_season": np.ones(size),
        "is_playoffs": np.zeros(size),
        "game_status": status,
    }
    return {name: given[name] if name in given else blank(SCHEDULE.table.column(name).type, size) for name in names}


def first_tips(games: Columns, days: Dates) -> Moments:
    """When the first game of each date tips off that counts in the season or the play-offs, called off or not; the end
    of the date where that is not known.

    Example: 2024-10-22 23:30 UTC of a date whose games begin at half past seven and at ten o'clock, US-Eastern.
    """
    counts = ((games["is_regular_season"] == 1) | (games["is_playoffs"] == 1)) & ~np.isnat(games["game_time_utc"])
    dates, tips = games["game_date"][counts].astype("M8[D]"), games["game_time_utc"][counts].astype("M8[us]")
    order = np.lexsort((tips, dates))
    with_tips, first = np.unique(dates[order], return_index=True)
    ends = end_of_hour(days.astype("M8[D]"), np.full(len(days), 23.0))
    place = np.minimum(np.searchsorted(with_tips, days), max(len(with_tips) - 1, 0))
    if not len(with_tips):
        return ends
    return np.where(with_tips[place] == days, tips[order][first][place], ends)


def superseded(before: Columns, after: Columns) -> dict[str, NDArray[Any]]:
    """What a change of the schedule (`KNOWN_COLUMNS`) makes history: games that it announces otherwise or no more, as
    they were, and those that it adds, which were not listed. All columns of the history but its moments and its run.
    """
    old, new = _announced(before), _announced(after)
    gone = take(old, ~np.isin(column_hashes(old), column_hashes(new)))
    added = take(new, ~_among(new["game_id"], old["game_id"]))
    was_listed = np.repeat([1.0, 0.0], [len(gone["game_id"]), len(added["game_id"])])
    return concatenate([gone, added]) | {"was_listed": was_listed}


def _announced(games: Columns) -> dict[str, NDArray[Any]]:
    regular = take({name: games[name] for name in (*ANNOUNCED, "game_status")}, games["is_regular_season"] == 1)
    status = regular.pop("game_status")
    return regular | {"was_called_off": (status == POSTPONED).astype(np.float64)}


def entries(
    changed: Columns, history: ScheduleHistory, first_known: Mapping[float, np.datetime64], now: datetime, run_id: str
) -> pa.Table:
    """Rows for the history of games that a change has `superseded`.

    `first_known` tells of each of their seasons since when it is known, which counts where its `history` has no entry
    so far. The change is known from `now` on, the moment at which its run began to read; where the clock was set back,
    from the instant after the changes before it on.
    """
    before = history.changes
    since_opened = dict(first_known)
    for season in np.unique(before["season_year"]).tolist():
        since_opened[season] = before["known_from"][before["season_year"] == season].min()
    newest = dict(zip(before["game_id"].tolist(), before["known_until"], strict=True))
    since = np.array(
        [
            newest.get(game, since_opened[season])
            for game, season in zip(changed["game_id"].tolist(), changed["season_year"].tolist(), strict=True)
        ],
        dtype="M8[us]",
    )
    until = max(utc(now), *(moment + AN_INSTANT for moment in (*since, *before["known_until"][-1:])))
    size = len(since)
    return to_arrow(
        SCHEDULE_HISTORY,
        {
            **changed,
            "known_from": since,
            "known_until": np.full(size, until),
            "run_id": np.full(size, run_id, dtype=object),
        },
    )
