"""How deliveries become files: one provider per game, corrections, nothing half written, and one identity per
person.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from nba_assets.providers.delivery import Delivery, ProviderError, Row
from nba_assets.providers.games import Game
from nba_assets.providers.identities import Registry, player_id
from nba_assets.providers.landing_writer import LandingWriter
from nba_assets.raw.collection import Request, collect
from nba_assets.raw.landing import FolderLandingZone
from nba_assets.raw.tables import PLAY_BY_PLAY, PLAYER_GAMEBOOK, RAW_TABLES, SCHEDULE, TEAM_BOXSCORES

DAY = date(2025, 1, 15)
GAME = Game(DAY, 2024, "BOS", "ATL", "0022400561")
OTHER = Game(DAY, 2024, "NYK", "CLE")
EARLY, LATE = datetime(2025, 1, 16, 8, tzinfo=UTC), datetime(2025, 1, 16, 9, tzinfo=UTC)


def events(game: Game, *kinds: str) -> list[Row]:
    return [
        {
            **game.columns(PLAY_BY_PLAY),
            "event_sequence": number,
            "period": 1,
            "game_clock_seconds": "11:00",
            "event_type": kind,
        }
        for number, kind in enumerate(kinds, start=1)
    ]


def sheet(game: Game, name: str, own_id: str, team: str = "BOS") -> Row:
    return {
        **game.columns(PLAYER_GAMEBOOK),
        "player_name": name,
        "player_id": own_id,
        "team_abbr": team,
        "player_status": "dnp",
    }


def land(
    zone: Path, provider: str, tables: dict[str, list[Row]], at: datetime = EARLY, preference: tuple[str, ...] = ()
) -> LandingWriter:
    with LandingWriter(zone, preference) as writer:
        writer.write(Delivery(provider, at, tables))
    return writer


def stands(zone: Path, table: str = "play_by_play") -> list[tuple[str, str]]:
    """Game and event type of what ingestion takes; nothing is quarantined."""
    collection = collect(Request(RAW_TABLES[table], [DAY], datetime(2026, 1, 1, tzinfo=UTC)), FolderLandingZone(zone))
    assert not collection.quarantined
    return sorted(zip(collection.rows["game_id"].tolist(), collection.rows["event_type"].tolist(), strict=True))


def test_a_second_provider_of_a_game_is_a_correction_and_not_a_mixture(tmp_path: Path) -> None:
    land(tmp_path, "espn", {"play_by_play": [*events(GAME, "rebound", "foul", "timeout"), *events(OTHER, "rebound")]})
    land(tmp_path, "league", {"play_by_play": events(GAME, "turnover")}, LATE)
    assert stands(tmp_path) == [("20250115_ATL_BOS", "turnover"), ("20250115_CLE_NYK", "rebound")]


def test_an_older_delivery_of_a_game_does_not_replace_a_newer_one(tmp_path: Path) -> None:
    land(tmp_path, "league", {"play_by_play": events(GAME, "turnover")}, LATE)
    writer = land(
        tmp_path, "espn", {"play_by_play": [*events(GAME, "rebound", "foul"), *events(OTHER, "rebound")]}, EARLY
    )
    assert stands(tmp_path) == [("20250115_ATL_BOS", "turnover"), ("20250115_CLE_NYK", "rebound")]
    assert writer.remarks == ["play_by_play game_date=2025-01-15: 1 of 2 games or teams stay as landed by league"]


@pytest.mark.parametrize("first", ["espn", "league"])
def test_the_preferred_provider_stands_whichever_lands_last(tmp_path: Path, first: str) -> None:
    rows = {"espn": events(GAME, "rebound", "foul"), "league": events(GAME, "turnover")}
    second = "league" if first == "espn" else "espn"
    land(tmp_path, first, {"play_by_play": rows[first]}, EARLY, ("espn", "league"))
    land(tmp_path, second, {"play_by_play": rows[second]}, LATE, ("espn", "league"))
    assert stands(tmp_path) == [("20250115_ATL_BOS", "foul"), ("20250115_ATL_BOS", "rebound")]
    assert not (tmp_path / "play_by_play" / "game_date=2025-01-15" / "league.parquet").exists()


def test_a_provider_that_is_named_stands_over_one_that_is_not(tmp_path: Path) -> None:
    land(tmp_path, "league", {"play_by_play": events(GAME, "turnover")}, EARLY, ("league",))
    land(tmp_path, "espn", {"play_by_play": events(GAME, "rebound")}, LATE, ("league",))
    assert stands(tmp_path) == [("20250115_ATL_BOS", "turnover")]


def test_a_preference_for_somebody_who_is_no_provider_is_refused(tmp_path: Path) -> None:
    with pytest.raises(
        ProviderError, match="NBA_ASSETS_PROVIDER_PREFERENCE names nba; the providers are league, espn,"
    ):
        LandingWriter(tmp_path, ("nba", "espn"))


def test_files_that_no_provider_wrote_are_left_alone(tmp_path: Path) -> None:
    land(tmp_path, "espn", {"play_by_play": events(GAME, "rebound")})
    folder = tmp_path / "play_by_play" / "game_date=2025-01-15"
    (folder / "espn.parquet").rename(folder / "mine.parquet")
    content = (folder / "mine.parquet").read_bytes()
    land(tmp_path, "league", {"play_by_play": events(GAME, "turnover")}, LATE)
    assert (folder / "mine.parquet").read_bytes() == content


def test_games_of_a_date_that_are_not_delivered_again_stay(tmp_path: Path) -> None:
    land(tmp_path, "league", {"play_by_play": [*events(GAME, "rebound", "foul"), *events(OTHER, "rebound")]})
    land(tmp_path, "league", {"play_by_play": events(GAME, "turnover")}, LATE)
    assert stands(tmp_path) == [("20250115_ATL_BOS", "turnover"), ("20250115_CLE_NYK", "rebound")]


def test_games_stay_also_where_a_value_that_is_no_number_makes_a_column_text(tmp_path: Path) -> None:
    land(tmp_path, "league", {"play_by_play": events(OTHER, "rebound")})
    land(tmp_path, "league", {"play_by_play": [{**events(GAME, "turnover")[0], "period": "1"}]}, LATE)
    assert stands(tmp_path) == [("20250115_ATL_BOS", "turnover"), ("20250115_CLE_NYK", "rebound")]


def test_a_delivery_that_changes_nothing_writes_nothing(tmp_path: Path) -> None:
    land(tmp_path, "league", {"play_by_play": events(GAME, "rebound")})
    assert land(tmp_path, "league", {"play_by_play": events(GAME, "rebound")}, LATE).files_written == 0
    assert land(tmp_path, "league", {"play_by_play": events(GAME, "foul")}, LATE).files_written == 1


def test_the_schedule_of_a_season_is_one_file_with_each_game_of_one_provider(tmp_path: Path) -> None:
    def row(game: Game) -> Row:
        return {**game.columns(SCHEDULE), "game_status": 1, "is_regular_season": True, "is_playoffs": False}

    land(tmp_path, "league", {"schedule": [row(GAME)]}, LATE)
    land(tmp_path, "espn", {"schedule": [row(Game(DAY, 2024, "BOS", "ATL")), row(OTHER)]})
    files = {
        file.name: pq.read_table(file)["game_id"].to_pylist()
        for file in (tmp_path / "schedule" / "season_year=2024").iterdir()
    }
    assert files == {"league.parquet": ["20250115_ATL_BOS"], "espn.parquet": ["20250115_CLE_NYK"]}


def test_a_crash_while_a_file_is_written_leaves_the_one_before_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    land(tmp_path, "league", {"play_by_play": events(GAME, "rebound")})

    def crash(*_: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr("os.replace", crash)
        with pytest.raises(KeyboardInterrupt):
            land(tmp_path, "league", {"play_by_play": events(GAME, "foul")}, LATE)
    assert stands(tmp_path) == [("20250115_ATL_BOS", "rebound")]


def universal_ids(zone: Path) -> dict[str, set[str]]:
    """The universal ids of each key in the registry, as ingestion takes it."""
    found: dict[str, set[str]] = {}
    for row in Registry.landed(zone).rows:
        found.setdefault(row["player_lookup"], set()).add(row["universal_player_id"])
    return found


def ids(zone: Path) -> set[tuple[str, str]]:
    """Universal id and provider's id of every registered name."""
    return {(row["universal_player_id"], row["player_id"]) for row in Registry.landed(zone).rows}


class TestIdentities:
    def test_one_person_is_one_person_across_providers_also_without_his_suffix_and_accents(
        self, tmp_path: Path
    ) -> None:
        land(
            tmp_path,
            "league",
            {"player_gamebook": [sheet(GAME, "Sam Foster Jr.", "11"), sheet(GAME, "Żarko Đilas", "12")]},
        )
        land(
            tmp_path,
            "espn",
            {"player_gamebook": [sheet(GAME, "Sam Foster", "espn:7"), sheet(GAME, "Zarko Djilas", "espn:8")]},
            LATE,
        )
        assert universal_ids(tmp_path) == {
            "samfosterjr": {"league-11"},
            "samfoster": {"league-11"},
            "zarkodilas": {"league-12"},
            "zarkodjilas": {"league-12"},
        }
        assert ids(tmp_path) == {
            ("league-11", "11"),
            ("league-11", "espn:7"),
            ("league-12", "12"),
            ("league-12", "espn:8"),
        }

    def test_ids_of_both_providers_stay_where_they_spell_the_name_the_same(self, tmp_path: Path) -> None:
        land(tmp_path, "league", {"player_gamebook": [sheet(GAME, "Kim Reed", "11")]})
        land(tmp_path, "espn", {"player_gamebook": [sheet(GAME, "Kim Reed", "espn:7")]}, LATE)
        land(tmp_path, "league", {"player_gamebook": [sheet(GAME, "Kim Reed", "11")]}, LATE + timedelta(days=1))
        assert ids(tmp_path) == {("league-11", "11"), ("league-11", "espn:7")}

    def test_whichever_provider_comes_first_the_other_joins_it(self, tmp_path: Path) -> None:
        land(tmp_path, "espn", {"player_gamebook": [sheet(GAME, "Sam Foster", "espn:7")]})
        land(tmp_path, "league", {"player_gamebook": [sheet(GAME, "Sam Foster Jr.", "11")]}, LATE)
        assert universal_ids(tmp_path) == {"samfoster": {"espn-7"}, "samfosterjr": {"espn-7"}}

    def test_a_name_that_changes_keeps_its_person_by_the_id(self, tmp_path: Path) -> None:
        later = Game(DAY + timedelta(days=365), 2025, "BOS", "ATL")
        land(tmp_path, "league", {"player_gamebook": [sheet(GAME, "Kim Reed", "11")]})
        land(tmp_path, "league", {"player_gamebook": [sheet(later, "Ali Noor", "11")]}, LATE)
        assert universal_ids(tmp_path) == {"kimreed": {"league-11"}, "alinoor": {"league-11"}}

    def test_two_people_of_one_name_are_two_and_found_again_by_their_teams(self, tmp_path: Path) -> None:
        two = [sheet(GAME, "Kim Reed", "11", "BOS"), sheet(GAME, "Kim Reed", "12", "ATL")]
        land(tmp_path, "league", {"player_gamebook": two})
        land(
            tmp_path,
            "espn",
            {"player_gamebook": [sheet(GAME, "Kim Reed", "espn:8", "ATL"), sheet(GAME, "Kim Reed", "espn:7", "BOS")]},
            LATE,
        )
        registry = {
            (row["player_id"], row["team_abbr"], row["universal_player_id"]) for row in Registry.landed(tmp_path).rows
        }
        assert registry == {("espn:7", "BOS", "league-11"), ("espn:8", "ATL", "league-12")}

    def test_of_two_people_of_one_name_only_one_joins_a_person_who_is_known(self, tmp_path: Path) -> None:
        land(tmp_path, "espn", {"player_gamebook": [sheet(GAME, "Kim Reed", "espn:7", "BOS")]})
        land(
            tmp_path,
            "league",
            {"player_gamebook": [sheet(GAME, "Kim Reed", "11", "BOS"), sheet(OTHER, "Kim Reed", "12", "NYK")]},
            LATE,
        )
        assert {
            row["universal_player_id"] for row in Registry.landed(tmp_path).rows if row["player_id"] in ("11", "12")
        } == {"espn-7", "league-12"}

    def test_a_collection_with_the_league_s_ids_is_the_league_s_person(self, tmp_path: Path) -> None:
        land(tmp_path, "league", {"player_gamebook": [sheet(GAME, "Sam Foster Jr.", player_id("league", 11))]})
        land(tmp_path, "games-csv", {"player_gamebook": [sheet(GAME, "Sam Foster", player_id("games-csv", 11))]}, LATE)
        assert universal_ids(tmp_path) == {"samfosterjr": {"league-11"}, "samfoster": {"league-11"}}

    def test_a_registry_of_the_user_s_own_is_joined(self, tmp_path: Path) -> None:
        folder = tmp_path / "player_registry"
        folder.mkdir()
        (folder / "mine.csv").write_text("season,player_lookup,universal_player_id\n2024-25,samfosterjr,foster_001\n")
        land(tmp_path, "league", {"player_gamebook": [sheet(GAME, "Sam Foster Jr.", "11")]})
        assert universal_ids(tmp_path) == {"samfosterjr": {"foster_001"}}

    def test_who_has_landed_is_registered_also_where_the_source_breaks_off(self, tmp_path: Path) -> None:
        def deliver() -> None:
            with LandingWriter(tmp_path) as writer:
                writer.write(Delivery("league", EARLY, {"player_gamebook": [sheet(GAME, "Kim Reed", "11")]}))
                raise OSError("no more")

        with pytest.raises(OSError, match="no more"):
            deliver()
        assert universal_ids(tmp_path) == {"kimreed": {"league-11"}}


def test_team_totals_of_one_game_come_from_one_provider(tmp_path: Path) -> None:
    def totals(points: int) -> list[Row]:
        return [{**GAME.columns(TEAM_BOXSCORES), "team_abbr": team, "points": points} for team in ("BOS", "ATL")]

    land(tmp_path, "espn", {"team_boxscores": totals(90)})
    land(tmp_path, "games-csv", {"team_boxscores": totals(91)}, LATE)
    collection = collect(Request(TEAM_BOXSCORES, [DAY], datetime(2026, 1, 1, tzinfo=UTC)), FolderLandingZone(tmp_path))
    assert collection.rows["points"].tolist() == [91, 91]


def test_a_provider_that_nobody_knows_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no provider mine: add it to PROVIDERS"):
        land(tmp_path, "mine", {"player_gamebook": [sheet(GAME, "Kim Reed", "11")]})
    assert list(tmp_path.iterdir()) == []
