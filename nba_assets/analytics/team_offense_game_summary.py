"""A team's offence in one final game: shooting, possessions, pace, rating, points in the paint and second-chance
points.

One row per team and final game, two per game. A row reads the box scores and the play-by-play of its own date; only the
count of missing starters looks back, over the season to date. Totals come from the team's own box row, or from the sum
of its players where that row is absent or a placeholder; the result is the schedule's. Each row is compared with the
players' sums, the final score and the play-by-play: where they disagree, the row has an issue and a lower quality
score, and zones that do not hold the box score's shots are null. A box row with the points of its opponent's final
score is not published, nor is its opponent's. Every ratio is taken from the unrounded possession estimate and from the
real length of the game, so that overtime games compare with the others.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nba_assets.analytics.feed_names import FeedNames
from nba_assets.analytics.free_throws import FREE_THROW_COLUMNS, FreeThrows
from nba_assets.analytics.games import final_games, team_games
from nba_assets.analytics.parts import FINALS, PEOPLE, RESULTS, STARTERS, quarantined
from nba_assets.analytics.reconciliation import (
    BACKUP_USED,
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
from nba_assets.analytics.second_chances import SECOND_CHANCE_COLUMNS, SECOND_CHANCE_EVENTS, second_chances_by_team
from nba_assets.analytics.sheets import read_sheets
from nba_assets.analytics.shots import SHOT_COLUMNS, ZONE_COUNTS, Shots, zones_known
from nba_assets.analytics.starters import USUAL_STARTS, count_missing
from nba_assets.analytics.team_boxes import COUNTS, TEAM_COLUMNS, player_sums, team_boxes
from nba_assets.analytics.unaccounted_games import UNKNOWN_GAMES, UNTYPED_FINALS, report_unaccounted_games
from nba_assets.basketball.possessions import overtime_periods, pace, possessions, rating
from nba_assets.basketball.shooting import true_shooting_pct
from nba_assets.entities.groups import Grouped
from nba_assets.entities.outcomes import Outcome, concatenate, failures, take
from nba_assets.entities.quality import BACKUP_SCORE, PRIMARY_SCORE, collect, quality_columns
from nba_assets.entities.relations import at, find, join_at, largest, tally, within
from nba_assets.publishing.table_run import TableRun
from nba_assets.raw.tables import (
    PLAY_BY_PLAY,
    PLAYER_BOXSCORES,
    PLAYER_GAMEBOOK,
    PLAYER_REGISTRY,
    SCHEDULE,
    TEAM_BOXSCORES,
)
from nba_assets.tables.blocks import GAME_DATE, GAME_ID, QUALITY, STAMPS
from nba_assets.tables.bookkeeping import RAW_QUARANTINE
from nba_assets.tables.remarks import POSSESSIONS_COMPARED, RATING_COMPARED
from nba_assets.tables.rules import not_two_per_game, rows_per_game_sum, unequal
from nba_assets.tables.spec import (
    Columns,
    Notice,
    Rule,
    Table,
    before,
    count,
    flag,
    number,
    of_its_date,
    of_season,
    text,
    whole,
)

UNREALISTIC_POINTS = (50, 200)
MOST_TEAM_TURNOVERS = 5
"""Turnovers of a game that may be the team's own; more of them are a disagreement of the feeds."""
PLAYERS_DISAGREE, SCORE_DISAGREES, ROWS_QUARANTINED = "players_disagree", "final_score_disagrees", "rows_quarantined"
"""Issues of a row; the first is followed by a colon and the counts that disagree."""
FEEDS = (TEAM_BOXSCORES, PLAYER_GAMEBOOK, PLAYER_BOXSCORES, PLAY_BY_PLAY)

TABLE = Table(
    "nba_analytics",
    "team_offense_game_summary",
    "one team in one final game",
    ("game_date", "team_abbr"),
    "game_date",
    (
        GAME_ID,
        text("nba_game_id", "The league's own game id"),
        GAME_DATE,
        text("team_abbr", "The team", nullable=False),
        text("opponent_team_abbr", "Its opponent", nullable=False),
        whole("season_year", "Year in which the season began: 2021 is 2021-22", nullable=False),
        flag("home_game", "The team is the schedule's home team", nullable=False),
        count("points_scored", "Points", unit="points", nullable=False, usual=UNREALISTIC_POINTS),
        count("fg_attempts", "Field goals attempted", nullable=False, usual=(60, 130)),
        count("fg_makes", "Field goals made"),
        count("three_pt_attempts", "Three-point field goals attempted"),
        count("three_pt_makes", "Three-point field goals made"),
        count("ft_attempts", "Free throws attempted"),
        count("ft_makes", "Free throws made"),
        count("rebounds", "Total rebounds, offensive and defensive"),
        count("offensive_rebounds", "Offensive rebounds"),
        count("defensive_rebounds", "Defensive rebounds"),
        count("assists", "Assists"),
        count("steals", "Steals"),
        count("blocks", "Blocked shots"),
        count("turnovers", "Turnovers"),
        count("personal_fouls", "Personal fouls"),
        count("team_paint_attempts", "Field goals attempted in the paint; null where the zones are not available"),
        count("team_paint_makes", "Field goals made in the paint; null where the zones are not available"),
        count(
            "team_mid_range_attempts",
            "Two-point field goals attempted outside the paint; null where the zones are not available",
        ),
        count(
            "team_mid_range_makes",
            "Two-point field goals made outside the paint; null where the zones are not available",
        ),
        count(
            "team_three_attempts_pbp",
            "Three-point field goals attempted, by the play-by-play (three_pt_attempts is the box score's); null "
            "where the zones are not available",
        ),
        count(
            "team_three_makes_pbp",
            "Three-point field goals made, by the play-by-play; null where the zones are not available",
        ),
        count("points_in_paint_scored", "Points scored in the paint: 2 x team_paint_makes", unit="points"),
        count(
            "second_chance_points_scored",
            "Points after an own offensive rebound in the same possession; null where the game's play-by-play lacks "
            "rebounds or free throws, does not "
            "say which of how many a free throw was, or counts other shots than the box score",
            unit="points",
        ),
        whole("possessions", "possessions_est to the nearest whole", unit="possessions", usual=(75, 140)),
        number(
            "possessions_est",
            "Possessions, estimated from the team's own box score alone: FGA + 0.44 FTA + TOV - OREB. "
            f"{POSSESSIONS_COMPARED}",
            unit="possessions",
            scale=2,
        ),
        number(
            "offensive_rating",
            f"100 x points / possessions_est: {RATING_COMPARED}",
            unit="points per 100 possessions",
            scale=2,
            usual=(60, 160),
        ),
        number(
            "pace",
            "The team's own possessions per 48 minutes: possessions_est x 48 / minutes of the game; league figures "
            "average both teams of a game",
            unit="possessions per 48 minutes",
            scale=1,
            usual=(75, 130),
        ),
        number(
            "ts_pct",
            "True shooting percentage, as a fraction: points / (2 x (FGA + 0.44 FTA))",
            unit="fraction",
            scale=3,
            usual=(0.3, 0.8),
        ),
        flag("win_flag", "More points than the opponent by the schedule's final score", nullable=False),
        whole(
            "margin_of_victory",
            "Final score of the team minus that of its opponent, by the schedule",
            unit="points",
            nullable=False,
        ),
        count("overtime_periods", "Overtime periods played", nullable=False),
        count("players_inactive", "Players on the sheet as inactive; null without a sheet"),
        count(
            "starters_inactive",
            "Inactive players with 5 starts or more in the team's last ten games; null without a sheet",
        ),
        flag(
            "shot_zones_available",
            "The play-by-play gave the zone of every shot that the box score counts, and of no other",
            nullable=False,
        ),
        *QUALITY,
        *STAMPS,
    ),
    entity_column="team_abbr",
    rules=(
        not_two_per_game("team_abbr"),
        rows_per_game_sum("margins_cancel", "The two margins of a game sum to 0", "margin_of_victory", 0),
        rows_per_game_sum("one_winner", "A game has exactly one winner", "win_flag", 1),
        unequal(
            "rebounds_add_up",
            "rebounds = offensive + defensive",
            "rebounds",
            ("offensive_rebounds", "defensive_rebounds"),
            blocking=False,
        ),
        Rule(
            "makes_within_attempts",
            "fg_makes is at most fg_attempts",
            lambda rows: rows["fg_makes"] > rows["fg_attempts"],
        ),
    ),
    notices=(
        Notice(PLAYERS_DISAGREE, "The counts of a team's players sum to its box score"),
        Notice(SCORE_DISAGREES, "The points of a team's box score are its final score in the schedule"),
        PLAY_BY_PLAY_NOTICE,
        BACKUP_USED,
        UNTYPED_FINALS,
        UNKNOWN_GAMES,
    ),
    inputs=(
        of_its_date(SCHEDULE.table, RESULTS),
        of_its_date(TEAM_BOXSCORES.table),
        of_its_date(PLAYER_GAMEBOOK.table),
        of_its_date(PLAYER_BOXSCORES.table),
        of_its_date(PLAY_BY_PLAY.table),
        of_its_date(RAW_QUARANTINE, quarantined("games_of_team_feeds", FEEDS)),
        of_season(PLAYER_REGISTRY.table, PEOPLE),
        before(SCHEDULE.table, part=FINALS),
        before(PLAYER_BOXSCORES.table, part=STARTERS),
    ),
    stage="postgame",
    code_version="2",
)


def compute(requested: Grouped, histories: Mapping[str, Grouped], shared: Any = None) -> Outcome:
    """The rows of some teams over all requested games.

    `requested` holds the teams' totals by their names in `COUNTS`, the final score, what the play-by-play gave, the
    counts of absent players and what disagrees; `histories` their season's `finals`, their `starts` and their `absent`
    players.
    """
    del shared
    estimate = possessions(
        requested["fg_attempts"], requested["ft_attempts"], requested["turnovers"], requested["offensive_rebounds"]
    )
    points, has_zones = requested["points"], requested["zones_known"] == 1
    margin = requested["team_score"] - requested["opponent_score"]
    zones = {
        f"team_{zone}_{what}": requested[f"{zone}_{what}"]
        for zone in ("paint", "mid_range")
        for what in ("attempts", "makes")
    }
    rows = {
        **{name: requested[name] for name in IDENTITY},
        "points_scored": points,
        **{name: requested[name] for name in COUNTS if name != "points"},
        **zones,
        "team_three_attempts_pbp": requested["three_attempts"],
        "team_three_makes_pbp": requested["three_makes"],
        "points_in_paint_scored": 2 * requested["paint_makes"],
        "second_chance_points_scored": requested["second_chance_points"],
        "possessions": np.rint(estimate),
        "possessions_est": estimate,
        "offensive_rating": rating(points, estimate),
        "pace": pace(estimate, requested["team_seconds"]),
        "ts_pct": true_shooting_pct(points, requested["fg_attempts"], requested["ft_attempts"]),
        "win_flag": margin > 0,
        "margin_of_victory": margin,
        "overtime_periods": overtime_periods(requested["team_seconds"]),
        "players_inactive": requested["players_inactive"],
        "starters_inactive": _starters_inactive(requested, histories),
        "shot_zones_available": has_zones,
    }
    return Outcome(rows | _quality(requested, has_zones))


IDENTITY = ("game_id", "nba_game_id", "game_date", "team_abbr", "opponent_team_abbr", "season_year", "home_game")


def _starters_inactive(requested: Grouped, histories: Mapping[str, Grouped]) -> NDArray[np.float64]:
    finals, starts, absent = (histories[name] for name in ("finals", "starts", "absent"))
    missing = count_missing(requested, finals, starts, absent, lambda starts, _: starts >= USUAL_STARTS)
    return np.where(np.isnan(requested["players_inactive"]), np.nan, missing)


def _quality(requested: Columns, has_zones: NDArray[np.bool_]) -> dict[str, NDArray[Any]]:
    points, from_players, all_from_box = (
        requested["points"],
        requested["from_players"] == 1,
        requested["from_boxscore"] == 1,
    )
    sums_differ, score_differs, quarantined = (
        differ(requested["players_differ"]),
        requested["score_differs"] == 1,
        requested["quarantined"] == 1,
    )
    shots_differ, free_throws_differ = requested["shots_differ"] == 1, requested["free_throws_differ"] == 1
    disagree = sums_differ | score_differs | shots_differ | free_throws_differ
    by_parts = (
        2 * (requested["fg_makes"] - requested["three_pt_makes"])
        + 3 * requested["three_pt_makes"]
        + requested["ft_makes"]
    )
    least, most = UNREALISTIC_POINTS
    issues = collect(
        len(points),
        [
            (from_players, "backup_source_used"),
            (from_players, "reconstructed"),
            (points != by_parts, "points_calculation_mismatch"),
            ((points < least) | (points > most), "unrealistic_team_score"),
            (~has_zones, "shot_zones_unavailable"),
            (sums_differ, requested["players_differ"]),
            (score_differs, SCORE_DISAGREES),
            (shots_differ, SHOTS_DISAGREE),
            (free_throws_differ, FREE_THROWS_DISAGREE),
            (quarantined, ROWS_QUARANTINED),
        ],
    )
    sources = collect(
        len(points),
        [
            (has_zones, PLAY_BY_PLAY.name),
            (all_from_box, PLAYER_BOXSCORES.name),
            (~np.isnan(requested["players_inactive"]) | (from_players & ~all_from_box), PLAYER_GAMEBOOK.name),
            (~from_players, TEAM_BOXSCORES.name),
        ],
    )
    primary = np.select([all_from_box, from_players], ["nbac_boxscores", "nbac_gamebook"], "nbac_team_boxscore").astype(
        object
    )
    scores = (
        np.where(from_players, BACKUP_SCORE, PRIMARY_SCORE)
        - DISAGREEMENT_COST * disagree
        - QUARANTINE_COST * quarantined
    )
    return quality_columns(scores, issues, sources, primary, ~has_zones | disagree | quarantined)


def build(run: TableRun) -> Outcome:
    """Team rows of the run's final games."""
    feeds = FeedNames.of(run)
    sheets, team_rows = read_sheets(run, feeds), run.read(TEAM_BOXSCORES.table, TEAM_COLUMNS)
    sums = player_sums(sheets)
    finals = team_games(final_games(run, since_season_start=True))
    games = take(finals, finals["game_date"] >= run.days[0])
    requested, unknown = _with_boxes(games, team_boxes(team_rows, sums))
    _report_reconstructed(run, requested)
    events = run.read(PLAY_BY_PLAY.table, EVENT_COLUMNS, where={"event_type": SECOND_CHANCE_EVENTS})
    chances = second_chances_by_team(events)
    requested |= _from_play_by_play(run, requested, events, chances) | _inactive_counts(requested, sheets)
    requested |= _disagreements(run, requested, sums) | {"quarantined": in_quarantine(run, FEEDS, requested["game_id"])}
    from_sheet = sheets["from_boxscore"] == 0
    report_unaccounted_games(
        run,
        {
            TEAM_BOXSCORES.name: team_rows["game_id"],
            PLAYER_GAMEBOOK.name: sheets["game_id"][from_sheet],
            PLAYER_BOXSCORES.name: sheets["game_id"][~from_sheet],
            PLAY_BY_PLAY.name: chances["game_id"],
        },
    )
    requested["season_start"] = run.calendar.first_day(requested["game_date"])
    starters = feeds.box(("game_id", "game_date", "team_abbr", "player_lookup"), starter=True)
    absent = take(sheets, sheets["player_status"] == "inactive")
    absent["game_date"] = at(games["game_date"], find((absent["game_id"],), (games["game_id"],)))
    histories = {
        "finals": Grouped.by(finals, "team_abbr", "game_date"),
        "starts": Grouped.by(starters, "team_abbr", "game_date"),
        "absent": Grouped.by(absent, "team_abbr", "game_date"),
    }
    outcome = run.map_rows("teams", compute, Grouped.by(requested, "team_abbr", "game_date"), histories)
    return Outcome(outcome.rows, concatenate([outcome.failures, unknown]))


def _with_boxes(games: Columns, boxes: Columns) -> tuple[dict[str, NDArray[Any]], Columns]:
    """The games of which both teams' totals are known, with them; the teams of the others, and of games with exchanged
    totals, as failures.
    """
    key = (boxes["game_id"], boxes["team_abbr"])
    own = find((games["game_id"], games["team_abbr"]), key)
    opponent = find((games["game_id"], games["opponent_team_abbr"]), key)
    joined = {**games, **join_at(boxes, own, (*COUNTS, "team_seconds", "from_players", "from_boxscore"))}
    both = (own >= 0) & (opponent >= 0)
    # Points of the opponent's final score, and not of the own one, belong to the other team.
    exchanged = both & (joined["points"] == games["opponent_score"]) & (joined["points"] != games["team_score"])
    of_exchanged = within(games["game_id"], games["game_id"][exchanged])
    # Two finals of one team on one date cannot be: the fuller box is the game that was played.
    played = largest(joined["fg_attempts"], (joined["game_date"], joined["team_abbr"])) & both
    whole = both & ~of_exchanged & ~within(games["game_id"], games["game_id"][both & ~played])
    lacking = np.where(own < 0, "no team box score, nor five players to sum", "its opponent has no box score")
    lacking = np.where(both, "the team has another final game on this date with more shots", lacking)
    lacking = np.where(
        both & of_exchanged, "its opponent's box score has the points of this team, so that neither is certain", lacking
    ).astype(object)
    for place in np.flatnonzero(exchanged).tolist():
        lacking[place] = (
            f"its box score has {joined['points'][place]:.0f} points, the final score of its opponent; its own is "
            f"{games['team_score'][place]:.0f}"
        )
    reasons = np.array([f"{game}: {why}" for game, why in zip(games["game_id"], lacking, strict=True)], dtype=object)
    lost = failures(
        games["team_abbr"][~whole],
        games["game_date"][~whole],
        "TEAM",
        "MISSING_RAW_DATA",
        reasons[~whole],
        can_retry=True,
        failure_type="DATA_GAP",
    )
    return take(joined, whole), lost


EVENT_COLUMNS = tuple(dict.fromkeys((*SHOT_COLUMNS, *SECOND_CHANCE_COLUMNS, *FREE_THROW_COLUMNS)))


def _from_play_by_play(run: TableRun, requested: Columns, events: Columns, chances: Columns) -> dict[str, NDArray[Any]]:
    """Zones and second chances, where the play-by-play has the shots of the box score; where it has others, that is
    reported.
    """
    shots, free_throws = Shots.of(events), FreeThrows.of(events)
    key = (requested["game_id"], requested["team_abbr"])
    has_shots, has_free_throws = (
        within(requested["game_id"], shots.games()),
        within(requested["game_id"], free_throws.games()),
    )
    by_team, thrown = shots.by_team(), free_throws.by_team()
    counts = join_at(
        by_team, find(key, (by_team["game_id"], by_team["team_abbr"])), (*ZONE_COUNTS, "attempts", "makes")
    )
    thrown = join_at(thrown, find(key, (thrown["game_id"], thrown["team_abbr"])), tuple(FREE_THROWS.values()))
    # A team of a covered game that took no shot from a zone has 0 there; a game without play-by-play is unknown.
    counts = {name: np.where(has_shots, np.nan_to_num(values), np.nan) for name, values in counts.items()}
    thrown = {name: np.where(has_free_throws, np.nan_to_num(values), np.nan) for name, values in thrown.items()}
    shots_differ, free_throws_differ = (
        differing(requested, counts, FIELD_GOALS),
        differing(requested, thrown, FREE_THROWS),
    )
    for texts, found, names in ((shots_differ, counts, FIELD_GOALS), (free_throws_differ, thrown, FREE_THROWS)):
        report(
            run,
            PLAY_BY_PLAY_NOTICE.name,
            "team_abbr",
            ("the box score", "the play-by-play"),
            requested,
            found,
            names,
            texts,
        )
    known = zones_known(requested, counts)
    doubtful = (
        differ(shots_differ) | differ(free_throws_differ) | within(requested["game_id"], free_throws.unclear_games())
    )
    doubtful = within(requested["game_id"], requested["game_id"][doubtful])
    points = at(chances["second_chance_points"], find(key, (chances["game_id"], chances["team_abbr"])))
    return {
        "zones_known": known.astype(np.float64),
        **{name: np.where(known, counts[name], np.nan) for name in ZONE_COUNTS},
        "second_chance_points": np.where(doubtful, np.nan, points),
        "shots_differ": differ(shots_differ).astype(np.float64),
        "free_throws_differ": differ(free_throws_differ).astype(np.float64),
    }


def _report_reconstructed(run: TableRun, requested: Columns) -> None:
    for place in np.flatnonzero(requested["from_players"] == 1).tolist():
        said = (
            f"{requested['game_id'][place]} {requested['team_abbr'][place]}: {TEAM_BOXSCORES.name} has no row with "
            "points and shots, its players are summed"
        )
        run.notice(BACKUP_USED.name, requested["game_date"][place].item(), said)


def _disagreements(run: TableRun, requested: Columns, sums: Columns) -> dict[str, NDArray[Any]]:
    """Where the team's own box row is not the sum of its players, or its points are not the final score."""
    same = {name: name for name in COUNTS}
    found = find((requested["game_id"], requested["team_abbr"]), (sums["game_id"], sums["team_abbr"]))
    by_players = join_at(sums, np.where(requested["from_players"] == 1, -1, found), same)
    # A total may hold rebounds that no player has (a ball out of bounds is the team's); those of both ends are players'
    # in every feed.
    of_both_ends = requested["offensive_rebounds"] + requested["defensive_rebounds"]
    # Some feeds count a team's own turnovers (shot clock, five and eight seconds) into its total: no player has them,
    # and they are few.
    own_turnovers = requested["turnovers"] - by_players["turnovers"]
    explained = (own_turnovers > 0) & (own_turnovers <= MOST_TEAM_TURNOVERS)
    counted = {
        **requested,
        "rebounds": np.where(np.isnan(of_both_ends), requested["rebounds"], of_both_ends),
        "turnovers": np.where(explained, by_players["turnovers"], requested["turnovers"]),
    }
    names = differing(counted, by_players, same)
    report(
        run, PLAYERS_DISAGREE, "team_abbr", ("the team's box score", "its players"), counted, by_players, same, names
    )
    score = differing(requested, requested, {"points": "team_score"})
    report(
        run,
        SCORE_DISAGREES,
        "team_abbr",
        ("the team's box score", "the schedule"),
        requested,
        requested,
        {"points": "team_score"},
        score,
    )
    return {
        "players_differ": np.array(
            [None if text is None else f"{PLAYERS_DISAGREE}:{text}" for text in names], dtype=object
        ),
        "score_differs": differ(score).astype(np.float64),
    }


def _inactive_counts(requested: Columns, sheets: Columns) -> dict[str, NDArray[Any]]:
    official = take(
        {name: sheets[name] for name in ("game_id", "team_abbr", "player_status")}, sheets["from_boxscore"] == 0
    )
    counted = tally(
        {"game_id": official["game_id"], "team_abbr": official["team_abbr"]},
        {"players_inactive": official["player_status"] == "inactive"},
    )
    found = find((requested["game_id"], requested["team_abbr"]), (counted["game_id"], counted["team_abbr"]))
    return {"players_inactive": at(counted["players_inactive"], found)}
