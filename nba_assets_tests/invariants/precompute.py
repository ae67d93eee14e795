"""What must hold of the precomputed tables whatever league they are made from: questions in SQL, and rows equal to a
slow reading.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date
from typing import Any

from nba_assets.publishing.table_run import STAMPS
from nba_assets.registry import TABLE_MODULES
from nba_assets.tables.bookkeeping import ENTITY_FAILURES
from nba_assets.tables.spec import Type
from nba_assets.warehouse.interface import Warehouse
from nba_assets_tests.oracles import precompute as oracle
from nba_assets_tests.oracles.contexts import League

Row = dict[str, Any]

READINGS: dict[str, tuple[str, Callable[[oracle.Precomputed, date], oracle.Reading]]] = {
    "team_defense_zone_analysis": ("team_abbr", lambda stored, day: oracle.team_defense(stored.league, day)),
    "player_shot_zone_analysis": ("player_lookup", lambda stored, day: oracle.player_shot_zones(stored.league, day)),
    "player_composite_factors": ("player_lookup", oracle.composite_factors),
    "player_daily_cache": ("player_lookup", oracle.daily_cache),
    "ml_feature_store": ("player_lookup", oracle.feature_store),
}
"""Entity and slow reading of each table, upstream first."""


def stored_rows(warehouse: Warehouse, name: str, day: date) -> list[Row]:
    """All rows of a computed table on a date."""
    table = TABLE_MODULES[name].TABLE
    rows: list[Row] = warehouse.read(table, table.column_names, day, day).to_pylist()
    return rows


def precomputed(warehouse: Warehouse, league: League, day: date) -> oracle.Precomputed:
    """What the slow readings of a date start from."""
    return oracle.Precomputed(
        league,
        contexts=stored_rows(warehouse, "upcoming_player_game_context", day),
        team_contexts=stored_rows(warehouse, "upcoming_team_game_context", day),
        team_defense=stored_rows(warehouse, "team_defense_zone_analysis", day),
        shot_zones=stored_rows(warehouse, "player_shot_zone_analysis", day),
        composite_factors=stored_rows(warehouse, "player_composite_factors", day),
        daily_cache=stored_rows(warehouse, "player_daily_cache", day),
    )


def differences(warehouse: Warehouse, stored: oracle.Precomputed, name: str, day: date) -> list[str]:
    """Where a table's rows and failure records of a date are not what the slow reading says."""
    entity, reading = READINGS[name]
    expected, expected_failures = reading(stored, day)
    rows = {row[entity]: row for row in stored_rows(warehouse, name, day)}
    failures = warehouse.read(ENTITY_FAILURES, ENTITY_FAILURES.column_names, day, day, {"table_name": name}).to_pylist()
    failed = {row["entity_id"]: tuple(row[column] for column in FAILURE_COLUMNS) for row in failures}
    found = [f"{key}: only on one side" for key in sorted(rows.keys() ^ expected.keys())]
    found += [
        f"failure of {key}: {failed.get(key)} is not {expected_failures.get(key)}"
        for key in sorted(failed.keys() | expected_failures.keys())
        if failed.get(key) != expected_failures.get(key)
    ]
    columns = set(TABLE_MODULES[name].TABLE.column_names) - set(STAMPS)
    for key in sorted(rows.keys() & expected.keys()):
        assert expected[key].keys() == columns
        for column, value in expected[key].items():
            mine = json.loads(rows[key][column]) if column.endswith("_json") else rows[key][column]
            if mine != value:
                found.append(f"{key} {column}: {mine!r} is not {value!r}")
    return found


FAILURE_COLUMNS = ("failure_category", "failure_reason", "can_retry", "expected_record_count", "actual_record_count")

PLAYERS, OFFENSE, DEFENSE, CONTEXT, TEAM_CONTEXT = (
    f"nba_analytics.{name}"
    for name in (
        "player_game_summary",
        "team_offense_game_summary",
        "team_defense_game_summary",
        "upcoming_player_game_context",
        "upcoming_team_game_context",
    )
)
ZONE_DEFENSE, SHOT_ZONES, FACTORS, CACHE, FEATURES = (f"nba_precompute.{name}" for name in READINGS)
DATE_COLUMNS = {
    module.qualified_name: module.date_column for module in (TABLE_MODULES[name].TABLE for name in READINGS)
}
ALL_ROWS = " union all ".join(
    f"select '{table}' as tbl, {day} as day, {entity} as entity, is_production_ready as ready, "
    "backfill_bootstrap_mode or season_boundary_detected "
    "as excused, expected_games_count as due, actual_games_count as there, missing_games_count as missing, "
    f"completeness_percentage as pct from {table}"
    for (table, day), (entity, _) in zip(DATE_COLUMNS.items(), READINGS.values(), strict=True)
)
FAILURES = (
    f"select * from nba_processing.entity_failures where table_name in ({', '.join(repr(name) for name in READINGS)})"
)
OPENING = "select min(game_date) from nba_raw.schedule where is_regular_season"
FULL_SCORE = round(100 - 3 * 25 / len(oracle.FEATURES), 2)
"""Of a row that knows every feature: all count 100 but three of phase3, which count 75."""
DAYS = f"""
    select distinct game_date as day from nba_raw.schedule
    where (is_regular_season or is_playoffs) and game_status <> 4 and game_date >= ({OPENING}) + 14
    and game_date in (select partition_date from nba_processing.table_partitions where table_name =
    'ml_feature_store')"""
"""The dates that get rows."""
PLAYED = (
    f"select player_lookup, game_date, points, minutes_played, usage_rate from {PLAYERS} where not is_dnp and "
    "points is not null"
)
BEFORE = f"""
    select day, player_lookup, count(*) as games, list(points order by game_date desc) as points
    from days join ({PLAYED}) on game_date < day group by all"""
"""What everybody has played before each date."""

EXACT = {
    "every_listed_player_has_his_factors_and_features": f"""
        with days as ({DAYS}), listed as (select game_date, player_lookup, game_id from {CONTEXT} where game_date in
        (select day from days))
        select * from listed full join (select game_date, player_lookup, game_id from {FACTORS}) f using (game_date,
        player_lookup, game_id)
        full join (select game_date, player_lookup, game_id, player_lookup as there from {FEATURES}) m using
        (game_date, player_lookup, game_id)
        where m.there is null or (game_date, player_lookup) not in (select (game_date, player_lookup) from {FACTORS})
        or (game_date, player_lookup) not in (select (game_date, player_lookup) from listed)""",
    "every_listed_player_is_cached_or_says_why_not": f"""
        with days as ({DAYS}), answered as (select cache_date as day, player_lookup, 1 as n from {CACHE}
            union all select partition_date, entity_id, 1 from ({FAILURES}) where table_name = 'player_daily_cache'),
        listed as (select game_date as day, player_lookup, -1 as n from {CONTEXT} where game_date in (select day from
        days))
        select day, player_lookup from (select * from answered union all select * from listed) group by all having
        sum(n) <> 0""",
    "everybody_who_has_played_has_shot_zones_or_says_why_not": f"""
        with days as ({DAYS}), before as ({BEFORE}), answered as (select analysis_date as day, player_lookup, 1 as n
        from {SHOT_ZONES}
            union all select partition_date, entity_id, 1 from ({FAILURES}) where table_name =
            'player_shot_zone_analysis')
        select day, player_lookup from (select * from answered union all select day, player_lookup, -1 from before)
        group by all
        having sum(n) <> 0""",
    "every_team_has_its_defense_or_says_why_not": f"""
        with days as ({DAYS}), answered as (select analysis_date as day, team_abbr, 1 as n from {ZONE_DEFENSE}
            union all select partition_date, entity_id, 1 from ({FAILURES}) where table_name =
            'team_defense_zone_analysis'),
        teams as (select distinct unnest([home_team_abbr, away_team_abbr]) as team_abbr from nba_raw.schedule where
        is_regular_season)
        select day, team_abbr from (select * from answered union all select day, team_abbr, -1 from days, teams) group
        by all having sum(n) <> 0""",
    "keys_of_precomputed_rows_are_unique": (
        f"select tbl, day, entity from ({ALL_ROWS}) group by all having count(*) > 1"
    ),
    "no_rows_nor_failures_in_the_first_fourteen_days_or_without_games": f"""
        select day from ({ALL_ROWS}) where day not in ({DAYS}) union all select partition_date from ({FAILURES}) where
        partition_date not in ({DAYS})""",
    "samples_are_all_that_came_before_up_to_their_size": f"""
        with days as ({DAYS}), before as ({BEFORE})
        select z.player_lookup from {SHOT_ZONES} z join before b on day = analysis_date and b.player_lookup =
        z.player_lookup
        where games_in_sample_10 <> least(games, 10) or games_in_sample_20 <> least(games, 20)
        union all
        select c.player_lookup from {CACHE} c join before b on day = cache_date and b.player_lookup = c.player_lookup
        where games_played_season <> games or games < 5
        union all
        select z.team_abbr from {ZONE_DEFENSE} z where games_in_sample <>
            (select least(count(*), 15) from {DEFENSE} d where d.defending_team_abbr = z.team_abbr and game_date <
            analysis_date)""",
    "cached_points_are_means_of_what_came_before": f"""
        with days as ({DAYS}), before as ({BEFORE})
        select c.* from {CACHE} c join before b on day = cache_date and b.player_lookup = c.player_lookup
        where abs(points_avg_season - list_avg(points)) > 0.000051 or abs(points_avg_last_10 - list_avg(points[:10])) >
        0.000051
        or abs(points_avg_last_5 - list_avg(points[:5])) > 0.000051 or abs(points_std_last_10 -
        list_stddev_samp(points[:10])) > 0.000051""",
    "shot_shares_add_up_to_a_hundred": f"""
        select * from {SHOT_ZONES} where abs(paint_rate_last_10 + mid_range_rate_last_10 + three_pt_rate_last_10 - 100)
        > 0.1
        or (paint_rate_last_10 is null) <> (three_pt_rate_last_10 is null) or (paint_rate_last_10 is null) <>
        (mid_range_rate_last_10 is null)
        or (paint_rate_last_10 is null) <> (total_shots_last_10 is null) or abs(assisted_rate_last_10 +
        unassisted_rate_last_10 - 100) > 0.1""",
    "strongest_and_weakest_zone_are_the_extremes": f"""
        select * from (select *, map
        {{'paint': paint_defense_vs_league_avg, 'mid_range': mid_range_defense_vs_league_avg,
            'perimeter': three_pt_defense_vs_league_avg}} as zones from {ZONE_DEFENSE})
        where zones[strongest_zone] > list_min(map_values(zones)) or zones[weakest_zone] <
        list_max(map_values(zones))""",
    "fatigue_is_between_its_bounds": f"select * from {FACTORS} where fatigue_score not between 35 and 100",
    "total_is_the_sum_of_its_parts": f"""
        select * from {FACTORS} where abs(total_composite_adjustment
            - ((fatigue_score - 100) / 20 + shot_zone_mismatch_score + pace_score + usage_spike_score)) > 0.156""",
    "reasons_end_in_the_stored_scores": f"""
        select * from {FACTORS} where (fatigue_context_json->'$.final_score')::double <> fatigue_score
        or coalesce((shot_zone_context_json->'$.final_score')::double, 0) <> shot_zone_mismatch_score
        or (pace_context_json->'$.final_score')::double <> pace_score or (usage_context_json->'$.final_score')::double
        <> usage_spike_score""",
    "features_are_the_columns_with_defaults": f"""
        select * from {FEATURES}
        where features <> [{", ".join(f"coalesce({name}, {default})" for name, default in oracle.FEATURES.items())}]
        or feature_names <> {list(oracle.FEATURES)} or feature_count <> {len(oracle.FEATURES)}
        or [source = 'default' for source in feature_sources] <>
        [{", ".join(f"{name} is null" for name in oracle.FEATURES)}]""",
    "features_of_version_two_are_the_columns_with_defaults": f"""
        select * from {FEATURES}
        where features_v2 <> [{", ".join(f"coalesce({name}, {value})" for name, value in oracle.FEATURES_V2.items())}]
        or feature_names_v2 <> {list(oracle.FEATURES_V2)} or feature_version_v2 <> '{oracle.VERSION_V2}'
        or [source = 'default' for source in feature_sources_v2] <>
        [{", ".join(f"{name} is null" for name in oracle.FEATURES_V2)}]
        or abs(feature_quality_score_v2 - list_avg([case source when 'phase3' then 75 when 'default' then 40 else 100
        end for source in feature_sources_v2])) > 0.005""",
    "expected_minutes_of_a_team_are_at_most_its_minutes": f"""
        select m.game_date, c.team_abbr, sum(m.expected_minutes) as minutes
        from {FEATURES} m join {CONTEXT} c using (game_date, player_lookup)
        join {CACHE} k on k.cache_date = m.game_date and k.player_lookup = m.player_lookup
        group by all having minutes > 240.001""",
    "quality_is_the_mean_weight_of_the_sources": f"""
        select * from {FEATURES} where abs(feature_quality_score - list_avg([case source when 'phase3' then 75 when
        'default' then 40 else 100 end
            for source in feature_sources])) > 1e-9
        or quality_tier <> case when feature_quality_score >= 95 then 'gold' when feature_quality_score >= 75 then
        'silver' else 'bronze' end""",
    "a_cached_player_without_defaults_has_the_full_score": f"""
        select m.* from {FEATURES} m join {CACHE} c on c.cache_date = m.game_date and c.player_lookup = m.player_lookup
        where not list_contains(feature_sources, 'default') and (feature_quality_score <> {FULL_SCORE} or quality_tier
        <> 'gold' or data_source <> 'phase4_partial')""",
    "features_are_what_the_other_tables_hold": f"""
        select m.* from {FEATURES} m
        join {FACTORS} f on f.game_date = m.game_date and f.player_lookup = m.player_lookup
        left join {CACHE} c on c.cache_date = m.game_date and c.player_lookup = m.player_lookup
        left join {SHOT_ZONES} z on z.analysis_date = m.game_date and z.player_lookup = m.player_lookup
        left join {ZONE_DEFENSE} d on d.analysis_date = m.game_date and d.team_abbr = m.opponent_team_abbr
        where (m.fatigue_score, m.shot_zone_mismatch_score, m.pace_score, m.usage_spike_score)
            is distinct from (f.fatigue_score, f.shot_zone_mismatch_score, f.pace_score, f.usage_spike_score)
        or (m.opponent_def_rating, m.opponent_pace) is distinct from (d.defensive_rating_last_15, d.opponent_pace)
        or (m.pct_paint, m.pct_mid_range, m.pct_three)
            is distinct from (z.paint_rate_last_10 / 100, z.mid_range_rate_last_10 / 100, z.three_pt_rate_last_10 / 100)
        or (c.player_lookup is not null
            and (m.points_avg_last_5, m.points_avg_last_10, m.points_avg_season, m.points_std_last_10, m.team_pace,
            m.team_off_rating)
            is distinct from (c.points_avg_last_5, c.points_avg_last_10, c.points_avg_season, c.points_std_last_10,
            c.team_pace_last_10,
            c.team_off_rating_last_10))""",
    "who_is_out_or_doubtful_has_no_features": f"select * from {FEATURES} where injury_risk not in (0, 1, 2)",
    "play_off_flag_is_the_schedules": (
        f"select * from {FEATURES} m join nba_raw.schedule s using (game_id) where (playoff_game = 1) <> s.is_playoffs"
    ),
    "completeness_counts_agree": f"""
        select * from ({ALL_ROWS}) where there > due or there + missing <> due or missing < 0
        or due > case tbl when '{ZONE_DEFENSE}' then 15 when '{CACHE}' then 5 else 10 end
        or abs(pct - case due when 0 then 100 else 100 * there / due end) > 0.051""",
    "zone_tables_are_ready_by_completeness_or_excuse": f"""
        select * from ({ALL_ROWS}) where tbl in ('{ZONE_DEFENSE}', '{SHOT_ZONES}') and ready <> (pct >= 90 or
        excused)""",
    "a_ready_row_has_only_ready_rows_upstream": f"""
        with rows as ({ALL_ROWS})
        select m.player_lookup from {FEATURES} m where is_production_ready and exists (
            select 1 from (values ('{CACHE}', player_lookup), ('{FACTORS}', player_lookup), ('{SHOT_ZONES}',
            player_lookup),
                ('{ZONE_DEFENSE}', opponent_team_abbr)) as needed(tbl, entity)
            left join rows r on r.tbl = needed.tbl and r.entity = needed.entity and r.day = m.game_date where r.ready
            is not true)
        union all
        select f.player_lookup from {FACTORS} f join {CONTEXT} u using (game_date, player_lookup)
        left join {TEAM_CONTEXT} t on t.game_date = f.game_date and t.team_abbr = u.team_abbr
        where f.is_production_ready and (u.is_production_ready is not true or t.is_production_ready is not true or not
        f.all_upstreams_ready)""",
    "failures_of_few_games_name_few_games": f"""
        select * from ({FAILURES}) where failure_category = 'PROCESSING_ERROR'
        or (table_name = 'player_daily_cache' and (failure_category = 'INSUFFICIENT_DATA') <> (actual_record_count < 5))
        or (table_name = 'player_shot_zone_analysis' and (actual_record_count >= 10 or can_retry <> (failure_category =
        'INCOMPLETE_UPSTREAM')))
        or actual_record_count > expected_record_count or table_name in ('player_composite_factors',
        'ml_feature_store')""",
    "nothing_precomputed_is_nan": " union all ".join(
        (
            f"select '{table.name}' from {table.qualified_name} where "
            f"{' or '.join(f'isnan({column})' for column in columns)}"
        )
        for table in (TABLE_MODULES[name].TABLE for name in READINGS)
        for columns in [[column.name for column in table.columns if column.type is Type.FLOAT64]]
    ),
}
"""Hold without exception."""

SHARES = {
    "usage_of_a_team_lately_is_about_twenty": (
        f"""select cache_date, team_abbr from {CACHE} c join {CONTEXT} u on u.game_date = cache_date and
            u.player_lookup = c.player_lookup group by all
            having abs(sum(usage_rate_last_10 * minutes_avg_last_10) / sum(minutes_avg_last_10) - 20) > 2""",
        f"""select count(distinct (cache_date, team_abbr)) from {CACHE} c
            join {CONTEXT} u on u.game_date = cache_date and u.player_lookup = c.player_lookup""",
        0.10,
    ),
}
"""Hold but for a small share of rows: with a star away the others' old roles do not make a whole team.

(broken rows, all rows, tolerated share)
"""
