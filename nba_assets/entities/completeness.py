"""How much of what should be there is there: expected and actual games as sets, per window, and the readiness that follows.

Expected are finished games of the team (for a player: his current team's, less those he was not available for), actual are those of them that have a
row. Nothing expected is complete. Percentages lie between 0 and 100 by construction.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nba_assets.entities.relations import at, find, text_where
from nba_assets.entities.windows import AsOfWindow, Dates
from nba_assets.tables.spec import Columns

Masks = NDArray[np.bool_]


@dataclass(frozen=True)
class Completeness:
    """Expected and actual games of one window, per as-of date."""

    expected: NDArray[np.int64]
    actual: NDArray[np.int64]

    @classmethod
    def of(cls, expected: AsOfWindow, has_row: Masks) -> Completeness:
        """From a window over the expected games, and which games have a row."""
        return cls(expected.games(), expected.count(has_row))

    @property
    def pct(self) -> NDArray[np.float64]:
        """Actual in percent of expected, 100 where nothing is expected."""
        return np.where(self.expected > 0, 100 * self.actual / np.maximum(self.expected, 1), 100.0)

    @property
    def is_complete(self) -> Masks:
        """Everything expected is there."""
        return self.actual >= self.expected


@dataclass(frozen=True)
class Readiness:
    """The one policy by which a row is ready for production."""

    threshold_pct: float

    def columns(self, windows: Mapping[str, Completeness], bootstrap: Masks, boundary: Masks) -> dict[str, NDArray[Any]]:
        """Readiness and its excuses: ready is every window at the threshold, or a young season, or a month in which seasons begin or end."""
        reached = np.logical_and.reduce([window.pct >= self.threshold_pct for window in windows.values()])
        return {
            "season_boundary_detected": boundary,
            "backfill_bootstrap_mode": bootstrap,
            "is_production_ready": reached | bootstrap | boundary,
        }


def completeness_columns(windows: Mapping[str, Completeness], primary: str) -> dict[str, NDArray[Any]]:
    """The completeness block: counts of the primary window, percentage and completeness of each, and of all together."""
    main = windows[primary]
    return {
        "expected_games_count": main.expected,
        "actual_games_count": main.actual,
        "completeness_percentage": main.pct,
        "missing_games_count": main.expected - main.actual,
        **{f"{name}_completeness_pct": window.pct for name, window in windows.items()},
        **{f"{name}_is_complete": window.is_complete for name, window in windows.items()},
        "all_windows_complete": np.logical_and.reduce([window.is_complete for window in windows.values()]),
    }


@dataclass(frozen=True)
class PlayerGames:
    """One team's finals as they concern one player: which were expected of him, which have his row, and at which he sat out."""

    dates: Dates
    expected: Masks
    has_row: Masks
    sat_out: Masks

    @classmethod
    def of(cls, team: str, finals: Columns, sheet: Columns, roster: Columns, snapshots: Dates) -> PlayerGames:
        """Sort a team's finals by what the player had to do with them.

        A game is expected of him if its sheet has him for this team and he played, or if it has no row of his although the team's newest roster snapshot
        on or before its date lists him. `finals` (`game_id`, `game_date`) ascend; `sheet` are his rows of player_game_summary, `roster` his roster rows
        (`team_abbr`, `roster_date`), `snapshots` the dates of the team's rosters, ascending.
        """
        place = find((finals["game_id"],), (sheet["game_id"],))
        mine = (place >= 0) & (at(sheet["team_abbr"], place) == team)
        sat_out = mine & (at(sheet["is_dnp"], place) == 1)
        played = mine & ~sat_out
        newest = np.searchsorted(snapshots, finals["game_date"], side="right") - 1
        listed_on = roster["roster_date"][roster["team_abbr"] == team]
        listed = np.isin(snapshots[np.maximum(newest, 0)], listed_on) if len(snapshots) else np.zeros(len(place), dtype=bool)
        rostered = (newest >= 0) & listed
        return cls(finals["game_date"], played | ((place < 0) & rostered), played, sat_out)

    def last_games(self, as_of: Dates, games: int, since: Dates) -> Completeness:
        """Over the team's last finals; games not expected are taken out of the window, not replaced by earlier ones."""
        return self._within(AsOfWindow.last_games(self.dates, as_of, games, since=since))

    def last_days(self, as_of: Dates, days: int, since: Dates) -> Completeness:
        """Over the team's finals of the last days."""
        return self._within(AsOfWindow.last_days(self.dates, as_of, days, since=since))

    def season_to_date(self, as_of: Dates, since: Dates) -> Completeness:
        """Over the team's finals of the season."""
        return self._within(AsOfWindow.season_to_date(self.dates, as_of, since=since))

    def gap(self, as_of: Dates, days: int, since: Dates) -> NDArray[np.object_]:
        """What kind of gap the last days have: NO_GAP, DATA_GAP, or NAME_UNRESOLVED where no game at all bears his name."""
        window = AsOfWindow.last_days(self.dates, as_of, days, since=since)
        found = self._within(window)
        unknown = (found.expected > 0) & (found.actual == 0) & (window.count(self.sat_out) == 0)
        return text_where(unknown, "NAME_UNRESOLVED", text_where(found.is_complete, "NO_GAP", "DATA_GAP"))

    def _within(self, window: AsOfWindow) -> Completeness:
        return Completeness.of(window.only(self.expected), self.has_row)
