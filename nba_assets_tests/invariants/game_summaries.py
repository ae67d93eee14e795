"""The book-keeping of basketball, requested in SQL of the stored tables: independent of the code that filled them."""

from __future__ import annotations

OFFENSE, DEFENSE, PLAYERS = (
    f"nba_analytics.{name}"
    for name in ("team_offense_game_summary", "team_defense_game_summary", "player_game_summary")
)

EXACT = {
    "offense_has_two_rows_per_game": f"select game_id from {OFFENSE} group by all having count(*) <> 2",
    "defense_has_two_rows_per_game": f"select game_id from {DEFENSE} group by all having count(*) <> 2",
    "every_final_game_has_its_rows": f"""
        select game_id from nba_raw.schedule where game_status = 3 and (is_regular_season or is_playoffs)
        and game_id not in (select game_id from {OFFENSE})""",
    "keys_are_unique": f"select game_date, player_lookup from {PLAYERS} group by all having count(*) > 1",
    "a_player_is_in_a_game_once": f"select game_id, player_lookup from {PLAYERS} group by all having count(*) > 1",
    "points_allowed_are_points_scored": f"""
        select * from {DEFENSE} d join {OFFENSE} o on o.game_id = d.game_id and o.team_abbr = d.opponent_team_abbr
        where d.points_allowed <> o.points_scored""",
    "defensive_rating_is_the_opponents_offensive_rating": f"""
        select * from {DEFENSE} d join {OFFENSE} o on o.game_id = d.game_id and o.team_abbr = d.opponent_team_abbr
        where d.defensive_rating is distinct from o.offensive_rating""",
    "margins_cancel": f"select game_id from {OFFENSE} group by all having sum(margin_of_victory) <> 0",
    "one_winner": f"select game_id from {OFFENSE} group by all having count(*) filter (where win_flag) <> 1",
    "winner_is_the_schedules": f"""
        select * from {OFFENSE} o join nba_raw.schedule s using (game_id) where o.win_flag <> (o.team_abbr =
        s.winning_team_abbr)""",
    "margin_is_that_of_the_final_score": f"""
        select * from {OFFENSE} o join nba_raw.schedule s using (game_id)
        where margin_of_victory <> (case when home_game then 1 else -1 end) * (s.home_team_score -
        s.away_team_score)""",
    "feeds_agree_about_every_row": f"""
        select * from (select quality_issues from {OFFENSE} union all select quality_issues from {DEFENSE} union all
        select quality_issues from {PLAYERS})
        where len(list_filter(quality_issues, lambda issue: contains(issue, 'disagree') or issue in
        ('sheet_says_did_not_play', 'rows_quarantined'))) > 0""",
    "player_sums_are_team_totals": f"""
        select game_id, team_abbr from {OFFENSE} o join (
            select game_id, team_abbr, sum(points) p, sum(fg_attempts) fga, sum(fg_makes) fgm, sum(three_pt_attempts)
            tpa, sum(three_pt_makes) tpm,
                   sum(ft_attempts) fta, sum(ft_makes) ftm, sum(offensive_rebounds) oreb, sum(defensive_rebounds) dreb,
                   sum(assists) ast,
                   sum(steals) stl, sum(blocks) blk, sum(turnovers) tov, sum(personal_fouls) pf
            from {PLAYERS} where is_active group by all) s using (game_id, team_abbr)
        where (points_scored, o.fg_attempts, o.fg_makes, o.three_pt_attempts, o.three_pt_makes, o.ft_attempts,
        o.ft_makes, o.offensive_rebounds,
               o.defensive_rebounds, o.assists, o.steals, o.blocks, o.turnovers, o.personal_fouls)
           <> (p, fga, fgm, tpa, tpm, fta, ftm, oreb, dreb, ast, stl, blk, tov, pf)""",
    "points_follow_from_makes": (
        f"select * from {OFFENSE} where points_scored <> 2 * fg_makes + three_pt_makes + ft_makes"
    ),
    "assisted_and_unassisted_are_all_makes": f"""
        select * from {PLAYERS} where assisted_fg_makes + unassisted_fg_makes <> fg_makes""",
    "threes_agree_with_the_play_by_play": f"""
        select * from {PLAYERS} where three_attempts_pbp <> three_pt_attempts or three_makes_pbp <> three_pt_makes""",
    "zones_add_up_to_attempts": f"""
        select * from {PLAYERS} where paint_attempts + mid_range_attempts + three_attempts_pbp <> fg_attempts
        or paint_makes + mid_range_makes + three_makes_pbp <> fg_makes""",
    "zones_of_a_team_add_up_to_attempts": f"""
        select * from {OFFENSE} where team_paint_attempts + team_mid_range_attempts + team_three_attempts_pbp <>
        fg_attempts
        or team_paint_makes + team_mid_range_makes + team_three_makes_pbp <> fg_makes""",
    "blocks_by_zone_add_up": (
        f"select * from {PLAYERS} where paint_blocks + mid_range_blocks + three_pt_blocks <> blocks"
    ),
    "blocks_of_a_team_by_zone_add_up": f"""
        select * from {DEFENSE} d join {OFFENSE} o on o.game_id = d.game_id and o.team_abbr = d.defending_team_abbr
        where blocks_paint + blocks_mid_range + blocks_three_pt <> o.blocks""",
    "who_did_not_play_has_no_points": f"select * from {PLAYERS} where not is_active and points is not null",
    "players_and_team_agree_on_the_result": f"""
        select * from {PLAYERS} p join {OFFENSE} o using (game_id, team_abbr) where p.win_flag <> o.win_flag""",
    "nothing_is_nan": f"""
        select * from {PLAYERS} where isnan(ts_pct) or isnan(efg_pct) or isnan(usage_rate) or isnan(minutes_played)""",
}
"""Hold without exception."""

SHARES = {
    "usage_of_a_team_is_about_twenty": (
        f"""select game_id, team_abbr from {PLAYERS} where not is_dnp group by all
            having abs(sum(usage_rate * minutes_played) / sum(minutes_played) - 20) > 0.5""",
        f"select count(*) from {OFFENSE}",
        0.02,
    ),
}
"""Hold but for a small share of rows: the sheets' minutes do not add up in a few games a season.

(broken rows, all rows, tolerated share)
"""
