"""Damage to one cell, row, key or file of one date of a landing zone, and how far its effects may reach.

Every kind says which raw tables it can happen to and whether the run has to name it; whom it concerns follows from the
rows that it touched. What is done is in `damaged_rows` and `damaged_files`. Nothing is built here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from enum import Enum, auto
from pathlib import Path
from random import Random

from nba_assets.basketball.teams import TEAMS
from nba_assets.tables.spec import Type
from nba_assets_tests.invariants import damaged_files as files
from nba_assets_tests.invariants import damaged_rows as rows
from nba_assets_tests.invariants.damaged_rows import Damage, cells, one_of, one_row
from nba_assets_tests.invariants.landed_file import (
    ANNOUNCEMENTS,
    EVERY_TABLE,
    ID_PREFIX,
    PER_DATE,
    RESULTS,
    LandedFile,
    Row,
)

SUMMARIES = ("team_offense_game_summary", "team_defense_game_summary", "player_game_summary")
REQUIRED = ("player_gamebook", "team_boxscores")
WITH_BOUNDS = tuple(name for name in EVERY_TABLE if name not in ("player_registry", "game_lines"))
WITH_NUMBERS = tuple(name for name in EVERY_TABLE if name != "player_registry")
WITH_WORDS = ("player_gamebook", "injury_report", "game_lines", "player_points_props")
WITH_TEAMS = (*RESULTS, "injury_report", "rosters", "schedule", "game_lines", "player_points_props", "player_registry")


class Effect(Enum):
    """What has to come of a damage."""

    NAMED = auto()
    """It is named where a user looks, and the run's exit tells."""
    ISSUE = auto()
    """It is named where a user looks, but may be no more than an optional feed that is absent: an issue of the rows."""
    NAMED_IF_SEEN = auto()
    """It is named where a computed row differs."""
    PLAUSIBLE = auto()
    """Nobody can tell that it is one."""
    NONE = auto()
    """No computed row differs."""
    NONE_BUT_NAMED = auto()
    """No computed row differs, and it is named."""


@dataclass(frozen=True)
class Kind:
    """One kind of damage, the raw tables that it can happen to, and what has to come of it."""

    damage: Damage
    tables: tuple[str, ...]
    effect: Effect = Effect.NAMED


CELLS: Mapping[str, Kind] = {
    "null in a required cell": Kind(rows.required_cell(None), EVERY_TABLE),
    "nothing spelt out in a required cell": Kind(rows.required_cell("", " ", "N/A", "NaN", "null", "\\N"), EVERY_TABLE),
    "null in an optional cell": Kind(cells(rows.is_optional, one_of(None)), EVERY_TABLE, Effect.PLAUSIBLE),
    "nothing spelt out in an optional cell": Kind(
        cells(rows.is_optional, one_of("", "None", "NA")), EVERY_TABLE, Effect.PLAUSIBLE
    ),
    "text in a number": Kind(cells(rows.is_number, one_of("many")), WITH_NUMBERS),
    "text in a flag, a date or a moment": Kind(
        cells(lambda column: rows.is_no_text(column) and not rows.is_number(column), one_of("soon")), EVERY_TABLE
    ),
    "text in several numbers": Kind(cells(rows.is_number, one_of("many"), rows.SEVERAL), WITH_NUMBERS),
    "number out of range": Kind(cells(rows.is_bounded, rows.above), WITH_BOUNDS),
    "huge number": Kind(cells(rows.is_bounded, one_of(10**15)), WITH_BOUNDS),
    "negative count": Kind(cells(rows.is_count, one_of(-5)), (*RESULTS, "schedule")),
    "infinity in a number": Kind(cells(rows.is_number, rows.infinite), WITH_NUMBERS),
    "number with a thousands separator": Kind(cells(rows.is_number, one_of("1,024", "1 024", "1_024")), WITH_NUMBERS),
    "half a number": Kind(
        cells(lambda column: column.type is Type.INT64, one_of(0.5)),
        tuple(name for name in WITH_NUMBERS if name != "game_lines"),
    ),
    "NaN as text in a score": Kind(
        one_row(lambda row: bool(row["points"]), points="NaN"), ("player_gamebook", "team_boxscores")
    ),
    "end of the calendar": Kind(cells(rows.is_time, rows.far_away), EVERY_TABLE),
    "huge text in a word or a team": Kind(
        cells(lambda column: rows.is_word(column) or rows.is_team(column), one_of("x" * 2**20)),
        tuple(sorted({*WITH_TEAMS, *WITH_WORDS})),
    ),
    "huge text in any text": Kind(cells(rows.is_text, one_of("x" * 2**20)), EVERY_TABLE, Effect.PLAUSIBLE),
    "control characters in any text": Kind(cells(rows.is_text, rows.with_escapes), EVERY_TABLE, Effect.PLAUSIBLE),
    "letters of another script in a word": Kind(cells(rows.is_word, one_of("\u0430ctive")), WITH_WORDS),
    "invisible letter in a team": Kind(cells(rows.is_team, one_of("BO\u200bS")), WITH_TEAMS),
    "unknown status": Kind(cells(rows.is_word, one_of("perhaps")), WITH_WORDS),
    "team that does not play": Kind(rows.other_team, RESULTS),
    "date of another day": Kind(rows.other_date, (*RESULTS, *ANNOUNCEMENTS)),
    "year of another season": Kind(one_row(lambda _: True, season_year=2014), ("schedule",)),
    "no minutes beside points": Kind(
        one_row(lambda row: bool(row["points"]), minutes="0:00"), ("player_gamebook", "player_boxscores")
    ),
    "unknown event": Kind(one_row(lambda row: row["event_type"] == "shot", event_type="teleport"), ("play_by_play",)),
    "points of the opponent": Kind(rows.opponents_points, ("team_boxscores",)),
    "final without a score": Kind(
        one_row(lambda row: row["game_status"] == 3, home_team_score=None, away_team_score=None), ("schedule",)
    ),
    "time zone of nowhere": Kind(one_row(lambda _: True, arena_timezone="America/Nowhere"), ("schedule",)),
    "home and away exchanged": Kind(rows.home_and_away_exchanged, ("schedule",)),
    "last name first": Kind(rows.last_name_first, ("player_points_props",), Effect.NONE),
    "misspelt name": Kind(rows.misspelt, ("player_points_props", "injury_report")),
    "report after the tip-off": Kind(rows.late_report, ("injury_report",), Effect.NONE),
}
ROWS: Mapping[str, Kind] = {
    "identical row twice": Kind(rows.row_twice, EVERY_TABLE, Effect.NONE_BUT_NAMED),
    "one key twice": Kind(
        rows.key_twice, ("player_gamebook", "player_boxscores", "team_boxscores", "play_by_play", "schedule")
    ),
    "key of another row of results": Kind(rows.key_of_another_row, RESULTS, Effect.NAMED_IF_SEEN),
    "key of another row": Kind(
        rows.key_of_another_row, (*ANNOUNCEMENTS, "rosters", "schedule", "player_registry"), Effect.PLAUSIBLE
    ),
    "row lost": Kind(rows.row_lost, REQUIRED),
    "row of an optional feed lost": Kind(rows.row_lost, ("player_boxscores",), Effect.ISSUE),
    "line of a stranger": Kind(rows.stranger, ("player_gamebook",)),
    "every event is number 0": Kind(rows.sequence_zero, ("play_by_play",)),
    "shots lost": Kind(rows.shots_lost, ("play_by_play",)),
    "teams swapped": Kind(rows.teams_swapped, ("player_gamebook", "player_boxscores", "team_boxscores")),
    "moved game": Kind(rows.moved_game, ("schedule",)),
    "game lost": Kind(rows.game_lost, REQUIRED),
    "game of an optional feed lost": Kind(rows.game_lost, ("player_boxscores", "play_by_play"), Effect.ISSUE),
    "game of announcements lost": Kind(
        rows.game_lost, ("game_lines", "player_points_props", "schedule"), Effect.PLAUSIBLE
    ),
    "game twice": Kind(
        rows.game_twice, (*RESULTS, "game_lines", "player_points_props", "schedule"), Effect.NONE_BUT_NAMED
    ),
    "game without numbers": Kind(rows.game_without_numbers, RESULTS),
    "game on the next date": Kind(
        rows.game_on_the_next_date, (*RESULTS, "game_lines", "player_points_props", "schedule")
    ),
}
FILES: Mapping[str, Kind] = {
    "file of no bytes": Kind(files.no_bytes, EVERY_TABLE),
    "file cut off": Kind(files.half_of_the_bytes, EVERY_TABLE),
    "one byte turned": Kind(files.one_byte_turned, EVERY_TABLE, Effect.NAMED_IF_SEEN),
    "CSV called Parquet": Kind(files.csv_called_parquet, EVERY_TABLE),
    "Parquet without rows": Kind(files.no_rows, REQUIRED),
    "Parquet of an optional feed without rows": Kind(files.no_rows, ("player_boxscores", "play_by_play"), Effect.ISSUE),
    "file lost": Kind(files.file_lost, REQUIRED),
    "folder in place of the file": Kind(files.folder_in_its_place, REQUIRED),
    "link to nothing": Kind(files.link_to_nothing, EVERY_TABLE),
    "name that is no UTF-8": Kind(files.name_that_is_no_utf8, EVERY_TABLE, Effect.NONE_BUT_NAMED),
    "file twice": Kind(files.copy_beside, EVERY_TABLE, Effect.NONE_BUT_NAMED),
    "folder of another date": Kind(files.moved_to(files.next_date), PER_DATE),
    "copy in the folder of another date": Kind(files.copied_to_the_next_date, PER_DATE, Effect.NONE_BUT_NAMED),
    "folder of no date": Kind(files.moved_to(lambda _: "game_date=soon"), (*RESULTS, *ANNOUNCEMENTS), Effect.NONE),
    "required column lost": Kind(files.column_lost, EVERY_TABLE),
    "required column renamed": Kind(files.renamed("{}_new".format), EVERY_TABLE),
    "required column in capitals": Kind(files.renamed(str.upper), EVERY_TABLE),
    "required column of lists": Kind(files.nested_column, EVERY_TABLE),
    "required column twice": Kind(files.parquet_column_twice, EVERY_TABLE),
    "columns added": Kind(files.columns_added, EVERY_TABLE, Effect.NONE),
    "columns reversed": Kind(files.columns_reversed, EVERY_TABLE, Effect.NONE),
    "texts of other types": Kind(files.other_text_types, EVERY_TABLE, Effect.NONE),
    "numbers as text": Kind(rows.whole_columns(rows.is_number, str), WITH_NUMBERS, Effect.NONE),
    "dates as midnight UTC": Kind(
        rows.whole_columns(lambda column: column.type is Type.DATE, "{}T00:00:00Z".format), EVERY_TABLE, Effect.NONE
    ),
    "dates as evenings": Kind(
        rows.whole_columns(lambda column: column.type is Type.DATE, "{}T19:30:00-05:00".format), EVERY_TABLE
    ),
    "CSV": Kind(files.as_csv(), EVERY_TABLE, Effect.NONE),
    "CSV with a byte order mark": Kind(files.as_csv("utf-8-sig"), EVERY_TABLE, Effect.NONE),
    "CSV in UTF-16": Kind(files.as_csv("utf-16"), EVERY_TABLE),
    "CSV in Latin-1": Kind(
        files.latin_letter,
        ("player_gamebook", "player_boxscores", "rosters", "schedule", "injury_report", "player_points_props"),
    ),
    "CSV with semicolons": Kind(files.as_csv(delimiter=";"), EVERY_TABLE),
    "CSV with tabs": Kind(files.as_csv(delimiter="\t"), EVERY_TABLE),
    "CSV with its header twice": Kind(files.as_csv(change=files.header_again), EVERY_TABLE, Effect.NONE_BUT_NAMED),
    "CSV with a column twice": Kind(files.as_csv(change=files.column_twice), EVERY_TABLE),
    "CSV with a field too many": Kind(files.as_csv(change=files.one_field_more), EVERY_TABLE),
    "CSV with a quote left open": Kind(files.as_csv(change=files.quote_left_open), EVERY_TABLE),
    "gzipped CSV": Kind(files.as_gzipped_csv, EVERY_TABLE, Effect.NONE),
    "gzipped CSV cut off": Kind(files.gzip_cut_off, EVERY_TABLE),
    "JSON lines": Kind(files.as_json_lines, EVERY_TABLE, Effect.NONE),
    "JSON lines with a broken line": Kind(files.broken_line, EVERY_TABLE),
    "JSON array": Kind(files.json_array, EVERY_TABLE),
}
KINDS: Mapping[str, Kind] = {**CELLS, **ROWS, **FILES}


@dataclass(frozen=True)
class Reach:
    """Whom a damage to a raw table of a date concerns: some teams and players, or everybody."""

    table: str
    day: date
    teams: frozenset[str]
    players: frozenset[str]
    everybody: bool

    def allows(self, name: str, day: date, entity: str, own: frozenset[str], circle: frozenset[str]) -> bool:
        """Whether a computed row may differ; `own` are the entity's teams, `circle` these and whom they meet on the
        date or next.

        Before its date nothing of a damage may be seen, except of season-long tables, which say what is ahead. On the
        date itself a result is seen by the summaries of its game alone, and an announcement by nobody later.
        """
        if self.table in PER_DATE and (day < self.day or (self.table in ANNOUNCEMENTS and day != self.day)):
            return False
        if self.table in RESULTS and day == self.day:
            return name in SUMMARIES and (self.everybody or entity in self.players or bool(own & self.teams))
        return self.everybody or entity in self.players or bool(circle & self.teams)


def do(landing: Path, kind: str, table: str, day: date, rng: Random) -> Reach:
    """Damage the landing zone, and tell whom that may concern."""
    file = LandedFile.of(landing, table, day)
    KINDS[kind].damage(file, rng)
    if not file.is_written:
        file.write()
    return Reach(
        table,
        day,
        frozenset(team for row in file.touched for team in _teams(row)),
        frozenset(player for row in file.touched for player in _players(row)),
        everybody=not file.touched,
    )


def _teams(row: Row) -> Iterator[str]:
    """Every team that a row names, in its own columns or in its game's id."""
    named = [str(row.get(name)) for name in ("team_abbr", "team", "home_team_abbr", "away_team_abbr")]
    yield from (team for team in (*named, *str(row.get("game_id")).split("_")[1:]) if team in TEAMS)


def _players(row: Row) -> Iterator[str]:
    """Every player that a row names, by key or by id."""
    names = (
        "player_lookup",
        "player_1_lookup",
        "player_2_lookup",
        "player_id",
        "player_1_id",
        "player_2_id",
        "universal_player_id",
    )
    yield from (str(row[name]).removeprefix(ID_PREFIX).removesuffix("_001") for name in names if row.get(name))
