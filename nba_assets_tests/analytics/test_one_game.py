"""Los Angeles at Boston, seen from every table: golden rows, backup sources, and feeds that are not there."""

from __future__ import annotations

from nba_assets.analytics.team_boxes import COUNTS as TEAM_COUNTS
from nba_assets_tests.analytics.one_game import GAME, built, player, shot, team

OFFENSE, DEFENSE, PLAYERS = "team_offense_game_summary", "team_defense_game_summary", "player_game_summary"
TEAMS = [team("LAL"), team("BOS")]


def test_each_defence_is_the_other_offence() -> None:
    defense = built(team_boxscores=TEAMS)[DEFENSE]
    expected_los_angeles = {
        "points_allowed": 115,
        "opp_fg_makes": 42,
        "opp_fg_attempts": 85,
        "opp_three_pt_makes": 15,
        "opp_three_pt_attempts": 38,
        "opp_ft_makes": 16,
        "opp_ft_attempts": 18,
        "opp_rebounds": 48,
        "opp_assists": 28,
        "turnovers_forced": 12,
        "fouls_committed": 18,
        "three_pt_points_allowed": 45,
        "opponent_possessions_est": 92.92,
        "defensive_rating": 123.76,
        "opponent_pace": 92.9,
        "opponent_ts_pct": 0.619,
        "home_game": False,
        "win_flag": False,
        "margin_of_victory": -7,
        "steals": 6,
        "defensive_rebounds": 35,
    }
    assert {name: defense["LAL"][name] for name in expected_los_angeles} == expected_los_angeles
    expected_boston = {
        "points_allowed": 108,
        "turnovers_forced": 14,
        "fouls_committed": 20,
        "opponent_possessions_est": 100.8,
        "defensive_rating": 107.14,
        "opponent_pace": 100.8,
        "opponent_ts_pct": 0.558,
        "home_game": True,
        "win_flag": True,
        "margin_of_victory": 7,
    }
    assert {name: defense["BOS"][name] for name in expected_boston} == expected_boston


def test_pace_of_an_overtime_game_is_per_forty_eight_minutes() -> None:
    """New York's 94.56 possessions over 53 minutes are a pace of 85.6, as offence and as Philadelphia's defence."""
    counts = {
        "fg_attempted": 86,
        "ft_attempted": 24,
        "turnovers": 13,
        "offensive_rebounds": 15,
        "points": 125,
        "minutes": "265:00",
    }
    tables = built(team_boxscores=[team("LAL", **counts), team("BOS", minutes="265:00")])
    assert (tables[OFFENSE]["LAL"]["pace"], tables[OFFENSE]["LAL"]["overtime_periods"]) == (85.6, 1)
    assert (tables[DEFENSE]["BOS"]["opponent_pace"], tables[DEFENSE]["BOS"]["defensive_rating"]) == (85.6, 132.19)


def test_zones_change_sides() -> None:
    def shots(tricode: str, start: int, makes: dict[str, tuple[int, int]]) -> list[dict[str, object]]:
        events: list[dict[str, object]] = []
        for zone, (made, attempted) in makes.items():
            kind = "3PT" if zone == "above_break_three" else "2PT"
            events += [
                shot(
                    start + len(events) + number,
                    tricode,
                    f"{tricode.lower()}one",
                    made=number < made,
                    kind=kind,
                    zone=zone,
                )
                for number in range(attempted)
            ]
        return events

    boston = shots("BOS", 0, {"paint_non_ra": (28, 45), "mid_range": (7, 18), "above_break_three": (12, 35)})
    los_angeles = shots("LAL", 200, {"restricted_area": (22, 38)})
    boxes = [
        team("BOS", fg_made=47, fg_attempted=98, three_pt_made=12, three_pt_attempted=35),
        team("LAL", fg_made=22, fg_attempted=38, three_pt_made=0, three_pt_attempted=0),
    ]
    tables = built(team_boxscores=boxes, play_by_play=boston + los_angeles)
    allowed = tables[DEFENSE]["LAL"]
    assert (allowed["opp_paint_makes"], allowed["opp_paint_attempts"], allowed["points_in_paint_allowed"]) == (
        28,
        45,
        56,
    )
    assert (allowed["opp_mid_range_makes"], allowed["opp_mid_range_attempts"], allowed["mid_range_points_allowed"]) == (
        7,
        18,
        14,
    )
    assert tables[DEFENSE]["BOS"]["points_in_paint_allowed"] == 44
    assert tables[OFFENSE]["BOS"]["team_three_attempts_pbp"] == 35
    assert tables[OFFENSE]["LAL"]["second_chance_points_scored"] is None


def test_blocker_who_never_shot_keeps_his_block_and_his_team_gets_it() -> None:
    """Blocks used to be counted along with the blocker's own shots, and were lost where he had none."""
    blocked = shot(1, "LAL", "shooter", made=False, zone="mid_range", player_2_lookup="blocker", player_2_role="block")
    sheet = [player("LAL", "shooter", field_goals_attempted=1), player("BOS", "blocker", blocks=1)]
    tables = built(
        team_boxscores=[team("LAL", blocks=0), team("BOS", blocks=1)],
        player_gamebook=sheet,
        play_by_play=[blocked],
    )
    assert (tables[PLAYERS]["blocker"]["mid_range_blocks"], tables[PLAYERS]["blocker"]["paint_attempts"]) == (1, 0)
    assert [tables[DEFENSE]["BOS"][name] for name in ("blocks_paint", "blocks_mid_range", "blocks_three_pt")] == [
        0,
        1,
        0,
    ]
    assert tables[DEFENSE]["LAL"]["blocks_mid_range"] == 0


def test_team_without_box_row_is_the_sum_of_its_players() -> None:
    """Steals, blocks, defensive rebounds (2, 1, 8), (3, 2, 7), (1, 1, 6) sum to 6, 4, 21; who was inactive adds
    nothing.
    """
    five = [
        player(
            "LAL",
            "one",
            steals=2,
            blocks=1,
            defensive_rebounds=8,
            points=40,
            field_goals_made=20,
            field_goals_attempted=40,
            minutes="53:00",
        ),
        player(
            "LAL",
            "two",
            steals=3,
            blocks=2,
            defensive_rebounds=7,
            points=30,
            field_goals_made=15,
            field_goals_attempted=30,
            minutes="53:00",
        ),
        player(
            "LAL",
            "three",
            steals=1,
            blocks=1,
            defensive_rebounds=6,
            points=38,
            field_goals_made=19,
            field_goals_attempted=30,
            minutes="53:00",
        ),
        player("LAL", "four", minutes="53:00"),
        player("LAL", "five", minutes="52:59"),
        player("LAL", "hurt", "inactive", dnp_reason="Injury/Illness"),
    ]
    tables = built(team_boxscores=[team("BOS", minutes="265:00")], player_gamebook=five)
    offense, defense = tables[OFFENSE]["LAL"], tables[DEFENSE]["LAL"]
    assert (offense["points_scored"], offense["fg_attempts"], offense["overtime_periods"]) == (108, 100, 1)
    assert (offense["quality_tier"], offense["quality_issues"][:2]) == (
        "silver",
        ["backup_source_used", "reconstructed"],
    )
    assert (defense["steals"], offense["blocks"], defense["defensive_rebounds"]) == (6, 4, 21)
    assert (offense["players_inactive"], offense["starters_inactive"]) == (1, 0)


def test_four_players_are_no_team_and_both_sides_fail_by_name() -> None:
    four = [
        player("LAL", name, points=20, field_goals_made=10, field_goals_attempted=20)
        for name in ("one", "two", "three", "four")
    ]
    tables = built(team_boxscores=[team("BOS")], player_gamebook=four)
    assert tables[OFFENSE] == tables[DEFENSE] == {}
    failures = tables["failures"]
    assert {name for name in failures if name.startswith(OFFENSE)} == {f"{OFFENSE}/LAL", f"{OFFENSE}/BOS"}
    assert failures[f"{OFFENSE}/LAL"]["failure_reason"] == f"{GAME}: no team box score, nor five players to sum"
    assert failures[f"{OFFENSE}/BOS"]["failure_reason"] == f"{GAME}: its opponent has no box score"
    assert {failure["failure_category"] for failure in failures.values()} == {"MISSING_RAW_DATA"}
    assert tables[PLAYERS]["one"]["data_quality_flag"] == "partial_no_team_stats"
    assert tables[PLAYERS]["one"]["win_flag"] is False


def test_placeholder_box_row_is_not_believed() -> None:
    assert built(team_boxscores=[team("LAL", points=0), team("BOS")])[OFFENSE] == {}


def test_missing_defensive_actions_are_unknown_and_said_so() -> None:
    """Nobody counted them: that is not the same as none."""
    defense = built(team_boxscores=[team("LAL", steals=None, defensive_rebounds=None), team("BOS")])[DEFENSE]["LAL"]
    assert (defense["steals"], defense["defensive_rebounds"], defense["processed_with_issues"]) == (None, None, True)
    assert "missing_defensive_actions" in defense["quality_issues"]


def test_player_whom_the_sheet_lacks_comes_from_the_box_score() -> None:
    box = [
        {**player("BOS", "found"), "game_status": "final", "starter": True},
        {**player("BOS", "sheeted"), "game_status": "final", "starter": False},
        {**player("BOS", "live"), "game_status": "in progress", "starter": True},
    ]
    little = team("BOS") | dict.fromkeys(TEAM_COUNTS.values(), 0) | {"points": 1, "fg_attempted": 1}
    sheet = [player("BOS", "sheeted", minutes="30:07", points=1, field_goals_attempted=1)]
    players = built(team_boxscores=[team("LAL"), little], player_gamebook=sheet, player_boxscores=box)[PLAYERS]
    assert players.keys() == {"found", "sheeted"}
    assert (players["found"]["quality_tier"], players["found"]["primary_source_used"]) == ("silver", "nbac_boxscores")
    assert players["found"]["quality_used_fallback"] is True
    # Thirty minutes off the bench do not make a starter where the five are known.
    assert (players["sheeted"]["starter_flag"], players["sheeted"]["primary_source_used"]) == (False, "nbac_gamebook")


def test_player_unknown_to_the_registry_keeps_his_row_and_is_reported() -> None:
    from datetime import UTC, date, datetime

    known = {
        "season_start": date(2025, 1, 15),
        "season": "2024-25",
        "player_lookup": "known",
        "team_abbr": "",
        "universal_player_id": "known_001",
        "processed_at": datetime(2025, 1, 1, tzinfo=UTC),
    }
    tables = built(
        team_boxscores=TEAMS,
        player_gamebook=[player("BOS", "known"), player("BOS", "stranger")],
        player_registry=[known],
    )
    assert tables[PLAYERS]["known"]["universal_player_id"] == "known_001"
    assert tables[PLAYERS]["stranger"]["universal_player_id"] is None
    assert tables["failures"].keys() == {f"{PLAYERS}/stranger"}
    assert tables["failures"][f"{PLAYERS}/stranger"]["failure_category"] == "REGISTRY_LOOKUP_FAILED"
    assert tables["failures"][f"{PLAYERS}/stranger"]["can_retry"] is True


def test_and_one_is_known_only_where_free_throws_are() -> None:
    made = shot(1, "BOS", "scorer", made=True)
    sheet = [
        player(
            "BOS",
            "scorer",
            points=3,
            field_goals_made=1,
            field_goals_attempted=1,
            free_throws_made=1,
            free_throws_attempted=1,
        )
    ]
    assert (
        built(team_boxscores=TEAMS, player_gamebook=sheet, play_by_play=[made])[PLAYERS]["scorer"]["and1_count"] is None
    )
    foul = made | {
        "event_sequence": 2,
        "event_type": "free throw",
        "event_subtype": "free throw 1/1",
        "shot_made": None,
        "shot_type": None,
        "points_scored": 1,
    }
    assert (
        built(team_boxscores=TEAMS, player_gamebook=sheet, play_by_play=[made, foul])[PLAYERS]["scorer"]["and1_count"]
        == 1
    )
