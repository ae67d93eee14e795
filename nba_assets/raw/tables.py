"""The raw tables: what a provider's files must hold before anything is computed from them.

A raw table is a `Table` and what ingestion needs to know beside it. How files are found and read is in
`landing`, what happens to bad rows in `ingestion`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from nba_assets.raw import vocabulary as words
from nba_assets.raw.schedule import FINAL
from nba_assets.raw.values import (
    Reading,
    decimal_odds,
    league_game_id,
    line,
    made,
    minutes_of_player,
    minutes_of_team,
    odds,
    plus_minus,
    time_left,
    time_zone,
    word,
)
from nba_assets.tables.blocks import PLAYER_LOOKUP
from nba_assets.tables.spec import (
    Column,
    Columns,
    Rule,
    Table,
    day,
    flag,
    moment,
    number,
    text,
    whole,
)

DATASET = "nba_raw"


@dataclass(frozen=True)
class RawTable:
    """A raw table and how its feed behaves.

    `teams` are the columns that hold a team: tricodes, aliases and full names all become tricodes. `players` maps each
    column that holds a player's lookup key to the column with his name, from which it is made where the feed has no key
    (None: the key alone is known). `lower_case` columns are compared in lower case. `readings` are those of columns
    that feeds write in forms of their own; of the `known` columns, a word that is not listed is kept and reported.
    `tip_off` is the column with the game's tip-off, which must fall on the row's date. `derived` columns need not be in
    the file. A `whole_season` feed is a snapshot of the season (all its rows are replaced together); any other is
    replaced date by date. `required` feeds must be there for a game to have summary rows; the others may be absent.
    `is_pregame` feeds are published before a date's games begin, the others after they are over.

    A row of a game needs its date and one of three: the canonical `game_id`, the home and the away team, or the
    league's own id of a game that the schedule has, as `nba_game_id` or in place of the canonical id.
    """

    table: Table
    teams: tuple[str, ...] = ()
    players: Mapping[str, str | None] = field(default_factory=dict)
    lower_case: tuple[str, ...] = ()
    readings: Mapping[str, Reading] = field(default_factory=dict)
    known: Mapping[str, frozenset[str]] = field(default_factory=dict)
    tip_off: str | None = None
    derived: tuple[str, ...] = ("processed_at",)
    whole_season: bool = False
    required: bool = False
    is_pregame: bool = False

    @property
    def name(self) -> str:
        """The table's name, also the name of its file or folder in a landing zone."""
        return self.table.name


def _processed_at() -> Column:
    return moment(
        "processed_at",
        "When the provider processed the row; ingestion time where the feed does not say",
        nullable=False,
        hashed=False,
    )


def _makes_within_attempts(*pairs: tuple[str, str]) -> tuple[Rule, ...]:
    def rule(makes: str, attempts: str) -> Rule:
        def broken(rows: Columns) -> NDArray[np.bool_]:
            return rows[makes] > rows[attempts]

        return Rule(f"{makes}_within_{attempts}", f"{makes} is at most {attempts}", broken)

    return tuple(rule(makes, attempts) for makes, attempts in pairs)


def _game_columns() -> tuple[Column, ...]:
    return (
        text("game_id", "Canonical game id, YYYYMMDD_AWAY_HOME with tricodes", nullable=False),
        text("nba_game_id", "The league's own game id, ten digits"),
        day("game_date", "US-Eastern calendar date of the game", nullable=False),
    )


def _box_counts(*names: str) -> tuple[Column, ...]:
    return tuple(
        whole(name, _count_words(name), unit="count", allowed=(0, BOX_COUNT_LIMITS.get(name, 100))) for name in names
    )


BOX_WORDS = {"fg": "field goals", "ft": "free throws", "three_pt": "three-point field goals"}
"""Abbreviations that begin the name of a count, in words."""


def _count_words(name: str) -> str:
    """A count of the box score in words. Example: fg_made -> "Field goals made in the game"."""
    name = name.replace("three_pointers", "three_pt")
    short = next((short for short in BOX_WORDS if name.startswith(f"{short}_")), None)
    spelled = name if short is None else BOX_WORDS[short] + name.removeprefix(short)
    return f"{spelled.replace('_', ' ').capitalize()} in the game"


def _player_id() -> Column:
    return text("player_id", "The provider's own id of the player")


def _date_in_season(date_column: str) -> Rule:
    def broken(rows: Columns) -> NDArray[np.bool_]:
        months = rows[date_column].astype("M8[M]").astype(np.float64)
        months[np.isnat(rows[date_column])] = np.nan
        since_july = months - (12 * (rows["season_year"] - 1970) + 6)
        return (since_july < 0) | (since_july >= SEASON_MONTHS)

    return Rule(
        "date_in_season", f"{date_column} lies between the July before season_year and the October after it", broken
    )


def _half_placed(rows: Columns) -> NDArray[np.bool_]:
    return np.isnan(rows["arena_latitude"]) != np.isnan(rows["arena_longitude"])


def _placed_at_zero(rows: Columns) -> NDArray[np.bool_]:
    return (rows["arena_latitude"] == 0) & (rows["arena_longitude"] == 0)


def _tied(rows: Columns) -> NDArray[np.bool_]:
    return (rows["game_status"] == FINAL) & (rows["home_team_score"] == rows["away_team_score"])


def _points_differ(rows: Columns) -> NDArray[np.bool_]:
    given = 2 * rows["field_goals_made"] + rows["three_pointers_made"] + rows["free_throws_made"]
    return ~np.isnan(given) & ~np.isnan(rows["points"]) & (rows["points"] != given)


def _points_out_of_reach(rows: Columns) -> NDArray[np.bool_]:
    return rows["points"] > 3 * rows["field_goals_attempted"] + rows["free_throws_attempted"]


def _rebounds_differ(rows: Columns) -> NDArray[np.bool_]:
    parts = rows["offensive_rebounds"] + rows["defensive_rebounds"]
    return ~np.isnan(parts) & ~np.isnan(rows["total_rebounds"]) & (rows["total_rebounds"] != parts)


def _more_threes_missed(rows: Columns) -> NDArray[np.bool_]:
    threes = rows["three_pointers_attempted"] - rows["three_pointers_made"]
    return threes > rows["field_goals_attempted"] - rows["field_goals_made"]


def _counted_in_no_time(rows: Columns) -> NDArray[np.bool_]:
    return _any_positive(rows, rows["minutes"] == "0:00", COUNTS_THAT_NEED_TIME)


def _counted_without_playing(rows: Columns) -> NDArray[np.bool_]:
    out = (rows["player_status"] == "dnp") | (rows["player_status"] == "inactive")
    played = _any_positive(rows, out, PLAYER_COUNTS)
    played[out] |= np.array([minutes not in (None, "0:00") for minutes in rows["minutes"][out]], dtype=bool)
    return played


def _any_positive(rows: Columns, among: NDArray[np.bool_], names: tuple[str, ...]) -> NDArray[np.bool_]:
    places = np.flatnonzero(among)
    found = np.zeros(len(among), dtype=bool)
    found[places] = np.logical_or.reduce([rows[name][places] > 0 for name in names])
    return found


def _fewer_rebounds_than_parts(rows: Columns) -> NDArray[np.bool_]:
    return rows["total_rebounds"] < rows["offensive_rebounds"] + rows["defensive_rebounds"]


def _wrong_value(rows: Columns) -> NDArray[np.bool_]:
    worth = (
        np.where(rows["shot_type"] == "3PT", 3.0, np.where(rows["shot_type"] == "2PT", 2.0, np.nan)) * rows["shot_made"]
    )
    return ~np.isnan(worth) & ~np.isnan(rows["points_scored"]) & (rows["points_scored"] != worth)


def _no_total(rows: Columns) -> NDArray[np.bool_]:
    return (rows["market_key"] == "totals") & (rows["outcome_point"] < LEAST_TOTAL)


def _reported_out_of_season(rows: Columns) -> NDArray[np.bool_]:
    days_before = (rows["game_date"] - rows["report_date"]) / np.timedelta64(1, "D")
    return (days_before < -1) | (days_before > EARLIEST_REPORT_DAYS)


def _unbelievable_birth(rows: Columns) -> NDArray[np.bool_]:
    years = (rows["roster_date"] - rows["birth_date"]) / np.timedelta64(1, "D") / 365.25
    return (years < YOUNGEST) | (years >= OLDEST)


LEAST_TOTAL = 100
"""Fewer points by both teams together are no line of a whole game."""
EARLIEST_REPORT_DAYS = 30
"""How long before its game an injury report may be dated; reports after midnight are dated the day after."""
YOUNGEST, OLDEST = 15, 60


SEASON_MONTHS = 16
"""A season's games lie between the July before and the October after it: 2019-20 ended in October, and 2020-21 began in
December and ended in July.
"""

BOX_COUNT_LIMITS = {"points": 250, "fg_attempted": 200, "field_goals_attempted": 100}
"""Highest believable count in one game, team or player; a row above it is a feed error (the records are 186 points and
153 attempts by a team).
"""

PLAYER_COUNTS = (
    "points",
    "field_goals_made",
    "field_goals_attempted",
    "three_pointers_made",
    "three_pointers_attempted",
    "free_throws_made",
    "free_throws_attempted",
    "offensive_rebounds",
    "defensive_rebounds",
    "total_rebounds",
    "assists",
    "steals",
    "blocks",
    "turnovers",
    "personal_fouls",
)
COUNTS_THAT_NEED_TIME = (
    "points",
    "field_goals_attempted",
    "three_pointers_attempted",
    "offensive_rebounds",
    "defensive_rebounds",
    "total_rebounds",
    "assists",
    "steals",
    "blocks",
)
"""What nobody does while the clock stands.

Fouls, violations and free throws need no time: there are real rows of 0:00 with free throws missed.
"""

PLAYER_SHOOTING_PAIRS = (
    ("field_goals_made", "field_goals_attempted"),
    ("three_pointers_made", "three_pointers_attempted"),
    ("free_throws_made", "free_throws_attempted"),
    ("three_pointers_made", "field_goals_made"),
    ("three_pointers_attempted", "field_goals_attempted"),
)
PLAYER_RULES = (
    *_makes_within_attempts(*PLAYER_SHOOTING_PAIRS),
    Rule(
        "misses_within_misses",
        "three_pointers_attempted less three_pointers_made is at most field_goals_attempted less field_goals_made",
        _more_threes_missed,
    ),
    Rule("points_add_up", "points = 2 x field_goals_made + three_pointers_made + free_throws_made", _points_differ),
    Rule(
        "points_within_reach",
        "points is at most 3 x field_goals_attempted + free_throws_attempted",
        _points_out_of_reach,
    ),
    Rule("rebounds_add_up", "total_rebounds = offensive_rebounds + defensive_rebounds", _rebounds_differ),
    Rule(
        "no_time_no_counts",
        "with minutes 0:00 nobody has points, field_goals_attempted, rebounds, assists, steals or blocks",
        _counted_in_no_time,
    ),
)
"""What holds of every player's line, on the sheet and in the box score."""

PLAYER_READINGS = {
    "minutes": Reading(minutes_of_player),
    "plus_minus": Reading(plus_minus),
    "nba_game_id": Reading(league_game_id),
}

SCHEDULE = RawTable(
    Table(
        DATASET,
        "schedule",
        "one game",
        ("game_id",),
        "game_date",
        (
            *_game_columns(),
            moment("game_time_utc", "Scheduled tip-off"),
            whole(
                "season_year", "Year in which the season began: 2021 is 2021-22", nullable=False, allowed=(1946, 2200)
            ),
            text("home_team_abbr", "Home team", nullable=False),
            text("away_team_abbr", "Away team", nullable=False),
            whole(
                "game_status", "1 scheduled, 2 live, 3 final, 4 postponed or cancelled", nullable=False, allowed=(1, 4)
            ),
            whole("home_team_score", "Final score of the home team", unit="points", allowed=(0, 250)),
            whole("away_team_score", "Final score of the away team", unit="points", allowed=(0, 250)),
            text("winning_team_abbr", "Winner, once final"),
            flag("is_primetime", "National broadcast in the evening"),
            flag("is_regular_season", "Counts in the regular-season standings", nullable=False),
            flag("is_playoffs", "Play-in or play-off game", nullable=False),
            flag("is_all_star", "All-Star game or event"),
            flag("neutral_site_flag", "Played at a neutral site"),
            text("arena_name", "Arena"),
            text("arena_timezone", "IANA time zone of the arena"),
            number("arena_latitude", "Latitude of the arena", unit="degrees", scale=None, allowed=(-90, 90)),
            number("arena_longitude", "Longitude of the arena", unit="degrees", scale=None, allowed=(-180, 180)),
            _processed_at(),
        ),
        description="The schedule: every game of a season, played or not.",
        rules=(
            _date_in_season("game_date"),
            Rule("whole_place", "arena_latitude and arena_longitude are both given or neither", _half_placed),
            Rule("real_place", "arena_latitude and arena_longitude are not both 0", _placed_at_zero),
            Rule(
                "one_winner", "no game with game_status 3, final, ends tied, home_team_score = away_team_score", _tied
            ),
        ),
    ),
    teams=("home_team_abbr", "away_team_abbr", "winning_team_abbr"),
    readings={"arena_timezone": Reading(time_zone), "nba_game_id": Reading(league_game_id)},
    tip_off="game_time_utc",
    whole_season=True,
    required=True,
    is_pregame=True,
)


def _player_columns() -> tuple[Column, ...]:
    """Whom a row of a sheet or a box score is about, and in which game."""
    return (
        *_game_columns(),
        whole("season_year", "Year in which the season began", allowed=(1946, 2200)),
        text("home_team_abbr", "Home team"),
        text("away_team_abbr", "Away team"),
        text("player_name", "Name as printed"),
        PLAYER_LOOKUP,
        _player_id(),
        text("team_abbr", "The player's team"),
    )


PLAYER_GAMEBOOK = RawTable(
    Table(
        DATASET,
        "player_gamebook",
        "one player on one team's sheet in one game",
        ("game_id", "player_lookup"),
        "game_date",
        (
            *_player_columns(),
            text("player_status", "Status on the sheet", nullable=False, values=words.PLAYER_STATUSES),
            text("dnp_reason", "Why he did not play, as printed"),
            text("minutes", "Playing time, M:SS, at most 70:00"),
            *_box_counts(*PLAYER_COUNTS),
            text("plus_minus", "Point difference while on the floor, as printed (a leading + is allowed)"),
            _processed_at(),
        ),
        description=(
            "The official scorer's sheet (the NBA gamebook): who played, who did not and why, and the box score of "
            "those who did."
        ),
        rules=(
            *PLAYER_RULES,
            Rule(
                "no_play_no_counts",
                "with player_status dnp or inactive nobody has minutes, points or other counts",
                _counted_without_playing,
            ),
        ),
    ),
    teams=("home_team_abbr", "away_team_abbr", "team_abbr"),
    players={"player_lookup": "player_name"},
    readings={**PLAYER_READINGS, "player_status": Reading(words.player_status)},
    required=True,
)

PLAYER_BOXSCORES = RawTable(
    Table(
        DATASET,
        "player_boxscores",
        "one player who appeared in one game",
        ("game_id", "player_lookup"),
        "game_date",
        (
            *_player_columns(),
            text("game_status", "State of the box score; only `final` ones are read", nullable=False),
            flag("starter", "In the starting five"),
            text("position", "Position in the starting five"),
            text("minutes", "Playing time, M:SS, at most 70:00"),
            *_box_counts(*PLAYER_COUNTS),
            text("plus_minus", "Point difference while on the floor, as printed (a leading + is allowed)"),
            _processed_at(),
        ),
        description="Live box scores, published the same evening: only players who appeared, with the starting five.",
        rules=PLAYER_RULES,
    ),
    teams=("home_team_abbr", "away_team_abbr", "team_abbr"),
    players={"player_lookup": "player_name"},
    readings={**PLAYER_READINGS, "game_status": Reading(words.game_status)},
    known={"game_status": words.GAME_STATUSES},
)

TEAM_BOXSCORES = RawTable(
    Table(
        DATASET,
        "team_boxscores",
        "one team in one game",
        ("game_id", "team_abbr"),
        "game_date",
        (
            *_game_columns(),
            whole("season_year", "Year in which the season began", allowed=(1946, 2200)),
            text("team_abbr", "The team", nullable=False),
            flag("is_home", "The team is the home team", nullable=False),
            text(
                "minutes",
                "Summed playing time of the five places on the floor, M:SS: about 240:00, and 25 more per overtime",
            ),
            *_box_counts(
                "fg_made",
                "fg_attempted",
                "three_pt_made",
                "three_pt_attempted",
                "ft_made",
                "ft_attempted",
                "offensive_rebounds",
                "defensive_rebounds",
                "total_rebounds",
                "assists",
                "steals",
                "blocks",
                "turnovers",
                "personal_fouls",
                "points",
            ),
            whole("plus_minus", "Final margin", unit="points", allowed=(-150, 150)),
            _processed_at(),
        ),
        description="Team totals of every game, one row per team, as the league publishes them after it.",
        rules=(
            *_makes_within_attempts(
                ("fg_made", "fg_attempted"),
                ("three_pt_made", "three_pt_attempted"),
                ("ft_made", "ft_attempted"),
                ("three_pt_made", "fg_made"),
                ("three_pt_attempted", "fg_attempted"),
            ),
            # Some feeds count rebounds that no player has into the total alone.
            Rule(
                "rebounds_of_parts",
                "total_rebounds is at least offensive_rebounds + defensive_rebounds",
                _fewer_rebounds_than_parts,
            ),
        ),
    ),
    teams=("team_abbr",),
    readings={"minutes": Reading(minutes_of_team), "nba_game_id": Reading(league_game_id)},
    derived=("processed_at", "is_home"),
    required=True,
)

PLAY_BY_PLAY = RawTable(
    Table(
        DATASET,
        "play_by_play",
        "one event of one game",
        ("game_id", "event_sequence"),
        "game_date",
        (
            *_game_columns(),
            text("home_team_abbr", "Home team"),
            text("away_team_abbr", "Away team"),
            whole(
                "event_sequence",
                "Number of the event within its game; not always in order of time",
                nullable=False,
                allowed=(0, np.inf),
            ),
            whole("period", "1 to 4, 5 and up in overtime", nullable=False, allowed=(1, 14)),
            whole("game_clock_seconds", "Time left in the period", unit="seconds", allowed=(0, 720)),
            text("event_type", "shot, free throw, rebound, turnover, foul, substitution, ...", nullable=False),
            text("event_subtype", "Detail, e.g. `driving layup` or `free throw 1/2`"),
            text("player_1_lookup", "Player of the event"),
            text("player_1_id", "The provider's own id of the player of the event"),
            text("player_1_team_abbr", "His team"),
            text("player_2_lookup", "Second player of the event"),
            text("player_2_id", "The provider's own id of the second player of the event"),
            text("player_2_role", "Role of the second player: assist, block, steal, ..."),
            flag("shot_made", "The field goal went in; null unless a shot"),
            text("shot_type", "Two-point or three-point field goal", values=("2PT", "3PT")),
            number("shot_distance", "Distance from the basket", unit="feet", scale=None, allowed=(0, 100)),
            number(
                "loc_x",
                "Distance from the basket across the court, along the baseline",
                unit="tenths of a foot",
                scale=None,
            ),
            number("loc_y", "Distance from the basket along the court", unit="tenths of a foot", scale=None),
            text("shot_zone", "The feed's own zone of the shot"),
            whole("points_scored", "Points that the event scored", unit="points", allowed=(0, 4)),
            whole("score_home", "Home score after the event", unit="points", allowed=(0, 250)),
            whole("score_away", "Away score after the event", unit="points", allowed=(0, 250)),
            text("source", "Provider of the event"),
            _processed_at(),
        ),
        description="Play-by-play: every event of a game, in the provider's order.",
        rules=(
            Rule("points_by_type", "points_scored is the value of the shot by shot_type and shot_made", _wrong_value),
        ),
    ),
    teams=("home_team_abbr", "away_team_abbr", "player_1_team_abbr"),
    players={"player_1_lookup": None, "player_2_lookup": None},
    lower_case=("event_type", "event_subtype"),
    readings={
        "nba_game_id": Reading(league_game_id),
        "game_clock_seconds": Reading(time_left, np.floor),
        "player_2_role": word(words.ROLE_SPELLINGS),
        "shot_made": Reading(made),
        "shot_type": Reading(lambda text: words.SHOT_TYPE_SPELLINGS.get(text.lower(), text)),
        "shot_zone": word(words.SHOT_ZONE_SPELLINGS),
    },
    known={"event_type": words.EVENT_TYPES, "player_2_role": words.PLAYER_ROLES, "shot_zone": words.SHOT_ZONES},
)

GAME_LINES = RawTable(
    Table(
        DATASET,
        "game_lines",
        "one outcome of one market at one bookmaker at one moment",
        (
            "game_date",
            "home_team_abbr",
            "away_team_abbr",
            "bookmaker_key",
            "market_key",
            "outcome_name",
            "snapshot_timestamp",
        ),
        "game_date",
        (
            day("game_date", "US-Eastern calendar date of the game", nullable=False),
            text("home_team_abbr", "Home team", nullable=False),
            text("away_team_abbr", "Away team", nullable=False),
            moment("commence_time", "Tip-off as the bookmaker has it", nullable=False),
            moment("snapshot_timestamp", "When the bookmaker offered the line", nullable=False),
            text("bookmaker_key", "Bookmaker", nullable=False),
            text("market_key", "Market", nullable=False, values=("spreads", "totals")),
            text("outcome_name", "Team as the bookmaker names it, or Over / Under", nullable=False),
            text("outcome_team_abbr", "Tricode of the outcome's team; null for Over / Under"),
            number("outcome_point", "The line", unit="points", scale=None, allowed=(-400, 400)),
            number("outcome_price", "Decimal odds", scale=None, allowed=(1, 10_000)),
            _processed_at(),
        ),
        description="Point spreads and game totals, as each bookmaker offered them over time.",
        rules=(Rule("believable_total", f"with market_key totals outcome_point is at least {LEAST_TOTAL}", _no_total),),
    ),
    teams=("home_team_abbr", "away_team_abbr", "outcome_team_abbr"),
    readings={"outcome_point": Reading(line), "outcome_price": Reading(odds, decimal_odds)},
    tip_off="commence_time",
    lower_case=("bookmaker_key", "market_key"),
    derived=("processed_at", "outcome_team_abbr"),
    is_pregame=True,
)

PLAYER_POINTS_PROPS = RawTable(
    Table(
        DATASET,
        "player_points_props",
        "one player's points line at one bookmaker at one moment",
        ("game_date", "player_lookup", "source", "bookmaker", "snapshot_timestamp"),
        "game_date",
        (
            day("game_date", "US-Eastern calendar date of the game", nullable=False),
            text("home_team_abbr", "Home team"),
            text("away_team_abbr", "Away team"),
            moment("game_start_time", "Tip-off as the feed has it"),
            PLAYER_LOOKUP,
            text("player_name", "Name as the feed has it"),
            _player_id(),
            text("source", "Feed", nullable=False, values=("odds_api", "bettingpros")),
            text("bookmaker", "Bookmaker", nullable=False),
            number("points_line", "The line", unit="points", scale=None, nullable=False, allowed=(0, 100)),
            whole("over_price_american", "American odds of the over"),
            whole("under_price_american", "American odds of the under"),
            moment("snapshot_timestamp", "When the bookmaker offered the line", nullable=False),
            whole("minutes_before_tipoff", "Minutes to tip-off, negative once the game runs", unit="minutes"),
            number("opening_line", "The feed's own opening line", unit="points", scale=None, allowed=(0, 100)),
            _processed_at(),
        ),
        description="Player points props: each bookmaker's line on a player's points, over time.",
    ),
    teams=("home_team_abbr", "away_team_abbr"),
    players={"player_lookup": "player_name"},
    lower_case=("source", "bookmaker"),
    readings={name: Reading(line) for name in ("points_line", "opening_line")}
    | {name: Reading(odds) for name in ("over_price_american", "under_price_american")},
    tip_off="game_start_time",
    is_pregame=True,
)

INJURY_REPORT = RawTable(
    Table(
        DATASET,
        "injury_report",
        "one player's status for one game date in one report",
        ("game_date", "player_lookup", "reported_at"),
        "game_date",
        (
            day("report_date", "Day of the report, US-Eastern", nullable=False),
            whole("report_hour", "Hour of the report, US-Eastern", unit="hour", nullable=False, allowed=(0, 23)),
            moment(
                "reported_at",
                "When the report is known to have existed; the end of its hour where the feed does not say",
                nullable=False,
            ),
            day("game_date", "Date of the game that the status is for", nullable=False),
            text("team", "The player's team", nullable=False),
            PLAYER_LOOKUP,
            _player_id(),
            text("injury_status", "Status: likelihood to play", nullable=False, values=words.INJURY_STATUSES),
            text("reason", "Reason as printed"),
            text("reason_category", "Kind of reason"),
            number(
                "confidence_score", "Confidence with which the report was parsed, 0 to 1", scale=None, allowed=(0, 1)
            ),
            _processed_at(),
        ),
        description="The league's injury reports: each player's status for a game, report by report.",
        rules=(
            Rule(
                "reported_near_game",
                f"report_date is at most {EARLIEST_REPORT_DAYS} days before game_date and one day after it",
                _reported_out_of_season,
            ),
        ),
    ),
    teams=("team",),
    players={"player_lookup": None},
    lower_case=("reason_category",),
    readings={"injury_status": word(words.INJURY_SPELLINGS)},
    derived=("processed_at", "reported_at"),
    is_pregame=True,
)

ROSTERS = RawTable(
    Table(
        DATASET,
        "rosters",
        "one player on one team's roster on one day",
        ("roster_date", "team_abbr", "player_lookup"),
        "roster_date",
        (
            day("roster_date", "Day of the snapshot, US-Eastern", nullable=False),
            whole("scrape_hour", "Hour of the snapshot, US-Eastern", unit="hour", allowed=(0, 23)),
            whole("season_year", "Year in which the season began", allowed=(1946, 2200)),
            text("team_abbr", "The team", nullable=False),
            PLAYER_LOOKUP,
            text("player_full_name", "Name as the feed has it"),
            _player_id(),
            text("position_abbr", "Position"),
            whole("age", "Age as the feed has it", unit="years", allowed=(15, 60)),
            day("birth_date", "Date of birth"),
            text("roster_status", "Status on the roster"),
            _processed_at(),
        ),
        description="Team rosters, a snapshot per day.",
        rules=(
            _date_in_season("roster_date"),
            Rule(
                "believable_birth",
                f"birth_date makes him {YOUNGEST} to {OLDEST} years old on roster_date",
                _unbelievable_birth,
            ),
        ),
    ),
    teams=("team_abbr",),
    players={"player_lookup": "player_full_name"},
    readings={"roster_status": word(words.ROSTER_STATUS_SPELLINGS)},
    known={"roster_status": words.ROSTER_STATUSES},
    is_pregame=True,
)

PLAYER_REGISTRY = RawTable(
    Table(
        DATASET,
        "player_registry",
        "one player on one team in one season",
        ("season_start", "player_lookup", "team_abbr"),
        "season_start",
        (
            day(
                "season_start",
                "First of July before the season: the date by which a season's registry is stored",
                nullable=False,
            ),
            text("season", "Season, e.g. 2021-22", nullable=False),
            PLAYER_LOOKUP,
            text("team_abbr", "The team; empty where the registry does not list teams", nullable=False),
            text("universal_player_id", "Identity of the player across seasons and names", nullable=False),
            text("player_name", "Name as registered"),
            _player_id(),
            _processed_at(),
        ),
        description="Player registry: the identity behind each player's name in a season.",
    ),
    teams=("team_abbr",),
    players={"player_lookup": "player_name"},
    derived=("processed_at", "season_start", "team_abbr"),
    whole_season=True,
    is_pregame=True,
)

RAW_TABLES: Mapping[str, RawTable] = {
    raw.name: raw
    for raw in (
        SCHEDULE,
        PLAYER_GAMEBOOK,
        PLAYER_BOXSCORES,
        TEAM_BOXSCORES,
        PLAY_BY_PLAY,
        GAME_LINES,
        PLAYER_POINTS_PROPS,
        INJURY_REPORT,
        ROSTERS,
        PLAYER_REGISTRY,
    )
}
