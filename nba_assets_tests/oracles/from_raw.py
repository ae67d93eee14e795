"""All ten tables from raw rows alone: each slow reading starts from what the readings before it say, never from stored
rows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date
from typing import Any, NamedTuple

from nba_assets_tests.oracles import contexts, game_summaries, precompute

Row = dict[str, Any]
Raw = dict[str, list[Row]]
Tables = dict[str, dict[date, dict[str, Row]]]
"""Rows by table, date and entity."""

SUMMARIES = {
    "team_offense_game_summary": (game_summaries.team_offense, "team_abbr", "offense"),
    "team_defense_game_summary": (game_summaries.team_defense, "defending_team_abbr", "defense"),
    "player_game_summary": (game_summaries.players, "player_lookup", "players"),
}
"""Reading, column of the entity, and the part of a league that the rows make."""
READ_BY_DATE = ("play_by_play", "team_boxscores", "player_gamebook")
"""Raw tables of which a game summary reads its own date only; of schedule and box scores also those before."""

Reading = Callable[[precompute.Precomputed, date], precompute.Reading]
BEFORE_GAMES: dict[str, tuple[Reading, str | None]] = {
    "upcoming_team_game_context": (lambda known, day: (contexts.team_contexts(known.league, day), {}), "team_contexts"),
    "upcoming_player_game_context": (lambda known, day: (contexts.player_contexts(known.league, day), {}), "contexts"),
    "team_defense_zone_analysis": (lambda known, day: precompute.team_defense(known.league, day), "team_defense"),
    "player_shot_zone_analysis": (lambda known, day: precompute.player_shot_zones(known.league, day), "shot_zones"),
    "player_composite_factors": (precompute.composite_factors, "composite_factors"),
    "player_daily_cache": (precompute.daily_cache, "daily_cache"),
    "ml_feature_store": (precompute.feature_store, None),
}
"""Reading, and where later readings of the date look for its rows; upstream first."""


class FromRaw(NamedTuple):
    """What raw rows say of some dates: the rows of all ten tables, and the failure records of those before games."""

    rows: Tables
    failures: dict[str, dict[date, dict[str, precompute.Failure]]]


def read(raw: Raw, days: Iterable[date]) -> FromRaw:
    """All ten tables on the given dates; the game summaries of every date before them are read on the way."""
    dates = sorted(days)
    league, summaries = with_summaries(raw, dates[-1])
    found = FromRaw({name: {day: rows.get(day, {}) for day in dates} for name, rows in summaries.items()}, {})
    for name in BEFORE_GAMES:
        found.rows[name], found.failures[name] = {}, {}
    for day in dates:
        known = precompute.Precomputed(league)
        for name, (reading, kept_as) in BEFORE_GAMES.items():
            found.rows[name][day], found.failures[name][day] = reading(known, day)
            if kept_as is not None:
                getattr(known, kept_as).extend(found.rows[name][day].values())
    return found


def with_summaries(raw: Raw, last: date) -> tuple[contexts.League, Tables]:
    """The league with its game summaries up to a date, and these by table, date and entity."""
    league = contexts.League.of(raw)
    seasons = {game["game_id"]: game["season_year"] for game in raw["schedule"]}
    tables: Tables = {name: {} for name in SUMMARIES}
    for day in sorted({game["game_date"] for game in raw["schedule"] if game["game_date"] <= last}):
        of_day = raw | {name: [row for row in raw[name] if row["game_date"] == day] for name in READ_BY_DATE}
        for name, (reading, entity, part) in SUMMARIES.items():
            rows = {
                key[1]: row | {"game_date": day, "game_id": key[0], entity: key[1]}
                for key, row in reading(of_day, day).items()
            }
            if name == "player_game_summary":
                rows = {
                    player: row | {"universal_player_id": contexts.identity(league, player, seasons[row["game_id"]])}
                    for player, row in rows.items()
                }
            getattr(league, part).extend(rows.values())
            tables[name][day] = rows
    return league, tables
