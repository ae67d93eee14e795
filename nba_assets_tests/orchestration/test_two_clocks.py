"""What is learned of the schedule after a date's first tip-off is no part of what the date looks ahead to: neither
stale, nor built otherwise when it is built again. What is learned before it is.
"""

from __future__ import annotations

import random
import shutil
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, date, datetime, timedelta, tzinfo
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from nba_assets.automation.staleness import ANNOUNCEMENTS
from nba_assets.automation.stored_state import read_state
from nba_assets.raw.content_index import RESULTS, forget_landed
from nba_assets.raw.sample_league import write_season
from nba_assets.raw.schedule import POSTPONED
from nba_assets.raw.tables import RAW_TABLES, SCHEDULE
from nba_assets.registry import GAME_SUMMARIES, PREGAME_TABLES, TABLE_MODULES
from nba_assets.tables.bookkeeping import SCHEDULE_HISTORY, TABLE_PARTITIONS
from nba_assets_tests import memory_warehouse
from nba_assets_tests.league import SMALL_LEAGUE
from nba_assets_tests.memory_warehouse import MemoryWarehouse
from nba_assets_tests.orchestration import at_work
from nba_assets_tests.orchestration.at_work import (
    BUILT,
    ENVIRONMENT,
    HOURS,
    MINUTES,
    NEXT,
    OPENING,
    Key,
    Operator,
    Ran,
    Season,
    build_tables,
    changed,
    days_of,
    digests,
    fresh_digests,
    rebuilt,
)
from nba_assets_tests.seeds import seeds

ANNOUNCED = datetime(2024, 8, 15, 18, tzinfo=UTC)
"""When the schedule of the season is ingested for the first time."""
NOON = datetime(2024, 11, 2, 16, tzinfo=UTC)
"""Of NEXT, US-Eastern: when everything before it is built, and its announcements."""
CONTEXT = "upcoming_player_game_context"


class Clock(datetime):
    """The clock of all runs and of the warehouse in memory."""

    moment = NOON

    @classmethod
    def now(cls, tz: tzinfo | None = None) -> datetime:  # type: ignore[override]
        return cls.moment.astimezone(tz)


def schedule_file(landing: Path) -> Path:
    (file,) = (landing / "schedule").rglob("*.parquet")
    return file


def games_of(landing: Path) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = pq.read_table(schedule_file(landing)).to_pylist()
    return sorted(found, key=lambda game: (game["game_date"], game["game_id"]))


def land_games(landing: Path, games: list[dict[str, Any]]) -> None:
    file = schedule_file(landing)
    pq.write_table(pa.Table.from_pylist(games, schema=pq.read_schema(file)), file)


@pytest.fixture(scope="module")
def common(tmp_path_factory: pytest.TempPathFactory) -> tuple[Season, Path, MemoryWarehouse]:
    """A season whose schedule is known from summer on, built up to BUILT, and NEXT built from its announcements."""
    path = tmp_path_factory.mktemp("season")
    season = Season(path, write_season(path, 2024, **SMALL_LEAGUE, special_cases=False))
    landing, warehouse = tmp_path_factory.mktemp("common") / "landing", MemoryWarehouse()
    with pytest.MonkeyPatch.context() as monkeypatch:
        for name, value in ENVIRONMENT.items():
            monkeypatch.setenv(name, value)
        for module in (at_work, memory_warehouse):
            monkeypatch.setattr(module, "datetime", Clock)
        Clock.moment = ANNOUNCED
        season.land_schedule(landing, OPENING - timedelta(days=1))
        build_tables(warehouse, landing, [SCHEDULE.name], [OPENING])
        Clock.moment = NOON
        season.land_all(landing, OPENING, BUILT)
        season.land(landing, NEXT, ANNOUNCEMENTS)
        build_tables(warehouse, landing, [*RAW_TABLES, *TABLE_MODULES], days_of(OPENING, BUILT))
        build_tables(warehouse, landing, [*RAW_TABLES, *PREGAME_TABLES], [NEXT])
    return season, landing, warehouse


@pytest.fixture
def operator(
    common: tuple[Season, Path, MemoryWarehouse], own_home: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Operator]:
    """At work in a copy of the common home, at noon of NEXT."""
    season, landing, warehouse = common
    shutil.copytree(landing, own_home / "landing")
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    for module in (at_work, memory_warehouse):
        monkeypatch.setattr(module, "datetime", Clock)
    forget_landed()
    Clock.moment = NOON
    yield Operator(own_home / "landing", season, warehouse.copy(), now=NOON)
    Clock.moment = NOON


def first_tip(operator: Operator, day: date = NEXT) -> datetime:
    tips = [game["game_time_utc"] for game in games_of(operator.landing) if game["game_date"] == day]
    tip: datetime = min(tips)
    return tip.replace(tzinfo=UTC) if tip.tzinfo is None else tip


def look(operator: Operator, moment: datetime) -> list[Ran]:
    """The schedule is ingested at a moment; the sensors look, and what they request is run."""
    operator.now = Clock.moment = moment
    build_tables(operator.warehouse, operator.landing, [SCHEDULE.name], [NEXT])
    return operator.until_quiet()


def built_again(operator: Operator, last: date = NEXT) -> dict[Key, str]:
    """All pregame tables, by force: the digests of their dates."""
    assert isinstance(operator.warehouse, MemoryWarehouse)
    there = Operator(operator.landing, operator.season, operator.warehouse.copy())
    build_tables(there.warehouse, there.landing, PREGAME_TABLES, days_of(OPENING, last), "by force")
    return digests(there.partition_state(PREGAME_TABLES))


def without_history(operator: Operator, last: date = NEXT) -> dict[Key, str]:
    """The same from the schedule as it is now."""
    assert isinstance(operator.warehouse, MemoryWarehouse)
    tables = {name: rows for name, rows in operator.warehouse.tables.items() if name != SCHEDULE_HISTORY.qualified_name}
    return built_again(Operator(operator.landing, operator.season, MemoryWarehouse(tables)), last)


def history(operator: Operator) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = operator.warehouse.read(
        SCHEDULE_HISTORY, SCHEDULE_HISTORY.column_names, date.min, date.max
    ).to_pylist()
    return rows


def soon(landing: Path) -> dict[str, Any]:
    """The first game after NEXT."""
    return next(game for game in games_of(landing) if game["game_date"] > NEXT)


def on_another_date(game: Mapping[str, Any], days: int) -> dict[str, Any]:
    day = game["game_date"] + timedelta(days=days)
    return {
        **game,
        "game_date": day,
        "game_time_utc": game["game_time_utc"] + timedelta(days=days),
        "game_id": f"{day:%Y%m%d}{game['game_id'][8:]}",
    }


def replace_game(landing: Path, game: Mapping[str, Any], *others: dict[str, Any]) -> None:
    """Other games in the place of one."""
    land_games(landing, [*(one for one in games_of(landing) if one["game_id"] != game["game_id"]), *others])


def move(landing: Path, game: Mapping[str, Any], days: int) -> dict[str, Any]:
    """Another date for a game; returns it as it is then."""
    moved = on_another_date(game, days)
    replace_game(landing, game, moved)
    return moved


def call_off(landing: Path, game: Mapping[str, Any]) -> None:
    replace_game(landing, game, {**game, "game_status": POSTPONED})


def put_off(landing: Path, game: Mapping[str, Any]) -> None:
    move(landing, game, 40)


def take_off(landing: Path, game: Mapping[str, Any]) -> None:
    replace_game(landing, game)


def add(landing: Path, game: Mapping[str, Any]) -> None:
    """One more game of the same teams, on a date close by that has none."""
    games = games_of(landing)
    taken = {NEXT, *(other["game_date"] for other in games)}
    days = next(days for days in (-1, *range(1, 20)) if game["game_date"] + timedelta(days=days) not in taken)
    newest = max(int(other["nba_game_id"]) for other in games)
    more = on_another_date(game, days) | {"nba_game_id": f"{newest + 1:010}"}
    land_games(landing, [*games, more])


CHANGES = {"called off": call_off, "put off": put_off, "taken off": take_off, "added": add}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_what_is_learned_after_the_tip_off_changes_no_date_that_looked_ahead(
    operator: Operator, change: Callable[[Path, Mapping[str, Any]], None]
) -> None:
    before = operator.partition_state()
    change(operator.landing, soon(operator.landing))
    assert look(operator, first_tip(operator) + MINUTES) == []
    assert history(operator)
    assert not rebuilt(before, operator.partition_state())
    again = built_again(operator)
    assert again == {key: digest for key, digest in digests(before).items() if key in again}
    assert without_history(operator)[CONTEXT, NEXT] != again[CONTEXT, NEXT]


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_what_is_learned_before_the_tip_off_changes_the_date_and_none_before_it(
    operator: Operator, change: Callable[[Path, Mapping[str, Any]], None]
) -> None:
    before = operator.partition_state()
    change(operator.landing, soon(operator.landing))
    look(operator, first_tip(operator) - MINUTES)
    after = operator.partition_state()
    contexts = {key for key in changed(before, after) if key[0] == CONTEXT}
    assert contexts == {(CONTEXT, NEXT)}
    assert {day for table, day in rebuilt(before, after) if (table, day) in before} == {NEXT}
    again = built_again(operator)
    assert again == {key: digest for key, digest in digests(after).items() if key in again}
    assert again[CONTEXT, NEXT] == without_history(operator)[CONTEXT, NEXT]


def test_the_next_date_looks_ahead_to_what_was_learned(operator: Operator) -> None:
    put_off(operator.landing, soon(operator.landing))
    look(operator, first_tip(operator) + MINUTES)
    following = min(game["game_date"] for game in games_of(operator.landing) if game["game_date"] > NEXT)
    operator.season.land(operator.landing, NEXT, RESULTS)
    operator.season.land(operator.landing, following, ANNOUNCEMENTS)
    look(operator, first_tip(operator, following) - HOURS)
    held = digests(operator.partition_state())
    rows = operator.warehouse.read(
        TABLE_MODULES[CONTEXT].TABLE, ("team_abbr", "next_game_days_rest"), following, following
    ).to_pylist()
    games = games_of(operator.landing)
    for row in rows:
        ahead = [
            game["game_date"]
            for game in games
            if game["game_date"] > following and row["team_abbr"] in (game["home_team_abbr"], game["away_team_abbr"])
        ]
        assert row["next_game_days_rest"] == (min(ahead) - following).days
    assert rows
    fresh = fresh_digests(operator)
    assert {key: held[key] for key in fresh} == fresh


def test_each_of_three_versions_stands_for_the_dates_before_which_it_was_known(operator: Operator) -> None:
    """Put off before the tip-off, put off again after it, and back again the day after."""
    tip, held = first_tip(operator), []
    game = soon(operator.landing)
    for days, moment in ((40, tip - HOURS), (1, tip + HOURS), (-41, tip + 24 * HOURS)):
        game = move(operator.landing, game, days)
        look(operator, moment)
        held.append(operator.partition_state()[CONTEXT, NEXT])
    assert [entry["digest"] for entry in held] == [held[0]["digest"]] * 3
    assert [entry["run_id"] for entry in held] == [held[0]["run_id"]] * 3
    assert built_again(operator)[CONTEXT, NEXT] == held[0]["digest"]
    moments = sorted({row["known_until"] for row in history(operator)})
    assert moments == [tip - HOURS, tip + HOURS, tip + 24 * HOURS]


def test_a_clock_that_is_set_back_makes_nothing_known_before_what_it_replaces(operator: Operator) -> None:
    tip, before = first_tip(operator), operator.partition_state()
    game = move(operator.landing, soon(operator.landing), 40)
    look(operator, tip + 10 * MINUTES)
    move(operator.landing, game, 1)
    look(operator, tip - 20 * MINUTES)
    assert not changed(before, operator.partition_state())
    again = built_again(operator)
    assert again == {key: digest for key, digest in digests(before).items() if key in again}
    moments = sorted({row["known_until"] for row in history(operator)})
    assert moments == [tip + 10 * MINUTES, tip + 10 * MINUTES + timedelta(microseconds=1)]


def test_a_score_that_is_corrected_later_reaches_everything_and_is_no_history(operator: Operator) -> None:
    day = OPENING + timedelta(days=6)
    before, entries = operator.partition_state(), len(history(operator))
    games = games_of(operator.landing)
    for game in games:
        if game["game_date"] == day:
            winner = "home" if game["home_team_score"] > game["away_team_score"] else "away"
            game[f"{winner}_team_score"] += 1
    land_games(operator.landing, games)
    look(operator, first_tip(operator) + HOURS)
    after = operator.partition_state()
    assert {table for table, when in rebuilt(before, after) if when == day} == set(GAME_SUMMARIES)
    assert {(table, NEXT) for table in ("upcoming_team_game_context",)} <= rebuilt(before, after)
    assert len(history(operator)) == entries
    fresh, held = fresh_digests(operator), digests(after)
    assert {key: held[key] for key in fresh} == fresh


def test_without_an_earlier_version_a_date_reads_the_schedule_as_it_is(operator: Operator) -> None:
    """A warehouse that was made after the season, and is corrected then."""
    assert isinstance(operator.warehouse, MemoryWarehouse)
    entries = operator.warehouse.tables[TABLE_PARTITIONS.qualified_name]
    summer = pa.repeat(
        pa.scalar(datetime(2025, 8, 1, tzinfo=UTC), entries.schema.field("changed_at").type), len(entries)
    )
    place = entries.column_names.index("changed_at")
    operator.warehouse.tables[TABLE_PARTITIONS.qualified_name] = entries.set_column(place, "changed_at", summer)
    before = operator.partition_state()
    put_off(operator.landing, soon(operator.landing))
    look(operator, datetime(2025, 8, 2, tzinfo=UTC))
    after = operator.partition_state()
    assert history(operator)
    assert (CONTEXT, NEXT) in changed(before, after)
    assert built_again(operator) == without_history(operator) == digests(operator.partition_state(PREGAME_TABLES))


@pytest.mark.slow
@pytest.mark.parametrize("seed", seeds(2, first=1))
def test_weeks_of_changes_at_any_hour_are_built_anew_as_they_were_built(operator: Operator, seed: int) -> None:
    """Games to come are called off, put off, taken off and added, before the tip-off of a date or after it."""
    choice, landing, warehouse = random.Random(seed), operator.landing, operator.warehouse
    days = days_of(NEXT, NEXT + timedelta(days=13))
    for day in days:
        noon = datetime(day.year, day.month, day.day, 17, tzinfo=UTC)
        Clock.moment = noon
        operator.season.land(landing, day, ANNOUNCEMENTS)
        build_tables(warehouse, landing, [*RAW_TABLES, *PREGAME_TABLES], [day], "noon")
        for minutes in sorted(choice.sample(range(12 * 60), 2)):
            Clock.moment = noon + minutes * MINUTES
            game = choice.choice([game for game in games_of(landing) if game["game_date"] > day][:8])
            choice.choice(list(CHANGES.values()))(landing, game)
            build_tables(warehouse, landing, [SCHEDULE.name], [day], "changed")
            for table, late in read_state(warehouse, day).stale(day).items():
                assert max(late) == day
                if table == CONTEXT:
                    assert min(late) == day
                build_tables(warehouse, landing, [table], sorted(late), "late")
    assert read_state(warehouse, days[-1]).stale(days[-1]) == {}
    held, again = digests(operator.partition_state(PREGAME_TABLES)), built_again(operator, days[-1])
    assert again == held
    as_it_is = without_history(operator, days[-1])
    assert len({day for day in days if as_it_is[CONTEXT, day] != again[CONTEXT, day]}) >= 3
