"""Raw tables of a customer's BigQuery, and the SELECT by which each becomes rows of our contract.

A SELECT renames, filters and casts. Spellings, keys, duplicates and faults are left to the normaliser and the
quarantine, which treat its rows like those of a file; when it is executed is in `bigquery_source`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta

EARLIEST_REPORT_DAYS = 7
"""How long before its game date a report is looked for."""


@dataclass(frozen=True)
class Partitions:
    """The partitions of a source table that rows of a date are made of: its own, and so many days before and after.

    A table without `column` is not partitioned. `is_reference` tables lie in the dataset of references.
    """

    table: str
    column: str | None
    before: int = 0
    after: int = 0
    is_reference: bool = False


@dataclass(frozen=True)
class Source:
    """A SELECT over source tables; the partitions of the first of `reads` decide of which dates there are rows.

    In `select`, `{raw}` and `{reference}` stand for the datasets, `{first}` and `{last}` for the dates, as
    literals. The rows of a `whole` source are read at once, whatever their date.
    """

    reads: tuple[Partitions, ...]
    select: str
    whole: bool = False

    @property
    def name(self) -> str:
        """The folder of its files: its first table."""
        return self.reads[0].table

    def days(self, partition: date) -> list[date]:
        """The dates of which a partition of the first table may hold rows."""
        first = self.reads[0]
        return [partition + timedelta(days=offset) for offset in range(-first.after, first.before + 1)]


COUNTS = (
    "points, field_goals_made, field_goals_attempted, three_pointers_made, three_pointers_attempted, free_throws_made, "
    "free_throws_attempted, offensive_rebounds, defensive_rebounds, total_rebounds, assists, steals, blocks, "
    "turnovers, personal_fouls, CAST(plus_minus AS STRING) AS plus_minus"
)
OF_DATES = "WHERE game_date BETWEEN {first} AND {last}"

SCHEDULE = Source(
    (Partitions("nbac_schedule", "game_date"),),
    # A final of the cup has "finals" in its label, and is no play-off game.
    """
    SELECT
      FORMAT_DATE('%Y%m%d', game_date) || '_' || away_team_tricode || '_' || home_team_tricode AS game_id,
      game_id AS nba_game_id, game_date, game_date_est AS game_time_utc, season_year,
      home_team_tricode AS home_team_abbr, away_team_tricode AS away_team_abbr, game_status,
      home_team_score, away_team_score, winning_team_tricode AS winning_team_abbr, is_primetime,
      COALESCE(is_regular_season, FALSE) AS is_regular_season,
      COALESCE(is_playoffs, FALSE) AND NOT COALESCE(is_emirates_cup, FALSE) AS is_playoffs,
      is_all_star, neutral_site_flag, arena_name, arena_timezone, processed_at
    FROM `{raw}.nbac_schedule`
    WHERE game_date BETWEEN {first} AND {last}
    """,
    whole=True,
)

PLAYER_GAMEBOOK = Source(
    (Partitions("nbac_gamebook_player_stats", "game_date"),),
    f"""
    SELECT
      game_id, game_date, season_year, home_team_abbr, away_team_abbr, player_name,
      COALESCE(player_lookup, player_name) AS player_lookup, team_abbr, player_status, dnp_reason, minutes,
      {COUNTS}, processed_at
    FROM `{{raw}}.nbac_gamebook_player_stats`
    {OF_DATES}
    """,
)

PLAYER_BOXSCORES = Source(
    (Partitions("nbac_player_boxscores", "game_date"),),
    f"""
    SELECT
      game_id, game_date, season_year, home_team_abbr, away_team_abbr, player_full_name AS player_name, player_lookup,
      team_abbr, 'Final' AS game_status, starter, position, minutes,
      {COUNTS}, processed_at
    FROM `{{raw}}.nbac_player_boxscores`
    {OF_DATES}
    """,
)

TEAM_BOXSCORES = Source(
    (Partitions("nbac_team_boxscore", "game_date"),),
    f"""
    SELECT
      game_id, nba_game_id, game_date, season_year, team_abbr, is_home, minutes, fg_made, fg_attempted, three_pt_made,
      three_pt_attempted, ft_made, ft_attempted, offensive_rebounds, defensive_rebounds, total_rebounds, assists,
      steals,
      blocks, turnovers, personal_fouls, points, plus_minus, processed_at
    FROM `{{raw}}.nbac_team_boxscore`
    {OF_DATES}
    """,
)

PROVIDER_EVENTS = Source(
    (Partitions("bigdataball_play_by_play", "game_date"),),
    # Rows that stand in for the provider's have the league's words and coordinates: a game has the one or the other.
    """
    SELECT
      game_id, game_date, home_team_abbr, away_team_abbr, event_sequence, period, game_clock_seconds, event_type,
      event_subtype, player_1_lookup, player_1_team_abbr, player_2_lookup, player_2_role,
      IF(event_type IN ('shot', '2pt', '3pt'), shot_made, NULL) AS shot_made,
      IF(shot_type IN ('2PT', '3PT'), shot_type, NULL) AS shot_type,
      shot_distance, IF(is_provider, original_x, NULL) AS loc_x, IF(is_provider, original_y, NULL) AS loc_y,
      points_scored,
      score_home, score_away, data_source AS source, processed_at
    FROM (
      SELECT *, data_source IS DISTINCT FROM 'nbacom_fallback' AS is_provider,
        LOGICAL_OR(data_source IS DISTINCT FROM 'nbacom_fallback') OVER (PARTITION BY game_id) AS has_provider
      FROM `{raw}.bigdataball_play_by_play`
      WHERE game_date BETWEEN {first} AND {last}
    )
    WHERE is_provider = has_provider
    """,
)

LEAGUE_EVENTS = Source(
    (Partitions("nbac_play_by_play", "game_date"), Partitions("bigdataball_play_by_play", "game_date")),
    # Its home and away team stand in any order; those of the id do not. A distance without a place is a made-up 0.
    """
    SELECT
      game_id, nba_game_id, game_date, SUBSTR(game_id, 14, 3) AS home_team_abbr, SUBSTR(game_id, 10, 3) AS
      away_team_abbr,
      event_sequence, period, game_clock_seconds, event_type, event_action_type AS event_subtype, player_1_lookup,
      player_1_team_abbr, player_2_lookup,
      IF(event_type IN ('2pt', '3pt'), shot_made, NULL) AS shot_made,
      IF(shot_type IN ('2PT', '3PT'), shot_type, NULL) AS shot_type,
      IF(shot_x IS NULL OR shot_y IS NULL, NULL, shot_distance) AS shot_distance,
      CASE WHEN event_type NOT IN ('2pt', '3pt', 'freethrow') THEN NULL WHEN NOT shot_made THEN 0
        WHEN shot_type = '3PT' THEN 3 WHEN shot_type = '2PT' THEN 2 WHEN shot_made THEN 1 END AS points_scored,
      score_home, score_away, 'nbac' AS source, processed_at
    FROM `{raw}.nbac_play_by_play`
    WHERE game_date BETWEEN {first} AND {last}
      AND game_id NOT IN (
        SELECT game_id FROM `{raw}.bigdataball_play_by_play` WHERE game_date BETWEEN {first} AND {last}
      )
    """,
)

GAME_LINES = Source(
    (Partitions("odds_api_game_lines", "game_date"),),
    f"""
    SELECT
      game_date, COALESCE(home_team_abbr, home_team) AS home_team_abbr,
      COALESCE(away_team_abbr, away_team) AS away_team_abbr, commence_time, snapshot_timestamp, bookmaker_key,
      market_key,
      outcome_name, outcome_point, outcome_price, processed_at
    FROM `{{raw}}.odds_api_game_lines`
    {OF_DATES} AND market_key IN ('spreads', 'totals')
    """,
)

ODDS_API_PROPS = Source(
    (Partitions("odds_api_player_points_props", "game_date"),),
    f"""
    SELECT
      game_date, home_team_abbr, away_team_abbr, game_start_time, COALESCE(player_lookup, player_name) AS player_lookup,
      player_name, 'odds_api' AS source, bookmaker, points_line, over_price_american, under_price_american,
      snapshot_timestamp, minutes_before_tipoff, processed_at
    FROM `{{raw}}.odds_api_player_points_props`
    {OF_DATES}
    """,
)

BETTINGPROS_PROPS = Source(
    (Partitions("bettingpros_player_points_props", "game_date"), Partitions("nbac_schedule", "game_date")),
    # One row of each side becomes one row. The feed has no tip-off, and its team is not reliable: where the schedule
    # does not have it, the date's first tip-off counts, so that no line of a running game passes for an earlier one.
    """
    WITH sides AS (
      SELECT *
      FROM `{raw}.bettingpros_player_points_props`
      WHERE game_date BETWEEN {first} AND {last}
        AND market_type = 'points' AND is_active AND bookmaker != 'BettingPros Consensus'
      QUALIFY ROW_NUMBER() OVER (
        PARTITION BY game_date, player_lookup, bookmaker, points_line, bookmaker_last_update, bet_side
        ORDER BY processed_at DESC
      ) = 1
    ), offers AS (
      SELECT
        game_date, player_lookup, bookmaker, points_line, bookmaker_last_update, MAX(player_name) AS player_name,
        MAX(player_team) AS player_team, MAX(IF(bet_side = 'over', odds_american, NULL)) AS over_price_american,
        MAX(IF(bet_side = 'under', odds_american, NULL)) AS under_price_american, MAX(opening_line) AS opening_line,
        MAX(processed_at) AS processed_at
      FROM sides
      GROUP BY game_date, player_lookup, bookmaker, points_line, bookmaker_last_update
    ), games AS (
      SELECT game_date, home_team_tricode AS home, away_team_tricode AS away, MIN(game_date_est) AS tip_off
      FROM `{raw}.nbac_schedule`
      WHERE game_date BETWEEN {first} AND {last}
      GROUP BY game_date, home, away
    ), first_games AS (
      SELECT game_date, MIN(tip_off) AS tip_off FROM games GROUP BY game_date
    )
    SELECT
      offers.game_date, games.home AS home_team_abbr, games.away AS away_team_abbr, games.tip_off AS game_start_time,
      offers.player_lookup, offers.player_name, 'bettingpros' AS source, offers.bookmaker, offers.points_line,
      offers.over_price_american, offers.under_price_american, offers.bookmaker_last_update AS snapshot_timestamp,
      CAST(FLOOR(TIMESTAMP_DIFF(
        COALESCE(games.tip_off, first_games.tip_off), offers.bookmaker_last_update, SECOND) / 60) AS INT64
      ) AS minutes_before_tipoff,
      offers.opening_line, offers.processed_at
    FROM offers
    LEFT JOIN games ON games.game_date = offers.game_date AND offers.player_team IN (games.home, games.away)
    LEFT JOIN first_games ON first_games.game_date = offers.game_date
    """,
)

INJURY_REPORT = Source(
    (Partitions("nbac_injury_report", "report_date", before=EARLIEST_REPORT_DAYS, after=1),),
    # Their keys lose the letters of suffixes anywhere in a name: ours is made of the name.
    f"""
    SELECT
      report_date, report_hour, game_date, team, player_full_name AS player_lookup, injury_status, reason,
      reason_category,
      confidence_score, processed_at
    FROM `{{raw}}.nbac_injury_report`
    WHERE report_date BETWEEN DATE_SUB({{first}}, INTERVAL {EARLIEST_REPORT_DAYS} DAY)
      AND DATE_ADD({{last}}, INTERVAL 1 DAY)
      AND game_date BETWEEN {{first}} AND {{last}}
      AND report_date BETWEEN DATE_SUB(game_date, INTERVAL {EARLIEST_REPORT_DAYS} DAY)
      AND DATE_ADD(game_date, INTERVAL 1 DAY)
    """,
)

ROSTERS = Source(
    (Partitions("espn_team_rosters", "roster_date"),),
    """
    SELECT
      roster_date, scrape_hour, season_year, team_abbr, player_lookup, player_full_name, position_abbr, age, birth_date,
      roster_status, processed_at
    FROM `{raw}.espn_team_rosters`
    WHERE roster_date BETWEEN {first} AND {last}
    """,
)

PLAYER_REGISTRY = Source(
    (Partitions("nba_players_registry", None, is_reference=True),),
    """
    SELECT season, player_lookup, team_abbr, universal_player_id, player_name, processed_at
    FROM `{reference}.nba_players_registry`
    """,
    whole=True,
)

SOURCES: Mapping[str, tuple[Source, ...]] = {
    "schedule": (SCHEDULE,),
    "player_gamebook": (PLAYER_GAMEBOOK,),
    "player_boxscores": (PLAYER_BOXSCORES,),
    "team_boxscores": (TEAM_BOXSCORES,),
    "play_by_play": (PROVIDER_EVENTS, LEAGUE_EVENTS),
    "game_lines": (GAME_LINES,),
    "player_points_props": (ODDS_API_PROPS, BETTINGPROS_PROPS),
    "injury_report": (INJURY_REPORT,),
    "rosters": (ROSTERS,),
    "player_registry": (PLAYER_REGISTRY,),
}
"""By raw table."""
