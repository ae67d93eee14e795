"""The league's payloads as rows of the raw contract: invented games, and real responses where they are recorded."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import date
from typing import Any

import numpy as np
import pytest

from nba_assets.providers.delivery import ProviderError, Row, to_table
from nba_assets.providers.games import Game
from nba_assets.providers.league.box_scores import (
    BoxScore,
    inactive_players,
    live_box_score,
    result_rows,
    statistics_box_score,
    v2_entry,
)
from nba_assets.providers.league.play_by_play import live_events, statistics_events
from nba_assets.providers.league.rosters import roster_rows
from nba_assets.providers.league.schedule import scheduled_games
from nba_assets.providers.people import GamePeople, Person
from nba_assets.raw.tables import RAW_TABLES
from nba_assets.tables.spec import Columns
from nba_assets_tests.providers.conftest import NOW, accepted
from nba_assets_tests.providers.invented_game import AWAY, DAY, HOME, LEAGUE_ID, InventedGame, schedule, schedule_entry

GAME = Game(DAY, 2024, HOME, AWAY, LEAGUE_ID)
Recorded = Callable[[str], Any]


def live() -> BoxScore:
    return live_box_score(InventedGame().live_box_score(), GAME)


def statistics() -> BoxScore:
    return statistics_box_score(
        InventedGame().statistics_box_score(), GAME, inactive_players(InventedGame().summary_v3(), GAME)
    )


def assert_box_is_whole(tables: dict[str, list[Row]], score: tuple[int, int] | None = None) -> Columns:
    """The players' sums are the team rows, both feeds of players agree, and the points are the final score; returns the
    box score's columns.
    """
    players, teams = (
        accepted("player_boxscores", tables["player_boxscores"]),
        accepted("team_boxscores", tables["team_boxscores"]),
    )
    sheet = accepted("player_gamebook", tables["player_gamebook"])
    pairs = {
        "points": "points",
        "field_goals_attempted": "fg_attempted",
        "three_pointers_made": "three_pt_made",
        "total_rebounds": "total_rebounds",
    }
    pairs |= {
        "free_throws_attempted": "ft_attempted",
        "assists": "assists",
        "turnovers": "turnovers",
        "blocks": "blocks",
    }
    for place, team in enumerate(teams["team_abbr"]):
        for ours, theirs in pairs.items():
            assert (
                players[ours][players["team_abbr"] == team].sum()
                == teams[theirs][place]
                == np.nansum(sheet[ours][sheet["team_abbr"] == team])
            )
    assert sorted(teams["is_home"]) == [0, 1]
    assert teams["plus_minus"].sum() == 0
    if score is not None:
        assert tuple(teams["points"][np.argsort(-teams["is_home"])]) == score
    assert set(players["player_lookup"]) == set(sheet["player_lookup"][sheet["player_status"] == "active"])
    return players


def assert_events_are_those_of_the_box(events: Columns, box: Columns) -> None:
    """Attempts, points, assists, blocks and steals of each player by the play-by-play equal his box score."""
    told = {
        "field_goals_attempted": Counter(events["player_1_lookup"][events["event_type"] == "shot"]),
        "free_throws_attempted": Counter(events["player_1_lookup"][events["event_type"] == "free throw"]),
        **{
            f"{role}s": Counter(events["player_2_lookup"][events["player_2_role"] == role])
            for role in ("assist", "block", "steal")
        },
    }
    scoring = np.isin(events["event_type"].astype(str), ["shot", "free throw"])
    for place, lookup in enumerate(box["player_lookup"]):
        assert {name: counts[lookup] for name, counts in told.items()} == {name: box[name][place] for name in told}, (
            lookup
        )
        assert (
            np.nansum(events["points_scored"][scoring & (events["player_1_lookup"] == lookup)]) == box["points"][place]
        ), lookup


def test_a_game_of_the_live_feed_comes_out_whole() -> None:
    game, box = InventedGame(), live()
    rows = live_events(game.live_play_by_play(), GAME, box.people)
    assert len(rows) == len(game.live_play_by_play()["game"]["actions"])
    events = accepted("play_by_play", rows)
    assert_events_are_those_of_the_box(events, assert_box_is_whole(box.tables(), (game.score[HOME], game.score[AWAY])))
    assert (events["score_home"][-1], events["score_away"][-1]) == (game.score[HOME], game.score[AWAY])


def test_a_game_of_the_statistics_site_comes_out_whole() -> None:
    game, box = InventedGame(), statistics()
    rows = statistics_events(game.statistics_play_by_play(), GAME, box.people)
    assert len({row["event_sequence"] for row in rows}) == len(game.statistics_play_by_play()["game"]["actions"])
    assert_events_are_those_of_the_box(
        accepted("play_by_play", rows), assert_box_is_whole(box.tables(), (game.score[HOME], game.score[AWAY]))
    )


@pytest.mark.parametrize("table", ["player_gamebook", "player_boxscores", "team_boxscores"])
def test_the_two_sources_of_the_league_give_equal_rows(table: str) -> None:
    one, other = accepted(table, live().tables()[table]), accepted(table, statistics().tables()[table])
    keys = [rows["player_lookup" if "player_lookup" in rows else "team_abbr"].astype(str) for rows in (one, other)]
    orders = [np.argsort(key) for key in keys]
    for name in set(one) - {"dnp_reason"}:
        assert one[name][orders[0]].astype(str).tolist() == other[name][orders[1]].astype(str).tolist(), name


def test_the_two_sources_tell_the_same_shots() -> None:
    told = []
    for rows in (
        live_events(InventedGame().live_play_by_play(), GAME, live().people),
        statistics_events(InventedGame().statistics_play_by_play(), GAME, statistics().people),
    ):
        events = accepted("play_by_play", rows)
        names = (
            "event_type",
            "player_1_lookup",
            "player_1_id",
            "player_2_lookup",
            "player_2_role",
            "shot_type",
            "points_scored",
            "game_clock_seconds",
        )
        told.append([tuple(map(str, row)) for row in zip(*(events[name] for name in names), strict=True)])
    assert told[0] == told[1]


def test_names_keep_suffixes_and_lose_accents_and_carry_the_league_s_ids() -> None:
    box = accepted("player_boxscores", live().tables()["player_boxscores"])
    assert {"zarkodilas", "samfosterjr", "oneilstclairiii", "bensaric"} <= set(box["player_lookup"])
    events = accepted(
        "play_by_play", statistics_events(InventedGame().statistics_play_by_play(), GAME, statistics().people)
    )
    ids = dict(zip(box["player_lookup"], box["player_id"], strict=True))
    named = ~np.array([lookup is None for lookup in events["player_1_lookup"]])
    assert [ids[lookup] for lookup in events["player_1_lookup"][named]] == events["player_1_id"][named].tolist()


def test_who_did_not_play_is_on_the_sheet_with_the_reason_and_without_counts() -> None:
    for box, reasons in (
        (live(), ("DNP - Coach", "Inactive - Injury: Left Knee; Sprain")),
        (statistics(), ("DNP - Coach's Decision", None)),
    ):
        sheet = accepted("player_gamebook", box.tables()["player_gamebook"])
        by_key = {key: place for place, key in enumerate(sheet["player_lookup"])}
        assert [sheet["player_status"][by_key[key]] for key in ("cybench", "alhurt")] == ["dnp", "inactive"]
        assert tuple(sheet["dnp_reason"][by_key[key]] for key in ("cybench", "alhurt")) == reasons
        assert np.isnan(sheet["points"][[by_key["cybench"], by_key["alhurt"]]]).all()


@pytest.mark.parametrize(
    ("minutes", "comment", "status"),
    [("0:00", "", "active"), ("0:00", "DND - Rest", "inactive"), ("", "", "dnp"), ("5:00", "", "active")],
)
def test_no_time_with_a_reason_is_no_appearance(minutes: str, comment: str, status: str) -> None:
    payload = InventedGame().statistics_box_score()
    payload["boxScoreTraditional"]["homeTeam"]["players"][5]["comment"] = comment
    payload["boxScoreTraditional"]["homeTeam"]["players"][5]["statistics"] = dict.fromkeys(
        InventedGame().counts([]), 0
    ) | {"minutes": minutes}
    sheet = accepted("player_gamebook", statistics_box_score(payload, GAME).tables()["player_gamebook"])
    assert sheet["player_status"][sheet["player_lookup"] == "bensaric"].tolist() == [status]


def test_both_forms_of_the_summary_name_the_same_inactive_players() -> None:
    assert inactive_players(InventedGame().summary_v2(), GAME) == inactive_players(InventedGame().summary_v3(), GAME)


def test_starters_are_those_who_started_in_both_sources() -> None:
    for box in (live(), statistics()):
        rows = accepted("player_boxscores", box.tables()["player_boxscores"])
        assert rows["starter"].sum() == 10
        assert all(
            (position is not None) == (starter == 1)
            for position, starter in zip(rows["position"], rows["starter"], strict=True)
        )


def test_a_game_that_is_not_over_is_no_box_score() -> None:
    with pytest.raises(ProviderError, match=r"20250115_ATL_BOS .* is not final yet; fetch its date again later"):
        live_box_score(InventedGame().live_box_score(status=2), GAME)


@pytest.mark.parametrize(
    ("descriptor", "told"),
    [
        ("technical", "free throw technical"),
        ("flagrant-type-1", "free throw flagrant 1/1"),
        ("clearpath", "free throw clear path 1/1"),
        (None, "free throw 1/1"),
    ],
)
def test_free_throws_of_the_live_feed_keep_their_kind(descriptor: str | None, told: str) -> None:
    payload = InventedGame().live_play_by_play()
    throw = next(action for action in payload["game"]["actions"] if action["actionType"] == "freethrow")
    payload["game"]["actions"] = [throw | {"subType": "1 of 1", "descriptor": descriptor}]
    events = accepted("play_by_play", live_events(payload, GAME, live().people))
    assert events["event_subtype"].tolist() == [told]


def test_events_of_the_live_feed_are_numbered_in_the_order_of_the_game() -> None:
    payload = InventedGame().live_play_by_play()
    first, second = payload["game"]["actions"][1:3]
    payload["game"]["actions"] = [second, first | {"actionNumber": 999}]
    rows = live_events(payload, GAME, live().people)
    assert [row["event_sequence"] for row in rows] == [second["orderNumber"], first["orderNumber"]]
    del first["orderNumber"]
    payload["game"]["actions"] = [first]
    assert [row["event_sequence"] for row in live_events(payload, GAME, live().people)] == [first["actionNumber"]]


def test_a_player_whom_the_summary_lists_beside_the_box_score_is_on_the_sheet_once() -> None:
    twice = statistics_box_score(
        InventedGame().statistics_box_score(), GAME, [Person("1380", "Żarko Đilas", HOME), Person("1", "Al Hurt", HOME)]
    )
    lookups = [entry.person.lookup for entry in twice.entries]
    assert lookups.count("zarkodilas") == lookups.count("alhurt") == 1


def test_a_family_name_that_two_team_mates_have_needs_the_beginning_of_the_first_name() -> None:
    people = GamePeople(
        [
            Person("1", "Jalo Reed", "BOS", "Reed"),
            Person("2", "Kim Reed", "BOS", "Reed"),
            Person("3", "Lou Reed", "ATL", "Reed"),
        ]
    )
    assert people.by_short_name("BOS", "Reed") is None
    assert people.by_short_name("BOS", "Ki. Reed") == people.by_id("2")
    assert people.by_short_name("ATL", "Reed") == people.by_id(3)
    assert people.by_short_name("BOS", "X. Reed") is None


def test_the_schedule_tells_finals_games_to_come_and_games_that_were_not_played() -> None:
    payload = schedule(
        [
            InventedGame().schedule_entry(),
            schedule_entry(date(2025, 1, 16), "CLE", "NYK", "0022400570"),
            schedule_entry(date(2025, 1, 17), "NYK", "CLE", "0022400571", text="PPD"),
            schedule_entry(date(2025, 4, 20), "CLE", "ATL", "0042400101", text="TBD"),
            schedule_entry(date(2024, 12, 17), "NYK", "CLE", "0062400001", 3, score={"NYK": 100, "CLE": 99}),
            schedule_entry(date(2024, 10, 8), "BOS", "RMD", "0012400001"),
            schedule_entry(date(2025, 5, 8), "", "", "0042400301", text="TBD"),
        ]
    )
    games, remarks = scheduled_games(payload)
    rows = accepted("schedule", [scheduled.row for scheduled in games])
    assert rows["game_id"].tolist() == [
        "20250115_ATL_BOS",
        "20250116_NYK_CLE",
        "20250117_CLE_NYK",
        "20250420_ATL_CLE",
        "20241217_CLE_NYK",
    ]
    assert rows["game_status"].tolist() == [3, 1, 4, 1, 3]
    assert rows["is_regular_season"].tolist() == [1, 1, 1, 0, 0]
    assert rows["is_playoffs"].tolist() == [0, 0, 0, 1, 0]
    assert rows["winning_team_abbr"].tolist() == ["BOS", None, None, None, "NYK"]
    assert rows["home_team_score"].tolist()[0] == InventedGame().score["BOS"]
    assert np.isnan(rows["home_team_score"][1:4]).all()
    assert np.isnat(rows["game_time_utc"]).tolist() == [False, False, False, True, False]
    assert remarks == ["schedule 2024: 2 games left out that are not between two known teams of the league"]


def test_a_row_of_a_column_that_the_contract_lacks_is_an_error_of_the_mapping() -> None:
    with pytest.raises(ValueError, match="rosters has no column jersey"):
        to_table(RAW_TABLES["rosters"], [{"jersey": 3}], NOW)


class TestRecorded:
    def test_a_real_game_of_the_live_feed_comes_out_whole(self, recorded: Recorded) -> None:
        game = Game(date(2020, 12, 22), 2020, "BKN", "GSW", "0022000001")
        box = live_box_score(recorded("cdn_boxscore_0022000001.json"), game)
        payload = recorded("cdn_playbyplay_0022000001.json")
        rows = live_events(payload, game, box.people)
        assert len({row["event_sequence"] for row in rows}) == len(payload["game"]["actions"]) == 610
        events = accepted("play_by_play", rows)
        assert_events_are_those_of_the_box(events, assert_box_is_whole(box.tables(), (125, 99)))
        assert (events["score_home"][-1], events["score_away"][-1]) == (125, 99)
        assert "kellyoubrejr" in events["player_1_lookup"]

    @pytest.mark.parametrize(
        ("file", "game", "score", "key"),
        [
            (
                "nba_api_boxscoretraditionalv3_0022500165.json",
                Game(date(2025, 11, 4), 2025, "TOR", "MIL", "0022500165"),
                (128, 100),
                "garytrentjr",
            ),
            (
                "nba_api_boxscoretraditionalv3_cassette.json",
                Game(date(2023, 1, 2), 2022, "CLE", "CHI", "0022200552"),
                (145, 134),
                "nikolavucevic",
            ),
        ],
    )
    def test_a_real_box_score_of_the_statistics_site_comes_out_whole(
        self, recorded: Recorded, file: str, game: Game, score: tuple[int, int], key: str
    ) -> None:
        assert key in assert_box_is_whole(statistics_box_score(recorded(file), game).tables(), score)["player_lookup"]

    def test_a_real_play_by_play_v3_keeps_every_action_and_folds_blocks_and_steals_into_their_plays(
        self, recorded: Recorded
    ) -> None:
        payload, game = (
            recorded("nba_api_playbyplayv3_0022400001.json"),
            Game(date(2024, 11, 12), 2024, "BOS", "ATL", "0022400001"),
        )
        actions = payload["game"]["actions"]
        people = {
            action["personId"]: Person(
                str(action["personId"]), action["playerNameI"], action["teamTricode"], action["playerName"]
            )
            for action in actions
        }
        events = accepted("play_by_play", statistics_events(payload, game, GamePeople(people.values())))
        assert len(set(events["event_sequence"])) == len(actions) == 475
        assert (events["event_type"] == "shot").sum() == sum(action["isFieldGoal"] for action in actions)
        for role in ("block", "steal"):
            assert (
                (events["player_2_role"] == role).sum()
                == (events["event_type"] == role).sum()
                == sum(f"{role.upper()} (" in action["description"] for action in actions)
            )
        assists = events["player_2_role"] == "assist"
        assert assists.sum() == sum(" AST)" in action["description"] for action in actions)
        assert all(lookup is not None for lookup in events["player_2_lookup"][assists])
        assert np.nansum(events["points_scored"]) == np.nanmax(events["score_home"]) + np.nanmax(events["score_away"])

    def test_real_inactive_players(self, recorded: Recorded) -> None:
        game = Game(date(2019, 10, 22), 2019, "TOR", "NOP", "0021900001")
        found = Counter(
            person.team for person in inactive_players(recorded("stats_boxscoresummaryv2_0021900001.json"), game)
        )
        assert found == {"NOP": 4, "TOR": 3}

    def test_a_real_roster(self, recorded: Recorded) -> None:
        rows = accepted("rosters", roster_rows(recorded("nba_api_commonteamroster.json"), date(2026, 2, 20)))
        assert set(rows["team_abbr"]) == {"CLE"}
        assert len(set(rows["player_lookup"])) == 19
        assert {"dennisschroder", "larrynancejr"} <= set(rows["player_lookup"])
        assert str(rows["birth_date"][rows["player_lookup"] == "jarrettallen"][0]) == "1998-04-21"

    def test_a_real_schedule_with_guests_and_rounds_that_are_open(self, recorded: Recorded) -> None:
        games, remarks = scheduled_games(recorded("cdn_scheduleleaguev2_2023_reduced.json"))
        rows = accepted("schedule", [scheduled.row for scheduled in games])
        assert len(rows["game_id"]) == 12
        assert "20240111_BKN_CLE" in rows["game_id"]
        assert "10 games left out" in remarks[0]

    def test_a_real_box_score_of_the_old_form(self, recorded: Recorded) -> None:
        payload = recorded("stats_boxscoretraditionalv2_0022100732.json")
        entries = [v2_entry(row, row["TEAM_ABBREVIATION"]) for row in result_rows(payload, "PlayerStats")]
        totals = {row["TEAM_ABBREVIATION"]: row["PTS"] for row in result_rows(payload, "TeamStats")}
        points = Counter[str]()
        for entry in entries:
            points[entry.person.team] += entry.statistics["points"] or 0
        assert points == totals
