"""Files of other providers than the league: ESPN's season files, CSV collections, The Odds API, the injury report; all
rows invented.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from nba_assets.cli import app
from nba_assets.providers.check import check_landing
from nba_assets.providers.delivery import Delivery, Provider, ProviderError
from nba_assets.providers.espn import EspnFolder
from nba_assets.providers.games_csv import GamesCsvFolder
from nba_assets.providers.injury_report import InjuryReportFolder, time_in_name
from nba_assets.providers.landing_writer import LandingWriter
from nba_assets.providers.odds_api import OddsApiFolder, american
from nba_assets.raw.landing import FolderLandingZone, LandingZoneError
from nba_assets.tables.spec import Columns
from nba_assets_tests.providers.conftest import NOW, accepted
from nba_assets_tests.providers.invented_game import InventedGame, Play, Player

GAME = InventedGame()
ESPN_ID, ESPN_HOME, ESPN_AWAY = 401700001, 2, 1
NOTHING = -214748340


def silent(_: str) -> None: ...


def delivered(provider: Provider) -> tuple[dict[str, Columns], list[str]]:
    """The accepted rows of each raw table over all deliveries, and the remarks."""
    tables: dict[str, list[Any]] = {}
    remarks: list[str] = []
    for delivery in provider.deliveries():
        remarks += delivery.remarks
        for name, rows in delivery.tables.items():
            tables.setdefault(name, []).extend(rows)
    return {name: accepted(name, rows) for name, rows in tables.items()}, remarks


def assert_whole(tables: dict[str, Columns]) -> None:
    """Players' sums are the team rows, and those the final score."""
    players, teams, schedule = tables["player_boxscores"], tables["team_boxscores"], tables["schedule"]
    for place, team in enumerate(teams["team_abbr"]):
        for ours, theirs in {
            "points": "points",
            "field_goals_attempted": "fg_attempted",
            "total_rebounds": "total_rebounds",
        }.items():
            assert players[ours][players["team_abbr"] == team].sum() == teams[theirs][place]
        assert (
            teams["points"][place]
            == schedule["home_team_score" if teams["is_home"][place] == 1 else "away_team_score"][0]
        )


ESPN_NAMES = {"points": "points", "field_goals_made": "fieldGoalsMade", "field_goals_attempted": "fieldGoalsAttempted"}
ESPN_NAMES |= {
    "three_point_field_goals_made": "threePointersMade",
    "three_point_field_goals_attempted": "threePointersAttempted",
}
ESPN_NAMES |= {
    "free_throws_made": "freeThrowsMade",
    "free_throws_attempted": "freeThrowsAttempted",
    "assists": "assists",
    "steals": "steals",
}
ESPN_NAMES |= {
    "offensive_rebounds": "reboundsOffensive",
    "defensive_rebounds": "reboundsDefensive",
    "rebounds": "reboundsTotal",
}
ESPN_NAMES |= {"blocks": "blocks", "turnovers": "turnovers", "fouls": "foulsPersonal"}


class TestEspn:
    @classmethod
    def write(cls, folder: Path, suffix: str = ".parquet", without: Sequence[str] = (), **changes: Any) -> EspnFolder:
        folder.mkdir(exist_ok=True)
        frames = {
            "nba_schedule_2025": [cls.schedule_row() | changes],
            "player_box_2025": [
                cls.player_row(player)
                for squad in GAME.squads.values()
                for player in squad
                if player.absence != "inactive"
            ],
            "team_box_2025": [cls.team_row(team) for team in GAME.squads],
            "play_by_play_2025": [cls.event_row(number, play) for number, play in enumerate(GAME.plays, start=1)],
        }
        for name, rows in frames.items():
            if not any(kind in name for kind in without):
                frame = pd.DataFrame(rows)
                file = folder / f"{name}{suffix}"
                frame.to_parquet(file) if suffix == ".parquet" else frame.to_csv(file, index=False)
        return EspnFolder(folder, silent)

    @staticmethod
    def schedule_row() -> dict[str, Any]:
        return {
            **{
                "game_id": ESPN_ID,
                "season": 2025,
                "season_type": 2,
                "date": "2025-01-16T00:30Z",
                "time_valid": True,
                "neutral_site": False,
            },
            **{
                "home_abbreviation": "BOS",
                "away_abbreviation": "ATL",
                "home_score": GAME.score["BOS"],
                "away_score": GAME.score["ATL"],
            },
            **{"status_type_name": "STATUS_FINAL", "venue_full_name": "TD Garden", "notes_headline": None},
        }

    @classmethod
    def player_row(cls, player: Player) -> dict[str, Any]:
        counts = GAME.counts([player])
        nothing = player.absence is not None
        return {
            **{
                "game_id": ESPN_ID,
                "athlete_id": float(player.number + 5000),
                "athlete_display_name": player.name,
                "starter": player.starter,
            },
            **{
                "home_away": "home" if player.team == "BOS" else "away",
                "minutes": None if nothing else 31.0,
                "plus_minus": None if nothing else "+5",
            },
            **{
                "did_not_play": nothing,
                "reason": "COACH'S DECISION" if nothing else None,
                "athlete_position_abbreviation": "SF",
            },
            **{name: None if nothing else counts[theirs] for name, theirs in ESPN_NAMES.items()},
        }

    @classmethod
    def team_row(cls, team: str) -> dict[str, Any]:
        counts = GAME.counts(GAME.squads[team])
        told = {name: counts[theirs] for name, theirs in ESPN_NAMES.items()} | {
            "total_rebounds": counts["reboundsTotal"]
        }
        other = next(name for name in GAME.squads if name != team)
        scores = {"team_score": GAME.score[team], "opponent_team_score": GAME.score[other]}
        return {"game_id": ESPN_ID, "team_home_away": "home" if team == "BOS" else "away", **told, **scores}

    @staticmethod
    def event_row(number: int, play: Play) -> dict[str, Any]:
        shooting = play.kind in ("shot", "free throw")
        words = {
            "shot": "Jump Shot",
            "free throw": f"Free Throw - {play.turn}",
            "rebound": "Defensive Rebound",
            "turnover": "Bad Pass\nTurnover",
        }
        name, second = play.player.name, play.second.name if play.second else ""
        text = (
            f"{name} {'makes' if play.made else 'misses'} "
            f"{'26-foot three point' if play.worth == 3 else '4-foot two point'} shot"
        )
        text = f"{second} blocks {name}'s 4-foot shot" if play.kind == "shot" and second and not play.made else text
        text = f"{name} bad pass ({second} steals)" if play.kind == "turnover" and second else text
        return {
            **{
                "game_id": ESPN_ID,
                "sequence_number": str(number * 3),
                "game_play_number": number,
                "type_text": words[play.kind],
                "text": text,
            },
            **{
                "period_number": 1,
                "period": 1,
                "clock_display_value": "9:05" if number < 50 else "48.2",
                "home_score": 0,
                "away_score": 0,
            },
            **{
                "shooting_play": shooting,
                "scoring_play": play.made,
                "score_value": play.worth if play.made else 0,
                "home_team_id": ESPN_HOME,
            },
            **{
                "team_id": float(ESPN_HOME if play.player.team == "BOS" else ESPN_AWAY),
                "athlete_id_1": float(play.player.number + 5000),
            },
            **{"athlete_id_2": float(play.second.number + 5000) if play.second else None},
            **{
                "coordinate_x_raw": 25.0 if play.kind == "shot" else NOTHING,
                "coordinate_y_raw": 4.0 if play.kind == "shot" else NOTHING,
            },
        }

    @pytest.mark.parametrize("suffix", [".parquet", ".csv"])
    def test_a_game_comes_out_whole(self, tmp_path: Path, suffix: str) -> None:
        tables, remarks = delivered(self.write(tmp_path / "espn", suffix))
        assert remarks == []
        assert_whole(tables)
        box, events = tables["player_boxscores"], tables["play_by_play"]
        assert len(events["event_sequence"]) == len(GAME.plays)
        for place, lookup in enumerate(box["player_lookup"]):
            mine = events["player_1_lookup"] == lookup
            assert (mine & (events["event_type"] == "shot")).sum() == box["field_goals_attempted"][place]
            assert (mine & (events["event_type"] == "free throw")).sum() == box["free_throws_attempted"][place]
            assert np.nansum(events["points_scored"][mine]) == box["points"][place]
            for role in ("assist", "block", "steal"):
                assert ((events["player_2_lookup"] == lookup) & (events["player_2_role"] == role)).sum() == box[
                    f"{role}s"
                ][place]

    def test_places_and_distances_are_those_from_the_hoop(self, tmp_path: Path) -> None:
        events = delivered(self.write(tmp_path / "espn"))[0]["play_by_play"]
        shots = events["event_type"] == "shot"
        assert set(events["loc_x"][shots]) == {0}
        assert set(events["loc_y"][shots]) == {40}
        assert set(events["shot_distance"][shots]) == {4, 26}
        assert np.isnan(events["loc_x"][~shots]).all()

    def test_the_date_is_the_eastern_one_and_the_season_begins_in_the_year_before(self, tmp_path: Path) -> None:
        schedule = delivered(self.write(tmp_path / "espn"))[0]["schedule"]
        assert schedule["game_id"].tolist() == ["20250115_ATL_BOS"]
        assert schedule["season_year"].tolist() == [2024]

    def test_ids_are_espn_s_own_and_do_not_look_like_the_league_s(self, tmp_path: Path) -> None:
        tables, _ = delivered(self.write(tmp_path / "espn"))
        assert all(own_id.startswith("espn:") for own_id in tables["player_boxscores"]["player_id"])
        assert all(own_id.startswith("espn:") for own_id in tables["play_by_play"]["player_1_id"])

    def test_a_player_who_played_for_seconds_keeps_his_counts_without_minutes(self, tmp_path: Path) -> None:
        folder = self.write(tmp_path / "espn")
        file = tmp_path / "espn" / "player_box_2025.parquet"
        frame = pd.read_parquet(file)
        frame.loc[0, "minutes"] = 0.0
        frame.to_parquet(file)
        tables, _ = delivered(folder)
        assert tables["player_boxscores"]["minutes"].tolist().count(None) == 1
        assert_whole(tables)

    def test_what_is_missing_is_said_and_the_rest_lands(self, tmp_path: Path) -> None:
        tables, remarks = delivered(self.write(tmp_path / "espn", without=["play_by_play"]))
        assert remarks == ["espn 2025: there is no file of play_by_play, its rows stay absent"]
        assert_whole(tables)
        with pytest.raises(
            ProviderError, match=r"holds no season file of the schedule, such as nba_schedule_2024\.parquet"
        ):
            delivered(self.write(tmp_path / "other", without=["schedule"]))

    @pytest.mark.parametrize(
        ("changes", "told"),
        [
            ({"season_type": 3}, (3, 0, 1)),
            ({"season_type": 5}, (3, 0, 1)),
            ({"season_type": 1}, (3, 0, 0)),
            ({"notes_headline": "NBA Cup - Championship"}, (3, 0, 0)),
            ({"notes_headline": "NBA Cup - Group Play"}, (3, 1, 0)),
            ({"status_type_name": "STATUS_POSTPONED"}, (4, 1, 0)),
            ({"status_type_name": "STATUS_SCHEDULED"}, (1, 1, 0)),
        ],
    )
    def test_kinds_and_states_of_games(
        self, tmp_path: Path, changes: dict[str, Any], told: tuple[int, int, int]
    ) -> None:
        schedule = delivered(self.write(tmp_path / "espn", without=["box", "play"], **changes))[0]["schedule"]
        assert (schedule["game_status"][0], schedule["is_regular_season"][0], schedule["is_playoffs"][0]) == told

    def test_a_game_whose_rows_cannot_be_read_is_left_out_and_named(self, tmp_path: Path) -> None:
        folder = self.write(tmp_path / "espn")
        file = tmp_path / "espn" / "player_box_2025.parquet"
        pd.read_parquet(file).drop(columns="home_away").to_parquet(file)
        tables, remarks = delivered(folder)
        assert remarks == [
            (
                "20250115_ATL_BOS is left out: game 401700001 of espn 2025 does not have the shape that is expected: "
                "KeyError 'home_away'"
            )
        ]
        assert set(tables) == {"schedule"}

    def test_a_game_of_other_teams_is_left_out_and_said(self, tmp_path: Path) -> None:
        _, remarks = delivered(self.write(tmp_path / "espn", without=["box", "play"], home_abbreviation="EAST"))
        assert remarks[-1] == "espn 2025: 1 games left out that are not between two teams of the league"


CSV_COUNTS = {
    "FGM": "fieldGoalsMade",
    "FGA": "fieldGoalsAttempted",
    "FG3M": "threePointersMade",
    "FG3A": "threePointersAttempted",
}
CSV_COUNTS |= {
    "FTM": "freeThrowsMade",
    "FTA": "freeThrowsAttempted",
    "OREB": "reboundsOffensive",
    "DREB": "reboundsDefensive",
}
CSV_COUNTS |= {
    "REB": "reboundsTotal",
    "AST": "assists",
    "STL": "steals",
    "BLK": "blocks",
    "TO": "turnovers",
    "PF": "foulsPersonal",
    "PTS": "points",
}


class TestGamesCsv:
    @classmethod
    def write(cls, folder: Path, details: bool = True) -> GamesCsvFolder:
        folder.mkdir(exist_ok=True)
        game = {"GAME_DATE_EST": "2025-01-15", "GAME_ID": "22400561", "GAME_STATUS_TEXT": "Final", "SEASON": "2024"}
        game |= {
            "HOME_TEAM_ID": "1610612738",
            "VISITOR_TEAM_ID": "1610612737",
            "PTS_home": f"{GAME.score['BOS']}.0",
            "PTS_away": f"{GAME.score['ATL']}.0",
        }
        pd.DataFrame([game, game]).to_csv(folder / "games.csv", index=False)
        rows = (
            [cls.line(player) for squad in GAME.squads.values() for player in squad if player.absence != "inactive"]
            if details
            else []
        )
        pd.DataFrame(rows, columns=list(cls.line(GAME.squads["BOS"][0]))).to_csv(
            folder / "games_details.csv", index=False
        )
        return GamesCsvFolder(folder, silent)

    @classmethod
    def line(cls, player: Player) -> dict[str, Any]:
        counts = GAME.counts([player])
        who = {
            "GAME_ID": "22400561",
            "TEAM_ID": {"BOS": 1610612738, "ATL": 1610612737}[player.team],
            "PLAYER_ID": player.number,
            "PLAYER_NAME": player.name,
        }
        who |= {
            "START_POSITION": "F" if player.starter else "",
            "COMMENT": f"{player.absence}      " if player.absence else "",
        }
        played = player.absence is None
        return {
            **who,
            "MIN": "31:05" if played else "",
            **{n: float(counts[t]) if played else "" for n, t in CSV_COUNTS.items()},
            "PLUS_MINUS": "-2.0" if played else "",
        }

    def test_a_game_comes_out_whole_and_what_the_collection_lacks_is_said(self, tmp_path: Path) -> None:
        tables, remarks = delivered(self.write(tmp_path / "csv"))
        assert_whole(tables)
        assert tables["schedule"]["game_id"].tolist() == ["20250115_ATL_BOS"]
        assert tables["schedule"]["nba_game_id"].tolist() == ["0022400561"]
        assert tables["player_gamebook"]["player_status"].tolist().count("dnp") == 2
        assert tables["player_boxscores"]["plus_minus"][0] == "-2"
        assert set(tables) == {"schedule", "player_gamebook", "player_boxscores", "team_boxscores"}
        assert remarks == [
            (
                "games-csv has no play-by-play, lines, rosters, injury reports, inactive players, tip-off times and "
                "arenas: they stay absent"
            )
        ]

    def test_a_game_without_lines_is_said(self, tmp_path: Path) -> None:
        _, remarks = delivered(self.write(tmp_path / "csv", details=False))
        assert remarks[1:] == ["games_details.csv has no line of 20250115_ATL_BOS, its box score stays absent"]

    def test_a_final_without_points_stays_a_final(self, tmp_path: Path) -> None:
        folder = self.write(tmp_path / "csv")
        file = tmp_path / "csv" / "games.csv"
        file.write_text(file.read_text().replace(f"{GAME.score['BOS']}.0", ""))
        (row,) = next(folder.deliveries()).tables["schedule"]
        assert (row["game_status"], row["home_team_score"], row["winning_team_abbr"]) == (3, None, None)

    def test_a_team_s_points_are_the_final_score_and_not_the_sum_of_its_players(self, tmp_path: Path) -> None:
        folder = self.write(tmp_path / "csv")
        file = tmp_path / "csv" / "games.csv"
        file.write_text(file.read_text().replace(f"{GAME.score['BOS']}.0", f"{GAME.score['BOS'] + 3}.0"))
        teams = delivered(folder)[0]["team_boxscores"]
        assert dict(zip(teams["team_abbr"], teams["points"], strict=True)) == {
            "BOS": GAME.score["BOS"] + 3,
            "ATL": GAME.score["ATL"],
        }

    def test_an_odd_line_costs_its_game(self, tmp_path: Path) -> None:
        folder = self.write(tmp_path / "csv")
        file = tmp_path / "csv" / "games_details.csv"
        frame = pd.read_csv(file, dtype=str)
        frame.loc[0, "FGM"] = "many"
        frame.to_csv(file, index=False)
        _, remarks = delivered(folder)
        assert remarks[1:] == [
            "20250115_ATL_BOS is left out: game 0022400561 of games_details.csv does not have the shape that is "
            "expected: ValueError could not convert string to float: 'many'"
        ]

    def test_a_missing_file_is_one_line(self, tmp_path: Path) -> None:
        with pytest.raises(ProviderError, match=r"games\.csv cannot be read"):
            delivered(GamesCsvFolder(tmp_path, silent))


SPREADS = {
    "key": "spreads",
    "last_update": "2025-01-15T21:00:00Z",
    "outcomes": [
        {"name": "Boston Celtics", "price": -110, "point": -7.5},
        {"name": "Atlanta Hawks", "price": 1.95, "point": 7.5},
    ],
}
TOTALS = {
    "key": "totals",
    "outcomes": [{"name": "Over", "price": 1.91, "point": 228.5}, {"name": "Under", "price": 1.91, "point": 228.5}],
}


class TestOddsApi:
    @staticmethod
    def event(markets: list[dict[str, Any]], **changes: Any) -> dict[str, Any]:
        bookmaker = {
            "key": "draftkings",
            "title": "DraftKings",
            "last_update": "2025-01-15T20:00:00Z",
            "markets": markets,
        }
        told = {
            "id": "e1",
            "commence_time": "2025-01-16T00:30:00Z",
            "home_team": "Boston Celtics",
            "away_team": "Atlanta Hawks",
        }
        return told | {"bookmakers": [bookmaker]} | changes

    @staticmethod
    def points(*outcomes: tuple[str, str, float, float]) -> dict[str, Any]:
        told = [
            {"name": side, "description": name, "price": price, "point": point} for side, name, price, point in outcomes
        ]
        return {"key": "player_points", "last_update": "2025-01-15T21:15:00Z", "outcomes": told}

    def told(self, tmp_path: Path, *answers: Any) -> tuple[dict[str, Columns], list[str]]:
        for number, answer in enumerate(answers):
            (tmp_path / f"{number}.json").write_text(json.dumps(answer))
        return delivered(OddsApiFolder(tmp_path))

    def test_lines_in_american_and_decimal_prices(self, tmp_path: Path) -> None:
        tables, remarks = self.told(tmp_path, [self.event([SPREADS, TOTALS, {"key": "h2h", "outcomes": []}])])
        lines = tables["game_lines"]
        assert lines["outcome_team_abbr"].tolist() == ["BOS", "ATL", None, None]
        assert lines["outcome_price"].round(3).tolist() == [1.909, 1.95, 1.91, 1.91]
        assert [str(stood)[:16] for stood in lines["snapshot_timestamp"]] == ["2025-01-15T21:00"] * 2 + [
            "2025-01-15T20:00"
        ] * 2
        assert {str(day) for day in lines["game_date"]} == {"2025-01-15"}
        assert remarks == ["odds-api: 1 markets h2h left out"]

    def test_player_points_of_an_event_with_both_sides_in_one_row(self, tmp_path: Path) -> None:
        market = self.points(
            ("Over", "Sam Foster Jr.", -130, 11.5),
            ("Under", "Sam Foster Jr.", 100, 11.5),
            ("Over", "Żarko Đilas", 2.2, 20.5),
        )
        props = self.told(tmp_path, self.event([market]))[0]["player_points_props"]
        assert props["player_lookup"].tolist() == ["samfosterjr", "zarkodilas"]
        assert props["points_line"].tolist() == [11.5, 20.5]
        assert props["over_price_american"].tolist() == [-130, 120]
        assert props["under_price_american"][0] == 100
        assert np.isnan(props["under_price_american"][1])
        assert props["minutes_before_tipoff"].tolist() == [195, 195]
        assert props["home_team_abbr"].tolist() == ["BOS", "BOS"]

    def test_of_several_lines_on_a_player_the_one_with_both_sides_counts(self, tmp_path: Path) -> None:
        market = self.points(
            ("Over", "Kim Reed", 300, 19.5), ("Over", "Kim Reed", -115, 11.5), ("Under", "Kim Reed", -105, 11.5)
        )
        assert self.told(tmp_path, self.event([market]))[0]["player_points_props"]["points_line"].tolist() == [11.5]

    def test_a_historical_answer_tells_its_own_moment(self, tmp_path: Path) -> None:
        answers = [
            {"timestamp": "2025-01-15T22:55:00Z", "data": [self.event([SPREADS])]},
            {"timestamp": "2025-01-15T23:55:00Z", "data": self.event([SPREADS])},
        ]
        lines = self.told(tmp_path, *answers)[0]["game_lines"]
        assert sorted({str(stood)[11:16] for stood in lines["snapshot_timestamp"]}) == ["22:55", "23:55"]

    def test_the_same_moment_twice_is_one_line(self, tmp_path: Path) -> None:
        assert (
            len(self.told(tmp_path, [self.event([SPREADS])], [self.event([SPREADS])])[0]["game_lines"]["outcome_name"])
            == 2
        )

    def test_a_file_that_is_something_else_is_named(self, tmp_path: Path) -> None:
        with pytest.raises(
            ProviderError,
            match=(
                r"0\.json, as an answer of The Odds API, does not have the shape that is expected: KeyError "
                r"'commence_time'"
            ),
        ):
            self.told(tmp_path, {"message": "quota reached"})

    @pytest.mark.parametrize(
        ("price", "told"), [(1.91, -110), (2.0, 100), (2.2, 120), (-110, -110), (145, 145), (1.25, -400), (1.0, None)]
    )
    def test_american_odds(self, price: float, told: int | None) -> None:
        assert american(price) == told


class TestInjuryReport:
    ROWS = """Game Date,Game Time,Matchup,Team,Player Name,Current Status,Reason
01/15/2025,07:30 (ET),ATL@BOS,Boston Celtics,"Foster Jr., Sam",Questionable,Injury/Illness - Left Knee; Soreness
01/15/2025,07:30 (ET),ATL@BOS,Atlanta Hawks,"van Atl Đilas, Żarko",Out,G League - Two-Way
01/16/2025,07:30 (ET),NYK@CLE,New York Knicks,,,NOT YET SUBMITTED
"""

    def test_rows_with_the_quarter_hour_of_the_file_s_name(self, tmp_path: Path) -> None:
        (tmp_path / "Injury-Report_2025-01-15_05_15PM.csv").write_text(self.ROWS)
        tables, _ = delivered(InjuryReportFolder(tmp_path))
        report = tables["injury_report"]
        assert report["player_lookup"].tolist() == ["samfosterjr", "zarkovanatldilas"]
        assert report["team"].tolist() == ["BOS", "ATL"]
        assert report["injury_status"].tolist() == ["questionable", "out"]
        assert {str(moment)[:16] for moment in report["reported_at"]} == {"2025-01-15T22:15"}
        assert set(report["report_hour"]) == {17}
        assert report["reason_category"].tolist() == ["injury/illness", "g league"]
        assert {str(day) for day in report["game_date"]} == {"2025-01-15"}

    def test_json_rows_with_a_column_of_the_time(self, tmp_path: Path) -> None:
        row = {"gameDate": "2025-01-15", "team": "BOS", "player": "Foster, Sam", "status": "Out", "reason": None}
        times = ["2025-01-15T17:15:00", "2025-01-15T23:15:00Z"]
        (tmp_path / "rows.json").write_text(json.dumps([row | {"report_time": time} for time in times]))
        report = delivered(InjuryReportFolder(tmp_path))[0]["injury_report"]
        assert [str(moment)[11:16] for moment in report["reported_at"]] == ["22:15", "23:15"]
        assert report["report_hour"].tolist() == [17, 18]

    @pytest.mark.parametrize(
        ("name", "utc"),
        [
            ("Injury-Report_2024-11-12_05PM.pdf.csv", datetime(2024, 11, 12, 22, tzinfo=UTC)),
            ("Injury-Report_2025-12-22_12_45AM.csv", datetime(2025, 12, 22, 5, 45, tzinfo=UTC)),
            ("Injury-Report_2025-12-22_12PM.csv", datetime(2025, 12, 22, 17, tzinfo=UTC)),
            ("report.csv", None),
        ],
    )
    def test_the_moment_in_a_name(self, name: str, utc: datetime | None) -> None:
        assert time_in_name(name) == utc

    @pytest.mark.parametrize(
        ("name", "text", "complaint"),
        [
            ("report.csv", ROWS, "neither a column Report Time nor the file's name says when the report was made"),
            (
                "Injury-Report_2025-01-15_05PM.csv",
                'Game Date,Team,Player Name,Reason\n01/15/2025,BOS,"A, B",x\n',
                "lacks the column status",
            ),
            ("rows_2025-01-15_05PM.json", '{"a": 1}', "cannot be read as an injury report"),
        ],
    )
    def test_a_file_that_cannot_be_used_is_named(self, tmp_path: Path, name: str, text: str, complaint: str) -> None:
        (tmp_path / name).write_text(text)
        with pytest.raises(ProviderError, match=complaint):
            delivered(InjuryReportFolder(tmp_path))

    def test_reports_of_several_imports_add_up(self, tmp_path: Path) -> None:
        zone = tmp_path / "landing"
        for time in ("05_15PM", "05_30PM", "05_15PM"):
            folder = tmp_path / time
            folder.mkdir(exist_ok=True)
            (folder / f"Injury-Report_2025-01-15_{time}.csv").write_text(self.ROWS)
            with LandingWriter(zone) as writer:
                for delivery in InjuryReportFolder(folder).deliveries():
                    writer.write(delivery)
        checks = {check.raw.name: check for check in check_landing(FolderLandingZone(zone), NOW)}
        assert checks["injury_report"].accepted == 4
        assert checks["injury_report"].collection.duplicates.total() == 0


class TestCommands:
    def test_imports_land_and_check_landing_finds_nothing(self, tmp_path: Path, own_home: Path) -> None:
        TestEspn.write(tmp_path / "espn")
        TestGamesCsv.write(tmp_path / "csv")
        for provider, folder in (("espn", "espn"), ("games-csv", "csv")):
            result = CliRunner().invoke(app, ["import", provider, str(tmp_path / folder)])
            assert result.exit_code == 0, result.output
            assert "2 team_boxscores" in result.output
        result = CliRunner().invoke(app, ["check-landing", str(own_home / "landing")])
        assert result.exit_code == 0, result.output

    def test_the_preference_of_the_settings_decides_and_a_wrong_one_is_one_line(
        self, tmp_path: Path, own_home: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("NBA_ASSETS_PROVIDER_PREFERENCE", "espn, league")
        TestEspn.write(tmp_path / "espn")
        TestGamesCsv.write(tmp_path / "csv")
        for provider, folder in (("espn", "espn"), ("games-csv", "csv")):
            assert CliRunner().invoke(app, ["import", provider, str(tmp_path / folder)]).exit_code == 0
        assert [file.name for file in (own_home / "landing" / "team_boxscores").rglob("*.parquet")] == ["espn.parquet"]
        monkeypatch.setenv("NBA_ASSETS_PROVIDER_PREFERENCE", "nba")
        result = CliRunner().invoke(app, ["import", "espn", str(tmp_path / "espn")])
        assert result.exit_code == 1
        assert "NBA_ASSETS_PROVIDER_PREFERENCE names nba; the providers are" in result.output

    def test_an_import_that_fails_is_one_line_and_status_1(self, tmp_path: Path) -> None:
        result = CliRunner().invoke(app, ["import", "games-csv", str(tmp_path)])
        assert result.exit_code == 1
        assert "games.csv cannot be read" in result.output

    def test_check_landing_tells_of_rows_and_files_that_would_not_be_accepted(self, tmp_path: Path) -> None:
        with LandingWriter(tmp_path) as writer:
            writer.write(Delivery("league", NOW, {"play_by_play": [_event(number, period=99) for number in (1, 2)]}))
        result = CliRunner().invoke(app, ["check-landing", str(tmp_path)])
        assert result.exit_code == 1
        assert "schedule: the landing zone has no file of this required feed" in result.output
        assert "league.parquet, row 1: period is 99, allowed is 1 to 14 (2 such rows)" in result.output

    @pytest.mark.parametrize("named", [True, False])
    def test_check_landing_says_in_a_line_that_there_is_no_folder_or_no_file_in_it(
        self, named: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        zone = tmp_path / "zone"
        monkeypatch.setenv("NBA_ASSETS_LANDING", str(tmp_path if named else zone))
        for said in ("no such folder", "holds no file of a raw table"):
            result = CliRunner().invoke(app, ["check-landing", *([str(zone)] if named else [])])
            assert isinstance(result.exception, LandingZoneError)
            assert str(zone) in str(result.exception)
            assert said in str(result.exception)
            assert result.output == ""
            zone.mkdir(exist_ok=True)

    @pytest.mark.usefixtures("own_home")
    def test_check_landing_without_a_folder_looks_at_the_one_of_the_settings(self, tmp_path: Path) -> None:
        TestEspn.write(tmp_path / "espn")
        CliRunner().invoke(app, ["import", "espn", str(tmp_path / "espn")])
        result = CliRunner().invoke(app, ["check-landing"])
        assert result.exit_code == 0, result.output
        assert "team_boxscores" in result.output

    def test_check_landing_ends_with_3_where_only_rows_are_wrong(self, tmp_path: Path, own_home: Path) -> None:
        TestEspn.write(tmp_path / "espn")
        CliRunner().invoke(app, ["import", "espn", str(tmp_path / "espn")])
        zone = own_home / "landing"
        (zone / "rosters.csv").write_text("roster_date,team_abbr,player_lookup\n2025-01-15,XYZ,kimreed\n")
        result = CliRunner().invoke(app, ["check-landing", str(zone)])
        assert result.exit_code == 3, result.output
        assert "rosters.csv, row 1: team_abbr 'XYZ' is no team" in result.output


def _event(number: int, **changes: Any) -> dict[str, Any]:
    told = {
        "game_id": "20250115_ATL_BOS",
        "game_date": date(2025, 1, 15),
        "event_sequence": number,
        "period": 1,
        "event_type": "foul",
    }
    return told | changes
