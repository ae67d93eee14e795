"""A player in one final game: box score, shot zones, efficiency, usage, points against the line, or why he did not
play.

One row per player on the sheet of a final game, whether he played, sat out (`dnp`) or was inactive; every reader that
averages takes played games only (`is_dnp` false and points known). A row reads its own date alone: the official sheet
or, for a player whom it lacks, the live box score; the play-by-play; the team's row of `team_offense_game_summary` for
usage; the schedule for the result; the closing points line. The play-by-play is compared with the box score: where they
disagree, the row has an issue and a lower quality score, and what rests on the play-by-play is null. Of a player on
several sheets of one date the game that he played counts; two played games of one date are a failure.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nba_assets.analytics.feed_names import NAMES_MATCHED, FeedNames
from nba_assets.analytics.free_throws import FREE_THROW, FREE_THROW_COLUMNS, FreeThrows
from nba_assets.analytics.games import final_games, team_games
from nba_assets.analytics.parts import PEOPLE, RESULTS, quarantined
from nba_assets.analytics.props import closing_lines
from nba_assets.analytics.quarantined_players import players_in_quarantine
from nba_assets.analytics.reconciliation import (
    BACKUP_USED,
    BLOCKS,
    BLOCKS_DISAGREE,
    DISAGREEMENT_COST,
    FIELD_GOALS,
    FREE_THROWS,
    FREE_THROWS_DISAGREE,
    PLAY_BY_PLAY_NOTICE,
    QUARANTINE_COST,
    SHOTS_DISAGREE,
    differ,
    differing,
    in_quarantine,
    report,
)
from nba_assets.analytics.sheets import COUNTS, one_row_per_date, played, read_sheets
from nba_assets.analytics.shots import SHOT_COLUMNS, Shots, zones_known
from nba_assets.analytics.team_offense_game_summary import PLAYERS_DISAGREE, ROWS_QUARANTINED
from nba_assets.analytics.team_offense_game_summary import TABLE as TEAM_OFFENSE
from nba_assets.basketball.arithmetic import map_distinct
from nba_assets.basketball.availability import dnp_reason_category
from nba_assets.basketball.game_clock import parse_plus_minus
from nba_assets.basketball.possessions import OVERTIME_TEAM_SECONDS, REGULATION_TEAM_SECONDS, usage_rate
from nba_assets.basketball.shooting import effective_field_goal_pct, true_shooting_pct
from nba_assets.entities.groups import Grouped
from nba_assets.entities.outcomes import Outcome, concatenate, failures, take
from nba_assets.entities.quality import BACKUP_SCORE, PRIMARY_SCORE, collect, quality_columns
from nba_assets.entities.relations import Key, at, find, join_at, text_where, within
from nba_assets.publishing.table_run import TableRun
from nba_assets.raw.tables import (
    PLAY_BY_PLAY,
    PLAYER_BOXSCORES,
    PLAYER_GAMEBOOK,
    PLAYER_POINTS_PROPS,
    PLAYER_REGISTRY,
    SCHEDULE,
)
from nba_assets.tables.blocks import GAME_DATE, GAME_ID, PLAYER_LOOKUP, QUALITY, STAMPS, UNIVERSAL_PLAYER_ID
from nba_assets.tables.bookkeeping import RAW_QUARANTINE
from nba_assets.tables.rules import unequal
from nba_assets.tables.spec import (
    Columns,
    Notice,
    Rule,
    Table,
    count,
    flag,
    number,
    of_its_date,
    of_season,
    text,
    whole,
)

STARTER_MINUTES = 20.0
"""More minutes than this make a starter where no feed names the five."""
ISSUE_COST = 5.0
MISSING_MINUTES_COST = 10.0
"""Without his minutes neither his usage nor his load is known: the row is not gold."""
TEAM_DISAGREES, SHEET_OVERRULED = "team_sum_disagrees", "sheet_says_did_not_play"
FEEDS = (PLAYER_GAMEBOOK, PLAYER_BOXSCORES, PLAY_BY_PLAY)
NO_SHEET = Notice("team_without_sheet", "Each team of a final game has players on its sheet, or in its final box score")

TABLE = Table(
    "nba_analytics",
    "player_game_summary",
    "one player on the sheet of one final game",
    ("game_date", "player_lookup"),
    "game_date",
    (
        PLAYER_LOOKUP,
        UNIVERSAL_PLAYER_ID,
        text("player_full_name", "Name as printed"),
        GAME_ID,
        GAME_DATE,
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
        count("three_pt_attempts", "Three-point field goals attempted, by the box score"),
        count("three_pt_makes", "Three-point field goals made, by the box score"),
        number(
            "minutes_played",
            "Playing time; 0:00 is 0.0, an unreadable time is null",
            unit="minutes",
            scale=1,
            allowed=(0, 100),
        ),
        whole("plus_minus", "Point difference while on the floor", unit="points"),
        count("paint_attempts", "Field goals attempted in the paint; null where his shot zones are not complete"),
        count("paint_makes", "Field goals made in the paint; null where his shot zones are not complete"),
        count("mid_range_attempts", "Twos attempted outside the paint; null where his shot zones are not complete"),
        count("mid_range_makes", "Twos made outside the paint; null where his shot zones are not complete"),
        count(
            "three_attempts_pbp", "Threes attempted, by the play-by-play; null where his shot zones are not complete"
        ),
        count("three_makes_pbp", "Threes made, by the play-by-play; null where his shot zones are not complete"),
        count(
            "paint_blocks",
            (
                "Own blocks on shots in the paint; null where the play-by-play does not have the box score's blocks by "
                "zone"
            ),
        ),
        count("mid_range_blocks", "Own blocks on twos outside the paint; null where paint_blocks is"),
        count("three_pt_blocks", "Own blocks on threes; null where paint_blocks is"),
        count(
            "assisted_fg_makes",
            "Makes that a teammate assisted; null without play-by-play, or where it has other shots than the box score",
        ),
        count("unassisted_fg_makes", "Makes without an assist; null where assisted_fg_makes is"),
        count(
            "and1_count",
            "Single free throws after a made shot; null where the game's play-by-play has no free throws, does not "
            "say which of how many one was, or has other free throws of his than the box score",
        ),
        flag(
            "has_complete_shot_zones",
            "The play-by-play gave the zone of every shot that his box score counts, and of no other",
            nullable=False,
        ),
        number("ts_pct", "True shooting: points / (2 x (FGA + 0.44 FTA))", unit="fraction", scale=3, allowed=(0, 2)),
        number("efg_pct", "Effective field goals: (FGM + 0.5 x 3PM) / FGA", unit="fraction", scale=3, allowed=(0, 1.5)),
        number(
            "usage_rate",
            "Share of the team's possessions that he ended while on the floor: 100 x (FGA + 0.44 FTA + TOV) x team "
            "minutes / 5 / "
            "(minutes x the team's FGA + 0.44 FTA + TOV), with real team minutes; null without minutes or team row",
            unit="percent",
            scale=1,
            allowed=(0, 100),
        ),
        flag(
            "starter_flag",
            "In the starting five; estimated from more than 20 minutes where no feed names it",
            nullable=False,
        ),
        flag("win_flag", "His team won, by the schedule's final score", nullable=False),
        number(
            "points_line",
            "Closing points line: the preferred bookmaker's last one before tip-off",
            unit="points",
            scale=1,
        ),
        text("points_line_source", "Bookmaker of the line"),
        text("over_under_result", "Points against the closing line", values=("OVER", "UNDER", "PUSH")),
        number("margin", "Points minus the closing line", unit="points", scale=2),
        number(
            "opening_line", "First line of the same bookmaker; null where there was only one", unit="points", scale=1
        ),
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
        flag(
            "quality_used_fallback",
            "The row comes from the live box score, not from the official sheet",
            nullable=False,
        ),
        flag(
            "shot_zones_estimated",
            "The zone of at least one of his twos was decided by its distance alone",
            nullable=False,
        ),
        text(
            "data_quality_flag",
            "complete with a usage rate, where nothing disagrees and no row of the game is in quarantine; "
            "partial_no_team_stats without the team's row; else partial",
            nullable=False,
            values=("complete", "partial_no_team_stats", "partial"),
        ),
        *STAMPS,
    ),
    entity_column="player_lookup",
    rules=(
        Rule(
            "makes_within_attempts",
            "fg_makes is at most fg_attempts",
            lambda rows: rows["fg_makes"] > rows["fg_attempts"],
        ),
        Rule(
            "opponents_differ",
            "A team does not play itself",
            lambda rows: rows["team_abbr"] == rows["opponent_team_abbr"],
        ),
        Rule(
            "dnp_not_counted",
            "Who did not play has no points",
            lambda rows: (rows["is_dnp"] == 1) & (rows["points"] > 0),
        ),
        unequal(
            "points_add_up",
            "points = 2 x fg_makes + three_pt_makes + ft_makes",
            "points",
            ("fg_makes", "fg_makes", "three_pt_makes", "ft_makes"),
            blocking=False,
        ),
    ),
    notices=(
        NAMES_MATCHED,
        PLAY_BY_PLAY_NOTICE,
        BACKUP_USED,
        Notice(
            SHEET_OVERRULED, "Nobody has minutes in the final box score of a game that his sheet says he did not play"
        ),
        NO_SHEET,
        Notice(
            "player_on_two_sheets",
            "A player is on one sheet a date; of several the one of the game that he played counts",
        ),
    ),
    inputs=(
        of_its_date(SCHEDULE.table, RESULTS),
        of_its_date(PLAYER_GAMEBOOK.table),
        of_its_date(PLAYER_BOXSCORES.table),
        of_its_date(PLAY_BY_PLAY.table),
        of_its_date(PLAYER_POINTS_PROPS.table),
        of_its_date(RAW_QUARANTINE, quarantined("games_of_player_feeds", FEEDS)),
        of_season(PLAYER_REGISTRY.table, PEOPLE),
        of_its_date(TEAM_OFFENSE),
    ),
    stage="postgame",
    code_version="2",
)

BOX = tuple(name for name in COUNTS if name != "rebounds")
"""The box counts of a row."""

ZONE_COLUMNS = {
    "paint_attempts": "paint_attempts",
    "paint_makes": "paint_makes",
    "mid_range_attempts": "mid_range_attempts",
    "mid_range_makes": "mid_range_makes",
    "three_attempts_pbp": "three_attempts",
    "three_makes_pbp": "three_makes",
}
MAKE_COLUMNS = ("assisted_fg_makes", "unassisted_fg_makes")
BLOCK_COLUMNS = {
    "paint_blocks": "paint_blocks",
    "mid_range_blocks": "mid_range_blocks",
    "three_pt_blocks": "three_blocks",
}


MEASURES = (*BOX, "plus_minus", *ZONE_COLUMNS, *BLOCK_COLUMNS, *MAKE_COLUMNS, "and1_count")


def compute(requested: Grouped, histories: Mapping[str, Grouped], shared: Any = None) -> Outcome:
    """The rows of one player over all his games; `requested` holds his sheet, his team's totals (`team_` columns), his
    shots and his line.
    """
    del histories, shared
    seconds = requested["seconds"]
    active = requested["player_status"] == "active"
    # A row of a player who was not on the floor list holds no measures at all; an active one without a second keeps its
    # zeros.
    dnp = ~active | (seconds == 0)
    reasons = text_where(active, None, requested["dnp_reason"])
    measures = dict(
        zip(MEASURES, np.where(active, np.array([requested[name] for name in MEASURES]), np.nan), strict=True)
    )
    fga, fta, turnovers = (measures[name] for name in ("fg_attempts", "ft_attempts", "turnovers"))
    usage = usage_rate(
        fga,
        fta,
        turnovers,
        seconds,
        requested["team_seconds"],
        requested["team_fg_attempts"],
        requested["team_ft_attempts"],
        requested["team_turnovers"],
    )
    impossible = usage > 100
    usage = np.where(impossible, np.nan, usage)
    starter_known = ~np.isnan(requested["starter"])
    rows = {
        **{name: requested[name] for name in IDENTITY},
        **measures,
        "minutes_played": np.where(active, seconds / 60, np.nan),
        "has_complete_shot_zones": ~np.isnan(
            measures["paint_attempts"] + measures["mid_range_attempts"] + measures["three_attempts_pbp"]
        ),
        "ts_pct": true_shooting_pct(measures["points"], fga, fta),
        "efg_pct": effective_field_goal_pct(measures["fg_makes"], measures["three_pt_makes"], fga),
        "usage_rate": usage,
        "starter_flag": ~dnp & np.where(starter_known, requested["starter"] == 1, seconds > 60 * STARTER_MINUTES),
        "is_active": active,
        "is_dnp": dnp,
        "dnp_reason": reasons,
        "dnp_reason_category": map_distinct(dnp_reason_category, reasons.tolist(), object),
        **_against_the_line(requested, dnp),
    }
    return Outcome(rows | _quality(requested, rows, dnp, impossible, starter_known))


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


def played_games(sheet: Grouped) -> Grouped:
    """Of players' rows those of games that they played: the one definition for every reader that averages."""
    return sheet.where((sheet["is_dnp"] == 0) & ~np.isnan(sheet["points"]))


def _against_the_line(requested: Columns, dnp: NDArray[np.bool_]) -> dict[str, NDArray[Any]]:
    line = requested["current_points_line"]
    margin = np.where(dnp, np.nan, requested["points"] - line)
    return {
        "points_line": line,
        "points_line_source": requested["current_points_line_source"],
        "over_under_result": text_where(
            margin > 0, "OVER", text_where(margin < 0, "UNDER", text_where(margin == 0, "PUSH", None))
        ),
        "margin": margin,
        "opening_line": requested["opening_points_line"],
        "opening_line_source": requested["opening_points_line_source"],
        "line_movement": requested["line_movement"],
    }


def _quality(
    requested: Columns,
    rows: Columns,
    dnp: NDArray[np.bool_],
    impossible: NDArray[np.bool_],
    starter_known: NDArray[np.bool_],
) -> dict[str, NDArray[Any]]:
    fallback = requested["from_boxscore"] == 1
    zones = rows["has_complete_shot_zones"]
    no_plus_minus = ~dnp & np.isnan(rows["plus_minus"])
    no_minutes = ~dnp & np.isnan(rows["minutes_played"]) & ~np.isnan(rows["points"])
    estimated = ~dnp & zones & (requested["estimated_zones"] > 0)
    differences = {issue: ~dnp & (requested[issue] == 1) for issue in DISAGREEMENTS}
    no_zones = ~dnp & ~zones & ~differences[SHOTS_DISAGREE]
    disagree = np.logical_or.reduce(list(differences.values()))
    quarantined = ~dnp & (requested["quarantined"] == 1)
    costly = [
        (~dnp & fallback, "backup_source_used"),
        (no_plus_minus, "missing_plus_minus"),
        (no_minutes, "missing_minutes"),
        (no_zones, "missing_shot_zones"),
        (estimated, "shot_zones_estimated"),
        (~dnp & ~starter_known, "starter_estimated"),
        (impossible, "impossible_usage_rate"),
        *((mask, issue) for issue, mask in differences.items()),
        (quarantined, ROWS_QUARANTINED),
    ]
    issues = collect(len(dnp), [*costly, (requested["date_has_props"] != 1, "missing_points_props")])
    # The feed of points lines is a matter of the date, not of the row: its absence is named, and costs nothing.
    with_issues = np.logical_or.reduce([mask for mask, _ in costly])
    cost = ISSUE_COST * (no_plus_minus.astype(np.float64) + no_zones + estimated) + MISSING_MINUTES_COST * no_minutes
    cost += DISAGREEMENT_COST * disagree + QUARANTINE_COST * quarantined
    sources = collect(
        len(dnp),
        [
            (zones, PLAY_BY_PLAY.name),
            (fallback | (~dnp & starter_known), PLAYER_BOXSCORES.name),
            (~fallback, PLAYER_GAMEBOOK.name),
            (~np.isnan(rows["points_line"]), PLAYER_POINTS_PROPS.name),
        ],
    )
    complete, no_team = ~np.isnan(rows["usage_rate"]) & ~disagree & ~quarantined, np.isnan(requested["team_seconds"])
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
        "data_quality_flag": np.select([complete, no_team], ["complete", "partial_no_team_stats"], "partial").astype(
            object
        ),
    }


DISAGREEMENTS = (TEAM_DISAGREES, SHOTS_DISAGREE, FREE_THROWS_DISAGREE, BLOCKS_DISAGREE, SHEET_OVERRULED)
"""Issues of a row about which feeds disagree, also the names of the marks among its inputs."""


def build(run: TableRun) -> Outcome:
    """Player rows of the run's final games."""
    feeds = FeedNames.of(run)
    all_sheets = read_sheets(run, feeds)
    sheets, indistinct = feeds.without_shared(all_sheets, ("team_abbr", "game_id"))
    sides = team_games(final_games(run))
    placed = find((sheets["game_id"], sheets["team_abbr"]), (sides["game_id"], sides["team_abbr"]))
    in_final = within(sheets["game_id"], sides["game_id"])
    homeless = take(sheets, in_final & (placed < 0))
    reasons = [
        f"{game}: the sheet names team {team}, which did not play in it"
        for game, team in zip(homeless["game_id"], homeless["team_abbr"], strict=True)
    ]
    lost = _not_published(homeless["player_lookup"], homeless["game_date"], reasons)
    without_row = players_in_quarantine(run, feeds, all_sheets, sides)
    requested = take(sheets, placed >= 0)
    requested |= join_at(
        sides, placed[placed >= 0], ("opponent_team_abbr", "home_game", "season_year", "team_score", "opponent_score")
    )
    requested, twice = _one_row_per_date(run, requested)
    requested["plus_minus"] = parse_plus_minus(requested["plus_minus"])
    requested["win_flag"] = (requested["team_score"] > requested["opponent_score"]).astype(np.float64)
    requested |= _team_totals(run, requested) | _from_play_by_play(run, feeds, requested) | _lines(feeds, requested)
    requested |= {
        SHEET_OVERRULED: requested["sheet_overruled"],
        "quarantined": in_quarantine(run, FEEDS, requested["game_id"]),
    }
    _report_no_sheet(run, all_sheets, sides)
    _report_overruled(run, requested)
    _report_backup(run, requested)
    unresolved = _identities(run, feeds, requested)
    outcome = run.map_rows("players", compute, Grouped.by(requested, "player_lookup", "game_date"))
    return Outcome(outcome.rows, concatenate([outcome.failures, lost, indistinct, twice, without_row, unresolved]))


def _report_no_sheet(run: TableRun, sheets: Columns, sides: Columns) -> None:
    """Report final games of which no feed has the players of a team: often a whole date is still to come."""
    lacking = find((sides["game_id"], sides["team_abbr"]), (sheets["game_id"], sheets["team_abbr"])) < 0
    for game, team, played_on in zip(
        *(sides[name][lacking].tolist() for name in ("game_id", "team_abbr", "game_date")), strict=True
    ):
        run.notice(
            NO_SHEET.name,
            played_on,
            f"{game}: neither {PLAYER_GAMEBOOK.name} nor the final {PLAYER_BOXSCORES.name} has a player of {team}",
        )


def _report_backup(run: TableRun, requested: Columns) -> None:
    """Report players whom the official sheet of their game lacks: one text for each game, because often the whole sheet
    is still to come.
    """
    lacking = (requested["from_boxscore"] == 1) & (requested["sheet_overruled"] == 0)
    for game in np.unique(requested["game_id"][lacking].astype(str)).tolist():
        mine = requested["game_id"] == game
        players = requested["player_lookup"][mine & lacking]
        who = ", ".join(sorted(players)) if len(players) < mine.sum() else "all of its players"
        said = f"{game}: {PLAYER_GAMEBOOK.name} lacks {who}; {PLAYER_BOXSCORES.name} is used"
        run.notice(BACKUP_USED.name, requested["game_date"][mine][0].item(), said)


def _not_published(
    players: NDArray[np.object_], dates: NDArray[np.datetime64], reasons: list[str]
) -> dict[str, NDArray[Any]]:
    """Failure records of players whose raw rows contradict something, until better ones come."""
    return failures(players, dates, "PLAYER", "MISSING_RAW_DATA", reasons, can_retry=True, failure_type="DATA_GAP")


def _one_row_per_date(run: TableRun, requested: Columns) -> tuple[dict[str, NDArray[Any]], Columns]:
    """The rows that count where a player is on several sheets of one date; who played in two games of it, as
    failures.
    """
    counts, contradictory = one_row_per_date(requested)
    if counts.all():
        return dict(requested), {}
    games = [f"{game} ({team})" for game, team in zip(requested["game_id"], requested["team_abbr"], strict=True)]
    took_part = played(requested)
    players: dict[tuple[Any, str], list[str]] = {}
    for place in np.flatnonzero(contradictory & took_part).tolist():
        players.setdefault((requested["game_date"][place].item(), requested["player_lookup"][place]), []).append(
            games[place]
        )
    reasons = [
        (
            f"{player} played in {' and in '.join(games)} on one date: two players share this name, or a sheet names "
            "the wrong player"
        )
        for (_, player), games in players.items()
    ]
    for place in np.flatnonzero(~counts & ~contradictory).tolist():
        run.notice(
            "player_on_two_sheets",
            requested["game_date"][place].item(),
            (
                f"{requested['player_lookup'][place]}: the row of {games[place]}, {requested['player_status'][place]}, "
                "is left out for that of another game"
            ),
        )
    names, days = (
        np.array([player for _, player in players], dtype=object),
        np.array([day for day, _ in players], dtype="M8[D]"),
    )
    return take(requested, counts), _not_published(names, days, reasons)


def _team_totals(run: TableRun, requested: Columns) -> dict[str, NDArray[Any]]:
    teams = run.read(
        TEAM_OFFENSE,
        ("game_id", "team_abbr", "fg_attempts", "ft_attempts", "turnovers", "overtime_periods", "quality_issues"),
    )
    found = find((requested["game_id"], requested["team_abbr"]), (teams["game_id"], teams["team_abbr"]))
    sums_differ = np.array(
        [any(name.startswith(PLAYERS_DISAGREE) for name in names) for names in teams["quality_issues"]],
        dtype=np.float64,
    )
    return {
        **{f"team_{name}": at(teams[name], found) for name in ("fg_attempts", "ft_attempts", "turnovers")},
        "team_seconds": REGULATION_TEAM_SECONDS + OVERTIME_TEAM_SECONDS * at(teams["overtime_periods"], found),
        TEAM_DISAGREES: at(sums_differ, found),
    }


def _from_play_by_play(run: TableRun, feeds: FeedNames, requested: Columns) -> dict[str, NDArray[Any]]:
    """What the play-by-play counts of each player, where it is what the box score counts; where it is not, that is
    reported.
    """
    events = feeds.events(EVENT_COLUMNS, ("shot", FREE_THROW), requested)
    shots, free_throws = Shots.of(events), FreeThrows.of(events)
    key = (requested["game_id"], requested["player_lookup"])
    has_shots, has_free_throws = (
        within(requested["game_id"], shots.games()),
        within(requested["game_id"], free_throws.games()),
    )
    # In a covered game, a player without an event of a kind did it 0 times; without play-by-play nobody knows.
    own = _counted(shots.by_shooter(), key, has_shots)
    blocks = _counted(shots.blocks_by_player(), key, has_shots)
    thrown = _counted(free_throws.by_player(), key, has_free_throws)
    compared = {
        SHOTS_DISAGREE: (FIELD_GOALS, own),
        FREE_THROWS_DISAGREE: (FREE_THROWS, thrown),
        BLOCKS_DISAGREE: (BLOCKS, blocks),
    }
    marks = {}
    for issue, (names, counts) in compared.items():
        texts = differing(requested, counts, names)
        report(
            run,
            PLAY_BY_PLAY_NOTICE.name,
            "player_lookup",
            ("the box score", "the play-by-play"),
            requested,
            counts,
            names,
            texts,
        )
        marks[issue] = differ(texts)
    zones = zones_known(requested, own)
    block_zones = blocks["paint_blocks"] + blocks["mid_range_blocks"] + blocks["three_blocks"] == requested["blocks"]
    single_known = ~marks[FREE_THROWS_DISAGREE] & ~within(requested["game_id"], free_throws.unclear_games())
    return {
        **{name: np.where(zones, own[column], np.nan) for name, column in ZONE_COLUMNS.items()},
        **{name: np.where(marks[SHOTS_DISAGREE], np.nan, own[name]) for name in (*MAKE_COLUMNS, "estimated_zones")},
        **{name: np.where(block_zones, blocks[column], np.nan) for name, column in BLOCK_COLUMNS.items()},
        "and1_count": np.where(single_known, thrown["and1_count"], np.nan),
        **{issue: mask.astype(np.float64) for issue, mask in marks.items()},
    }


EVENT_COLUMNS = tuple(dict.fromkeys((*SHOT_COLUMNS, *FREE_THROW_COLUMNS)))


def _counted(counts: Columns, key: Key, covered: NDArray[np.bool_]) -> dict[str, NDArray[Any]]:
    found = find(key, (counts["game_id"], counts["player_lookup"]))
    names = [name for name in counts if name not in ("game_id", "player_lookup")]
    # A player's unknown count stays unknown; only he who has no event has none.
    return {name: np.where(covered, np.where(found < 0, 0.0, at(counts[name], found)), np.nan) for name in names}


def _report_overruled(run: TableRun, requested: Columns) -> None:
    for place in np.flatnonzero(requested["sheet_overruled"] == 1).tolist():
        run.notice(
            SHEET_OVERRULED,
            requested["game_date"][place].item(),
            f"{requested['game_id'][place]} {requested['player_lookup'][place]}: not on the floor by the sheet, "
            f"{requested['seconds'][place] / 60:.1f} minutes and {requested['points'][place]:.0f} points by the final "
            "box score, which counts",
        )


def _lines(feeds: FeedNames, requested: Columns) -> dict[str, NDArray[Any]]:
    props = feeds.props(requested)
    lines = closing_lines(props)
    found = find((requested["game_date"], requested["player_lookup"]), (lines["game_date"], lines["player_lookup"]))
    names = (
        "current_points_line",
        "current_points_line_source",
        "opening_points_line",
        "opening_points_line_source",
        "line_movement",
    )
    return join_at(lines, found, names) | {
        "date_has_props": within(requested["game_date"], props["game_date"]).astype(np.float64)
    }


def _identities(run: TableRun, feeds: FeedNames, requested: dict[str, NDArray[Any]]) -> Columns:
    """Fills `universal_player_id` in; returns a failure record for everyone whom a season's registry does not know."""
    # Where a season has no registry at all the identity is unknown for everyone: that is a feed that is absent, not a
    # player who is missing.
    requested["universal_player_id"], unknown, seasons = feeds.people.identities(
        run, requested["player_lookup"], requested["season_year"]
    )
    return failures(
        requested["player_lookup"][unknown],
        requested["game_date"][unknown],
        "PLAYER",
        "REGISTRY_LOOKUP_FAILED",
        np.array(
            [
                f"{player} is not in the registry of {season}"
                for player, season in zip(requested["player_lookup"][unknown], seasons[unknown], strict=True)
            ],
            dtype=object,
        ),
        can_retry=True,
    )
