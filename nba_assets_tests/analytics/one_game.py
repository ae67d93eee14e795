"""One game in a warehouse: Los Angeles at Boston, with whatever feeds a test wants, built through the whole of each
table.

`agreeing_game` gives all feeds of a game whose counts are the same everywhere: a test changes what it is about.
"""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pyarrow as pa

from nba_assets.analytics.sheets import COUNTS
from nba_assets.analytics.team_boxes import COUNTS as TEAM_COUNTS
from nba_assets.publishing.publication import prepare
from nba_assets.raw.tables import PLAYER_COUNTS, RAW_TABLES
from nba_assets.registry import TABLE_MODULES
from nba_assets.tables.bookkeeping import ENTITY_FAILURES, RAW_QUARANTINE
from nba_assets.tables.columns import arrow_schema
from nba_assets.warehouse.interface import Replacement
from nba_assets_tests.memory_warehouse import MemoryWarehouse
from nba_assets_tests.pipeline import table_run

DAY = date(2025, 1, 15)
GAME = "20250115_LAL_BOS"
SUMMARIES = ("team_offense_game_summary", "team_defense_game_summary", "player_game_summary")
ALWAYS = {"game_id": GAME, "game_date": DAY, "season_year": 2024, "processed_at": datetime(2025, 1, 16, tzinfo=UTC)}
SIDES = {"home_team_abbr": "BOS", "away_team_abbr": "LAL"}

SCHEDULE = {
    **ALWAYS,
    **SIDES,
    "nba_game_id": "0022400560",
    "game_status": 3,
    "home_team_score": 115,
    "away_team_score": 108,
    "winning_team_abbr": "BOS",
    "is_regular_season": True,
    "is_playoffs": False,
    "is_all_star": False,
}


def team(tricode: str, **counts: Any) -> dict[str, Any]:
    """A team's box row; the two of the worked example unless told otherwise."""
    known = {
        "LAL": {
            "fg_made": 40,
            "fg_attempted": 88,
            "three_pt_made": 12,
            "three_pt_attempted": 35,
            "ft_made": 16,
            "ft_attempted": 20,
            "offensive_rebounds": 10,
            "defensive_rebounds": 35,
            "total_rebounds": 45,
            "assists": 24,
            "turnovers": 14,
            "personal_fouls": 18,
            "points": 108,
            "steals": 6,
            "blocks": 4,
        },
        "BOS": {
            "fg_made": 42,
            "fg_attempted": 85,
            "three_pt_made": 15,
            "three_pt_attempted": 38,
            "ft_made": 16,
            "ft_attempted": 18,
            "offensive_rebounds": 12,
            "defensive_rebounds": 36,
            "total_rebounds": 48,
            "assists": 28,
            "turnovers": 12,
            "personal_fouls": 20,
            "points": 115,
            "steals": 7,
            "blocks": 5,
        },
    }[tricode]
    return {**ALWAYS, "team_abbr": tricode, "is_home": tricode == "BOS", "minutes": "240:00", **known, **counts}


def player(tricode: str, lookup: str, status: str = "active", **counts: Any) -> dict[str, Any]:
    """A player's row of the official sheet; twenty minutes of little unless told otherwise."""
    filled = dict.fromkeys(PLAYER_COUNTS, 0 if status == "active" else None)
    known = {
        "player_name": lookup.title(),
        "player_lookup": lookup,
        "player_status": status,
        "minutes": "20:00" if status == "active" else None,
    }
    return {**ALWAYS, **SIDES, "team_abbr": tricode, "plus_minus": "0", **known, **filled, **counts}


def shot(
    number: int,
    tricode: str,
    shooter: str,
    *,
    made: bool,
    kind: str = "2PT",
    zone: str | None = "restricted_area",
    **more: Any,
) -> dict[str, Any]:
    """A field-goal attempt."""
    points = (3 if kind == "3PT" else 2) if made else 0
    return {
        **ALWAYS,
        "event_sequence": number,
        "period": 1,
        "game_clock_seconds": 700 - number,
        "event_type": "shot",
        "player_1_lookup": shooter,
        "player_1_team_abbr": tricode,
        "shot_made": made,
        "shot_type": kind,
        "shot_zone": zone,
        "points_scored": points,
        **more,
    }


Feeds = dict[str, list[dict[str, Any]]]
PLAYERS_A_SIDE = ("one", "two", "three", "four", "five")


def agreeing_game(away: str = "LAL", home: str = "BOS", day: date = DAY) -> Feeds:
    """Schedule, sheets, box scores and play-by-play of one game that agree: 62 to 60 for the home team, whose first
    player makes one shot more.

    Each of the five players of a team (`bosone` to `bosfive`) makes four twos in the paint, one three and a single free
    throw, and misses from mid-range, where his opposite number blocks him.
    """
    game = {"game_id": f"{day:%Y%m%d}_{away}_{home}", "game_date": day, "home_team_abbr": home, "away_team_abbr": away}
    events: list[dict[str, Any]] = []
    for side, other in ((home, away), (away, home)):
        for name in PLAYERS_A_SIDE:
            events += _turns(side, other, name, paint=5 if (side, name) == (home, "one") else 4)
    events = [
        {**event, **game, "event_sequence": number, "game_clock_seconds": 700 - number}
        for number, event in enumerate(events)
    ]
    sheet = [
        {**_line(side, f"{side.lower()}{name}", events), **game} for side in (home, away) for name in PLAYERS_A_SIDE
    ]
    return {
        "schedule": [
            {
                **SCHEDULE,
                **game,
                "home_team_score": 62,
                "away_team_score": 60,
                "winning_team_abbr": home,
                "nba_game_id": game["game_id"],
            }
        ],
        "player_gamebook": sheet,
        "player_boxscores": [{**row, "game_status": "final", "starter": True} for row in sheet],
        "team_boxscores": [
            {**_team_line(side, [row for row in sheet if row["team_abbr"] == side]), **game, "is_home": side == home}
            for side in (home, away)
        ],
        "play_by_play": events,
    }


def together(*games: Feeds) -> Feeds:
    """The feeds of several games as one."""
    return {name: [row for game in games for row in game[name]] for name in games[0]}


def changed(rows: list[dict[str, Any]], change: dict[str, Any], **where: Any) -> list[dict[str, Any]]:
    """Rows with a change in those whose values are as told; fails where there is none."""
    hit = [all(row.get(name) == value for name, value in where.items()) for row in rows]
    assert any(hit), where
    return [row | change if concerned else row for row, concerned in zip(rows, hit, strict=True)]


def _turns(side: str, other: str, name: str, *, paint: int) -> list[dict[str, Any]]:
    shooter, blocker = f"{side.lower()}{name}", f"{other.lower()}{name}"
    no_shot = {"shot_made": None, "shot_type": None, "shot_zone": None}
    return [
        *(shot(0, side, shooter, made=True) for _ in range(paint)),
        shot(0, side, shooter, made=True)
        | no_shot
        | {"event_type": "free throw", "event_subtype": "free throw 1/1", "points_scored": 1},
        shot(0, side, shooter, made=True, kind="3PT", zone="above_break_three"),
        shot(0, side, shooter, made=False, zone="mid_range", player_2_lookup=blocker, player_2_role="block"),
        shot(0, other, blocker, made=False) | no_shot | {"event_type": "rebound"},
    ]


def _line(tricode: str, lookup: str, events: list[dict[str, Any]]) -> dict[str, Any]:
    mine = [event for event in events if event["player_1_lookup"] == lookup]
    shots = [event for event in mine if event["event_type"] == "shot"]
    thrown = [event for event in mine if event["event_type"] == "free throw"]
    threes = [event for event in shots if event["shot_type"] == "3PT"]
    return player(
        tricode,
        lookup,
        minutes="48:00",
        points=sum(event["points_scored"] for event in mine),
        field_goals_attempted=len(shots),
        field_goals_made=sum(event["shot_made"] for event in shots),
        three_pointers_attempted=len(threes),
        three_pointers_made=sum(event["shot_made"] for event in threes),
        free_throws_attempted=len(thrown),
        free_throws_made=sum(event["points_scored"] for event in thrown),
        blocks=sum(event.get("player_2_lookup") == lookup for event in events),
    )


def _team_line(tricode: str, sheet: list[dict[str, Any]]) -> dict[str, Any]:
    counts = {column: sum(row[COUNTS[name]] for row in sheet) for name, column in TEAM_COUNTS.items()}
    return {**ALWAYS, "team_abbr": tricode, "minutes": "240:00", **counts}


def built(**feeds: list[dict[str, Any]]) -> dict[str, Any]:
    """The summaries of the day of Los Angeles at Boston, from the given raw rows; see `built_on`."""
    return built_on(DAY, {"schedule": [SCHEDULE], **feeds})


def built_on(day: date, feeds: Feeds) -> dict[str, Any]:
    """Rows of each summary by team or player, from the given raw rows; `failures` by table and entity, and the texts of
    each table's `notices`.
    """
    warehouse = MemoryWarehouse()
    for name, rows in feeds.items():
        table = RAW_QUARANTINE if name == RAW_QUARANTINE.name else RAW_TABLES[name].table
        filled = pa.Table.from_pylist(
            [{column: row.get(column) for column in table.column_names} for row in rows], schema=arrow_schema(table)
        )
        warehouse.replace([Replacement(table, filled, sorted({row[table.date_column] for row in rows}))])
    stored: dict[str, Any] = {"notices": {}}
    for name in SUMMARIES:
        run = table_run(warehouse, name, [day])
        prepare(run, TABLE_MODULES[name].build(run)).write()
        stored["notices"] |= {f"{name}/{notice}": [said for _, said in told] for notice, told in run.notices.items()}
        table = TABLE_MODULES[name].TABLE
        rows = warehouse.read(table, table.column_names, day, day).to_pylist()
        stored[name] = {row[table.entity_column or ""]: row for row in rows}
    failures = warehouse.read(ENTITY_FAILURES, ENTITY_FAILURES.column_names, day, day).to_pylist()
    return stored | {"failures": {f"{row['table_name']}/{row['entity_id']}": row for row in failures}}
