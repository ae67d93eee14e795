"""How much of what should be there is there: expected and actual games as sets, per window, and the readiness that
follows.

Expected are finished games of the team (for a player: his current team's, less those he was not available for), actual
are those of them that have a row. Nothing expected is complete. Percentages lie between 0 and 100 by construction.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from nba_assets.basketball.season import season_year
from nba_assets.entities.outcomes import concatenate, take
from nba_assets.entities.relations import at, text_where
from nba_assets.entities.windows import AsOfWindow, Counts, Dates, Masks
from nba_assets.tables.spec import Columns

OLDEST_SNAPSHOT_DAYS = 90
"""A roster snapshot older than this tells nothing of who is with a team."""

GAP_DAYS, FEWEST_EXPECTED = 14, 5
"""How far back, and from how many expected games on, the kind of a gap is looked into."""


@dataclass(frozen=True)
class Completeness:
    """Expected and actual games of one window, per as-of date."""

    expected: Counts
    actual: Counts

    @classmethod
    def of(cls, expected: AsOfWindow, has_row: Masks) -> Completeness:
        """From a window over the expected games, and which games have a row.

        For a team, the window is over its finals: `Completeness.of(AsOfWindow.last_games(finals["game_date"], as_of,
        15, since=since), has_row)`.
        """
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

    def columns(
        self, windows: Mapping[str, Completeness], bootstrap: Masks, boundary: Masks
    ) -> dict[str, NDArray[Any]]:
        """Readiness and its excuses: ready is every window at the threshold, or a young season, or a month in which
        seasons begin or end.
        """
        reached = np.logical_and.reduce([window.pct >= self.threshold_pct for window in windows.values()])
        return {
            "season_boundary_detected": boundary,
            "backfill_bootstrap_mode": bootstrap,
            "is_production_ready": reached | bootstrap | boundary,
        }


def completeness_columns(windows: Mapping[str, Completeness], primary: str) -> dict[str, NDArray[Any]]:
    """The completeness block: counts of the primary window, percentage and completeness of each, and of all
    together.
    """
    return {
        **completeness_counts(windows[primary]),
        **{f"{name}_completeness_pct": window.pct for name, window in windows.items()},
        **{f"{name}_is_complete": window.is_complete for name, window in windows.items()},
        "all_windows_complete": np.logical_and.reduce([window.is_complete for window in windows.values()]),
    }


def completeness_counts(window: Completeness) -> dict[str, NDArray[Any]]:
    """The completeness block of a table with a single window."""
    return {
        "expected_games_count": window.expected,
        "actual_games_count": window.actual,
        "completeness_percentage": window.pct,
        "missing_games_count": window.expected - window.actual,
    }


def missing_game_ids(expected: AsOfWindow, has_row: Masks, game_ids: NDArray[np.object_]) -> NDArray[np.object_]:
    """The expected games without a row, oldest first: a tuple per as-of date."""
    missing = np.empty(len(expected.stop), dtype=object)
    missing[:] = [tuple(game_ids[row[row >= 0]]) for row in expected.only(~has_row).rows]
    return missing


def shortfall(expected: Counts, minimum: Counts | int) -> tuple[NDArray[np.object_], Masks]:
    """What it means to have fewer rows than the minimum number of games: failure category, and whether running again
    may help.

    Who was not even expected in as many games of the season (`expected`, all his teams) is EXPECTED_INCOMPLETE, which
    no retry mends; of the others rows are missing: INCOMPLETE_UPSTREAM. Example: of a minimum of 10, 5 expected ->
    EXPECTED_INCOMPLETE; 12 expected -> INCOMPLETE_UPSTREAM.
    """
    rows_are_missing = expected >= minimum
    return text_where(rows_are_missing, "INCOMPLETE_UPSTREAM", "EXPECTED_INCOMPLETE"), rows_are_missing


@dataclass(frozen=True, eq=False)
class League:
    """The finals of every team with the roster snapshot that held on each date; the same for all players of a run."""

    finals: Mapping[str, Columns]
    """By team, ascending: `game_id`, `game_date`, `roster_date` (NaT where no snapshot counts)."""

    @classmethod
    def of(cls, finals: Columns, rosters: Columns) -> League:
        """From finals, one row per team and game (`team_abbr`, `game_id`, `game_date`, `season_year`), and rows of
        roster snapshots.

        A final goes by its team's newest snapshot (`team_abbr`, `roster_date`, `season_year`) on or before its date, of
        its season and at most 90 days old: so it makes no difference how far back snapshots were loaded. A snapshot
        without season is of the season that its month says.
        """
        own_season = np.where(
            np.isnan(rosters["season_year"]), season_year(rosters["roster_date"]), rosters["season_year"]
        )
        played = pd.DataFrame(
            {
                "team": finals["team_abbr"],
                "season": finals["season_year"].astype(np.float64),
                "day": _moments(finals["game_date"]),
            }
        )
        snapshots = pd.DataFrame(
            {
                "team": rosters["team_abbr"],
                "season": own_season.astype(np.float64),
                "day": _moments(rosters["roster_date"]),
            }
        )
        snapshots = (
            snapshots.drop_duplicates().sort_values("day", kind="stable").assign(roster_date=lambda frame: frame["day"])
        )
        order = np.lexsort([finals["game_id"].astype(str), finals["game_date"]])
        joined = pd.merge_asof(
            played.iloc[order],
            snapshots,
            on="day",
            by=["team", "season"],
            tolerance=pd.Timedelta(days=OLDEST_SNAPSHOT_DAYS),
            direction="backward",
        )
        ascending = {
            "game_id": finals["game_id"][order],
            "game_date": finals["game_date"][order].astype("M8[D]"),
            "roster_date": joined["roster_date"].to_numpy().astype("M8[D]"),
        }
        return cls(
            {str(team): take(ascending, np.asarray(places)) for team, places in joined.groupby("team").indices.items()}
        )


@dataclass(frozen=True, eq=False)
class PlayerGames:
    """Finals as they concern one player: which were expected of him, which have his row, and at which he sat out."""

    game_ids: NDArray[np.object_]
    dates: Dates
    expected: Masks
    has_row: Masks
    sat_out: Masks

    @classmethod
    def with_team(cls, team: str, finals: Columns, sheet: Columns, roster: Columns) -> PlayerGames:
        """Sort a team's finals by what the player had to do with them.

        A game is expected of him if its sheet has him for this team and he played, or if it has no row of his although
        the team's roster snapshot that held then lists him. `finals` are those of a `League`; `sheet` are his rows of
        player_game_summary, `roster` his roster rows (`team_abbr`, `roster_date`).
        """
        row_of = {game: row for row, game in enumerate(sheet["game_id"].tolist())}
        place = np.array([row_of.get(game, -1) for game in finals["game_id"].tolist()], dtype=np.intp)
        mine = (place >= 0) & (at(sheet["team_abbr"], place) == team)
        sat_out = mine & (at(sheet["is_dnp"], place) == 1)
        played = mine & ~sat_out
        listed = np.isin(finals["roster_date"], roster["roster_date"][roster["team_abbr"] == team])
        return cls(finals["game_id"], finals["game_date"], played | ((place < 0) & listed), played, sat_out)

    @classmethod
    def of_all_teams(cls, sheet: Columns, roster: Columns, league: League) -> PlayerGames:
        """The games expected of him with any team that he was with: what a failure record counts."""
        teams = sorted({*sheet["team_abbr"].tolist(), *roster["team_abbr"].tolist()} & league.finals.keys())
        parts = []
        for team in teams:
            games = cls.with_team(team, league.finals[team], sheet, roster)
            parts.append(take(vars(games), games.expected))
        if not parts:
            return cls(sheet["game_id"][:0], sheet["game_date"][:0], *(np.zeros(0, dtype=bool) for _ in range(3)))
        together = concatenate(parts)
        # On the rosters of two teams that meet, the game is expected of him once.
        _, once = np.unique(together["game_ids"].astype(str), return_index=True)
        return cls(**take(together, once[np.argsort(together["dates"][once], kind="stable")]))

    def last_games(self, as_of: Dates, games: int, since: Dates) -> Completeness:
        """Over the team's last finals; games not expected are taken out of the window, not replaced by earlier ones."""
        return self._within(AsOfWindow.last_games(self.dates, as_of, games, since=since))

    def last_days(self, as_of: Dates, days: int, since: Dates) -> Completeness:
        """Over the team's finals of the last days."""
        return self._within(AsOfWindow.last_days(self.dates, as_of, days, since=since))

    def season_to_date(self, as_of: Dates, since: Dates) -> Completeness:
        """Over the team's finals of the season."""
        return self._within(AsOfWindow.season_to_date(self.dates, as_of, since=since))

    def missing_of_season(self, as_of: Dates, since: Dates) -> NDArray[np.object_]:
        """Ids of the season's expected games that have no row of his, oldest first: a tuple per as-of date."""
        return missing_game_ids(
            AsOfWindow.season_to_date(self.dates, as_of, since=since).only(self.expected), self.has_row, self.game_ids
        )

    def gap(self, as_of: Dates, days: int, since: Dates) -> NDArray[np.object_]:
        """What kind of gap the last days have: NO_GAP, DATA_GAP, or NAME_UNRESOLVED where no game at all bears his
        name.
        """
        window = AsOfWindow.last_days(self.dates, as_of, days, since=since)
        found = self._within(window)
        unknown = (found.expected > 0) & (found.actual == 0) & (window.count(self.sat_out) == 0)
        return text_where(unknown, "NAME_UNRESOLVED", text_where(found.is_complete, "NO_GAP", "DATA_GAP"))

    def kind_of_gap(self, as_of: Dates, since: Dates, in_raw_box: Masks) -> tuple[NDArray[np.object_], Masks]:
        """Why rows of the last 14 days are missing, for failure records, and whether better data would correct it.

        COMPLETE where none is missing, INSUFFICIENT_HISTORY where fewer than 5 are expected; a missing game is a
        DATA_GAP where the raw box score has him (`in_raw_box`), else PLAYER_DNP; MIXED where there are both.
        """
        expected = AsOfWindow.last_days(self.dates, as_of, GAP_DAYS, since=since).only(self.expected)
        missing = expected.only(~self.has_row)
        gaps, all_missing = missing.count(in_raw_box), missing.games()
        kinds = np.select(
            [all_missing == 0, expected.games() < FEWEST_EXPECTED, gaps == all_missing, gaps == 0],
            ["COMPLETE", "INSUFFICIENT_HISTORY", "DATA_GAP", "PLAYER_DNP"],
            default="MIXED",
        )
        return kinds.astype(object), np.isin(kinds, ("DATA_GAP", "MIXED"))

    def _within(self, window: AsOfWindow) -> Completeness:
        return Completeness.of(window.only(self.expected), self.has_row)


@dataclass(frozen=True, eq=False)
class PlayerWindows:
    """One player's windows at all requested dates, each over the finals of the team that he is with on that date."""

    as_of: Dates
    since: Dates
    with_teams: tuple[tuple[NDArray[np.intp], PlayerGames], ...]
    """Which requested dates he is with a team, and that team's finals."""

    @classmethod
    def of(
        cls, teams: NDArray[np.object_], as_of: Dates, since: Dates, sheet: Columns, roster: Columns, league: League
    ) -> PlayerWindows:
        """From his current team on each date (None: no team, and nothing expected), his sheet rows and his roster
        rows.
        """
        known = sorted({*teams.tolist()} & league.finals.keys())
        games = (PlayerGames.with_team(team, league.finals[team], sheet, roster) for team in known)
        return cls(
            as_of, since, tuple((np.flatnonzero(teams == team), mine) for team, mine in zip(known, games, strict=True))
        )

    def last_games(self, games: int) -> Completeness:
        """Over the team's last finals; games not expected are taken out of the window, not replaced by earlier ones."""
        return self._each(lambda mine, as_of, since: mine.last_games(as_of, games, since))

    def last_days(self, days: int) -> Completeness:
        """Over the team's finals of the last days."""
        return self._each(lambda mine, as_of, since: mine.last_days(as_of, days, since))

    def season_to_date(self) -> Completeness:
        """Over the team's finals of the season."""
        return self._each(lambda mine, as_of, since: mine.season_to_date(as_of, since))

    def gap(self, days: int) -> NDArray[np.object_]:
        """What kind of gap the last days have: NO_GAP, DATA_GAP, NAME_UNRESOLVED."""
        gaps = np.full(len(self.as_of), "NO_GAP", dtype=object)
        for places, mine in self.with_teams:
            gaps[places] = mine.gap(self.as_of[places], days, self.since[places])
        return gaps

    def _each(self, window: Callable[[PlayerGames, Dates, Dates], Completeness]) -> Completeness:
        expected, actual = np.zeros((2, len(self.as_of)), dtype=np.int64)
        for places, mine in self.with_teams:
            found = window(mine, self.as_of[places], self.since[places])
            expected[places], actual[places] = found.expected, found.actual
        return Completeness(expected, actual)


def _moments(days: Dates) -> NDArray[np.datetime64]:
    return days.astype("M8[ns]")
