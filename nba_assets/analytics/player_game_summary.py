"""What a player did in one game: box score, shot zones, efficiency, usage, his points against the line, or why he did not play.

One row per player on the sheet of a final game, whether he played, sat out (`dnp`) or was inactive; every reader that averages takes played games
only (`is_dnp` false and points known). A row reads its own date alone: the official sheet or, for a player whom it lacks, the live box score; the
play-by-play; the team's row of `team_offense_game_summary` for usage and result; the closing points line.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nba_assets.analytics.feed_names import NAMES_MATCHED, FeedNames, identifying
from nba_assets.analytics.games import final_games, team_games
from nba_assets.analytics.props import closing_lines
from nba_assets.analytics.shots import SHOT_COLUMNS, Shots
from nba_assets.analytics.team_offense_game_summary import TABLE as TEAM_OFFENSE
from nba_assets.basketball.availability import dnp_reason_category
from nba_assets.basketball.game_clock import parse_minutes, parse_plus_minus
from nba_assets.basketball.possessions import OVERTIME_TEAM_SECONDS, REGULATION_TEAM_SECONDS, usage_rate
from nba_assets.basketball.shooting import effective_field_goal_pct, true_shooting_pct
from nba_assets.entities.groups import Grouped
from nba_assets.entities.outcomes import Outcome, concatenate, failures, take
from nba_assets.entities.quality import BACKUP_SCORE, PRIMARY_SCORE, collect, quality_columns
from nba_assets.entities.relations import at, find, join_at, tally, text_where, within
from nba_assets.publishing.asset import table_asset
from nba_assets.publishing.table_run import TableRun
from nba_assets.raw.tables import PLAY_BY_PLAY, PLAYER_BOXSCORES, PLAYER_GAMEBOOK, PLAYER_POINTS_PROPS, PLAYER_REGISTRY, SCHEDULE
from nba_assets.tables.blocks import QUALITY, STAMPS
from nba_assets.tables.rules import unequal
from nba_assets.tables.spec import Columns, Rule, Table, count, day, flag, number, text, whole

STARTER_MINUTES = 20.0
"""More minutes than this make a starter where no feed names the five."""
ISSUE_COST = 5.0

TABLE = Table(
    "nba_analytics",
    "player_game_summary",
    "one player on the sheet of one final game",
    ("game_date", "player_lookup"),
    "game_date",
    (
        text("player_lookup", "Normalised name: lower case, letters and digits only", nullable=False),
        text("universal_player_id", "Identity of the player across seasons; null where the registry does not know him"),
        text("player_full_name", "Name as printed"),
        text("game_id", "Canonical game id, YYYYMMDD_AWAY_HOME", nullable=False),
        day("game_date", "US-Eastern date of the game", nullable=False),
        text("team_abbr", "The player's team", nullable=False),
        text("opponent_team_abbr", "Its opponent", nullable=False),
        whole("season_year", "Year in which the season began: 2021 is 2021-22", nullable=False),
        flag("home_game", "The team is the schedule's home team", nullable=False),
        count("points", "Points", unit="points"),
        count("assists", "Assists"),
        count("offensive_rebounds", "Offensive rebounds"),
        count("defensive_rebounds", "Defensive rebounds"),
        count("steals", "Steals"),
        count("blocks", "Blocked shots"),
        count("turnovers", "Turnovers"),
        count("personal_fouls", "Personal fouls"),
        count("fg_attempts", "Field goals attempted"),
        count("fg_makes", "Field goals made"),
        count("ft_attempts", "Free throws attempted"),
        count("ft_makes", "Free throws made"),
        count("three_pt_attempts", "Threes attempted, by the box score"),
        count("three_pt_makes", "Threes made, by the box score"),
        number("minutes_played", "Playing time; 0:00 is 0.0, an unreadable time is null", unit="minutes", scale=1, allowed=(0, 100)),
        whole("plus_minus", "Point difference while on the floor", unit="points"),
        count("paint_attempts", "Field goals attempted in the paint; null without play-by-play"),
        count("paint_makes", "Field goals made in the paint; null without play-by-play"),
        count("mid_range_attempts", "Twos attempted outside the paint; null without play-by-play"),
        count("mid_range_makes", "Twos made outside the paint; null without play-by-play"),
        count("three_attempts_pbp", "Threes attempted, by the play-by-play"),
        count("three_makes_pbp", "Threes made, by the play-by-play"),
        count("paint_blocks", "Own blocks on shots in the paint"),
        count("mid_range_blocks", "Own blocks on twos outside the paint"),
        count("three_pt_blocks", "Own blocks on threes"),
        count("assisted_fg_makes", "Makes that a teammate assisted"),
        count("unassisted_fg_makes", "Makes without an assist"),
        count("and1_count", "Single free throws after a made shot; null where the game's play-by-play has no free throws"),
        flag("has_complete_shot_zones", "Attempts of all three zones are known", nullable=False),
        number("ts_pct", "True shooting: points / (2 x (FGA + 0.44 FTA))", unit="fraction", scale=3, allowed=(0, 2)),
        number("efg_pct", "Effective field goals: (FGM + 0.5 x 3PM) / FGA", unit="fraction", scale=3, allowed=(0, 1.5)),
        number(
            "usage_rate",
            "Share of the team's possessions that he ended while on the floor: 100 x (FGA + 0.44 FTA + TOV) x team minutes / 5 / "
            "(minutes x the team's FGA + 0.44 FTA + TOV), with real team minutes; null without minutes or team row",
            unit="percent",
            scale=1,
            allowed=(0, 100),
        ),
        flag("starter_flag", "In the starting five; estimated from more than 20 minutes where no feed names it", nullable=False),
        flag("win_flag", "His team won", nullable=False),
        number("points_line", "Closing points line: the preferred bookmaker's last one before tip-off", unit="points", scale=1),
        text("points_line_source", "Bookmaker of the line"),
        text("over_under_result", "Points against the closing line", values=("OVER", "UNDER", "PUSH")),
        number("margin", "Points minus the closing line", unit="points", scale=2),
        number("opening_line", "First line of the same bookmaker; null where there was only one", unit="points", scale=1),
        text("opening_line_source", "Bookmaker of the opening line"),
        number("line_movement", "Closing minus opening line", unit="points", scale=1),
        flag("is_active", "On the sheet as active", nullable=False),
        text("player_status", "On the sheet as", nullable=False, values=("active", "dnp", "inactive")),
        flag("is_dnp", "Did not play: dnp, inactive, or active without a second on the floor", nullable=False),
        text("dnp_reason", "Why he did not play, as printed"),
        text(
            "dnp_reason_category",
            "Kind of reason, by its words",
            values=("injury", "rest", "personal", "coach_decision", "other"),
        ),
        *QUALITY,
        flag("quality_used_fallback", "The row comes from the live box score, not from the official sheet", nullable=False),
        flag("shot_zones_estimated", "The zone of at least one of his twos was decided by its distance alone", nullable=False),
        text(
            "data_quality_flag",
            "complete with a usage rate, partial_no_team_stats without the team's row, else partial",
            nullable=False,
            values=("complete", "partial_no_team_stats", "partial"),
        ),
        *STAMPS,
    ),
    entity_column="player_lookup",
    notices=(NAMES_MATCHED,),
    rules=(
        Rule("makes_within_attempts", "fg_makes is at most fg_attempts", lambda rows: rows["fg_makes"] > rows["fg_attempts"]),
        Rule("opponents_differ", "A team does not play itself", lambda rows: rows["team_abbr"] == rows["opponent_team_abbr"]),
        Rule("dnp_not_counted", "Who did not play has no points", lambda rows: (rows["is_dnp"] == 1) & (rows["points"] > 0)),
        unequal(
            "points_add_up",
            "points = 2 x fg_makes + three_pt_makes + ft_makes",
            "points",
            ("fg_makes", "fg_makes", "three_pt_makes", "ft_makes"),
            blocking=False,
        ),
    ),
)

BOX = {
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
"""The box counts of a row, by their names in the raw sheets."""

ZONE_COLUMNS = {
    "paint_attempts": "paint_attempts",
    "paint_makes": "paint_makes",
    "mid_range_attempts": "mid_range_attempts",
    "mid_range_makes": "mid_range_makes",
    "three_attempts_pbp": "three_attempts",
    "three_makes_pbp": "three_makes",
    "assisted_fg_makes": "assisted_fg_makes",
    "unassisted_fg_makes": "unassisted_fg_makes",
}
BLOCK_COLUMNS = {"paint_blocks": "paint_blocks", "mid_range_blocks": "mid_range_blocks", "three_pt_blocks": "three_blocks"}


def compute(asked: Columns, histories: Mapping[str, Columns], shared: Any = None) -> Outcome:
    """The rows of one player over all his games; `asked` holds his sheet, his team's totals (`team_` columns), his shots and his line."""
    del histories, shared
    seconds = asked["seconds"]
    active = asked["player_status"] == "active"
    # A row of a player who was not on the floor list holds no measures at all; an active one without a second keeps its zeros.
    dnp = ~active | (seconds == 0)
    measures = {name: np.where(active, asked[name], np.nan) for name in (*BOX, "plus_minus", *ZONE_COLUMNS, *BLOCK_COLUMNS, "and1_count")}
    fga, fta, turnovers = (measures[name] for name in ("fg_attempts", "ft_attempts", "turnovers"))
    usage = usage_rate(
        fga,
        fta,
        turnovers,
        seconds,
        asked["team_seconds"],
        asked["team_fg_attempts"],
        asked["team_ft_attempts"],
        asked["team_turnovers"],
    )
    impossible = usage > 100
    usage = np.where(impossible, np.nan, usage)
    starter_known = ~np.isnan(asked["starter"])
    rows = {
        **{name: asked[name] for name in IDENTITY},
        **measures,
        "minutes_played": np.where(active, seconds / 60, np.nan),
        "has_complete_shot_zones": ~np.isnan(measures["paint_attempts"] + measures["mid_range_attempts"] + measures["three_attempts_pbp"]),
        "ts_pct": true_shooting_pct(measures["points"], fga, fta),
        "efg_pct": effective_field_goal_pct(measures["fg_makes"], measures["three_pt_makes"], fga),
        "usage_rate": usage,
        "starter_flag": ~dnp & np.where(starter_known, asked["starter"] == 1, seconds > 60 * STARTER_MINUTES),
        "is_active": active,
        "is_dnp": dnp,
        "dnp_reason": text_where(active, None, asked["dnp_reason"]),
        "dnp_reason_category": np.array(
            [None if plays else dnp_reason_category(reason) for plays, reason in zip(active, asked["dnp_reason"], strict=True)], dtype=object
        ),
        **_against_the_line(asked, dnp),
    }
    return Outcome(rows | _quality(asked, rows, dnp, impossible, starter_known))


IDENTITY = (
    "player_lookup",
    "universal_player_id",
    "player_full_name",
    "game_id",
    "game_date",
    "team_abbr",
    "opponent_team_abbr",
    "season_year",
    "home_game",
    "player_status",
    "win_flag",
)


def played_games(sheet: Columns) -> dict[str, NDArray[Any]]:
    """Of a player's rows those of games that he played: the one definition for every reader that averages."""
    return take(sheet, (sheet["is_dnp"] == 0) & ~np.isnan(sheet["points"]))


def _against_the_line(asked: Columns, dnp: NDArray[np.bool_]) -> dict[str, NDArray[Any]]:
    line = asked["current_points_line"]
    margin = np.where(dnp, np.nan, asked["points"] - line)
    return {
        "points_line": line,
        "points_line_source": asked["current_points_line_source"],
        "over_under_result": text_where(margin > 0, "OVER", text_where(margin < 0, "UNDER", text_where(margin == 0, "PUSH", None))),
        "margin": margin,
        "opening_line": asked["opening_points_line"],
        "opening_line_source": asked["opening_points_line_source"],
        "line_movement": asked["line_movement"],
    }


def _quality(
    asked: Columns, rows: Columns, dnp: NDArray[np.bool_], impossible: NDArray[np.bool_], starter_known: NDArray[np.bool_]
) -> dict[str, NDArray[Any]]:
    fallback = asked["from_boxscore"] == 1
    zones = rows["has_complete_shot_zones"]
    no_plus_minus = ~dnp & np.isnan(rows["plus_minus"])
    no_zones = ~dnp & ~zones
    estimated = ~dnp & zones & (asked["estimated_zones"] > 0)
    costly = [
        (~dnp & fallback, "backup_source_used"),
        (no_plus_minus, "missing_plus_minus"),
        (no_zones, "missing_shot_zones"),
        (estimated, "shot_zones_estimated"),
        (~dnp & ~starter_known, "starter_estimated"),
        (impossible, "impossible_usage_rate"),
    ]
    issues = collect(len(dnp), [*costly, (asked["date_has_props"] != 1, "missing_points_props")])
    # The feed of points lines is a matter of the date, not of the row: its absence is named, and costs nothing.
    with_issues = np.logical_or.reduce([mask for mask, _ in costly])
    cost = ISSUE_COST * (no_plus_minus.astype(np.float64) + no_zones + estimated)
    sources = collect(
        len(dnp),
        [
            (zones, PLAY_BY_PLAY.name),
            (fallback | (~dnp & starter_known), PLAYER_BOXSCORES.name),
            (~fallback, PLAYER_GAMEBOOK.name),
            (~np.isnan(rows["points_line"]), PLAYER_POINTS_PROPS.name),
        ],
    )
    complete, no_team = ~np.isnan(rows["usage_rate"]), np.isnan(asked["team_seconds"])
    return {
        **quality_columns(
            np.where(fallback, BACKUP_SCORE, PRIMARY_SCORE) - cost,
            issues,
            sources,
            np.where(fallback, "nbac_boxscores", "nbac_gamebook").astype(object),
            with_issues,
        ),
        "quality_used_fallback": fallback,
        "shot_zones_estimated": estimated,
        "data_quality_flag": np.select([complete, no_team], ["complete", "partial_no_team_stats"], "partial").astype(object),
    }


def build(run: TableRun) -> Outcome:
    """Player rows of the run's final games."""
    feeds = FeedNames.of(run)
    sheets, indistinct = feeds.without_shared(_sheets(run, feeds), ("team_abbr", "game_id"))
    sides = team_games(final_games(run))
    placed = find((sheets["game_id"], sheets["team_abbr"]), (sides["game_id"], sides["team_abbr"]))
    in_final = within(sheets["game_id"], sides["game_id"])
    homeless = take(sheets, in_final & (placed < 0))
    lost = failures(
        homeless["player_lookup"],
        homeless["game_date"],
        "PLAYER",
        "MISSING_RAW_DATA",
        np.array(
            [
                f"{game}: the sheet names team {team}, which did not play in it"
                for game, team in zip(homeless["game_id"], homeless["team_abbr"], strict=True)
            ],
            dtype=object,
        ),
        can_retry=True,
        failure_type="DATA_GAP",
    )
    asked = take(sheets, placed >= 0)
    asked |= join_at(sides, placed[placed >= 0], ("opponent_team_abbr", "home_game", "season_year", "team_score", "opponent_score"))
    asked |= _team_totals(run, asked) | _from_play_by_play(feeds, asked) | _lines(feeds, asked)
    unresolved = _identities(run, feeds, asked)
    outcome = run.map_rows("players", compute, Grouped.by(asked, "player_lookup", "game_date"))
    return Outcome(outcome.rows, concatenate([outcome.failures, lost, indistinct, unresolved]))


def _sheets(run: TableRun, feeds: FeedNames) -> dict[str, NDArray[Any]]:
    """One row per player and game: his row of the official sheet, or of the final box score where the sheet lacks him or his line."""
    shared = ("game_id", "game_date", "player_lookup", "player_name", "team_abbr", "minutes", "plus_minus", *BOX.values())
    book = run.read(PLAYER_GAMEBOOK.table, identifying(PLAYER_GAMEBOOK, (*shared, "player_status", "dnp_reason")))
    box = run.read(PLAYER_BOXSCORES.table, identifying(PLAYER_BOXSCORES, (*shared, "game_status", "starter")))
    book, box = feeds.sheets(book, take(box, box["game_status"] == "final"))
    in_box = find((book["game_id"], book["player_lookup"]), (box["game_id"], box["player_lookup"]))
    blank = (book["player_status"] == "active") & np.isnan(book["points"]) & (in_box >= 0)
    kept = take(book, ~blank)
    only_in_box = find((box["game_id"], box["player_lookup"]), (kept["game_id"], kept["player_lookup"])) < 0
    filled = take(box, only_in_box)
    size = len(filled["game_id"])
    filled |= {"player_status": np.full(size, "active", dtype=object), "dnp_reason": np.full(size, None, dtype=object)}
    kept |= {"from_boxscore": np.zeros(len(kept["game_id"]))}
    filled |= {"from_boxscore": np.ones(size)}
    sheets = concatenate([kept, take_columns(filled, kept)])
    starters = find((sheets["game_id"], sheets["player_lookup"]), (box["game_id"], box["player_lookup"]))
    unplaced = np.array([team is None for team in sheets["team_abbr"]], dtype=bool)
    return {
        "game_id": sheets["game_id"],
        "game_date": sheets["game_date"],
        "player_lookup": sheets["player_lookup"],
        "player_full_name": sheets["player_name"],
        "player_id": sheets.get("player_id", np.full(len(starters), None, dtype=object)),
        "team_abbr": np.where(unplaced, at(box["team_abbr"], starters), sheets["team_abbr"]),
        "player_status": sheets["player_status"],
        "dnp_reason": sheets["dnp_reason"],
        "seconds": parse_minutes(sheets["minutes"]),
        "plus_minus": parse_plus_minus(sheets["plus_minus"]),
        "starter": at(box["starter"], starters),
        "from_boxscore": sheets["from_boxscore"],
        **{name: sheets[column] for name, column in BOX.items()},
    }


def take_columns(columns: Columns, like: Columns) -> dict[str, NDArray[Any]]:
    """The columns that another table has, in its order."""
    return {name: columns[name] for name in like}


def _team_totals(run: TableRun, asked: Columns) -> dict[str, NDArray[Any]]:
    teams = run.read(TEAM_OFFENSE, ("game_id", "team_abbr", "fg_attempts", "ft_attempts", "turnovers", "overtime_periods", "win_flag"))
    found = find((asked["game_id"], asked["team_abbr"]), (teams["game_id"], teams["team_abbr"]))
    won = at(teams["win_flag"], found)
    return {
        **{f"team_{name}": at(teams[name], found) for name in ("fg_attempts", "ft_attempts", "turnovers")},
        "team_seconds": REGULATION_TEAM_SECONDS + OVERTIME_TEAM_SECONDS * at(teams["overtime_periods"], found),
        "win_flag": np.where(np.isnan(won), asked["team_score"] > asked["opponent_score"], won),
    }


def _from_play_by_play(feeds: FeedNames, asked: Columns) -> dict[str, NDArray[Any]]:
    events = feeds.events(SHOT_COLUMNS, ("shot", "free throw"), asked)
    shots = Shots.of(events)
    key = (asked["game_id"], asked["player_lookup"])
    own, blocked = shots.by_shooter(), shots.blocks_by_player()
    free_throws = take(events, events["event_type"] == "free throw")
    and_ones = tally(
        {"game_id": free_throws["game_id"], "player_lookup": free_throws["player_1_lookup"]},
        {"and1_count": free_throws["event_subtype"] == "free throw 1/1"},
    )
    covered = within(asked["game_id"], shots.games())
    with_free_throws = within(asked["game_id"], free_throws["game_id"])
    shooting = join_at(own, find(key, (own["game_id"], own["player_lookup"])), ZONE_COLUMNS | {"estimated_zones": "estimated_zones"})
    blocks = join_at(blocked, find(key, (blocked["game_id"], blocked["player_lookup"])), BLOCK_COLUMNS)
    found = at(and_ones["and1_count"], find(key, (and_ones["game_id"], and_ones["player_lookup"])))
    # In a covered game, a player without an event of a kind did it 0 times; without play-by-play nobody knows.
    counts = {name: np.where(covered, np.nan_to_num(values), np.nan) for name, values in (shooting | blocks).items()}
    return counts | {"and1_count": np.where(with_free_throws, np.nan_to_num(found), np.nan)}


def _lines(feeds: FeedNames, asked: Columns) -> dict[str, NDArray[Any]]:
    props = feeds.props(asked)
    lines = closing_lines(props)
    found = find((asked["game_date"], asked["player_lookup"]), (lines["game_date"], lines["player_lookup"]))
    names = ("current_points_line", "current_points_line_source", "opening_points_line", "opening_points_line_source", "line_movement")
    return join_at(lines, found, names) | {"date_has_props": within(asked["game_date"], props["game_date"]).astype(np.float64)}


def _identities(run: TableRun, feeds: FeedNames, asked: dict[str, NDArray[Any]]) -> Columns:
    """Fills `universal_player_id` in; returns a failure record for everyone whom a season's registry does not know."""
    # Where a season has no registry at all the identity is unknown for everyone: that is a feed that is absent, not a player who is missing.
    asked["universal_player_id"], unknown, seasons = feeds.people.identities(run, asked["player_lookup"], asked["season_year"])
    return failures(
        asked["player_lookup"][unknown],
        asked["game_date"][unknown],
        "PLAYER",
        "REGISTRY_LOOKUP_FAILED",
        np.array(
            [
                f"{player} is not in the registry of {season}"
                for player, season in zip(asked["player_lookup"][unknown], seasons[unknown], strict=True)
            ],
            dtype=object,
        ),
        can_retry=True,
    )


player_game_summary = table_asset(
    TABLE,
    build,
    upstream=[
        *(raw.table for raw in (SCHEDULE, PLAYER_GAMEBOOK, PLAYER_BOXSCORES, PLAY_BY_PLAY, PLAYER_POINTS_PROPS, PLAYER_REGISTRY)),
        TEAM_OFFENSE,
    ],
    group="analytics",
    code_version="1",
)
