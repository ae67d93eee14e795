"""Damage to cells, rows and keys of a landed file that stays a file of its format."""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import UTC, datetime, time, timedelta
from functools import partial
from random import Random
from typing import Any

from nba_assets.basketball.teams import TEAMS
from nba_assets.raw.tables import RAW_TABLES
from nba_assets.tables.spec import Column, Type
from nba_assets_tests.invariants.landed_file import EASTERN, LandedFile, Row

Damage = Callable[[LandedFile, Random], None]

STRANGER = "nobodyknown"
FAR_AWAY = datetime(9999, 12, 31, tzinfo=UTC)
SEVERAL = 5
ESCAPES = ("\x1b[2J\x1b[31m", "\x00", "\x07\x08", "\r\n", "\u2028", "\u202e")


def cells(suits: Callable[[Column], bool], value: Callable[[Column, Random, Any], Any], count: int = 1) -> Damage:
    """Put a value into a random cell of the columns that suit, or into several; `value` is told what was there."""

    def damage(file: LandedFile, rng: Random) -> None:
        for _ in range(count):
            column = rng.choice(
                [column for column in file.columns.values() if suits(column) and holds_values(file, column)]
            )
            row = file.pick(rng, partial(has, column.name))
            file.put(row, **{column.name: value(column, rng, row[column.name])})

    return damage


def has(name: str, row: Row) -> bool:
    return row[name] is not None


def holds_values(file: LandedFile, column: Column) -> bool:
    return any(has(column.name, row) for row in file.candidates())


def one_of(*values: Any) -> Callable[[Column, Random, Any], Any]:
    """Any of some values, whatever the column."""

    def value(_: Column, rng: Random, __: Any) -> Any:
        return rng.choice(values)

    return value


def is_number(column: Column) -> bool:
    return column.type in (Type.INT64, Type.FLOAT64)


def is_bounded(column: Column) -> bool:
    """A number with an upper bound; odds beyond theirs are read as American ones."""
    return (
        is_number(column) and column.allowed is not None and column.allowed[1] < 1e6 and column.name != "outcome_price"
    )


def is_count(column: Column) -> bool:
    return is_bounded(column) and column.allowed is not None and column.allowed[0] == 0


def is_time(column: Column) -> bool:
    return column.type in (Type.DATE, Type.TIMESTAMP)


def is_no_text(column: Column) -> bool:
    return column.type is not Type.STRING


def is_text(column: Column) -> bool:
    return column.type is Type.STRING


def is_team(column: Column) -> bool:
    return column.name in (
        "team_abbr",
        "home_team_abbr",
        "away_team_abbr",
        "team",
        "winning_team_abbr",
        "player_1_team_abbr",
        "outcome_team_abbr",
    )


def is_word(column: Column) -> bool:
    return column.values is not None


def is_optional(column: Column) -> bool:
    return column.nullable


def above(column: Column, _: Random, __: Any) -> float:
    """The first number above what is allowed."""
    return int((column.allowed or (0, 0))[1]) + 1


def infinite(column: Column, rng: Random, _: Any) -> Any:
    """Infinity, as text or as a float."""
    return rng.choice(["inf", "-Infinity", "1e999", *([math.inf, -math.inf] if column.type is Type.FLOAT64 else [])])


def far_away(column: Column, _: Random, __: Any) -> Any:
    return FAR_AWAY if column.type is Type.TIMESTAMP else FAR_AWAY.date()


def with_escapes(_: Column, rng: Random, was: Any) -> str:
    """A text with characters that drive a terminal, end a line or end a text."""
    return str(was) + rng.choice(ESCAPES)


def one_row(fits: Callable[[Row], bool], **changes: Any) -> Damage:
    """Put fixed values into one row that fits."""

    def damage(file: LandedFile, rng: Random) -> None:
        file.put(file.pick(rng, fits), **changes)

    return damage


def required_columns(file: LandedFile) -> list[str]:
    """Columns without which there is no row, but for those that ingestion makes from others or from the file's path."""
    raw = RAW_TABLES[file.table]
    in_path = file.path.parent.name.split("=", 1)[0]
    derived = {*raw.derived, *(lookup for lookup, name in raw.players.items() if name is not None), in_path, "game_id"}
    if "reported_at" in file.columns:
        derived |= {"report_date", "report_hour"}
    return [column.name for column in file.columns.values() if not column.nullable and column.name not in derived]


def required_cell(*values: Any) -> Damage:
    """One of some values in a cell without which there is no row."""

    def damage(file: LandedFile, rng: Random) -> None:
        file.put(file.pick(rng), **{rng.choice(required_columns(file)): rng.choice(values)})

    return damage


def whole_columns(suits: Callable[[Column], bool], spell: Callable[[Any], str]) -> Damage:
    """Write all values of the columns that suit in another spelling."""

    def damage(file: LandedFile, _: Random) -> None:
        for column in file.columns.values():
            if suits(column):
                for row in file.rows:
                    if row[column.name] is not None:
                        file.put(row, **{column.name: spell(row[column.name])})
        file.touched.clear()

    return damage


def other_team(file: LandedFile, rng: Random) -> None:
    """A row of a team that does not play in the game."""
    name = rng.choice([name for name in ("team_abbr", "player_1_team_abbr") if name in file.columns])
    row = file.pick(rng, lambda row: row[name] is not None)
    file.put(row, **{name: rng.choice([team for team in sorted(TEAMS) if team not in row["game_id"]])})


def other_date(file: LandedFile, rng: Random) -> None:
    """A date that is not the file's."""
    file.put(file.pick(rng), game_date=file.day + timedelta(days=rng.choice([-40, -1, 1, 365])))


def teams_swapped(file: LandedFile, rng: Random) -> None:
    """Each team's rows of one game under the other's name."""
    for row in file.game(rng):
        teams = row["game_id"].split("_")[1:]
        file.put(row, team_abbr=teams[1 - teams.index(row["team_abbr"])])


def opponents_points(file: LandedFile, rng: Random) -> None:
    """A team with the points that the other scored."""
    row = file.pick(rng)
    other = next(box for box in file.rows if box["game_id"] == row["game_id"] and box is not row)
    file.put(row, points=other["points"])


def row_twice(file: LandedFile, rng: Random) -> None:
    file.rows.append(dict(file.pick(rng)))


def key_twice(file: LandedFile, rng: Random) -> None:
    """Two rows of one key that differ, neither newer."""
    column = rng.choice(
        [
            column
            for column in file.columns.values()
            if is_bounded(column) and column.name not in (*RAW_TABLES[file.table].table.key, "season_year")
        ]
    )
    row = file.pick(rng, lambda row: row[column.name] is not None)
    low, high = column.allowed or (0, 1)
    file.rows.append(
        row | {column.name: type(row[column.name])(row[column.name] + (1 if row[column.name] + 1 <= high else -1))}
    )
    assert low <= file.rows[-1][column.name]


def key_of_another_row(file: LandedFile, rng: Random) -> None:
    """One column of a row's key, or its whole key, as another row has it."""
    keys = [name for name in RAW_TABLES[file.table].table.key if name in file.columns]
    row, other = file.pick(rng), file.pick(rng)
    names = rng.choice([keys, *([name] for name in keys)])
    file.put(row, **{name: other[name] for name in names})


def row_lost(file: LandedFile, rng: Random) -> None:
    """A player who scored is missing."""
    file.remove([file.pick(rng, lambda row: bool(row.get("points")))])


def game_lost(file: LandedFile, rng: Random) -> None:
    file.remove(file.game(rng))


def game_twice(file: LandedFile, rng: Random) -> None:
    file.rows += [dict(row) for row in file.game(rng)]


def game_without_numbers(file: LandedFile, rng: Random) -> None:
    """All numbers of a game that may be null are."""
    names = [column.name for column in file.columns.values() if is_number(column) and column.nullable]
    for row in file.game(rng):
        file.put(row, **dict.fromkeys(names))


def game_on_the_next_date(file: LandedFile, rng: Random) -> None:
    for row in file.game(rng):
        file.put(row, game_date=row["game_date"] + timedelta(days=1))


def stranger(file: LandedFile, rng: Random) -> None:
    """A line of somebody whom nobody knows."""
    row = file.pick(rng, lambda row: bool(row["points"]))
    file.add(row | {"player_lookup": STRANGER, "player_name": "Nobody Known", "player_id": None})


def shots_lost(file: LandedFile, rng: Random) -> None:
    """The field goals of one player are missing from the play-by-play."""
    shot = file.pick(rng, lambda row: row["event_type"] == "shot" and row["player_1_lookup"] is not None)
    same = ("game_id", "player_1_lookup", "event_type")
    file.remove([row for row in file.rows if all(row[name] == shot[name] for name in same)])


def sequence_zero(file: LandedFile, rng: Random) -> None:
    for row in file.game(rng):
        row["event_sequence"] = 0


def moved_game(file: LandedFile, rng: Random) -> None:
    """A game that is there twice, on its date and as still to come: one of them is out of date."""
    row = file.pick(rng)
    day = row["game_date"] + timedelta(days=20)
    away, home = row["game_id"].split("_")[1:]
    tip = row["game_time_utc"] + timedelta(days=20)
    later = row | {"game_date": day, "game_id": f"{day:%Y%m%d}_{away}_{home}", "game_time_utc": tip, "game_status": 1}
    file.add(later | dict.fromkeys(("home_team_score", "away_team_score", "winning_team_abbr")))


def home_and_away_exchanged(file: LandedFile, rng: Random) -> None:
    row = file.pick(rng)
    day, away, home = row["game_id"].split("_")
    scores = {"home_team_score": row["away_team_score"], "away_team_score": row["home_team_score"]}
    file.put(row, game_id=f"{day}_{home}_{away}", home_team_abbr=away, away_team_abbr=home, **scores)


def last_name_first(file: LandedFile, rng: Random) -> None:
    """A player's name as `Last, First`, and no key."""
    player = file.pick(rng, lambda row: row["player_name"] is not None and " " in row["player_name"])["player_lookup"]
    for row in file.rows:
        if row["player_lookup"] == player:
            first, last = row["player_name"].split(" ", 1)
            file.put(row, player_name=f"{last}, {first}", player_lookup=None)


def misspelt(file: LandedFile, rng: Random) -> None:
    """A player's lines under a key that is nobody's, and without the provider's id."""
    player = file.pick(rng)["player_lookup"]
    for row in file.rows:
        if row["player_lookup"] == player:
            file.put(
                row, player_id=None, **{name: f"{player}q" for name in ("player_lookup", "player_name") if name in row}
            )


def late_report(file: LandedFile, rng: Random) -> None:
    """Somebody turns out to be out an hour before midnight: after every tip-off."""
    row = file.pick(rng)
    same = row["player_lookup"], file.day, 23
    file.remove(
        [other for other in file.rows if (other["player_lookup"], other["report_date"], other["report_hour"]) == same]
    )
    moment = datetime.combine(file.day, time(23), EASTERN)
    file.add(
        row
        | {
            "report_date": file.day,
            "report_hour": 23,
            "reported_at": None,
            "injury_status": "out",
            "processed_at": moment,
        }
    )
