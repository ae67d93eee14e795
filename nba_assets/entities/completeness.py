"""Completeness of windows: expected and actual games as sets, and the readiness that follows.

Expected are finished games of the team (for a player: his current team's, less those he was not available for), actual
are those of them that have a row. Nothing expected is complete. Percentages lie between 0 and 100 by construction.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from nba_assets.basketball.season import season_year
from nba_assets.entities.groups import SPAN, Grouped, Numbered, Numbers, days_of, joint, moments
from nba_assets.entities.outcomes import failures, take
from nba_assets.entities.relations import at, find, group_numbers, text_where
from nba_assets.entities.windows import AsOf, AsOfWindow, Counts, Masks
from nba_assets.tables.lists import object_column
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

        For a team, the window is over its finals: `Completeness.of(AsOfWindow.last_games(finals, as_of, 15), has_row)`.
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
    missing = expected.only(~has_row)
    ids = missing.of_kept(game_ids).tolist()
    bounds = zip(missing.start.tolist(), missing.stop.tolist(), strict=True)
    return object_column([tuple(ids[start:stop]) for start, stop in bounds])


def shortfall(expected: Counts, minimum: Counts | int) -> tuple[NDArray[np.object_], Masks]:
    """What it means to have fewer rows than the minimum number of games: failure category, and whether running again
    may help.

    Who was not even expected in as many games of the season (`expected`, all his teams) is EXPECTED_INCOMPLETE, which
    no retry resolves; of the others rows are missing: INCOMPLETE_UPSTREAM. Example: of a minimum of 10, 5 expected ->
    EXPECTED_INCOMPLETE; 12 expected -> INCOMPLETE_UPSTREAM.
    """
    rows_are_missing = expected >= minimum
    return text_where(rows_are_missing, "INCOMPLETE_UPSTREAM", "EXPECTED_INCOMPLETE"), rows_are_missing


@dataclass(frozen=True, eq=False)
class League:
    """The finals of every team with the roster snapshot that held on each date; the same for all players of a run."""

    finals: Grouped
    """By team: `game_id`, `game_date`, `roster_date` (NaT where no snapshot counts)."""

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
        listed = ~np.isnat(rosters["roster_date"])
        keys = (
            np.concatenate([finals["team_abbr"], rosters["team_abbr"][listed]]),
            np.concatenate([finals["season_year"].astype(np.float64), own_season[listed].astype(np.float64)]),
        )
        of_final, of_snapshot = np.split(group_numbers(keys), [len(finals["team_abbr"])])
        snapshots = np.unique(moments(of_snapshot, rosters["roster_date"][listed])[of_snapshot >= 0])
        newest = np.append(-1, snapshots)[
            np.searchsorted(snapshots, moments(of_final, finals["game_date"]), side="right")
        ]
        dates, days = finals["game_date"].astype("M8[D]"), days_of(newest)
        counts = (newest // SPAN == of_final) & (of_final >= 0) & (dates - days <= np.timedelta64(OLDEST_SNAPSHOT_DAYS))
        columns = {
            "team_abbr": finals["team_abbr"],
            "game_id": finals["game_id"],
            "game_date": dates,
            "roster_date": np.where(counts, days, np.datetime64("NaT", "D")),
        }
        return cls(Grouped.by(columns, "team_abbr", "game_date", tie_break=("game_id",)))

    def numbers(self, teams: NDArray[np.object_]) -> NDArray[np.intp]:
        """The number of each team among the league's; -1 for none of its teams."""
        return self.finals.numbers(teams)


def games_of(players: Numbers, teams: Numbers, sheet: Numbered, roster: Numbered, league: League) -> Numbered:
    """Finals as they concern players: group number i are those of the i-th of some pairs of a player and a team.

    A game is `expected` of a player if its sheet has him for this team and he played, or if it has no row of his
    although the team's roster snapshot that held then lists him. `has_row` marks the games that he played, `sat_out`
    those that he did not play although its sheet has him. `sheet` are the players' rows of player_game_summary,
    `roster` their roster rows (`team_abbr`, `roster_date`).
    """
    rows, bounds = league.finals.rows_of(teams)
    finals, sizes = take(league.finals, rows), np.diff(bounds)
    player, team = np.repeat(players, sizes), np.repeat(teams, sizes)
    place = find((player, finals["game_id"]), (sheet.group, sheet["game_id"]))
    mine = (place >= 0) & (np.append(league.numbers(sheet["team_abbr"]), -1)[place] == team)
    sat_out = mine & (at(sheet["is_dnp"], place) == 1)
    played = mine & ~sat_out
    snapshots = (roster.group, league.numbers(roster["team_abbr"]), roster["roster_date"])
    listed = find((player, team, finals["roster_date"]), snapshots) >= 0
    marks = {"expected": played | ((place < 0) & listed), "has_row": played, "sat_out": sat_out}
    return Numbered({**finals, **marks}, bounds, league.finals.date_column)


def games_of_all_teams(players: Numbers, sheet: Numbered, roster: Numbered, league: League) -> Numbered:
    """The games expected of players with any team that they were with, each once: what a failure record counts.

    Of `sheet` and `roster` those groups are looked at that are among `players`.
    """
    pairs = np.unique(np.concatenate([_pairs(sheet, league), _pairs(roster, league)]))
    player, team = np.divmod(pairs, SPAN)
    concerned = np.isin(player, players)
    player, team = player[concerned], team[concerned]
    games = games_of(player, team, sheet, roster, league)
    games = games.where(games["expected"])
    player, number = player[games.group], pd.factorize(games["game_id"], sort=True)[0]
    # On the rosters of two teams that meet, the game is expected of him once; games of one date go by their id.
    _, once = np.unique(joint(player, number), return_index=True)
    return Numbered.sort(take(games, once), player[once], len(sheet.sizes), games.date_column)


def _pairs(rows: Numbered, league: League) -> NDArray[np.int64]:
    """Player and team of each row that has a team of the league, as one number."""
    team = league.numbers(rows["team_abbr"])
    return joint(rows.group, team)[team >= 0]


@dataclass(frozen=True, eq=False)
class PlayerWindows:
    """Windows of all requested rows, each over the finals of the team that the player is with on that date."""

    as_of: AsOf
    """Looks back from the pair of player and team."""
    games: Numbered
    """Of each pair, see `games_of`; the last group has none, it is that of players without a team."""

    @classmethod
    def of(
        cls, teams: NDArray[np.object_], as_of: AsOf, sheet: Numbered, roster: Numbered, league: League
    ) -> PlayerWindows:
        """From a player's current team on each date (None: no team, and nothing expected), and the sheet rows and
        roster rows of all players.
        """
        team = league.numbers(teams)
        known = team >= 0
        pairs, number = np.unique(joint(as_of.entity, team)[known], return_inverse=True)
        pair = np.full(len(team), len(pairs))
        pair[known] = number
        games = games_of(*np.divmod(pairs, SPAN), sheet, roster, league)
        games = replace(games, bounds=np.append(games.bounds, games.bounds[-1]))
        return cls(AsOf(pair, as_of.dates, as_of.since), games)

    def last_games(self, games: int) -> Completeness:
        """Over the team's last finals; games not expected are taken out of the window, not replaced by earlier ones."""
        return self._within(AsOfWindow.last_games(self.games, self.as_of, games))

    def last_days(self, days: int) -> Completeness:
        """Over the team's finals of the last days."""
        return self._within(AsOfWindow.last_days(self.games, self.as_of, days))

    def season_to_date(self) -> Completeness:
        """Over the team's finals of the season."""
        return self._within(AsOfWindow.season_to_date(self.games, self.as_of))

    def gap(self, days: int) -> NDArray[np.object_]:
        """What kind of gap the last days have: NO_GAP, DATA_GAP, or NAME_UNRESOLVED where no game at all bears his
        name.
        """
        window = AsOfWindow.last_days(self.games, self.as_of, days)
        found = self._within(window)
        unknown = (found.expected > 0) & (found.actual == 0) & (window.count(self.games["sat_out"]) == 0)
        return text_where(unknown, "NAME_UNRESOLVED", text_where(found.is_complete, "NO_GAP", "DATA_GAP"))

    def _within(self, window: AsOfWindow) -> Completeness:
        return Completeness.of(window.only(self.games["expected"]), self.games["has_row"])


@dataclass(frozen=True, eq=False)
class SeasonSoFar:
    """What was expected of players with all their teams, season to date: the substance of their failure records."""

    as_of: AsOf
    games: Numbered
    """Of each player, see `games_of_all_teams`."""
    in_raw_box: Masks
    """The games of which the raw box score has him."""

    @classmethod
    def of(cls, as_of: AsOf, sheet: Numbered, roster: Numbered, box: Numbered, league: League) -> SeasonSoFar:
        """From the players' rows of player_game_summary, of the rosters and of the raw box scores."""
        games = games_of_all_teams(as_of.entity, sheet, roster, league)
        return cls(as_of, games, find((games.group, games["game_id"]), (box.group, box["game_id"])) >= 0)

    @cached_property
    def completeness(self) -> Completeness:
        """Expected and actual games."""
        return Completeness.of(self._season, self.games["has_row"])

    @cached_property
    def _season(self) -> AsOfWindow:
        return AsOfWindow.season_to_date(self.games, self.as_of)

    def missing_game_ids(self) -> NDArray[np.object_]:
        """The expected games that have no row of the player, oldest first: a tuple per as-of date."""
        return missing_game_ids(self._season, self.games["has_row"], self.games["game_id"])

    def kind_of_gap(self) -> tuple[NDArray[np.object_], Masks]:
        """Why rows of the last 14 days are missing, for failure records, and whether better data would correct it.

        COMPLETE where none is missing, INSUFFICIENT_HISTORY where fewer than 5 are expected; a missing game is a
        DATA_GAP where the raw box score has him, else PLAYER_DNP; MIXED where there are both.
        """
        expected = AsOfWindow.last_days(self.games, self.as_of, GAP_DAYS)
        missing = expected.only(~self.games["has_row"])
        gaps, all_missing = missing.count(self.in_raw_box), missing.games()
        kinds = np.select(
            [all_missing == 0, expected.games() < FEWEST_EXPECTED, gaps == all_missing, gaps == 0],
            ["COMPLETE", "INSUFFICIENT_HISTORY", "DATA_GAP", "PLAYER_DNP"],
            default="MIXED",
        )
        return kinds.astype(object), np.isin(kinds, ("DATA_GAP", "MIXED"))

    def failures(
        self,
        players: NDArray[np.object_],
        category: str | NDArray[np.object_],
        reasons: Sequence[str] | NDArray[np.object_],
        can_retry: bool | Masks,
        actual: Counts,
    ) -> dict[str, Any]:
        """A failure record per requested row, with the games that were expected and have no row; `actual` are the games
        that the player has.
        """
        kinds, correctable = self.kind_of_gap()
        return failures(
            players,
            self.as_of.dates,
            "PLAYER",
            category,
            reasons,
            can_retry=can_retry,
            failure_type=kinds,
            is_correctable=correctable,
            expected=self.completeness.expected,
            actual=actual,
            missing_game_ids=self.missing_game_ids(),
        )
