"""ESPN's data as sportsdataverse (hoopR) publishes it: season files of schedule, player_box, team_box and play_by_play,
as Parquet or CSV.

ESPN has whole minutes only, does not distinguish inactive players from those who did not play, and has no lines,
rosters or injury reports. Its ids of players are its own; a game is known by its date and teams.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd

from nba_assets.basketball.names import player_lookup
from nba_assets.providers.delivery import Delivery, ProviderError, Row, mapping
from nba_assets.providers.files import CSV_SUFFIXES, newest_change, read_frame, records
from nba_assets.providers.games import Game
from nba_assets.providers.identities import player_id
from nba_assets.providers.people import GamePeople, Person
from nba_assets.raw.schedule import FINAL, POSTPONED
from nba_assets.raw.tables import PLAY_BY_PLAY, PLAYER_BOXSCORES, PLAYER_GAMEBOOK, SCHEDULE, TEAM_BOXSCORES

PROVIDER = "espn"
EASTERN = ZoneInfo("America/New_York")

KINDS = ("schedule", "player_box", "team_box", "play_by_play")
OTHER_NAMES = {"pbp": "play_by_play"}

REGULAR, POSTSEASON, PLAY_IN = 2, 3, 5
"""Values of `season_type`; 1 is preseason."""
HOOP_ACROSS_FEET, FURTHEST_FEET, TENTHS = 25, 100, 10

PLAYER_COUNTS = {
    "points": "points",
    "field_goals_made": "field_goals_made",
    "field_goals_attempted": "field_goals_attempted",
    "three_pointers_made": "three_point_field_goals_made",
    "three_pointers_attempted": "three_point_field_goals_attempted",
    "free_throws_made": "free_throws_made",
    "free_throws_attempted": "free_throws_attempted",
    "offensive_rebounds": "offensive_rebounds",
    "defensive_rebounds": "defensive_rebounds",
    "total_rebounds": "rebounds",
    "assists": "assists",
    "steals": "steals",
    "blocks": "blocks",
    "turnovers": "turnovers",
    "personal_fouls": "fouls",
}
TEAM_COUNTS = {
    "fg_made": "field_goals_made",
    "fg_attempted": "field_goals_attempted",
    "three_pt_made": "three_point_field_goals_made",
    "three_pt_attempted": "three_point_field_goals_attempted",
    "ft_made": "free_throws_made",
    "ft_attempted": "free_throws_attempted",
    "offensive_rebounds": "offensive_rebounds",
    "defensive_rebounds": "defensive_rebounds",
    "total_rebounds": "total_rebounds",
    "assists": "assists",
    "steals": "steals",
    "blocks": "blocks",
    "turnovers": "turnovers",
    "personal_fouls": "fouls",
    "points": "team_score",
}

EVENT_WORDS = (
    ("turnover", ("turnover", "traveling", "palming", "double dribble", "discontinue")),
    ("rebound", ("rebound",)),
    ("foul", ("foul", "charge", "technical")),
    ("substitution", ("substitution",)),
    ("timeout", ("timeout",)),
    ("jump ball", ("jumpball", "jump ball")),
    ("period end", ("end period",)),
    ("game end", ("end game",)),
    ("violation", ("violation", "goaltending", "delay of game", "kicked ball")),
    ("replay", ("replay", "challenge")),
    ("ejection", ("ejection",)),
)
"""What ESPN's type of an event says, by a word in it, tried in this order; field goals and free throws are marked as
shooting plays.
"""

_FEET = re.compile(r"(\d+)-foot")


@dataclass(frozen=True)
class EspnFolder:
    """The season files in a folder, at any depth; `progress` receives one line per season."""

    folder: Path
    progress: Callable[[str], None]

    def deliveries(self) -> Iterator[Delivery]:
        """Season by season the schedule, then one delivery per date.

        Raises ProviderError where there is no schedule, or a file cannot be read.
        """
        files = self._files()
        seasons = sorted({season for kind, season in files if kind == "schedule"})
        if not seasons:
            raise ProviderError(
                f"{self.folder} holds no season file of the schedule, such as nba_schedule_2024.parquet"
            )
        for season in seasons:
            mine = {kind: files[kind, season] for kind in KINDS if (kind, season) in files}
            yield from self._of_season(season, mine)

    def _of_season(self, season: str, files: Mapping[str, Sequence[Path]]) -> Iterator[Delivery]:
        processed_at = newest_change(file for paths in files.values() for file in paths)
        frames = {kind: pd.concat([read_frame(file) for file in paths]) for kind, paths in files.items()}
        with mapping(f"the schedule of espn {season}"):
            games, rows, others = scheduled_games(records(frames["schedule"]))
        absent = [
            f"espn {season}: there is no file of {kind}, its rows stay absent" for kind in KINDS if kind not in frames
        ]
        left_out = (
            [f"espn {season}: {others} games left out that are not between two teams of the league"] if others else []
        )
        yield Delivery(PROVIDER, processed_at, {SCHEDULE.name: rows}, [*absent, *left_out])
        with mapping(f"a file of espn {season}"):
            parts = {kind: _by_game(frames[kind]) for kind in frames if kind != "schedule"}
        by_day: dict[date, list[tuple[str, Game]]] = {}
        for own_id, game in games.items():
            by_day.setdefault(game.day, []).append((own_id, game))
        for _, played in sorted(by_day.items()):
            tables: dict[str, list[Row]] = {}
            remarks = []
            for own_id, game in played:
                of_game = {kind: records(groups[own_id]) for kind, groups in parts.items() if own_id in groups}
                try:
                    with mapping(f"game {own_id} of espn {season}"):
                        of_the_game = game_tables(game, of_game)
                except ProviderError as error:
                    remarks.append(f"{game.game_id} is left out: {error}")
                    continue
                for name, found in of_the_game.items():
                    tables.setdefault(name, []).extend(found)
            if remarks or any(tables.values()):
                yield Delivery(PROVIDER, processed_at, tables, remarks)
        self.progress(f"espn {season}: {len(games)} games on {len(by_day)} dates")

    def _files(self) -> dict[tuple[str, str], list[Path]]:
        """Files by kind and season, the year in their names; a season is "" where a name has none."""
        found: dict[tuple[str, str], list[Path]] = {}
        for file in sorted(self.folder.rglob("*")):
            name = file.name.lower()
            kind = next((OTHER_NAMES.get(word, word) for word in (*KINDS, *OTHER_NAMES) if word in name), None)
            if kind is not None and name.endswith((".parquet", *CSV_SUFFIXES)):
                year = re.search(r"(?:19|20)\d{2}", name)
                found.setdefault((kind, year[0] if year else ""), []).append(file)
        return found


def scheduled_games(entries: Sequence[Row]) -> tuple[dict[str, Game], list[Row], int]:
    """The games by ESPN's id, their rows, and how many others there are: guests of the preseason, All-Star games."""
    games, rows, others = {}, [], 0
    for entry in entries:
        tip_off = _moment(entry.get("date") or entry.get("start_date"))
        day = tip_off.astimezone(EASTERN).date() if tip_off else pd.Timestamp(entry["game_date"]).date()
        game = Game.between(entry["home_abbreviation"], entry["away_abbreviation"], day, int(entry["season"]) - 1)
        if game is None:
            others += 1
            continue
        games[str(int(entry["game_id"]))] = game
        rows.append(_schedule_row(game, entry, tip_off))
    return games, rows, others


def game_tables(game: Game, of_game: Mapping[str, Sequence[Row]]) -> dict[str, list[Row]]:
    """The raw tables of one game, from its rows in the season files by kind."""
    players = [
        _player(row, game)
        for row in of_game.get("player_box", ())
        if row.get("athlete_id") is not None and row.get("athlete_display_name")
    ]
    people = GamePeople(
        Person(columns["player_id"], columns["player_name"], columns["team_abbr"]) for columns, _ in players
    )
    return {
        PLAYER_GAMEBOOK.name: [
            {**game.columns(PLAYER_GAMEBOOK), **columns, **_standing(row)} for columns, row in players
        ],
        PLAYER_BOXSCORES.name: [
            _box_row(game, columns, row) for columns, row in players if _standing(row)["player_status"] == "active"
        ],
        TEAM_BOXSCORES.name: [_team_row(game, row) for row in of_game.get("team_box", ())],
        PLAY_BY_PLAY.name: [_event(game, row, people) for row in of_game.get("play_by_play", ())],
    }


def _schedule_row(game: Game, entry: Row, tip_off: datetime | None) -> Row:
    name = str(entry.get("status_type_name") or "")
    status = (
        FINAL
        if "FINAL" in name
        else POSTPONED
        if "POSTPONED" in name or "CANCEL" in name
        else 1
        if "SCHEDULED" in name
        else 2
    )
    home, away = (_whole(entry.get(score)) if status == FINAL else None for score in ("home_score", "away_score"))
    headline, kind = str(entry.get("notes_headline") or ""), _whole(entry.get("season_type"))
    is_cup_final = "championship" in headline.lower() and any(word in headline for word in ("Cup", "Tournament"))
    return {
        **game.columns(SCHEDULE),
        "game_time_utc": None if entry.get("time_valid") is False else tip_off,
        "game_status": status,
        "home_team_score": home,
        "away_team_score": away,
        "winning_team_abbr": None if home is None or away is None else game.side(home > away),
        "is_regular_season": kind == REGULAR and not is_cup_final,
        "is_playoffs": kind in (POSTSEASON, PLAY_IN),
        "is_all_star": False,
        "neutral_site_flag": entry.get("neutral_site"),
        "arena_name": entry.get("venue_full_name"),
    }


def _player(row: Row, game: Game) -> tuple[dict[str, Any], Row]:
    columns: dict[str, Any] = {
        "player_name": row["athlete_display_name"],
        "player_lookup": player_lookup(row["athlete_display_name"]),
        "player_id": _player_id(row["athlete_id"]),
        "team_abbr": game.side(row["home_away"] == "home"),
    }
    if _standing(row)["player_status"] != "active":
        return columns, row
    counts = {name: _whole(row.get(theirs)) for name, theirs in PLAYER_COUNTS.items()}
    minutes = _whole(row["minutes"])
    # Whole minutes make 0 of less than half of one, in which no contract row may count anything.
    known = minutes or not any(counts.values())
    return columns | counts | {
        "minutes": str(minutes) if known else None,
        "plus_minus": _text(row.get("plus_minus")),
    }, row


def _standing(row: Row) -> dict[str, Any]:
    if row.get("did_not_play") or row.get("minutes") is None:
        return {"player_status": "dnp", "dnp_reason": row.get("reason")}
    return {"player_status": "active"}


def _box_row(game: Game, columns: Row, row: Row) -> Row:
    starter = bool(row.get("starter"))
    position = row.get("athlete_position_abbreviation") if starter else None
    return {
        **game.columns(PLAYER_BOXSCORES),
        **columns,
        "game_status": "final",
        "starter": starter,
        "position": position,
    }


def _team_row(game: Game, row: Row) -> Row:
    is_home = row["team_home_away"] == "home"
    ours, theirs = _whole(row["team_score"]), _whole(row.get("opponent_team_score"))
    return {
        **game.columns(TEAM_BOXSCORES),
        **{name: _whole(row.get(column)) for name, column in TEAM_COUNTS.items()},
        "team_abbr": game.side(is_home),
        "is_home": is_home,
        "plus_minus": None if ours is None or theirs is None else ours - theirs,
    }


def _event(game: Game, row: Row, people: GamePeople) -> Row:
    words, text = " ".join(str(row.get("type_text") or "").split()), str(row.get("text") or "")
    is_free_throw = words.lower().startswith("free throw")
    is_shot = bool(row.get("shooting_play")) and not is_free_throw
    kind = "free throw" if is_free_throw else "shot" if is_shot else _event_type(words.lower())
    made = bool(row.get("scoring_play"))
    first, second = _player_id(row.get("athlete_id_1")), _player_id(row.get("athlete_id_2"))
    role = _role(kind, made, text) if second else None
    team = _whole(row.get("team_id"))
    return {
        **game.columns(PLAY_BY_PLAY),
        "event_sequence": _whole(
            row["sequence_number"] if row.get("game_play_number") is None else row["game_play_number"]
        ),
        "period": _whole(row["period_number"] if row.get("period") is None else row["period"]),
        "game_clock_seconds": row.get("clock_display_value"),
        "event_type": kind,
        "event_subtype": words or None,
        **{f"player_1_{name}": value for name, value in _named(first, people).items()},
        "player_1_team_abbr": None if team is None else game.side(team == _whole(row["home_team_id"])),
        **{f"player_2_{name}": value for name, value in _named(second if role else None, people).items()},
        "player_2_role": role,
        "points_scored": int(made) if is_free_throw else None,
        "score_home": _whole(row.get("home_score")),
        "score_away": _whole(row.get("away_score")),
        "source": PROVIDER,
        **(_shot(row, text, made) if is_shot else {}),
    }


def _event_type(words: str) -> str:
    return next((kind for kind, marks in EVENT_WORDS if any(mark in words for mark in marks)), "other")


def _role(kind: str, made: bool, text: str) -> str | None:
    if kind == "shot":
        return "assist" if made else "block" if " blocks " in text else None
    if kind == "turnover":
        return "steal" if "steal" in text else None
    return {"foul": "foul_drawn", "substitution": "substitution_out"}.get(kind)


def _shot(row: Row, text: str, made: bool) -> Row:
    spot, feet = _spot(row), _FEET.search(text)
    return {
        "shot_made": made,
        "shot_type": "3PT" if _whole(row.get("score_value")) == 3 or "three point" in text else "2PT",
        "shot_distance": float(feet[1]) if feet else None if spot is None else round(math.hypot(*spot), 1),
        "loc_x": None if spot is None else spot[0] * TENTHS,
        "loc_y": None if spot is None else spot[1] * TENTHS,
    }


def _spot(row: Row) -> tuple[float, float] | None:
    """Feet across and along the court from the hoop; None where ESPN has no place, which it writes as a number far off
    the court.
    """
    across, along = (row.get(f"coordinate_{axis}_raw") for axis in "xy")
    if across is None or along is None or max(abs(across), abs(along)) > FURTHEST_FEET:
        return None
    return across - HOOP_ACROSS_FEET, float(along)


def _named(own_id: str | None, people: GamePeople) -> dict[str, str | None]:
    person = None if own_id is None else people.by_id(own_id)
    return {"id": own_id, "lookup": None if person is None else person.lookup}


def _by_game(frame: pd.DataFrame) -> dict[str, pd.DataFrame]:
    return {
        str(own_id): rows for own_id, rows in frame.groupby(frame["game_id"].astype("int64").astype(str), sort=False)
    }


def _whole(value: Any) -> int | None:
    return None if value is None or value == "" else int(float(value))


def _text(value: Any) -> str | None:
    return None if value is None else f"{value:.0f}" if isinstance(value, float) else str(value)


def _player_id(value: Any) -> str | None:
    return None if value is None else player_id(PROVIDER, int(float(value)))


def _moment(text: Any) -> datetime | None:
    if text is None:
        return None
    moment = datetime.fromisoformat(str(text))
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
