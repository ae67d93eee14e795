"""What the three game summaries hold for one date, row by row; of their quality columns only what later tables read."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from nba_assets_tests.oracles.arithmetic import parsed_seconds, quotient
from nba_assets_tests.oracles.contexts import is_final
from nba_assets_tests.oracles.play_by_play import second_chance_points, shots

Row = dict[str, Any]
Raw = dict[str, list[Row]]

TEAM_COUNTS = {
    "fg_makes": "fg_made",
    "fg_attempts": "fg_attempted",
    "three_pt_makes": "three_pt_made",
    "three_pt_attempts": "three_pt_attempted",
    "ft_makes": "ft_made",
    "ft_attempts": "ft_attempted",
    "offensive_rebounds": "offensive_rebounds",
    "defensive_rebounds": "defensive_rebounds",
    "rebounds": "total_rebounds",
    "assists": "assists",
    "steals": "steals",
    "blocks": "blocks",
    "turnovers": "turnovers",
    "personal_fouls": "personal_fouls",
    "points_scored": "points",
}
PLAYER_COUNTS = {
    "points": "points",
    "assists": "assists",
    "offensive_rebounds": "offensive_rebounds",
    "defensive_rebounds": "defensive_rebounds",
    "steals": "steals",
    "blocks": "blocks",
    "turnovers": "turnovers",
    "personal_fouls": "personal_fouls",
    "fg_attempts": "field_goals_attempted",
    "fg_makes": "field_goals_made",
    "ft_attempts": "free_throws_attempted",
    "ft_makes": "free_throws_made",
    "three_pt_attempts": "three_pointers_attempted",
    "three_pt_makes": "three_pointers_made",
}
ZONE_COLUMNS = (
    *(
        "paint_attempts",
        "paint_makes",
        "mid_range_attempts",
        "mid_range_makes",
        "three_attempts_pbp",
        "three_makes_pbp",
    ),
    *(
        "assisted_fg_makes",
        "unassisted_fg_makes",
        "paint_blocks",
        "mid_range_blocks",
        "three_pt_blocks",
        "shot_zones_estimated",
    ),
)
"""Columns of a player that come from the shots of the play-by-play."""


def finals(raw: Raw, day: Any) -> list[Row]:
    """Final league games of a date."""
    return [
        game
        for game in raw["schedule"]
        if game["game_date"] == day and is_final(game) and (game["is_regular_season"] or game["is_playoffs"])
    ]


def team_offense(raw: Raw, day: Any) -> dict[tuple[str, str], Row]:
    """Rows of team_offense_game_summary by (game, team), for games whose two box scores are there; none that has the
    opponent's points for its own.
    """
    boxes = {
        (box["game_id"], box["team_abbr"]): box
        for box in raw["team_boxscores"]
        if box["game_date"] == day and box["points"] and box["fg_attempted"]
    }
    events = [event for event in raw["play_by_play"] if event["game_date"] == day]
    attempts, chances = shots(events), second_chance_points(events)
    covered = {attempt["game_id"] for attempt in attempts}
    sheets = [row for row in raw["player_gamebook"] if row["game_date"] == day]
    rows: dict[tuple[str, str], Row] = {}
    for game in finals(raw, day):
        for side, other in (("home", "away"), ("away", "home")):
            team, opponent, game_id = game[f"{side}_team_abbr"], game[f"{other}_team_abbr"], game["game_id"]
            box, against = boxes.get((game_id, team)), boxes.get((game_id, opponent))
            score, their_score = game[f"{side}_team_score"], game[f"{other}_team_score"]
            if box is None or against is None or (box["points"] != score and box["points"] == their_score):
                continue
            row: Row = {name: box[column] for name, column in TEAM_COUNTS.items()}
            hundredths = (
                100 * box["fg_attempted"]
                + 44 * box["ft_attempted"]
                + 100 * box["turnovers"]
                - 100 * box["offensive_rebounds"]
            )
            seconds = parsed_seconds(box["minutes"]) or 14_400
            row |= {
                "opponent_team_abbr": opponent,
                "home_game": side == "home",
                "possessions_est": quotient(hundredths, 100, 2),
                "possessions": quotient(hundredths, 100, 0),
                "offensive_rating": quotient(10_000 * box["points"], hundredths, 2),
                "pace": quotient(144 * hundredths, seconds, 1),
                "ts_pct": quotient(50 * box["points"], 100 * box["fg_attempted"] + 44 * box["ft_attempted"], 3),
                "margin_of_victory": box["points"] - against["points"],
                "win_flag": score > their_score,
                "overtime_periods": max(0, (seconds // 60 - 240) // 25),
                "second_chance_points_scored": chances.get((game_id, team)),
                "shot_zones_available": game_id in covered,
            }
            mine = [
                attempt
                for attempt in attempts
                if attempt["game_id"] == game_id and attempt["player_1_team_abbr"] == team
            ]
            row |= _zones(
                mine, game_id in covered, {"team_paint": "paint", "team_mid_range": "mid_range", "team_three": "three"}
            )
            row["points_in_paint_scored"] = None if row["team_paint_makes"] is None else 2 * row["team_paint_makes"]
            row["team_three_attempts_pbp"], row["team_three_makes_pbp"] = (
                row.pop("team_three_attempts"),
                row.pop("team_three_makes"),
            )
            sheet = [line for line in sheets if line["game_id"] == game_id and line["team_abbr"] == team]
            absent = {line["player_lookup"] for line in sheet if line["player_status"] == "inactive"}
            row["players_inactive"] = len(absent) if sheet else None
            row["starters_inactive"] = len(absent & usual_starters(raw, team, day)) if sheet else None
            rows[game_id, team] = row
    return rows


def usual_starters(raw: Raw, team: str, day: Any) -> set[str]:
    """Players with five starts or more in the team's last ten finals of the season before a date."""
    seasons = {game["season_year"] for game in raw["schedule"] if game["game_date"] == day}
    before = sorted(
        (game["game_date"], game["game_id"])
        for game in raw["schedule"]
        if game["game_date"] < day
        and game["season_year"] in seasons
        and is_final(game)
        and (game["is_regular_season"] or game["is_playoffs"])
        and team in (game["home_team_abbr"], game["away_team_abbr"])
    )
    last = {game_id for _, game_id in before[-10:]}
    starts: dict[str, int] = defaultdict(int)
    for line in raw["player_boxscores"]:
        if line["game_id"] in last and line["team_abbr"] == team and line["starter"]:
            starts[line["player_lookup"]] += 1
    return {player for player, number in starts.items() if number >= 5}


def team_defense(raw: Raw, day: Any) -> dict[tuple[str, str], Row]:
    """Rows of team_defense_game_summary by (game, team)."""
    offense = team_offense(raw, day)
    attempts = shots([event for event in raw["play_by_play"] if event["game_date"] == day])
    rows: dict[tuple[str, str], Row] = {}
    for (game_id, team), own in offense.items():
        opponent = own["opponent_team_abbr"]
        theirs = offense.get((game_id, opponent))
        if theirs is None:
            continue
        blocked = [
            attempt
            for attempt in attempts
            if attempt["game_id"] == game_id
            and attempt["player_1_team_abbr"] == opponent
            and attempt["player_2_role"] == "block"
            and not attempt["shot_made"]
        ]
        row: Row = {
            "opponent_team_abbr": opponent,
            "home_game": own["home_game"],
            "points_allowed": theirs["points_scored"],
            "opp_fg_attempts": theirs["fg_attempts"],
            "opp_fg_makes": theirs["fg_makes"],
            "opp_three_pt_attempts": theirs["three_pt_attempts"],
            "opp_three_pt_makes": theirs["three_pt_makes"],
            "opp_ft_attempts": theirs["ft_attempts"],
            "opp_ft_makes": theirs["ft_makes"],
            "opp_rebounds": theirs["rebounds"],
            "opp_offensive_rebounds": theirs["offensive_rebounds"],
            "opp_assists": theirs["assists"],
            "turnovers_forced": theirs["turnovers"],
            "fouls_committed": own["personal_fouls"],
            "opp_paint_attempts": theirs["team_paint_attempts"],
            "opp_paint_makes": theirs["team_paint_makes"],
            "opp_mid_range_attempts": theirs["team_mid_range_attempts"],
            "opp_mid_range_makes": theirs["team_mid_range_makes"],
            "points_in_paint_allowed": theirs["points_in_paint_scored"],
            "mid_range_points_allowed": None
            if theirs["team_mid_range_makes"] is None
            else 2 * theirs["team_mid_range_makes"],
            "three_pt_points_allowed": 3 * int(theirs["three_pt_makes"]),
            "second_chance_points_allowed": theirs["second_chance_points_scored"],
            "steals": own["steals"],
            "defensive_rebounds": own["defensive_rebounds"],
            "defensive_rating": theirs["offensive_rating"],
            "opponent_possessions_est": theirs["possessions_est"],
            "opponent_pace": theirs["pace"],
            "opponent_ts_pct": theirs["ts_pct"],
            "win_flag": own["win_flag"],
            "margin_of_victory": own["margin_of_victory"],
            "overtime_periods": own["overtime_periods"],
            "players_inactive": own["players_inactive"],
            "starters_inactive": own["starters_inactive"],
        }
        for name, zone in (("blocks_paint", "paint"), ("blocks_mid_range", "mid_range"), ("blocks_three_pt", "three")):
            row[name] = sum(attempt["zone"] == zone for attempt in blocked) if own["shot_zones_available"] else None
        rows[game_id, team] = row
    return rows


def players(raw: Raw, day: Any) -> dict[tuple[str, str], Row]:
    """Rows of player_game_summary by (game, player), of players on the official sheet."""
    offense = team_offense(raw, day)
    games = {game["game_id"]: game for game in finals(raw, day)}
    events = [event for event in raw["play_by_play"] if event["game_date"] == day]
    attempts = shots(events)
    covered = {attempt["game_id"] for attempt in attempts}
    free_throws = [event for event in events if event["event_type"] == "free throw"]
    with_free_throws = {event["game_id"] for event in free_throws}
    boxes = {
        (line["game_id"], line["player_lookup"]): line for line in raw["player_boxscores"] if line["game_date"] == day
    }
    rows: dict[tuple[str, str], Row] = {}
    for sheet in raw["player_gamebook"]:
        if sheet["game_id"] not in games:
            continue
        game_id, player, team, game = (
            sheet["game_id"],
            sheet["player_lookup"],
            sheet["team_abbr"],
            games[sheet["game_id"]],
        )
        line = _corrected(sheet, boxes.get((game_id, player)))
        active, seconds = line["player_status"] == "active", parsed_seconds(line["minutes"])
        totals, covers = offense.get((game_id, team)), active and game_id in covered
        home = team == game["home_team_abbr"]
        own_score, other_score = (
            (game["home_team_score"], game["away_team_score"])
            if home
            else (game["away_team_score"], game["home_team_score"])
        )
        row: Row = {name: line[column] if active else None for name, column in PLAYER_COUNTS.items()}
        mine = [
            attempt for attempt in attempts if attempt["game_id"] == game_id and attempt["player_1_lookup"] == player
        ]
        row |= _zones(mine, covers, {"paint": "paint", "mid_range": "mid_range", "three": "three"})
        row["three_attempts_pbp"], row["three_makes_pbp"] = row.pop("three_attempts"), row.pop("three_makes")
        made = [attempt for attempt in mine if attempt["shot_made"]]
        agrees = covers and (len(mine), len(made)) == (line["field_goals_attempted"], line["field_goals_made"])
        assisted = sum(attempt["player_2_role"] == "assist" for attempt in made)
        row["assisted_fg_makes"], row["unassisted_fg_makes"] = (
            (assisted, len(made) - assisted) if covers else (None, None)
        )
        for name, zone in (("paint_blocks", "paint"), ("mid_range_blocks", "mid_range"), ("three_pt_blocks", "three")):
            row[name] = (
                sum(
                    attempt["game_id"] == game_id
                    and attempt["player_2_lookup"] == player
                    and attempt["player_2_role"] == "block"
                    and not attempt["shot_made"]
                    and attempt["zone"] == zone
                    for attempt in attempts
                )
                if covers
                else None
            )
        row["and1_count"] = (
            sum(
                event["game_id"] == game_id
                and event["player_1_lookup"] == player
                and event["event_subtype"] == "free throw 1/1"
                for event in free_throws
            )
            if active and game_id in with_free_throws
            else None
        )
        dnp = not active or seconds == 0
        usage = None
        if active and totals and seconds:
            load = 100 * line["field_goals_attempted"] + 44 * line["free_throws_attempted"] + 100 * line["turnovers"]
            team_load = 100 * totals["fg_attempts"] + 44 * totals["ft_attempts"] + 100 * totals["turnovers"]
            part, whole = 20 * load * (14_400 + 1_500 * totals["overtime_periods"]), seconds * team_load
            usage = quotient(part, whole, 1) if part <= 100 * whole else None
        starter = boxes[game_id, player]["starter"] if (game_id, player) in boxes else None
        rows[game_id, player] = row | {
            "team_abbr": team,
            "home_game": home,
            "minutes_played": quotient(seconds, 60, 1) if active and seconds is not None else None,
            "ts_pct": quotient(50 * row["points"], 100 * row["fg_attempts"] + 44 * row["ft_attempts"], 3)
            if active
            else None,
            "efg_pct": quotient(2 * row["fg_makes"] + row["three_pt_makes"], 2 * row["fg_attempts"], 3)
            if active
            else None,
            "usage_rate": usage,
            "starter_flag": bool(not dnp and (starter if starter is not None else (seconds or 0) > 1200)),
            "win_flag": own_score > other_score,
            "is_active": active,
            "is_dnp": dnp,
            "player_status": line["player_status"],
            "has_complete_shot_zones": agrees,
            "shot_zones_estimated": bool(covers and not dnp and any(attempt["estimated"] for attempt in mine)),
        }
        if covers and not agrees:
            # One of the two is wrong: what then stands in the zones is nobody's to say, only that they are not
            # complete.
            for name in ZONE_COLUMNS:
                del rows[game_id, player][name]
    return _one_game_each(rows)


def _corrected(sheet: Row, box: Row | None) -> Row:
    """A sheet's line; the final box score's, where the sheet says that he did not play and the box score has minutes of
    him.
    """
    if (
        sheet["player_status"] == "active"
        or box is None
        or box["game_status"] != "final"
        or not parsed_seconds(box["minutes"])
    ):
        return sheet
    return sheet | {name: box[name] for name in (*PLAYER_COUNTS.values(), "minutes")} | {"player_status": "active"}


def _one_game_each(rows: dict[tuple[str, str], Row]) -> dict[tuple[str, str], Row]:
    """Of a player who is on the sheets of two games of the date: the game in which he played."""
    played = {player for (_, player), row in rows.items() if not row["is_dnp"]}
    return {(game, player): row for (game, player), row in rows.items() if player not in played or not row["is_dnp"]}


def _zones(mine: list[Row], known: bool, names: dict[str, str]) -> Row:
    counted: Row = {}
    for name, zone in names.items():
        inside = [attempt for attempt in mine if attempt["zone"] == zone]
        counted[f"{name}_attempts"] = len(inside) if known else None
        counted[f"{name}_makes"] = sum(attempt["shot_made"] for attempt in inside) if known else None
    return counted
