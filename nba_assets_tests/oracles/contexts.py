"""What the two contexts of upcoming games hold for one date, row by row: loops over dictionaries, exact fractions,
nothing shared with the product.
"""

from __future__ import annotations

import importlib
import math
import statistics
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from fractions import Fraction
from functools import cached_property
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np

from nba_assets_tests.oracles.arithmetic import parsed_seconds, quotient

Row = dict[str, Any]
Place = tuple[float | None, float | None, str | None]
"""Latitude, longitude and time zone of an arena, each None where unknown."""

UTC_ZONE, EASTERN = ZoneInfo("UTC"), ZoneInfo("America/New_York")
ZONE_NAMES = {
    "New_York": "ET",
    "Toronto": "ET",
    "Detroit": "ET",
    "Indianapolis": "ET",
    "Chicago": "CT",
    "Denver": "MT",
    "Los_Angeles": "PT",
}
FLOAT_MEANS = frozenset(
    {
        "opponent_ft_rate_allowed",
        "opponent_pace_variance",
        "opponent_ft_rate_variance",
        "opponent_def_rating_variance",
        "opponent_off_rating_variance",
        "opponent_rebounding_rate_variance",
    }
)
"""Columns made of float means or square roots: equal to one unit of their last place.

Everything else is equal exactly.
"""

HOMES = {
    "ATL": (33.7573, -84.3963, "New_York"),
    "BOS": (42.3662, -71.0621, "New_York"),
    "BKN": (40.6826, -73.9754, "New_York"),
    "CHA": (35.2251, -80.8392, "New_York"),
    "CHI": (41.8807, -87.6742, "Chicago"),
    "CLE": (41.4965, -81.6882, "New_York"),
    "DAL": (32.7906, -96.8103, "Chicago"),
    "DEN": (39.7487, -105.0077, "Denver"),
    "DET": (42.3411, -83.0553, "New_York"),
    "GSW": (37.7679, -122.3873, "Los_Angeles"),
    "HOU": (29.6807, -95.3615, "Chicago"),
    "IND": (39.7640, -86.1555, "New_York"),
    "LAC": (34.0430, -118.2673, "Los_Angeles"),
    "LAL": (34.0430, -118.2673, "Los_Angeles"),
    "MEM": (35.1382, -90.0505, "Chicago"),
    "MIA": (25.7814, -80.1870, "New_York"),
    "MIL": (43.0435, -87.9167, "Chicago"),
    "MIN": (44.9795, -93.2760, "Chicago"),
    "NOP": (29.9490, -90.0821, "Chicago"),
    "NYK": (40.7505, -73.9934, "New_York"),
    "OKC": (35.4634, -97.5151, "Chicago"),
    "ORL": (28.5392, -81.3839, "New_York"),
    "PHI": (39.9012, -75.1720, "New_York"),
    "PHX": (33.4457, -112.0712, "Phoenix"),
    "POR": (45.5316, -122.6668, "Los_Angeles"),
    "SAC": (38.5816, -121.4999, "Los_Angeles"),
    "SAS": (29.4270, -98.4375, "Chicago"),
    "TOR": (43.6434, -79.3791, "Toronto"),
    "UTA": (40.7683, -111.9011, "Denver"),
    "WAS": (38.8981, -77.0209, "New_York"),
}
"""Home arenas: latitude, longitude, time zone."""

TRAVEL_UNKNOWN = "unknown_arena"
"""Quality issue of a row with a leg to or from an arena that nobody knows the place of."""
OLDEST_SNAPSHOT_DAYS = 90
"""A roster snapshot that is older does not count."""


@dataclass
class League:
    """Raw rows and rows of the game summaries of one season or several as dictionaries, by table; `sheets` are the raw
    ones, `players`, `offense` and `defense` those of the summaries.
    """

    schedule: list[Row]
    sheets: list[Row] = field(default_factory=list)
    rosters: list[Row] = field(default_factory=list)
    injuries: list[Row] = field(default_factory=list)
    lines: list[Row] = field(default_factory=list)
    props: list[Row] = field(default_factory=list)
    registry: list[Row] = field(default_factory=list)
    box_scores: list[Row] = field(default_factory=list)
    players: list[Row] = field(default_factory=list)
    offense: list[Row] = field(default_factory=list)
    defense: list[Row] = field(default_factory=list)

    @classmethod
    def of(cls, raw: Mapping[str, list[Row]], summaries: Mapping[str, list[Row]] | None = None) -> League:
        """A league of rows by raw table, and by game summary where these are known already."""
        found = summaries or {}
        return cls(
            schedule=raw["schedule"],
            sheets=raw["player_gamebook"],
            rosters=raw["rosters"],
            injuries=raw["injury_report"],
            lines=raw["game_lines"],
            props=raw["player_points_props"],
            registry=raw["player_registry"],
            box_scores=raw["player_boxscores"],
            players=found.get("player_game_summary", []),
            offense=found.get("team_offense_game_summary", []),
            defense=found.get("team_defense_game_summary", []),
        )

    @cached_property
    def by_player(self) -> dict[str, list[Row]]:
        """Sheet rows of each player."""
        return _grouped(self.players, "player_lookup")

    @cached_property
    def sheets_by_player(self) -> dict[str, list[Row]]:
        """Raw sheet rows of each player."""
        return _grouped(self.sheets, "player_lookup")

    @cached_property
    def registry_by_player(self) -> dict[str, list[Row]]:
        """Registry rows of each player."""
        return _grouped(self.registry, "player_lookup")

    @cached_property
    def starts(self) -> dict[tuple[str, str], set[str]]:
        """Starting five by game and team."""
        found = defaultdict(set)
        for row in self.box_scores:
            if row["starter"]:
                found[row["game_id"], row["team_abbr"]].add(row["player_lookup"])
        return found

    @cached_property
    def snapshots(self) -> dict[str, dict[date, dict[str, Row]]]:
        """Roster snapshots: team, date, player."""
        found: dict[str, dict[date, dict[str, Row]]] = defaultdict(lambda: defaultdict(dict))
        for row in self.rosters:
            found[row["team_abbr"]][row["roster_date"]][row["player_lookup"]] = row
        return found


@dataclass
class Season:
    """The season of one date."""

    league: League
    day: date

    @cached_property
    def year(self) -> int:
        """Season of the newest game on or before the date."""
        return max(
            (game["game_date"], game["season_year"]) for game in self.league.schedule if game["game_date"] <= self.day
        )[1]

    @cached_property
    def opening_night(self) -> date:
        """First regular-season date."""
        return min(
            game["game_date"]
            for game in self.league.schedule
            if game["season_year"] == self.year and game["is_regular_season"]
        )

    @cached_property
    def scheduled(self) -> list[Row]:
        """Everything on the schedule of the season from opening night on that was not called off, in order of time.

        A game before the date that is called final without both scores was not played. How a later game will end is not
        known on the date.
        """
        mine = [
            game
            for game in self.league.schedule
            if game["season_year"] == self.year
            and game["game_date"] >= self.opening_night
            and game["game_status"] != 4
            and not (game["game_date"] < self.day and game["game_status"] == 3 and not is_final(game))
        ]
        return sorted(mine, key=lambda game: (game["game_date"], game["game_id"]))

    @cached_property
    def games(self) -> list[Row]:
        """The league games among them: regular season, play-in and play-offs."""
        return [game for game in self.scheduled if game["is_regular_season"] or game["is_playoffs"]]

    @cached_property
    def uncounted(self) -> list[Row]:
        """Games that two teams of the league played before the date and that count in no standings, as the final of the
        Cup does.
        """
        return [
            game
            for game in self.scheduled
            if game["game_date"] < self.day
            and is_final(game)
            and not (game["is_regular_season"] or game["is_playoffs"] or game["is_all_star"])
            and {game["home_team_abbr"], game["away_team_abbr"]} <= set(HOMES)
        ]

    @cached_property
    def tonight(self) -> list[Row]:
        """Games of the date."""
        return [game for game in self.games if game["game_date"] == self.day]

    def of(self, team: str) -> list[Row]:
        """All games of a team."""
        return [game for game in self.games if team in (game["home_team_abbr"], game["away_team_abbr"])]

    def before(self, team: str) -> list[Row]:
        """Its league games before the date."""
        return [game for game in self.of(team) if game["game_date"] < self.day]

    def finals(self, team: str) -> list[Row]:
        """Those of them that are over."""
        return [game for game in self.before(team) if is_final(game)]

    def journeys(self, team: str) -> list[Row]:
        """Where it was before the date: its league games, and those that count in no standings."""
        others = [game for game in self.uncounted if team in (game["home_team_abbr"], game["away_team_abbr"])]
        return sorted(self.before(team) + others, key=lambda game: (game["game_date"], game["game_id"]))

    def home(self, team: str) -> Place:
        """The arena in which most of its home games of the regular season are scheduled, of several the one that comes
        first.
        """
        at_home = [_place(game) for game in self.games if game["home_team_abbr"] == team and game["is_regular_season"]]
        known = [place for place in at_home if place[0] is not None and place[1] is not None]
        if not known:
            return _home_of_franchise(team)
        counts = Counter(place[:2] for place in known)
        return next(place for place in known if counts[place[:2]] == max(counts.values()))

    def days_ago(self, row: Row) -> int:
        """Calendar days between a row and the date."""
        return int((self.day - row["game_date"]).days)

    @property
    def is_bootstrap(self) -> bool:
        """First thirty days."""
        return (self.day - self.opening_night).days < 30

    @property
    def is_boundary(self) -> bool:
        """Months in which seasons begin or end."""
        return self.day.month in {10, 11, 4}


def is_final(game: Row) -> bool:
    """Called final, with both scores."""
    return game["game_status"] == 3 and game["home_team_score"] is not None and game["away_team_score"] is not None


def team_contexts(league: League, day: date) -> dict[str, Row]:
    """Rows of upcoming_team_game_context by team."""
    season = Season(league, day)
    return {
        team: _team(season, game, team)
        for game in season.tonight
        for team in (game["home_team_abbr"], game["away_team_abbr"])
    }


def _team(season: Season, game: Row, team: str) -> Row:
    league, day = season.league, season.day
    past, journeys, finals = season.before(team), season.journeys(team), season.finals(team)
    margins = [_margin(played, team) for played in finals]
    rest = season.days_ago(journeys[-1]) if journeys else None
    travel = miles(_place(journeys[-1]) if journeys else season.home(team), _place(game))
    spread, total = _preferred(league, game, team), _preferred(league, game, None)
    row: Row = {
        "team_abbr": team,
        "game_id": game["game_id"],
        "nba_game_id": game["nba_game_id"],
        "game_date": day,
        "season_year": season.year,
        "opponent_team_abbr": _opponent(game, team),
        "home_game": team == game["home_team_abbr"],
        "days_since_last_game": rest,
        "team_days_rest": None if rest is None else rest - 1,
        "team_back_to_back": rest == 1,
        "games_in_last_7_days": sum(season.days_ago(played) <= 6 for played in journeys),
        "games_in_last_14_days": sum(season.days_ago(played) <= 13 for played in journeys),
        "game_number_in_season": len(past) + 1,
        "game_spread": rounded(spread.get("point"), 2),
        "game_total": rounded(total.get("point"), 1),
        "game_spread_source": spread.get("source"),
        "game_total_source": total.get("source"),
        "spread_movement": rounded(spread.get("movement"), 2),
        "total_movement": rounded(total.get("movement"), 1),
        "betting_lines_updated_at": spread.get("at") or total.get("at"),
        **_absences(season, game, team, finals[-10:]),
        "team_win_streak_entering": _run(margins, 1),
        "team_loss_streak_entering": _run(margins, -1),
        "last_game_margin": margins[-1] if margins else None,
        "last_game_result": ("W" if margins[-1] > 0 else "L") if margins else None,
        "travel_miles": travel,
        "early_season_flag": (day - season.opening_night).days < 14,
    }
    with_row = {(line["game_id"], line["team_abbr"]) for line in league.offense}
    windows = {}
    for name, days in (("l7d", 7), ("l14d", 14)):
        expected = [played for played in finals if season.days_ago(played) <= days]
        windows[name] = (len(expected), sum((played["game_id"], team) in with_row for played in expected))
    row |= _completeness(season, windows, "l14d")
    pct = {name: 100 * actual / expected if expected else 100.0 for name, (expected, actual) in windows.items()}
    issues = [f"{name}_incomplete:{value:.0f}%" for name, value in pct.items() if value < 90]
    issues += ["season_boundary"] * season.is_boundary + ["bootstrap_mode"] * season.is_bootstrap
    issues += ["missing_game_spread"] * (not spread) + ["missing_game_total"] * (not total)
    reported = _reported(league, game)
    issues += ["missing_injury_report"] * (not reported) + [TRAVEL_UNKNOWN] * (travel is None)
    tier, score = next(
        (tier, score)
        for tier, score, least in (("gold", 95, 95), ("silver", 75, 75), ("bronze", 50, 50), ("poor", 25, 0))
        if pct["l14d"] >= least
    )
    return row | {
        "quality_tier": tier,
        "quality_score": score,
        "quality_issues": issues,
        "data_sources": ["game_lines"] * bool(spread or total) + ["injury_report"] * reported + ["schedule"],
        "processed_with_issues": bool(issues),
    }


def _absences(season: Season, game: Row, team: str, last_finals: list[Row]) -> Row:
    """Players out and in doubt, by the team that the report names."""
    league, day = season.league, season.day
    reports = _reports(league, day)
    if not _reported(league, game):
        return {"players_out_count": None, "starters_out_count": None, "questionable_players_count": None}
    statuses = {}
    for player in {report["player_lookup"] for report in reports if report["team"] == team}:
        # The newest report counts, whatever team it names; each was published before the tip-off of the game it is
        # about.
        latest = _latest([report for report in reports if report["player_lookup"] == player], season)
        if latest and latest["team"] == team:
            statuses[player] = latest["injury_status"]
    out = {player for player, status in statuses.items() if status == "out"}
    starts = {
        player: sum(player in league.starts.get((played["game_id"], team), ()) for played in last_finals)
        for player in out
    }
    return {
        "players_out_count": len(out),
        "starters_out_count": sum(number >= 1 and 2 * number >= len(last_finals) for number in starts.values()),
        "questionable_players_count": sum(status in {"questionable", "doubtful"} for status in statuses.values()),
    }


def player_contexts(league: League, day: date) -> dict[str, Row]:
    """Rows of upcoming_player_game_context by player."""
    season = Season(league, day)
    teams = {team: game for game in season.tonight for team in (game["home_team_abbr"], game["away_team_abbr"])}
    people = _members(season, teams)
    reports = _grouped(_reports(league, day), "player_lookup")
    listed: dict[str, dict[str, Row | None]] = defaultdict(dict)
    for player, (team, _) in people.items():
        listed[team][player] = _latest(reports.get(player, []), season, teams[team])
    stars = {player: _star(season, player, team) for player, (team, _) in people.items()}
    facts = {
        team: _facts(season, team)
        for team in {team for game in season.games for team in (game["home_team_abbr"], game["away_team_abbr"])}
    }
    rows = {}
    for player, (team, member) in people.items():
        report = listed[team][player]
        if report is None or report["injury_status"] not in {"out", "doubtful"}:
            mates = {
                other: mate["injury_status"] if mate else None
                for other, mate in listed[team].items()
                if other != player
            }
            rows[player] = _player(season, teams[team], team, player, member, report, mates, stars, facts)
    return rows


def _members(season: Season, teams: dict[str, Row]) -> dict[str, tuple[str, Row | None]]:
    """Players of tonight's teams: by the latest roster snapshots, else by the sheets of the last thirty days."""
    league, day = season.league, season.day
    claims = []
    covered = set()
    for team, snapshots in league.snapshots.items():
        latest = _latest_snapshot(snapshots, season, day)
        if latest is not None:
            covered.add(team)
            claims += [(latest, team, player, row) for player, row in snapshots[latest].items()]
    belongs: dict[str, tuple[str, Row | None]] = {}
    for _, _, _, team, player, row in sorted(
        (
            (taken, _last_team(season, player) == team, -ord(team[0]), team, player, row)
            for taken, team, player, row in claims
        ),
        key=lambda claim: claim[:3],
    ):
        belongs[player] = (team, row)
    for team in set(teams) - covered:
        for player in {
            row["player_lookup"]
            for row in league.players
            if row["team_abbr"] == team and 0 < season.days_ago(row) <= 30
        }:
            if player not in belongs and _last_team(season, player) == team:
                belongs[player] = (team, None)
    return {player: (team, row) for player, (team, row) in sorted(belongs.items()) if team in teams}


def _latest_snapshot(snapshots: dict[date, dict[str, Row]], season: Season, day: date) -> date | None:
    """Date of a team's newest snapshot on or before a day: of the same season, and not too old."""
    dates = [
        taken
        for taken, people in snapshots.items()
        if 0 <= (day - taken).days <= OLDEST_SNAPSHOT_DAYS and _roster_season(people, taken) == season.year
    ]
    return max(dates, default=None)


def _roster_season(people: dict[str, Row], taken: date) -> int:
    known = next(iter(people.values()))["season_year"]
    return int(known) if known is not None else taken.year - (taken.month < 10)


def _last_team(season: Season, player: str) -> str | None:
    before = [
        row for row in season.league.by_player.get(player, []) if season.opening_night <= row["game_date"] < season.day
    ]
    return max(before, key=lambda row: row["game_date"])["team_abbr"] if before else None


def _player(
    season: Season,
    game: Row,
    team: str,
    player: str,
    member: Row | None,
    report: Row | None,
    mates: dict[str, str | None],
    stars: dict[str, int],
    facts: dict[str, Row],
) -> Row:
    league, day = season.league, season.day
    opponent, home = _opponent(game, team), team == game["home_team_abbr"]
    played = [
        row
        for row in league.by_player.get(player, [])
        if season.opening_night <= row["game_date"] < day and not row["is_dnp"] and row["points"] is not None
    ]
    played.sort(key=lambda row: row["game_date"], reverse=True)
    history = [row for row in played if season.days_ago(row) <= 30]
    nights = sorted(_load(played) + _uncounted_load(season, player), key=lambda night: night["game_date"], reverse=True)
    own, theirs = facts[team], facts[opponent]
    hidden = any(other["is_playoffs"] for other in season.tonight)
    ahead, their_ahead = ({} if hidden else facts[side] for side in (team, opponent))
    following = ahead.get("next_opponent")
    wins, of_games = facts[following]["wins_of_games"] if following else (0, 0)
    prop = _prop(league, day, player)
    spread, total = _consensus(_pre_tip(league, game, game["home_team_abbr"])), _consensus(_pre_tip(league, game, None))
    side = 1 if home else -1
    reports, tip = _reported(league, game), game["game_time_utc"]
    any_props = any(
        row["game_date"] == day
        and _before_tip(row)
        and (tip is None or row["snapshot_timestamp"] < tip or row["player_lookup"] == player)
        for row in league.props
    )
    place, origin = _place(game), own["place"]
    travel, fortnight = miles(origin, place), [miles(left, right) for left, right in own["legs"]]
    out = [stars[mate] for mate, status in mates.items() if status in {"out", "doubtful"} and stars[mate]]
    month_phase = "early" if day.month in {10, 11} else "mid" if day.month in {12, 1, 2} else "late"
    row: Row = {
        "player_lookup": player,
        "universal_player_id": identity(league, player, season.year),
        "game_id": game["game_id"],
        "game_date": day,
        "team_abbr": team,
        "opponent_team_abbr": opponent,
        "has_prop_line": bool(prop),
        "home_game": home,
        "season_phase": "playoffs" if game["is_playoffs"] else month_phase,
        "current_points_line": rounded(prop.get("line"), 1),
        "current_points_line_source": prop.get("source"),
        "opening_points_line": rounded(prop.get("opening"), 1),
        "opening_points_line_source": None if prop.get("opening") is None else prop["source"],
        "line_movement": None if prop.get("opening") is None else rounded(prop["line"] - prop["opening"], 1),
        "game_spread": rounded(_times(side, spread.get("point")), 1),
        "opening_spread": rounded(_times(side, spread.get("opening")), 1),
        "spread_movement": rounded(_times(side, spread.get("movement")), 1),
        "game_spread_source": spread.get("source"),
        "game_total": rounded(total.get("point"), 1),
        "opening_total": rounded(total.get("opening"), 1),
        "total_movement": rounded(total.get("movement"), 1),
        "game_total_source": total.get("source"),
        **_fatigue(season, nights),
        **_usage(history),
        "travel_miles": travel,
        "time_zone_changes": _zones_crossed(origin, place, day),
        "consecutive_road_games": 0 if home else own["road_games"] + 1,
        "miles_traveled_last_14_days": _sum_of_known(fortnight),
        "time_zones_crossed_last_14_days": _sum_of_known(
            [_zones_crossed(left, right, day) for left, right in own["legs"]]
        ),
        "player_age": _age(member, day),
        **_form(history, prop.get("line")),
        "star_teammates_out": len(out) if reports else None,
        "questionable_star_teammates": sum(
            status == "questionable" and stars[mate] > 0 for mate, status in mates.items()
        )
        if reports
        else None,
        "star_tier_out": sum(out) if reports else None,
        "questionable_teammates": sum(status in {"questionable", "doubtful"} for status in mates.values())
        if reports
        else None,
        "probable_teammates": sum(status == "probable" for status in mates.values()) if reports else None,
        "pace_differential": None
        if not own["paces"] or not theirs["paces"]
        else _nearest(_mean(own["paces"], 1) - _mean(theirs["paces"], 1), 1),
        "opponent_pace_last_10": _rounded_mean(theirs["paces"], 1),
        "opponent_def_rating_last_10": _rounded_mean(theirs["def_ratings"], 2),
        "opponent_off_rating_last_10": _rounded_mean(theirs["off_ratings"], 2),
        "opponent_ft_rate_allowed": rounded(statistics.fmean(theirs["ft_rates"]), 3) if theirs["ft_rates"] else None,
        "opponent_rebounding_rate": quotient(10_000 * theirs["rebounds"], theirs["possession_hundredths"], 2),
        "opponent_pace_variance": _spread(theirs["paces"], 2),
        "opponent_ft_rate_variance": _spread(theirs["ft_rates"], 3),
        "opponent_def_rating_variance": _spread(theirs["def_ratings"], 2),
        "opponent_off_rating_variance": _spread(theirs["off_ratings"], 2),
        "opponent_rebounding_rate_variance": _spread(theirs["rebound_rates"], 2),
        "next_game_days_rest": ahead.get("next_days"),
        "games_in_next_7_days": ahead.get("next_7"),
        "next_opponent_win_pct": quotient(wins, of_games, 3),
        "next_game_is_primetime": ahead.get("next_primetime"),
        "opponent_days_rest": theirs["days_rest"],
        "opponent_games_in_next_7_days": their_ahead.get("next_7"),
        "opponent_next_game_days_rest": their_ahead.get("next_days"),
        "game_start_time_local": _local_tip(game, place[2]),
        "player_status": report["injury_status"] if report else None,
        "injury_report": _reason(report),
    }
    windows, gap = _player_windows(season, player, team)
    row |= _completeness(season, windows, "l30d") | {
        "l10_expected_games": windows["l10"][0],
        "l10_actual_games": windows["l10"][1],
        "gap_classification": gap,
    }
    bookmakers = [lines["books"] for lines in (spread, total) if lines]
    issues = ["missing_game_spread"] * (not spread) + ["missing_game_total"] * (not total)
    issues += [f"few_bookmakers:{min(bookmakers)}/3"] if bookmakers and min(bookmakers) < 3 else []
    issues += [f"thin_sample:{len(history)}/3"] if len(history) < 3 else []
    issues += ["missing_injury_report"] * (not reports) + ["missing_roster_snapshot"] * (member is None)
    issues += [TRAVEL_UNKNOWN] * (None in (travel, *fortnight))
    tier, score = ("gold", 95) if len(history) >= 10 else ("silver", 75) if len(history) >= 5 else ("bronze", 50)
    sources = {
        "game_lines": spread or total,
        "injury_report": reports,
        "player_points_props": prop,
        "rosters": member is not None,
        "schedule": True,
    }
    return row | {
        "quality_tier": tier,
        "quality_score": score,
        "quality_issues": issues + ["missing_points_props"] * (not any_props),
        "data_sources": [name for name, used in sources.items() if used],
        "processed_with_issues": bool(issues),
    }


def identity(league: League, player: str, season_year: int) -> str | None:
    """Who a player is in a season, by the registry."""
    label = f"{season_year}-{(season_year + 1) % 100:02}"
    known = [row for row in league.registry_by_player.get(player, []) if row["season"] == label]
    return max(known, key=lambda row: row["team_abbr"])["universal_player_id"] if known else None


def _load(played: list[Row]) -> list[Row]:
    """Games of a player that count, as nights on which he played."""
    return [{name: row[name] for name in ("game_date", "minutes_played")} for row in played]


def _uncounted_load(season: Season, player: str) -> list[Row]:
    """The same for games that count in no standings, from the sheets themselves."""
    dates = {game["game_id"]: game["game_date"] for game in season.uncounted}
    sheets = [
        row
        for row in season.league.sheets_by_player.get(player, [])
        if row["game_id"] in dates and row["player_status"] == "active"
    ]
    known = [(dates[row["game_id"]], parsed_seconds(row["minutes"])) for row in sheets]
    return [{"game_date": day, "minutes_played": quotient(seconds, 60, 1)} for day, seconds in known if seconds]


def _fatigue(season: Season, nights: list[Row]) -> Row:
    """Rest and load from all nights on which he played, newest first: the last thirty days of them, but for the rest
    itself.
    """
    rest = season.days_ago(nights[0]) if nights else None
    ago = [season.days_ago(night) for night in nights if season.days_ago(night) <= 30]
    week, fortnight = ([night for night in nights if season.days_ago(night) < days] for days in (7, 14))
    tenths = {
        7: sum(_units(night["minutes_played"], 1) for night in week),
        14: sum(_units(night["minutes_played"], 1) for night in fortnight),
    }
    close = [days for days in ago if days < 14]
    return {
        "days_rest": rest,
        "back_to_back": rest == 1,
        "days_rest_before_last_game": ago[1] - ago[0] if len(ago) > 1 else None,
        "days_since_2_plus_days_rest": next((newer for newer, older in pairwise(ago) if older - newer >= 2), None),
        "games_in_last_7_days": len(week),
        "games_in_last_14_days": len(fortnight),
        "minutes_in_last_7_days": tenths[7] // 10,
        "minutes_in_last_14_days": tenths[14] // 10,
        "avg_minutes_per_game_last_7": quotient(
            tenths[7], 10 * sum(night["minutes_played"] is not None for night in week), 1
        ),
        "back_to_backs_last_14_days": sum(older - newer == 1 for newer, older in pairwise(close)),
    }


def _usage(history: list[Row]) -> Row:
    usage = [row["usage_rate"] for row in history]
    return {
        "avg_usage_rate_last_7_games": _rounded_mean([value for value in usage[:7] if value is not None], 1),
        "projected_usage_rate": _rounded_mean([value for value in usage[:3] if value is not None], 1),
    }


def _form(history: list[Row], line: float | None) -> Row:
    points = [row["points"] for row in history]
    qualities = {}
    for size in (5, 10):
        used = min(len(history), size)
        least = ((size, "excellent"), (7 * size // 10, "good"), (size // 2, "limited"), (0, "insufficient"))
        qualities[size] = next(name for enough, name in least if used >= enough)
    over = under = 0
    for scored in points if line is not None else ():
        if scored > line and not under:
            over += 1
        elif scored < line and not over:
            under += 1
        elif scored != line:
            break
    shares = {}
    for size in (5, 10):
        makes, attempts = (sum(row[name] or 0 for row in history[:size]) for name in ("fg_makes", "fg_attempts"))
        shares[size] = Fraction(makes, attempts) if attempts else None
    lately, longer = shares[5], shares[10]
    return {
        "points_avg_last_5": quotient(sum(points[:5]), len(points[:5]), 1),
        "points_avg_last_10": quotient(sum(points[:10]), len(points[:10]), 1),
        "l5_games_used": len(points[:5]),
        "l10_games_used": len(points[:10]),
        "l5_sample_quality": qualities[5],
        "l10_sample_quality": qualities[10],
        "prop_over_streak": over,
        "prop_under_streak": under,
        "shooting_pct_decline_last_5": None if lately is None or longer is None else _nearest(lately - longer, 3),
    }


def _star(season: Season, player: str, team: str) -> int:
    """Weight of a star: 3, 2 or 1; 0 for anyone else."""
    mine = [
        row
        for row in season.league.by_player.get(player, [])
        if season.opening_night <= row["game_date"] < season.day
        and row["team_abbr"] == team
        and not row["is_dnp"]
        and row["points"] is not None
    ]
    if len(mine) < max(Fraction(3), min(Fraction(10), Fraction(len(season.finals(team)), 2))):
        return 0
    counted = [row for row in mine if season.days_ago(row) <= 10] or mine
    points = Fraction(sum(row["points"] for row in counted), len(counted))
    known = [row["minutes_played"] for row in counted if row["minutes_played"] is not None]
    if points >= 18 or (points >= 12 and known and _mean(known, 1) >= 28):
        return 3 if points >= 25 else 2 if points >= 18 else 1
    return 0


def _facts(season: Season, team: str) -> Row:
    """What concerns a whole team on the date."""
    league, day = season.league, season.day
    journeys = season.journeys(team)
    offense = _last_ten([row for row in league.offense if row["team_abbr"] == team], season)
    defense = _last_ten([row for row in league.defense if row["defending_team_abbr"] == team], season)
    both = [row for row in offense if row["rebounds"] is not None and row["possessions_est"] is not None]
    recent = [game for game in journeys if season.days_ago(game) <= 14]
    road = 0
    for game in reversed(journeys):
        if game["home_team_abbr"] == team:
            break
        road += 1
    coming = [game for game in season.of(team) if game["game_date"] > day and game["is_regular_season"]]
    lately = [game for game in season.finals(team) if season.days_ago(game) <= 90]
    return {
        "place": _place(journeys[-1]) if journeys else season.home(team),
        "road_games": road,
        "legs": [(_place(left), _place(right)) for left, right in pairwise(recent)],
        "paces": [row["pace"] for row in offense if row["pace"] is not None],
        "off_ratings": [row["offensive_rating"] for row in offense if row["offensive_rating"] is not None],
        "def_ratings": [row["defensive_rating"] for row in defense if row["defensive_rating"] is not None],
        "ft_rates": [
            100 * row["opp_ft_attempts"] / row["opponent_possessions_est"]
            for row in defense
            if row["opponent_possessions_est"]
        ],
        "rebounds": sum(row["rebounds"] for row in both),
        "possession_hundredths": sum(_units(row["possessions_est"], 2) for row in both),
        "rebound_rates": [100 * row["rebounds"] / row["possessions_est"] for row in both],
        "days_rest": season.days_ago(journeys[-1]) if journeys else None,
        "next_days": (coming[0]["game_date"] - day).days if coming else None,
        "next_7": sum((game["game_date"] - day).days <= 7 for game in coming),
        "next_opponent": _opponent(coming[0], team) if coming else None,
        "next_primetime": coming[0]["is_primetime"] if coming else None,
        "wins_of_games": (sum(_margin(game, team) > 0 for game in lately), len(lately)),
    }


def _player_windows(season: Season, player: str, team: str) -> tuple[dict[str, tuple[int, int]], str]:
    """Expected and actual games of the five windows, and the kind of gap in the longest."""
    finals = season.finals(team)
    sheet = {row["game_id"]: row for row in season.league.by_player.get(player, [])}
    snapshots = season.league.snapshots.get(team, {})

    def counted(games: list[Row]) -> tuple[int, int, int]:
        expected = actual = sat_out = 0
        for game in games:
            row = sheet.get(game["game_id"])
            if row is None:
                latest = _latest_snapshot(snapshots, season, game["game_date"])
                expected += latest is not None and player in snapshots[latest]
            elif row["team_abbr"] == team and row["is_dnp"]:
                sat_out += 1
            elif row["team_abbr"] == team:
                expected, actual = expected + 1, actual + 1
        return expected, actual, sat_out

    spans = {"l5": finals[-5:], "l10": finals[-10:]}
    spans |= {f"l{days}d": [game for game in finals if season.days_ago(game) <= days] for days in (7, 14, 30)}
    windows = {name: counted(games) for name, games in spans.items()}
    expected, actual, sat_out = windows["l30d"]
    gap = "NO_GAP" if actual >= expected else "NAME_UNRESOLVED" if actual == 0 and sat_out == 0 else "DATA_GAP"
    return {name: (expected, actual) for name, (expected, actual, _) in windows.items()}, gap


def _completeness(season: Season, windows: dict[str, tuple[int, int]], primary: str) -> Row:
    expected, actual = windows[primary]
    pct = {name: 100 * there / due if due else 100.0 for name, (due, there) in windows.items()}
    return {
        "expected_games_count": expected,
        "actual_games_count": actual,
        "missing_games_count": expected - actual,
        "completeness_percentage": rounded(pct[primary], 1),
        **{f"{name}_completeness_pct": rounded(value, 1) for name, value in pct.items()},
        **{f"{name}_is_complete": there >= due for name, (due, there) in windows.items()},
        "all_windows_complete": all(there >= due for due, there in windows.values()),
        "season_boundary_detected": season.is_boundary,
        "backfill_bootstrap_mode": season.is_bootstrap,
        "is_production_ready": season.is_boundary or season.is_bootstrap or all(value >= 90 for value in pct.values()),
    }


def _pre_tip(league: League, game: Row, team: str | None) -> list[Row]:
    """Lines of a game before its tip-off: of a team's spread, or of the over."""
    return [
        row
        for row in league.lines
        if (row["game_date"], row["home_team_abbr"], row["away_team_abbr"])
        == (game["game_date"], game["home_team_abbr"], game["away_team_abbr"])
        and row["snapshot_timestamp"] < row["commence_time"]
        and row["outcome_point"] is not None
        and (
            (row["market_key"] == "totals" and row["outcome_name"].lower() == "over")
            if team is None
            else (row["market_key"] == "spreads" and row["outcome_team_abbr"] == team)
        )
    ]


def _consensus(lines: list[Row]) -> Row:
    """Median over books of their latest lines, and of their first ones; nothing without lines."""
    if not lines:
        return {}
    books = _grouped(sorted(lines, key=lambda row: row["snapshot_timestamp"]), "bookmaker_key")
    point, opening = (statistics.median(mine[place]["outcome_point"] for mine in books.values()) for place in (-1, 0))
    single = len({row["snapshot_timestamp"] for row in lines}) == 1
    return {
        "point": point,
        "opening": None if single else opening,
        "movement": None if single else point - opening,
        "source": ",".join(sorted(books)),
        "books": sum(3 if book == "consensus" else 1 for book in books),
        "at": max(row["snapshot_timestamp"] for row in lines),
    }


def _preferred(league: League, game: Row, team: str | None) -> Row:
    lines = _pre_tip(league, game, team)
    for book in ("draftkings", "fanduel"):
        mine = [row for row in lines if row["bookmaker_key"] == book]
        if mine:
            return _consensus(mine)
    return _consensus(lines)


def _prop(league: League, day: date, player: str) -> Row:
    """The player's line: one feed, one bookmaker, its last line before tip-off and its first."""
    known = [
        row for row in league.props if row["game_date"] == day and row["player_lookup"] == player and _before_tip(row)
    ]
    if not known:
        return {}
    feeds, books = ("odds_api", "bettingpros"), ("draftkings", "fanduel")

    def rank(row: Row) -> tuple[int, int, str]:
        return (
            feeds.index(row["source"]),
            books.index(row["bookmaker"]) if row["bookmaker"] in books else len(books),
            row["bookmaker"],
        )

    best = min(rank(row) for row in known)
    mine = sorted((row for row in known if rank(row) == best), key=lambda row: row["snapshot_timestamp"])
    first, last = mine[0], mine[-1]
    opening = first["opening_line"]
    if opening is None and first["snapshot_timestamp"] != last["snapshot_timestamp"]:
        opening = first["points_line"]
    prefix = "" if last["source"] == "odds_api" else "bettingpros_"
    return {"line": last["points_line"], "opening": opening, "source": prefix + last["bookmaker"]}


def _before_tip(row: Row) -> bool:
    return row["minutes_before_tipoff"] is None or row["minutes_before_tipoff"] >= 0


def _reported(league: League, game: Row) -> bool:
    """Whether any report for the date was out before the game."""
    tip = game["game_time_utc"]
    return any(tip is None or _published(report) < _utc(tip) for report in _reports(league, game["game_date"]))


def _published(report: Row) -> datetime:
    """When a report is known to have existed: the moment that it gives, else the end of its hour."""
    moment = report.get("reported_at")
    if moment is not None:
        return _utc(moment)
    return datetime.combine(report["report_date"], time(report["report_hour"]), EASTERN).astimezone(
        UTC_ZONE
    ) + timedelta(hours=1)


def _reports(league: League, day: date) -> list[Row]:
    return [report for report in league.injuries if report["game_date"] == day]


def _latest(reports: Iterable[Row], season: Season, game: Row | None = None) -> Row | None:
    """The newest credible report before the tip-off of `game`, or of the game of the team that each report names."""
    known = []
    for report in reports:
        about = game or next(
            (
                played
                for played in season.tonight
                if report["team"] in (played["home_team_abbr"], played["away_team_abbr"])
            ),
            None,
        )
        tip = about["game_time_utc"] if about else None
        credible = report["confidence_score"] is None or report["confidence_score"] >= 0.8
        if credible and (tip is None or _published(report) < _utc(tip)):
            known.append(report)
    return max(known, key=_published, default=None)


def _reason(report: Row | None) -> str | None:
    if report is None:
        return None
    if report["reason"] and report["reason"].strip():
        return str(report["reason"])
    return None if report["reason_category"] == "unknown" else report["reason_category"]


def _age(member: Row | None, day: date) -> int | None:
    if member is None:
        return None
    born = member["birth_date"]
    return member["age"] if born is None else day.year - born.year - ((day.month, day.day) < (born.month, born.day))


def _local_tip(game: Row, zone: str | None) -> str | None:
    if game["game_time_utc"] is None or zone is None:
        return None
    local = _utc(game["game_time_utc"]).astimezone(ZoneInfo(zone))
    name = "MST" if zone.endswith("Phoenix") else ZONE_NAMES.get(zone.rsplit("/", 1)[-1]) or f"{local:%Z}"
    return f"{local.hour % 12 or 12}:{local:%M %p} {name}"


def _home_of_franchise(team: str) -> Place:
    latitude, longitude, zone = HOMES[team]
    return latitude, longitude, f"America/{zone}"


def _place(game: Row) -> Place:
    """Where a game is played: by its coordinates, else by the name of its arena, else nobody knows where on neutral
    ground, or at the home team's.
    """
    if game["arena_latitude"] is not None and game["arena_longitude"] is not None:
        latitude, longitude, zone = (
            game["arena_latitude"],
            game["arena_longitude"],
            _home_of_franchise(game["home_team_abbr"])[2],
        )
    elif (known := _known_arena(game["arena_name"])) is not None:
        latitude, longitude, zone = known
    elif game["neutral_site_flag"]:
        latitude = longitude = zone = None
    else:
        latitude, longitude, zone = _home_of_franchise(game["home_team_abbr"])
    return latitude, longitude, game["arena_timezone"] or zone


def _known_arena(name: str | None) -> Place | None:
    """Place of an arena that the league has used, by its name; the one fact that is taken from the product's own
    table.
    """
    try:
        arenas = importlib.import_module("nba_assets.basketball.arenas")
    except ModuleNotFoundError:
        return None
    arena = None if name is None else arenas.arena_named(name)
    return None if arena is None else (arena.latitude, arena.longitude, arena.timezone)


def miles(origin: Sequence[Any], destination: Sequence[Any]) -> int | None:
    """Great-circle miles on a sphere of 3,959 miles' radius; None from or to an unknown place."""
    if None in (*origin[:2], *destination[:2]):
        return None
    (north_1, east_1), (north_2, east_2) = (
        tuple(math.radians(degrees) for degrees in place[:2]) for place in (origin, destination)
    )
    haversine = (
        math.sin((north_2 - north_1) / 2) ** 2
        + math.cos(north_1) * math.cos(north_2) * math.sin((east_2 - east_1) / 2) ** 2
    )
    return round(2 * 3959 * math.asin(math.sqrt(haversine)))


def _zones_crossed(origin: Place, destination: Place, day: date) -> float | None:
    """Hours between two places' clocks at noon of a date; None where the zone of either is unknown."""
    if origin[2] is None or destination[2] is None:
        return None
    return abs(_offset(origin[2], day) - _offset(destination[2], day))


def _sum_of_known(values: Sequence[float | None]) -> float | None:
    """The sum; None as soon as one of them is unknown."""
    known = [value for value in values if value is not None]
    return sum(known) if len(known) == len(values) else None


def _offset(zone: str, day: date) -> float:
    offset = datetime.combine(day, time(12), ZoneInfo(zone)).utcoffset()
    assert offset is not None
    return offset / timedelta(hours=1)


def _margin(game: Row, team: str) -> int:
    ahead = game["home_team_score"] - game["away_team_score"]
    return int(ahead if team == game["home_team_abbr"] else -ahead)


def _opponent(game: Row, team: str) -> str:
    return str(game["away_team_abbr"] if team == game["home_team_abbr"] else game["home_team_abbr"])


def _run(margins: list[int], sign: int) -> int:
    length = 0
    for margin in reversed(margins):
        if margin * sign <= 0:
            break
        length += 1
    return length


def _last_ten(rows: list[Row], season: Season) -> list[Row]:
    return sorted(
        (row for row in rows if season.opening_night <= row["game_date"] < season.day), key=lambda row: row["game_date"]
    )[-10:]


def _units(value: float | None, scale: int) -> int:
    """A stored decimal as a whole number of its last place; 0 for an unknown one, which adds nothing."""
    return 0 if value is None else round(Fraction(str(value)) * 10**scale)


def _mean(values: Sequence[float], scale: int) -> Fraction:
    return Fraction(sum(_units(value, scale) for value in values), 10**scale * len(values))


def _rounded_mean(values: Sequence[float], scale: int) -> float | None:
    return _nearest(_mean(values, scale), scale) if values else None


def _spread(values: Sequence[float], scale: int) -> float | None:
    return rounded(statistics.stdev(values), scale) if len(values) > 1 else None


def _nearest(value: Fraction, scale: int) -> float:
    return quotient(value.numerator, value.denominator, scale) or 0.0


def rounded(value: float | None, scale: int) -> float | None:
    """To `scale` decimals, half to even; minus zero is zero."""
    return None if value is None else float(np.round(value, scale)) + 0.0


def _times(sign: int, value: float | None) -> float | None:
    return None if value is None else sign * value


def _utc(moment: datetime) -> datetime:
    return moment.replace(tzinfo=UTC_ZONE) if moment.tzinfo is None else moment


def _grouped(rows: Iterable[Row], name: str) -> dict[str, list[Row]]:
    groups = defaultdict(list)
    for row in rows:
        groups[row[name]].append(row)
    return dict(groups)
