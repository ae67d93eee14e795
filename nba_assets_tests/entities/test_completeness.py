"""Completeness against sets built game by game on random leagues, and the specified cases."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nba_assets.entities.completeness import (
    Completeness,
    League,
    PlayerWindows,
    Readiness,
    SeasonSoFar,
    completeness_columns,
    games_of,
    missing_game_ids,
    shortfall,
)
from nba_assets.entities.groups import Grouped, Numbered
from nba_assets.entities.outcomes import concatenate
from nba_assets.entities.windows import AsOf, AsOfWindow
from nba_assets.tables.spec import Columns

TEAMS = ("BOS", "DEN", "LAL")
OPENINGS = {2020: date(2020, 12, 22), 2021: date(2021, 10, 19)}
LAST_DAYS = {2020: date(2021, 2, 28), 2021: date(2021, 12, 31)}


def as_days(dates: Sequence[date]) -> Any:
    return np.array(dates, dtype="M8[D]")


def as_texts(texts: Sequence[str | None]) -> Any:
    return np.array(texts, dtype=object)


def of_one(rows: Columns, date_column: str = "game_date") -> Numbered:
    """The rows of a single player."""
    return Numbered(rows, np.array([0, len(rows[date_column])]), date_column)


def from_one(as_of: Any, since: Any) -> AsOf:
    """Looking back on them."""
    return AsOf(np.zeros(len(as_of), dtype=np.intp), as_of, since)


def windows_of(world: World, teams: Any, as_of: Any, since: Any) -> PlayerWindows:
    """The windows of the player of a world."""
    roster = of_one(world.roster(), "roster_date")
    return PlayerWindows.of(teams, from_one(as_of, since), of_one(world.rows()), roster, world.league())


def season_of(world: World, as_of: Any, since: Any) -> SeasonSoFar:
    """What was expected of the player of a world; no raw box score has him."""
    nobody = of_one({"game_id": as_texts([]), "game_date": as_days([])})
    roster = of_one(world.roster(), "roster_date")
    return SeasonSoFar.of(from_one(as_of, since), of_one(world.rows()), roster, nobody, world.league())


@dataclass(frozen=True)
class Game:
    game_id: str
    day: date
    season: int
    teams: tuple[str, str]


@dataclass(frozen=True)
class Snapshot:
    """A team's roster of one day; whether the player is on it, and the season that it says (None: none)."""

    team: str
    day: date
    season: int | None
    lists_him: bool


@dataclass(frozen=True)
class World:
    """A league of three teams over the start of two seasons, as one player lived it."""

    games: list[Game]
    snapshots: list[Snapshot]
    sheet: dict[str, tuple[str, bool]]
    """By game id: the team he was with, and whether he sat out."""

    @classmethod
    def random(cls, seed: int) -> World:
        random = np.random.default_rng(seed)
        games, snapshots = [], []
        for season, opening in OPENINGS.items():
            for number in range((LAST_DAYS[season] - opening).days):
                if random.random() < 0.5:
                    pair = tuple(random.permutation(TEAMS)[:2].tolist())
                    games.append(Game(f"{season}-{number:03d}", opening + timedelta(days=number), season, pair))
        for team in TEAMS:
            likely = random.random()
            for _ in range(random.integers(0, 6)):
                day = date(2020, 9, 1) + timedelta(days=int(random.integers(0, 480)))
                own = day.year if day.month >= 10 else day.year - 1
                snapshots.append(
                    Snapshot(team, day, [None, own, 2021][random.integers(0, 3)], bool(random.random() < likely))
                )
        # One snapshot per team and day: a later one of the same day would replace it.
        snapshots = list({(snapshot.team, snapshot.day): snapshot for snapshot in snapshots}.values())
        sheet = {
            game.game_id: (str(random.choice(game.teams)), bool(random.random() < 0.3))
            for game in games
            if random.random() < 0.5
        }
        return cls(games, snapshots, sheet)

    def before(self, day: date, first: date) -> World:
        """What a run for one day of one season would load."""
        return World(
            [game for game in self.games if first <= game.day < day],
            [snapshot for snapshot in self.snapshots if first - timedelta(days=90) <= snapshot.day <= day],
            self.sheet,
        )

    # As the code under test wants it

    def league(self) -> League:
        finals = [(team, game) for game in self.games for team in game.teams]
        return League.of(
            {
                "team_abbr": as_texts([team for team, _ in finals]),
                "game_id": as_texts([game.game_id for _, game in finals]),
                "game_date": as_days([game.day for _, game in finals]),
                "season_year": np.array([game.season for _, game in finals], dtype=float),
            },
            self._roster([*self.snapshots, *self.snapshots]),  # one row per player: a snapshot's date occurs many times
        )

    def roster(self) -> Columns:
        return self._roster([snapshot for snapshot in self.snapshots if snapshot.lists_him])

    def rows(self) -> Columns:
        mine = [game for game in self.games if game.game_id in self.sheet]
        return {
            "game_id": as_texts([game.game_id for game in mine]),
            "game_date": as_days([game.day for game in mine]),
            "team_abbr": as_texts([self.sheet[game.game_id][0] for game in mine]),
            "is_dnp": np.array([float(self.sheet[game.game_id][1]) for game in mine]),
        }

    @staticmethod
    def _roster(snapshots: Sequence[Snapshot]) -> Columns:
        return {
            "team_abbr": as_texts([snapshot.team for snapshot in snapshots]),
            "roster_date": as_days([snapshot.day for snapshot in snapshots]),
            "season_year": np.array(
                [np.nan if snapshot.season is None else snapshot.season for snapshot in snapshots], dtype=float
            ),
        }

    # As sets

    def finals(self, team: str | None, day: date, first: date) -> list[Game]:
        return [game for game in self.games if team in game.teams and first <= game.day < day]

    def expected(self, team: str | None, games: Sequence[Game]) -> set[str]:
        return {game.game_id for game in games if team is not None and self._is_expected(team, game)}

    def actual(self, team: str | None, games: Sequence[Game]) -> set[str]:
        return {game.game_id for game in games if self.sheet.get(game.game_id) == (team, False)} & self.expected(
            team, games
        )

    def sat_out(self, team: str | None, games: Sequence[Game]) -> set[str]:
        return {game.game_id for game in games if self.sheet.get(game.game_id) == (team, True)}

    def _is_expected(self, team: str, game: Game) -> bool:
        if game.game_id in self.sheet:
            return self.sheet[game.game_id] == (team, False)
        counted = [
            snapshot
            for snapshot in self.snapshots
            if snapshot.team == team
            and (snapshot.season or (snapshot.day.year if snapshot.day.month >= 10 else snapshot.day.year - 1))
            == game.season
            and game.day - timedelta(days=90) <= snapshot.day <= game.day
        ]
        return bool(counted) and max(counted, key=lambda snapshot: snapshot.day).lists_him


def first_day(day: date) -> date:
    return max(opening for opening in OPENINGS.values() if opening <= day)


def counts(found: Completeness) -> list[tuple[int, int]]:
    return list(zip(found.expected.tolist(), found.actual.tolist(), strict=True))


days = st.sampled_from(
    [
        opening + timedelta(days=number)
        for season, opening in OPENINGS.items()
        for number in range((LAST_DAYS[season] - opening).days)
    ]
)
stays = st.dictionaries(days, st.sampled_from([*TEAMS, "SEA", None]), min_size=1, max_size=8)


@given(st.integers(0, 10**9), stays)
def test_windows_are_those_of_sets(seed: int, team_on: dict[date, str | None]) -> None:
    world = World.random(seed)
    requested = sorted(team_on)
    as_of, since, teams = (
        as_days(requested),
        as_days([first_day(day) for day in requested]),
        as_texts([team_on[day] for day in requested]),
    )
    windows = windows_of(world, teams, as_of, since)
    finals = [world.finals(team_on[day], day, first_day(day)) for day in requested]
    lately = {
        length: [
            [game for game in mine if game.day >= day - timedelta(days=length)]
            for day, mine in zip(requested, finals, strict=True)
        ]
        for length in (7, 30)
    }

    def expected_counts(shown: Sequence[Sequence[Game]]) -> list[tuple[int, int]]:
        return [
            (len(world.expected(team_on[day], games)), len(world.actual(team_on[day], games)))
            for day, games in zip(requested, shown, strict=True)
        ]

    assert counts(windows.last_games(10)) == expected_counts([mine[-10:] for mine in finals])
    assert counts(windows.last_days(7)) == expected_counts(lately[7])
    assert counts(windows.season_to_date()) == expected_counts(finals)
    gaps = []
    for day, games in zip(requested, lately[30], strict=True):
        team = team_on[day]
        expected, actual = world.expected(team, games), world.actual(team, games)
        unknown = expected and not actual and not world.sat_out(team, games)
        gaps.append("NAME_UNRESOLVED" if unknown else "DATA_GAP" if actual < expected else "NO_GAP")
    assert windows.gap(30).tolist() == gaps


@given(st.integers(0, 10**9), days)
def test_what_else_is_loaded_changes_nothing(seed: int, day: date) -> None:
    """The other season, later games and rosters, and how far back rosters reach."""
    whole = World.random(seed)
    alone = whole.before(day, first_day(day))
    for team in TEAMS:
        found = [
            windows_of(world, as_texts([team]), as_days([day]), as_days([first_day(day)])) for world in (whole, alone)
        ]
        for name, arguments in (("last_games", (10,)), ("last_days", (14,)), ("season_to_date", ())):
            one, other = (counts(getattr(windows, name)(*arguments)) for windows in found)
            assert one == other
        assert found[0].gap(30).tolist() == found[1].gap(30).tolist()


@given(st.integers(0, 10**9), st.lists(days, min_size=1, max_size=5, unique=True).map(sorted))
def test_a_season_with_all_teams_is_the_union_of_their_sets(seed: int, requested: list[date]) -> None:
    world = World.random(seed)
    season = season_of(world, as_days(requested), as_days([first_day(day) for day in requested]))
    expected, actual = [], []
    for day in requested:
        finals = {team: world.finals(team, day, first_day(day)) for team in TEAMS}
        expected.append(set().union(*(world.expected(team, mine) for team, mine in finals.items())))
        actual.append(set().union(*(world.actual(team, mine) for team, mine in finals.items())))
    assert counts(season.completeness) == [
        (len(all_), len(there)) for all_, there in zip(expected, actual, strict=True)
    ]
    # Game ids ascend with the date.
    assert season.missing_game_ids().tolist() == [
        tuple(sorted(all_ - there)) for all_, there in zip(expected, actual, strict=True)
    ]


PLAYERS = ("one", "three", "two")


def together(rows: Sequence[Columns], date_column: str = "game_date") -> Grouped:
    """The rows of all players."""
    parts = [
        {**mine, "player": as_texts([player] * len(mine[date_column]))}
        for player, mine in zip(PLAYERS, rows, strict=True)
    ]
    return Grouped.by(concatenate(parts), "player", date_column).chunk(PLAYERS)


@settings(max_examples=30)
@given(st.integers(0, 10**9), st.lists(stays, min_size=3, max_size=3))
def test_players_are_measured_each_by_his_own_rows(seed: int, teams_of: list[dict[date, str | None]]) -> None:
    """Three players of one league, together and each alone: windows, gaps and failure records."""
    first, random = World.random(seed), np.random.default_rng(seed)
    worlds = [first] + [
        replace(
            first,
            snapshots=[replace(snapshot, lists_him=bool(random.random() < 0.5)) for snapshot in first.snapshots],
            sheet={game.game_id: (game.teams[0], False) for game in first.games if random.random() < 0.5},
        )
        for _ in PLAYERS[1:]
    ]
    pairs = [(number, day, stays[day]) for number, stays in enumerate(teams_of) for day in sorted(stays)]
    entity = np.array([number for number, _, _ in pairs])
    as_of, since = as_days([day for _, day, _ in pairs]), as_days([first_day(day) for _, day, _ in pairs])
    teams = as_texts([team for _, _, team in pairs])
    sheet = together([world.rows() for world in worlds])
    roster = together([world.roster() for world in worlds], "roster_date")
    box = together(
        [{"game_id": world.rows()["game_id"][::2], "game_date": world.rows()["game_date"][::2]} for world in worlds]
    )
    looks = AsOf(entity, as_of, since)
    windows = PlayerWindows.of(teams, looks, sheet, roster, first.league())
    names = as_texts([PLAYERS[number] for number in entity])
    season = SeasonSoFar.of(looks, sheet, roster, box, first.league())
    failed = season.failures(names, "INSUFFICIENT_DATA", ["few"] * len(pairs), False, entity)
    for number, player in enumerate(PLAYERS):
        mine = entity == number
        rows, listed, boxed = (of_one(table.of(player), table.date_column) for table in (sheet, roster, box))
        look = from_one(as_of[mine], since[mine])
        alone = PlayerWindows.of(teams[mine], look, rows, listed, first.league())
        for name, arguments in (("last_games", (10,)), ("last_days", (14,)), ("season_to_date", ())):
            many, one = (counts(getattr(these, name)(*arguments)) for these in (windows, alone))
            assert [found for found, his in zip(many, mine, strict=True) if his] == one
        assert windows.gap(30)[mine].tolist() == alone.gap(30).tolist()
        his = SeasonSoFar.of(look, rows, listed, boxed, first.league())
        one_failed = his.failures(names[mine], "INSUFFICIENT_DATA", ["few"] * int(mine.sum()), False, entity[mine])
        assert {column: values[mine].tolist() for column, values in failed.items()} == {
            column: values.tolist() for column, values in one_failed.items()
        }


def eighty_two_games() -> tuple[Any, Any]:
    """A team's finals, one every second day."""
    return as_texts([f"game {number:02d}" for number in range(82)]), as_days(
        [OPENINGS[2021] + timedelta(days=2 * number) for number in range(82)]
    )


def one_player(sheet: Mapping[int, tuple[str, bool]], listed: bool = True) -> PlayerWindows:
    """A player of BOS after 20 games, by the number of the game: the team that has him on its sheet, and whether he sat
    out.
    """
    ids, dates = eighty_two_games()
    opening = dates[:1]
    rows = {
        "game_id": as_texts([ids[number] for number in sheet]),
        "game_date": as_days([dates[number] for number in sheet]),
        "team_abbr": as_texts([team for team, _ in sheet.values()]),
        "is_dnp": np.array([float(sat_out) for _, sat_out in sheet.values()]),
    }
    roster = {"team_abbr": as_texts(["BOS"] if listed else ["LAL"]), "roster_date": opening}
    finals = {"team_abbr": np.full(82, "BOS", dtype=object), "game_id": ids, "game_date": dates}
    league = League(Grouped.by({**finals, "roster_date": np.full(82, opening[0])}, "team_abbr", "game_date"))
    as_of = from_one(AFTER_20_GAMES, SINCE)
    return PlayerWindows.of(as_texts(["BOS"]), as_of, of_one(rows), of_one(roster, "roster_date"), league)


AFTER_20_GAMES = as_days([OPENINGS[2021] + timedelta(days=39)])
SINCE = as_days([OPENINGS[2021]])


@pytest.mark.parametrize(
    ("expected", "actual", "pct", "ready_at_90", "ready_at_70"),
    [
        (15, 15, 100.0, True, True),
        (15, 10, 66.7, False, False),
        (15, 5, 33.3, False, False),
        (15, 0, 0.0, False, False),
        (17, 15, 88.2, False, True),
    ],
)
def test_the_share_of_expected_games(
    expected: int, actual: int, pct: float, ready_at_90: bool, ready_at_70: bool
) -> None:
    _, dates = eighty_two_games()
    window = AsOfWindow.last_games(of_one({"game_date": dates}), from_one(as_days([date(2022, 6, 1)]), SINCE), expected)
    found = Completeness.of(window, np.arange(82) >= 82 - actual)
    assert counts(found) == [(expected, actual)]
    assert round(found.pct[0], 1) == pct
    assert found.is_complete.tolist() == [actual == expected]
    block = completeness_columns({"l15": found}, primary="l15")
    assert block["missing_games_count"].tolist() == [expected - actual]
    no = np.array([False])
    for threshold, ready in ((90.0, ready_at_90), (70.0, ready_at_70)):
        assert Readiness(threshold).columns({"l15": found}, no, no)["is_production_ready"].tolist() == [ready]


def test_nothing_expected_is_complete() -> None:
    found = Completeness(np.array([0]), np.array([0]))
    assert (found.pct.tolist(), found.is_complete.tolist()) == ([100.0], [True])


def test_a_young_season_or_its_edge_excuses_what_is_missing_but_hides_nothing() -> None:
    windows = {
        "l5": Completeness(np.array([5] * 4), np.array([1] * 4)),
        "l10": Completeness(np.array([10] * 4), np.array([10] * 4)),
    }
    bootstrap, boundary = np.array([False, True, False, True]), np.array([False, False, True, True])
    assert Readiness(90.0).columns(windows, bootstrap, boundary)["is_production_ready"].tolist() == [
        False,
        True,
        True,
        True,
    ]
    block = completeness_columns(windows, primary="l10")
    assert block["l5_completeness_pct"].tolist() == [20.0] * 4
    assert block["all_windows_complete"].tolist() == [False] * 4
    assert block["expected_games_count"].tolist() == [10] * 4


def test_every_window_must_reach_the_threshold() -> None:
    windows = {"l5": Completeness(np.array([5]), np.array([4])), "l10": Completeness(np.array([10]), np.array([9]))}
    no = np.array([False])
    assert Readiness(90.0).columns(windows, no, no)["is_production_ready"].tolist() == [False]
    assert Readiness(80.0).columns(windows, no, no)["is_production_ready"].tolist() == [True]


@pytest.mark.parametrize(
    ("expected", "category", "can_retry"),
    [
        (5, "EXPECTED_INCOMPLETE", False),
        (12, "INCOMPLETE_UPSTREAM", True),
        (10, "INCOMPLETE_UPSTREAM", True),
        (9, "EXPECTED_INCOMPLETE", False),
    ],
)
def test_fewer_games_than_the_minimum_are_missing_or_were_never_there(
    expected: int, category: str, can_retry: bool
) -> None:
    """Five games of a minimum of ten."""
    categories, retry = shortfall(np.array([expected]), 10)
    assert (categories.tolist(), retry.tolist()) == ([category], [can_retry])


def test_games_not_expected_are_not_replaced_by_earlier_ones() -> None:
    """Of the last ten finals he sat out three: seven are expected, and were played."""
    games = one_player({number: ("BOS", number in {12, 15, 19}) for number in range(20)})
    assert counts(games.last_games(10)) == [(7, 7)]


def test_a_game_for_another_team_is_not_expected_of_the_current_one() -> None:
    """Traded at mid-window, he is measured by what he could play for the new team."""
    games = one_player({number: ("LAL" if number < 15 else "BOS", False) for number in range(20)})
    assert counts(games.last_games(10)) == [(5, 5)]


def test_a_listed_player_without_a_row_is_missing_and_an_unlisted_one_is_not() -> None:
    sheet = dict.fromkeys(range(18), ("BOS", False))
    assert counts(one_player(sheet).last_games(10)) == [(10, 8)]
    assert counts(one_player(sheet, listed=False).last_games(10)) == [(8, 8)]


@pytest.mark.parametrize(
    ("sheet", "listed", "gap"),
    [
        (dict.fromkeys(range(20), ("BOS", False)), True, "NO_GAP"),
        (dict.fromkeys(range(19), ("BOS", False)), True, "DATA_GAP"),
        ({}, True, "NAME_UNRESOLVED"),
        ({12: ("BOS", True)}, True, "DATA_GAP"),
        (dict.fromkeys(range(20), ("BOS", True)), True, "NO_GAP"),
        ({}, False, "NO_GAP"),
    ],
    ids=[
        "all there",
        "one missing",
        "nobody of that name",
        "he sat out, so the name is known",
        "he always sat out",
        "not with the team",
    ],
)
def test_kinds_of_gaps(sheet: dict[int, tuple[str, bool]], listed: bool, gap: str) -> None:
    assert one_player(sheet, listed).gap(30).tolist() == [gap]


@pytest.mark.parametrize(("age", "counts_it"), [(90, True), (91, False)])
def test_an_old_snapshot_tells_nothing(age: int, counts_it: bool) -> None:
    ids, dates = as_texts(["game"]), as_days([date(2022, 2, 1)])
    season = np.array([2021.0])
    roster = {"team_abbr": as_texts(["BOS"]), "roster_date": dates - np.timedelta64(age, "D"), "season_year": season}
    league = League.of(
        {"team_abbr": as_texts(["BOS"]), "game_id": ids, "game_date": dates, "season_year": season}, roster
    )
    sheet = {"game_id": as_texts([]), "game_date": as_days([]), "team_abbr": as_texts([]), "is_dnp": np.array([])}
    him = np.array([0])
    games = games_of(him, league.numbers(as_texts(["BOS"])), of_one(sheet), of_one(roster, "roster_date"), league)
    assert games["expected"].tolist() == [counts_it]


def test_on_the_rosters_of_two_teams_that_meet_a_game_is_expected_once() -> None:
    game = Game("game", OPENINGS[2021], 2021, ("BOS", "LAL"))
    world = World([game], [Snapshot(team, OPENINGS[2021], 2021, lists_him=True) for team in ("BOS", "LAL")], {})
    assert counts(season_of(world, AFTER_20_GAMES, SINCE).completeness) == [(1, 0)]


def test_a_team_misses_games_by_name() -> None:
    ids, dates = eighty_two_games()
    as_of = from_one(as_days([OPENINGS[2021] + timedelta(days=5), OPENINGS[2021]]), np.repeat(SINCE, 2))
    window = AsOfWindow.last_games(of_one({"game_date": dates}), as_of, 15)
    assert missing_game_ids(window, np.arange(82) == 1, ids).tolist() == [("game 00", "game 02"), ()]


def test_a_league_without_rosters_or_games_expects_nobody() -> None:
    empty = World([], [], {})
    season = season_of(empty, AFTER_20_GAMES, SINCE)
    assert (counts(season.completeness), season.missing_game_ids().tolist()) == ([(0, 0)], [()])
    windows = windows_of(empty, as_texts(["BOS"]), AFTER_20_GAMES, SINCE)
    assert (counts(windows.last_games(10)), windows.gap(30).tolist()) == ([(0, 0)], ["NO_GAP"])
