"""Feeds of one game that contradict each other: what is named, what it costs, what is null, and who is left alone."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest

from nba_assets.analytics.team_boxes import COUNTS
from nba_assets.raw.tables import PLAYER_COUNTS
from nba_assets_tests.analytics.one_game import DAY, GAME, Feeds, agreeing_game, built, built_on, changed, together

OFFENSE, DEFENSE, PLAYERS = "team_offense_game_summary", "team_defense_game_summary", "player_game_summary"
BY_PLAY = "play_by_play_disagrees"
SECOND_GAME = "20250115_NYK_PHI"


def damaged(**changes: list[dict[str, Any]]) -> dict[str, Any]:
    """The summaries of the agreeing game with some of its feeds changed."""
    return built(**(agreeing_game() | changes))


def issues(tables: dict[str, Any], table: str) -> dict[str, list[str]]:
    """The issues of each row that has any, but for the absent feed of lines, which every row has."""
    found = {
        name: [issue for issue in row["quality_issues"] if issue != "missing_points_props"]
        for name, row in tables[table].items()
    }
    return {name: named for name, named in found.items() if named}


def teammates(tricode: str, issue: str) -> dict[str, list[str]]:
    return {f"{tricode}{name}": [issue] for name in ("one", "two", "three", "four", "five")}


def test_feeds_that_agree_have_no_issue_and_nothing_to_report() -> None:
    tables = damaged()
    assert [issues(tables, table) for table in (OFFENSE, DEFENSE, PLAYERS)] == [{}, {}, {}]
    assert (tables["notices"], tables["failures"]) == ({}, {})
    offense, scorer = tables[OFFENSE]["BOS"], tables[PLAYERS]["bosone"]
    assert (
        offense["team_paint_attempts"],
        offense["second_chance_points_scored"],
        offense["shot_zones_available"],
    ) == (21, 0, True)
    assert (scorer["paint_makes"], scorer["and1_count"], scorer["mid_range_blocks"], scorer["data_quality_flag"]) == (
        5,
        1,
        1,
        "complete",
    )
    assert {row["quality_tier"] for table in (OFFENSE, DEFENSE, PLAYERS) for row in tables[table].values()} == {"gold"}


def test_a_final_game_without_any_sheet_is_named_for_each_team() -> None:
    tables = damaged(
        player_gamebook=[],
        player_boxscores=[row | {"game_status": "live"} for row in agreeing_game()["player_boxscores"]],
    )
    assert tables[PLAYERS] == {}
    assert sorted(tables["notices"][f"{PLAYERS}/team_without_sheet"]) == [
        f"{GAME}: neither player_gamebook nor the final player_boxscores has a player of {team}"
        for team in ("BOS", "LAL")
    ]
    half = [row for row in agreeing_game()["player_gamebook"] if row["team_abbr"] == "BOS"]
    assert len(damaged(player_gamebook=half, player_boxscores=[])["notices"][f"{PLAYERS}/team_without_sheet"]) == 1


@pytest.mark.parametrize(("more", "disagree"), [(-1, True), (1, False), (5, False), (6, True)])
def test_a_teams_own_turnovers_are_few_and_no_disagreement(more: int, disagree: bool) -> None:
    game = agreeing_game()
    sheet = changed(game["player_gamebook"], {"turnovers": 2}, player_lookup="bostwo")
    tables = damaged(
        player_gamebook=sheet,
        team_boxscores=changed(game["team_boxscores"], {"turnovers": 2 + more}, team_abbr="BOS"),
    )
    assert issues(tables, OFFENSE) == ({"BOS": ["players_disagree:turnovers"]} if disagree else {})
    assert tables[OFFENSE]["BOS"]["turnovers"] == 2 + more


def test_every_count_of_the_players_is_held_against_the_team() -> None:
    sheet = agreeing_game()["player_gamebook"]
    more = {name: sheet[1][name] + 1 for name in PLAYER_COUNTS}
    tables = damaged(player_gamebook=changed(sheet, more, player_lookup="bostwo"))
    disagreement = f"players_disagree:{','.join(COUNTS)}"
    assert issues(tables, OFFENSE) == {"BOS": [disagreement]}
    assert issues(tables, DEFENSE) == {"BOS": [disagreement], "LAL": [f"opponent_{disagreement}"]}
    assert (tables[DEFENSE]["LAL"]["quality_tier"], tables[DEFENSE]["LAL"]["quality_score"]) == ("silver", 75.0)
    ((told,),) = (said for name, said in tables["notices"].items() if name == f"{OFFENSE}/players_disagree")
    assert told.startswith(
        f"{GAME} BOS: points 62 by the team's box score, 63 by its players; fg_makes 26 by the team's box score, 27 "
        "by its players"
    )
    named = issues(tables, PLAYERS)
    assert named.keys() == teammates("bos", "").keys()
    assert all(mine[0] == "team_sum_disagrees" for mine in named.values())
    assert {tables[PLAYERS][name]["quality_score"] for name in named} == {75.0}


def test_counts_that_one_side_does_not_have_do_not_disagree() -> None:
    boxes = changed(agreeing_game()["team_boxscores"], {"steals": None, "assists": None}, team_abbr="BOS")
    assert issues(damaged(team_boxscores=boxes), OFFENSE) == {}


def test_rebounds_that_the_team_has_and_no_player_do_not_disagree() -> None:
    """The league's live box score counts them into the total, and so do others: of one real game 57 by players and 65
    in total.
    """
    boxes = agreeing_game()["team_boxscores"]
    (of_boston,) = (row["total_rebounds"] for row in boxes if row["team_abbr"] == "BOS")
    with_team_rebounds = damaged(team_boxscores=changed(boxes, {"total_rebounds": of_boston + 8}, team_abbr="BOS"))
    assert issues(with_team_rebounds, OFFENSE) == {}
    assert with_team_rebounds["notices"] == {}


def test_a_total_of_rebounds_alone_is_held_against_the_players() -> None:
    boxes = agreeing_game()["team_boxscores"]
    (of_boston,) = (row["total_rebounds"] for row in boxes if row["team_abbr"] == "BOS")
    alone = {"total_rebounds": of_boston + 8, "offensive_rebounds": None, "defensive_rebounds": None}
    assert issues(damaged(team_boxscores=changed(boxes, alone, team_abbr="BOS")), OFFENSE) == {
        "BOS": ["players_disagree:rebounds"]
    }


def test_players_with_exchanged_teams_are_in_doubt_and_so_are_their_teams() -> None:
    other = {"BOS": "LAL", "LAL": "BOS"}
    sheets = {
        name: [row | {"team_abbr": other[row["team_abbr"]]} for row in agreeing_game()[name]]
        for name in ("player_gamebook", "player_boxscores")
    }
    tables = damaged(**sheets)
    assert issues(tables, OFFENSE).keys() == {"BOS", "LAL"}
    assert issues(tables, PLAYERS) == teammates("bos", "team_sum_disagrees") | teammates("lal", "team_sum_disagrees")
    assert {row["quality_tier"] for row in tables[PLAYERS].values()} == {"silver"}
    assert {row["data_quality_flag"] for row in tables[PLAYERS].values()} == {"partial"}
    assert (tables[OFFENSE]["BOS"]["win_flag"], tables[OFFENSE]["BOS"]["points_scored"]) == (True, 62)


@pytest.mark.parametrize("both", [True, False], ids=["both rows", "one row"])
def test_team_row_with_the_opponents_final_score_is_not_published(*, both: bool) -> None:
    boxes = changed(agreeing_game()["team_boxscores"], {"points": 60}, team_abbr="BOS")
    boxes = changed(boxes, {"points": 62}, team_abbr="LAL") if both else boxes
    tables = damaged(team_boxscores=boxes)
    assert tables[OFFENSE] == tables[DEFENSE] == {}
    boston, los_angeles = (tables["failures"][f"{OFFENSE}/{team}"] for team in ("BOS", "LAL"))
    assert (boston["failure_category"], boston["can_retry"]) == ("MISSING_RAW_DATA", True)
    assert (
        boston["failure_reason"]
        == f"{GAME}: its box score has 60 points, the final score of its opponent; its own is 62"
    )
    by_itself = "its box score has 62 points, the final score of its opponent; its own is 60"
    in_company = "its opponent's box score has the points of this team, so that neither is certain"
    assert los_angeles["failure_reason"] == f"{GAME}: {by_itself if both else in_company}"
    players = tables[PLAYERS]
    assert {(row["team_abbr"], row["win_flag"], row["data_quality_flag"]) for row in players.values()} == {
        ("BOS", True, "partial_no_team_stats"),
        ("LAL", False, "partial_no_team_stats"),
    }


def test_result_follows_the_schedule_where_the_box_score_has_other_points() -> None:
    boxes = changed(agreeing_game()["team_boxscores"], {"points": 58}, team_abbr="BOS")
    tables = damaged(team_boxscores=boxes)
    boston, los_angeles = tables[OFFENSE]["BOS"], tables[OFFENSE]["LAL"]
    assert (boston["points_scored"], boston["win_flag"], boston["margin_of_victory"]) == (58, True, 2)
    assert (los_angeles["win_flag"], los_angeles["margin_of_victory"]) == (False, -2)
    assert "final_score_disagrees" in boston["quality_issues"]
    assert tables["notices"][f"{OFFENSE}/final_score_disagrees"] == [
        f"{GAME} BOS: points 58 by the team's box score, 62 by the schedule"
    ]
    assert "opponent_final_score_disagrees" in tables[DEFENSE]["LAL"]["quality_issues"]
    assert (tables[DEFENSE]["BOS"]["win_flag"], tables[PLAYERS]["bosone"]["win_flag"]) == (True, True)


def without(events: list[dict[str, Any]], shooter: str, **where: Any) -> list[dict[str, Any]]:
    """Events without the first one of a shooter that is as told."""
    place = next(
        place
        for place, event in enumerate(events)
        if all(event.get(name) == value for name, value in ({"player_1_lookup": shooter} | where).items())
    )
    return events[:place] + events[place + 1 :]


def test_lost_blocked_shot_leaves_no_zones_of_its_shooter_team_and_blocker() -> None:
    events = without(agreeing_game()["play_by_play"], "bostwo", event_type="shot", shot_made=False)
    tables = damaged(play_by_play=events)
    assert issues(tables, PLAYERS) == {"bostwo": ["shots_disagree"], "laltwo": ["blocks_disagree"]}
    shooter, blocker = tables[PLAYERS]["bostwo"], tables[PLAYERS]["laltwo"]
    assert (shooter["has_complete_shot_zones"], shooter["quality_score"], shooter["data_quality_flag"]) == (
        False,
        75.0,
        "partial",
    )
    zones = (
        "paint_attempts",
        "paint_makes",
        "mid_range_attempts",
        "mid_range_makes",
        "three_attempts_pbp",
        "three_makes_pbp",
    )
    assert {shooter[name] for name in (*zones, "assisted_fg_makes", "unassisted_fg_makes")} == {None}
    assert (
        {blocker[f"{zone}_blocks"] for zone in ("paint", "mid_range", "three_pt")},
        blocker["has_complete_shot_zones"],
    ) == ({None}, True)
    assert issues(tables, OFFENSE) == {"BOS": ["shot_zones_unavailable", "shots_disagree"]}
    boston = tables[OFFENSE]["BOS"]
    assert (boston["shot_zones_available"], boston["team_paint_attempts"], boston["points_in_paint_scored"]) == (
        False,
        None,
        None,
    )
    assert (tables[OFFENSE]["LAL"]["shot_zones_available"], tables[OFFENSE]["LAL"]["team_paint_attempts"]) == (True, 20)
    # A second chance of one team ends with what the other one does: with a shot missing, neither's are certain.
    assert {row["second_chance_points_scored"] for row in tables[OFFENSE].values()} == {None}
    assert issues(tables, DEFENSE) == {
        "LAL": ["shot_zones_unavailable", "blocks_disagree", "opponent_shots_disagree"],
        "BOS": ["shots_disagree"],
    }
    assert (tables[DEFENSE]["LAL"]["opp_paint_attempts"], tables[DEFENSE]["LAL"]["blocks_mid_range"]) == (None, None)
    assert tables[DEFENSE]["BOS"]["blocks_mid_range"] == 5
    assert tables["notices"][f"{PLAYERS}/{BY_PLAY}"] == [
        f"{GAME} bostwo: fg_attempts 6 by the box score, 5 by the play-by-play",
        f"{GAME} laltwo: blocks 1 by the box score, 0 by the play-by-play",
    ]
    assert tables["notices"][f"{OFFENSE}/{BY_PLAY}"] == [
        f"{GAME} BOS: fg_attempts 31 by the box score, 30 by the play-by-play"
    ]
    assert tables["notices"][f"{DEFENSE}/{BY_PLAY}"] == [
        f"{GAME} LAL: blocks 5 by the box score, 4 by the play-by-play"
    ]


@pytest.mark.parametrize(
    ("change", "where"),
    [
        ({"shot_made": False, "points_scored": 0}, {"shot_zone": "restricted_area"}),
        ({"shot_type": "3PT"}, {"shot_made": False, "event_type": "shot"}),
        ({"shot_type": "2PT"}, {"shot_zone": "above_break_three"}),
    ],
    ids=["make", "three attempted", "three made"],
)
def test_makes_and_threes_are_compared_as_well(change: dict[str, Any], where: dict[str, Any]) -> None:
    tables = damaged(play_by_play=changed(agreeing_game()["play_by_play"], change, player_1_lookup="lalfive", **where))
    assert issues(tables, PLAYERS)["lalfive"] == ["shots_disagree"]
    assert issues(tables, OFFENSE)["LAL"][-1] == "shots_disagree"


def test_shot_credited_to_a_teammate_leaves_the_teams_zones_known() -> None:
    events = agreeing_game()["play_by_play"]
    three = next(event for event in events if event["player_1_lookup"] == "bostwo" and event["shot_type"] == "3PT")
    tables = damaged(
        play_by_play=[event | {"player_1_lookup": "bosthree"} if event is three else event for event in events],
    )
    assert issues(tables, PLAYERS) == {"bostwo": ["shots_disagree"], "bosthree": ["shots_disagree"]}
    assert issues(tables, OFFENSE) == {}


def test_two_without_a_place_makes_zones_incomplete_and_disagrees_with_nothing() -> None:
    events = changed(
        agreeing_game()["play_by_play"], {"shot_zone": None}, player_1_lookup="bostwo", shot_zone="mid_range"
    )
    tables = damaged(play_by_play=events)
    assert issues(tables, PLAYERS) == {"bostwo": ["missing_shot_zones"]}
    shooter = tables[PLAYERS]["bostwo"]
    assert (shooter["paint_attempts"], shooter["unassisted_fg_makes"], shooter["data_quality_flag"]) == (
        None,
        5,
        "complete",
    )
    assert tables[PLAYERS]["laltwo"]["mid_range_blocks"] is None
    assert issues(tables, OFFENSE) == {"BOS": ["shot_zones_unavailable"]}
    assert tables[OFFENSE]["BOS"]["second_chance_points_scored"] == 0
    assert tables[DEFENSE]["LAL"]["blocks_mid_range"] is None
    assert tables["notices"] == {}


def test_lost_free_throw_leaves_and_ones_unknown() -> None:
    tables = damaged(play_by_play=without(agreeing_game()["play_by_play"], "lalone", event_type="free throw"))
    assert issues(tables, PLAYERS) == {"lalone": ["free_throws_disagree"]}
    assert (tables[PLAYERS]["lalone"]["and1_count"], tables[PLAYERS]["laltwo"]["and1_count"]) == (None, 1)
    assert issues(tables, OFFENSE) == {"LAL": ["free_throws_disagree"]}
    assert {row["second_chance_points_scored"] for row in tables[OFFENSE].values()} == {None}
    assert issues(tables, DEFENSE) == {"LAL": ["free_throws_disagree"], "BOS": ["opponent_free_throws_disagree"]}


@pytest.mark.parametrize(
    ("words", "known"),
    [
        ("throw one of one", False),
        ("free throw", False),
        (None, False),
        ("free throw other", True),
        ("free throw technical", True),
        ("free throw flagrant 1/1", True),
        ("free throw 2/2", True),
    ],
)
def test_and_ones_and_second_chances_need_free_throws_whose_words_are_understood(
    words: str | None, *, known: bool
) -> None:
    events = changed(
        agreeing_game()["play_by_play"], {"event_subtype": words}, player_1_lookup="bosfive", event_type="free throw"
    )
    tables = damaged(play_by_play=events)
    assert tables[PLAYERS]["bosfive"]["and1_count"] == (0 if known else None)
    assert tables[PLAYERS]["lalone"]["and1_count"] == (1 if known else None)
    assert (tables[OFFENSE]["LAL"]["second_chance_points_scored"] is not None) is known
    assert issues(tables, PLAYERS) == {}


def played_after_all(minutes: str, player: str = "bostwo") -> Feeds:
    feeds = agreeing_game()
    blank: dict[str, Any] = dict.fromkeys(PLAYER_COUNTS) | {"minutes": None, "plus_minus": None}
    absent = blank | {"player_status": "inactive", "dnp_reason": "Injury/Illness"}
    feeds["player_gamebook"] = changed(feeds["player_gamebook"], absent, player_lookup=player)
    feeds["player_boxscores"] = changed(feeds["player_boxscores"], {"minutes": minutes}, player_lookup=player)
    return feeds


@pytest.mark.parametrize("player", ["bosfive", "laltwo"])
def test_the_first_and_the_last_row_of_a_box_score_overrule_a_sheet_as_well(player: str) -> None:
    row = built(**played_after_all("38:00", player))[PLAYERS][player]
    assert (row["player_status"], row["is_dnp"], row["minutes_played"]) == ("active", False, 38.0)


def test_sheet_that_says_did_not_play_loses_to_a_final_box_score_with_minutes() -> None:
    tables = built(**played_after_all("38:00"))
    row = tables[PLAYERS]["bostwo"]
    assert (row["player_status"], row["is_dnp"], row["points"], row["minutes_played"], row["dnp_reason"]) == (
        "active",
        False,
        12,
        38.0,
        None,
    )
    assert issues(tables, PLAYERS) == {"bostwo": ["backup_source_used", "sheet_says_did_not_play"]}
    assert (row["quality_score"], row["quality_tier"]) == (60.0, "bronze")
    assert tables["notices"] == {
        f"{PLAYERS}/sheet_says_did_not_play": [
            (
                f"{GAME} bostwo: not on the floor by the sheet, 38.0 minutes and 12 points by the final box score, "
                "which counts"
            )
        ]
    }
    # He is in the team's sum, and not among its inactive players.
    assert issues(tables, OFFENSE) == {}
    assert tables[OFFENSE]["BOS"]["players_inactive"] == 0


def test_box_score_without_minutes_does_not_overrule_the_sheet() -> None:
    tables = built(**played_after_all("0:00"))
    assert (tables[PLAYERS]["bostwo"]["player_status"], tables[PLAYERS]["bostwo"]["quality_issues"]) == (
        "inactive",
        ["missing_points_props"],
    )
    assert tables[OFFENSE]["BOS"]["players_inactive"] == 1


def test_points_in_no_time_are_played_minutes_that_nobody_knows() -> None:
    sheet = changed(agreeing_game()["player_gamebook"], {"minutes": "0:00"}, player_lookup="lalfour")
    tables = damaged(player_gamebook=sheet)
    row = tables[PLAYERS]["lalfour"]
    assert (row["is_dnp"], row["points"], row["minutes_played"], row["usage_rate"]) == (False, 12, None, None)
    assert (row["quality_tier"], row["data_quality_flag"]) == ("silver", "partial")
    assert issues(tables, PLAYERS) == {"lalfour": ["missing_minutes"]}
    assert len(tables[PLAYERS]) == 10


def two_games() -> Feeds:
    return together(agreeing_game(), agreeing_game("NYK", "PHI"))


def also_on(feeds: Feeds, lookup: str, team: str, **line: Any) -> Feeds:
    """Feeds with one more sheet row of a player, on a team of the second game."""
    own = next(row for row in feeds["player_gamebook"] if row["game_id"] == SECOND_GAME and row["team_abbr"] == team)
    return feeds | {
        "player_gamebook": [*feeds["player_gamebook"], own | {"player_lookup": lookup, "player_name": lookup} | line]
    }


ABSENT: dict[str, Any] = dict.fromkeys(PLAYER_COUNTS) | {"minutes": None, "plus_minus": None}


@pytest.mark.parametrize("status", ["inactive", "dnp", "active"])
def test_of_two_sheets_of_one_date_the_game_that_he_played_counts(status: str) -> None:
    tables = built(**also_on(two_games(), "bostwo", "PHI", player_status=status, **ABSENT))
    row = tables[PLAYERS]["bostwo"]
    assert (row["game_id"], row["team_abbr"], row["points"]) == (GAME, "BOS", 12)
    assert (len(tables[PLAYERS]), tables["failures"]) == (20, {})
    assert tables["notices"] == {
        f"{PLAYERS}/player_on_two_sheets": [
            f"bostwo: the row of {SECOND_GAME} (PHI), {status}, is left out for that of another game"
        ]
    }


@pytest.mark.parametrize(
    ("first", "second", "kept"),
    [("inactive", "dnp", SECOND_GAME), ("dnp", "inactive", GAME), ("inactive", "inactive", SECOND_GAME)],
)
def test_who_played_in_neither_game_keeps_the_sheet_he_was_dressed_for_else_the_last(
    first: str, second: str, kept: str
) -> None:
    feeds = also_on(two_games(), "traded", "PHI", player_status=second, **ABSENT)
    feeds["player_gamebook"] = [
        feeds["player_gamebook"][-1] | {"game_id": GAME, "team_abbr": "BOS", "player_status": first},
        *feeds["player_gamebook"],
    ]
    tables = built(**feeds)
    assert (tables[PLAYERS]["traded"]["game_id"], tables["failures"]) == (kept, {})
    assert len(tables["notices"][f"{PLAYERS}/player_on_two_sheets"]) == 1


def test_two_played_games_of_one_name_on_one_date_are_one_failure_and_others_are_published() -> None:
    tables = built(**also_on(two_games(), "bostwo", "PHI"))
    assert "bostwo" not in tables[PLAYERS]
    assert len(tables[PLAYERS]) == 19
    assert tables["failures"].keys() == {f"{PLAYERS}/bostwo"}
    failure = tables["failures"][f"{PLAYERS}/bostwo"]
    assert (failure["failure_category"], failure["can_retry"]) == ("MISSING_RAW_DATA", True)
    assert failure["failure_reason"] == (
        f"bostwo played in {GAME} (BOS) and in {SECOND_GAME} (PHI) on one date: two players share this name, or a "
        "sheet names the wrong player"
    )


def quarantined(feed: str, game_id: str | None = GAME, day: date = DAY) -> list[dict[str, Any]]:
    stamp = datetime(2025, 1, 16, tzinfo=UTC)
    return [
        {
            "table_name": feed,
            "partition_date": day,
            "file": f"{feed}.parquet",
            "row_number": 1,
            "reason": "r",
            "game_id": game_id,
            "run_id": "test",
            "created_at": stamp,
        }
    ]


@pytest.mark.parametrize(
    ("feed", "teams", "players"),
    [
        ("play_by_play", True, True),
        ("player_gamebook", True, True),
        ("player_boxscores", True, True),
        ("team_boxscores", True, False),
        ("game_lines", False, False),
    ],
)
def test_game_with_quarantined_rows_is_not_called_complete(feed: str, *, teams: bool, players: bool) -> None:
    tables = built(**two_games(), raw_quarantine=quarantined(feed))
    named = {"BOS": ["rows_quarantined"], "LAL": ["rows_quarantined"]} if teams else {}
    assert issues(tables, OFFENSE) == issues(tables, DEFENSE) == named
    concerned = teammates("bos", "rows_quarantined") | teammates("lal", "rows_quarantined") if players else {}
    assert issues(tables, PLAYERS) == concerned
    assert {row["data_quality_flag"] for name, row in tables[PLAYERS].items() if name in concerned} == (
        {"partial"} if players else set()
    )
    assert (tables[PLAYERS]["nykone"]["data_quality_flag"], tables[PLAYERS]["nykone"]["quality_score"]) == (
        "complete",
        100.0,
    )
    assert (
        tables[OFFENSE]["BOS"]["quality_score"] == tables[DEFENSE]["BOS"]["quality_score"] == (95.0 if teams else 100.0)
    )


def test_quarantined_row_of_an_unknown_game_is_held_against_nobody() -> None:
    tables = damaged(raw_quarantine=quarantined("play_by_play", None))
    assert issues(tables, OFFENSE) == issues(tables, PLAYERS) == {}


def test_team_without_box_row_nor_sheet_is_the_sum_of_its_live_box_rows() -> None:
    feeds = agreeing_game()
    feeds["team_boxscores"] = [row for row in feeds["team_boxscores"] if row["team_abbr"] != "LAL"]
    feeds["player_gamebook"] = [row for row in feeds["player_gamebook"] if row["team_abbr"] != "LAL"]
    tables = built(**feeds)
    row = tables[OFFENSE]["LAL"]
    assert (row["points_scored"], row["players_inactive"], row["primary_source_used"]) == (60, None, "nbac_boxscores")
    assert row["data_sources"] == ["play_by_play", "player_boxscores"]
    assert issues(tables, OFFENSE) == {"LAL": ["backup_source_used", "reconstructed"]}
    assert tables[DEFENSE]["BOS"]["primary_source_used"] == "nbac_boxscores"
    assert tables[DEFENSE]["LAL"]["primary_source_used"] == "nbac_team_boxscore+nbac_boxscores"
    assert tables[DEFENSE]["BOS"]["data_sources"] == [
        "play_by_play",
        "player_boxscores",
        "player_gamebook",
        "team_boxscores",
    ]


def test_final_game_without_a_type_is_reported_by_name() -> None:
    feeds = two_games()
    feeds["schedule"] = changed(feeds["schedule"], {"is_regular_season": False}, game_id=SECOND_GAME)
    tables = built(**feeds)
    assert tables[OFFENSE].keys() == {"BOS", "LAL"}
    assert tables["notices"] == {
        f"{OFFENSE}/untyped_finals": [
            f"{SECOND_GAME} is final, but by the schedule neither a regular-season nor a play-off game: it has no rows"
        ]
    }


@pytest.mark.parametrize(
    "change",
    [{"is_all_star": True}, {"game_status": 1}, {"home_team_score": None}, {"is_playoffs": True}],
    ids=["all-star", "to come", "no score", "typed"],
)
def test_game_that_is_no_final_or_has_a_type_is_not_reported(change: dict[str, Any]) -> None:
    feeds = two_games()
    feeds["schedule"] = changed(feeds["schedule"], {"is_regular_season": False} | change, game_id=SECOND_GAME)
    assert "team_offense_game_summary/untyped_finals" not in built(**feeds)["notices"]


def test_preseason_game_is_not_reported() -> None:
    before = date(2025, 1, 14)
    preseason = agreeing_game("NYK", "PHI", before)
    preseason["schedule"] = [row | {"is_regular_season": False} for row in preseason["schedule"]]
    assert built_on(before, together(agreeing_game(), preseason))["notices"] == {}


def test_games_that_the_schedule_lacks_are_reported_for_each_feed() -> None:
    feeds = two_games()
    feeds["schedule"] = [row for row in feeds["schedule"] if row["game_id"] == GAME]
    feeds["player_gamebook"] = [row for row in feeds["player_gamebook"] if row["player_lookup"] != "nykone"]
    tables = built(**feeds)
    assert tables["notices"][f"{OFFENSE}/unknown_games"] == [
        f"{SECOND_GAME}: {feed} has rows of this game, the schedule does not know it"
        for feed in ("team_boxscores", "player_gamebook", "player_boxscores", "play_by_play")
    ]


def test_game_whose_home_and_away_are_exchanged_is_said_to_be_so() -> None:
    events = [
        event | {"game_id": "20250115_BOS_LAL", "home_team_abbr": "LAL", "away_team_abbr": "BOS"}
        for event in agreeing_game()["play_by_play"]
    ]
    tables = damaged(play_by_play=events)
    assert tables["notices"] == {
        f"{OFFENSE}/unknown_games": [
            (
                f"20250115_BOS_LAL: play_by_play has rows of this game, the schedule does not know it, but has {GAME}: "
                "home and away are exchanged"
            )
        ]
    }
    assert issues(tables, OFFENSE) == {"BOS": ["shot_zones_unavailable"], "LAL": ["shot_zones_unavailable"]}


def test_final_without_a_score_is_no_final_and_has_neither_rows_nor_failures() -> None:
    feeds = two_games()
    feeds["schedule"] = changed(
        feeds["schedule"], {"home_team_score": None, "away_team_score": None}, game_id=SECOND_GAME
    )
    tables = built(**feeds)
    assert tables[OFFENSE].keys() == tables[DEFENSE].keys() == {"BOS", "LAL"}
    assert {row["game_id"] for row in tables[PLAYERS].values()} == {GAME}
    assert tables["failures"] == {}


def test_lines_and_totals_of_another_feed_than_their_own_are_reported() -> None:
    feeds = agreeing_game()
    lacking = {name: [row for row in feeds[name] if row.get(key) != value] for name, key, value in LEFT_OUT}
    assert damaged(**lacking)["notices"] == {
        f"{OFFENSE}/backup_source_used": [
            f"{GAME} BOS: team_boxscores has no row with points and shots, its players are summed"
        ],
        f"{PLAYERS}/backup_source_used": [f"{GAME}: player_gamebook lacks laltwo; player_boxscores is used"],
    }
    nobody = damaged(player_gamebook=[])["notices"]
    assert nobody == {
        f"{PLAYERS}/backup_source_used": [f"{GAME}: player_gamebook lacks all of its players; player_boxscores is used"]
    }


LEFT_OUT = (("team_boxscores", "team_abbr", "BOS"), ("player_gamebook", "player_lookup", "laltwo"))
