"""A landing zone of a customer's raw tables in BigQuery: the digests that files give, and which changes are seen."""

from __future__ import annotations

import shutil
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from google.api_core.exceptions import GoogleAPICallError
from google.auth.credentials import AnonymousCredentials
from google.cloud import bigquery

from nba_assets.automation.landed_files import news_of
from nba_assets.orchestration import google_cloud
from nba_assets.orchestration.google_cloud import bigquery_clients
from nba_assets.orchestration.landing_zone import landing_zone
from nba_assets.raw import bigquery_source
from nba_assets.raw.bigquery_source import CatalogueModifications, SourceAddress, SourceTables
from nba_assets.raw.collection import Request, collect
from nba_assets.raw.content_index import forget_landed, landed_index
from nba_assets.raw.ingestion import ingest
from nba_assets.raw.landing import FolderLandingZone, LandingZone, LandingZoneError
from nba_assets.raw.sample_league import write_season
from nba_assets.raw.source_tables import SOURCES, Partitions
from nba_assets.raw.tables import RAW_TABLES
from nba_assets.registry import TABLE_MODULES
from nba_assets.tables.bookkeeping import TABLE_PARTITIONS
from nba_assets.warehouse.duckdb import DuckDBWarehouse
from nba_assets_tests.gcp.customer_tables import Customer, fill, without_what_is_lost
from nba_assets_tests.gcp.emulators import PROJECT, BigQueryEmulator
from nba_assets_tests.league import SMALL_LEAGUE
from nba_assets_tests.orchestration.at_work import ENVIRONMENT, OPENING, Operator, Season, days_of
from nba_assets_tests.pipeline import NOW, build

pytestmark = [pytest.mark.gcp, pytest.mark.slow]

FORTNIGHT = days_of(OPENING, OPENING + timedelta(days=13))
DAY = FORTNIGHT[3]
READ = list({read.table: read for sources in SOURCES.values() for source in sources for read in source.reads}.values())


@dataclass
class Clock:
    """Times of modification, which the emulator does not keep: those of its catalogue, and what a test changes."""

    catalogue: CatalogueModifications
    changed: dict[tuple[str, date | None], datetime] = field(default_factory=dict)

    def look(self, tables: Sequence[Partitions]) -> Mapping[str, Mapping[date | None, datetime]]:
        """What the service would say."""
        found = {
            table: dict.fromkeys(partitions, datetime(2025, 1, 1, tzinfo=UTC))
            for table, partitions in self.catalogue.look(tables).items()
        }
        for (table, partition), moment in self.changed.items():
            if table in found:
                found[table][partition] = moment
        return found


@dataclass
class Landed:
    """The same fortnight in files and in a customer's tables."""

    folder: Path
    customer: Customer
    clock: Clock
    home: Path
    queries: list[str]

    @property
    def zone(self) -> SourceTables:
        """The tables as a process finds them."""
        return SourceTables(self.customer.address, self.customer.client, None, self.clock, self.home)


@pytest.fixture(scope="module")
def source(
    bigquery_service: BigQueryEmulator, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Path, Customer]]:
    """A fortnight of a simulated season, landed in files and appended to a customer's tables."""
    path = tmp_path_factory.mktemp("source")
    season = Season(path / "season", write_season(path / "season", 2024, **SMALL_LEAGUE))
    season.land_all(path / "landing", FORTNIGHT[0], FORTNIGHT[-1])
    without_what_is_lost(path / "landing")
    client = bigquery.Client(
        project=PROJECT, credentials=AnonymousCredentials(), client_options={"api_endpoint": bigquery_service.url}
    )
    name = uuid.uuid4().hex
    customer = Customer(client, f"raw_{name}", f"reference_{name}")
    customer.create()
    fill(customer, path / "landing")
    yield path / "landing", customer
    client.close()


@pytest.fixture(scope="module")
def fingerprints(source: tuple[Path, Customer], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the first look of the day has found, so that not every test looks for it."""
    customer, home = source[1], tmp_path_factory.mktemp("fingerprints")
    catalogue = CatalogueModifications(SourceAddress.parse(customer.address), customer.client)
    SourceTables(customer.address, customer.client, None, catalogue, home).listing(list(RAW_TABLES))
    (store,) = home.iterdir()
    return store


@pytest.fixture
def landed(
    source: tuple[Path, Customer], fingerprints: Path, own_home: Path, monkeypatch: pytest.MonkeyPatch
) -> Landed:
    own_home.mkdir()
    shutil.copy(fingerprints, own_home)
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    folder, customer = source
    queries: list[str] = []
    run = bigquery_source.run

    def noted(client: Any, place: Any, statement: str) -> Any:
        queries.append(statement)
        return run(client, place, statement)

    monkeypatch.setattr(bigquery_source, "run", noted)
    place = SourceAddress.parse(customer.address)
    forget_landed()
    return Landed(folder, customer, Clock(CatalogueModifications(place, customer.client)), own_home, queries)


def ingested(zone: LandingZone, path: Path) -> DuckDBWarehouse:
    warehouse = DuckDBWarehouse(path)
    for raw in RAW_TABLES.values():
        ingest(raw, zone, warehouse, FORTNIGHT, run_id="test", now=NOW).raise_for_bad_files()
    return warehouse


def state_of(warehouse: DuckDBWarehouse) -> dict[tuple[str, date], Any]:
    columns = ("table_name", "partition_date", "row_count", "failure_count", "digest")
    state = warehouse.read(TABLE_PARTITIONS, columns, date(2024, 7, 1), date(2025, 7, 1)).to_pylist()
    return {(row["table_name"], row["partition_date"]): row for row in state}


def test_the_digests_of_all_tables_are_those_of_files(landed: Landed, tmp_path: Path) -> None:
    files = ingested(FolderLandingZone(landed.folder), tmp_path / "files.duckdb")
    tables = ingested(landed.zone, tmp_path / "tables.duckdb")
    expected, found = state_of(files), state_of(tables)
    assert {name for name, _ in expected} == RAW_TABLES.keys()
    assert {key: row["digest"] for key, row in found.items()} == {key: row["digest"] for key, row in expected.items()}
    for warehouse in (files, tables):
        build(warehouse, FORTNIGHT)
    assert state_of(tables) == state_of(files)
    assert sum(row["row_count"] for (name, _), row in found.items() if name == "play_by_play")
    assert {name for name, _ in state_of(files)} >= TABLE_MODULES.keys()


def test_a_look_without_changes_fetches_nothing_not_even_after_a_restart(landed: Landed) -> None:
    first = landed_index(landed.zone).look(FORTNIGHT[-1], NOW)
    assert first.tables["team_boxscores"].digests[DAY]
    landed.queries.clear()
    forget_landed()
    assert landed_index(landed.zone).look(FORTNIGHT[-1], NOW).tables == first.tables
    assert landed.queries == []


def test_dates_in_a_row_are_fetched_at_once_and_a_changed_one_alone(landed: Landed) -> None:
    zone, request = landed.zone, Request(RAW_TABLES["team_boxscores"], FORTNIGHT, NOW)
    zone.files("team_boxscores")
    landed.queries.clear()
    rows = collect(request, zone).rows
    assert set(rows["game_date"].tolist()) <= set(FORTNIGHT)
    assert len(landed.queries) == 1
    landed.queries.clear()
    assert len(collect(request, zone).rows["game_date"]) == len(rows["game_date"])
    assert len(landed.queries) == 1
    landed.clock.changed["nbac_team_boxscore", DAY] = datetime(2025, 1, 2, tzinfo=UTC)
    landed.queries.clear()
    collect(Request(RAW_TABLES["team_boxscores"], [DAY], NOW), zone)
    (select,) = landed.queries
    assert f"BETWEEN DATE '{DAY}' AND DATE '{DAY}'" in select


def versions(landed: Landed, table: str) -> dict[date | None, str]:
    """The version of the file of each date."""
    column = RAW_TABLES[table].table.date_column
    return {file.date_of(column): file.fingerprint for file in landed.zone.files(table)}


def test_a_correction_is_seen_by_the_time_of_modification(landed: Landed) -> None:
    before = versions(landed, "team_boxscores")
    corrected = {**team_row(landed, DAY), "assists": 99, "processed_at": datetime(2025, 1, 2, tzinfo=UTC)}
    landed.customer.append("nbac_team_boxscore", [corrected])
    try:
        assert versions(landed, "team_boxscores") == before
        landed.clock.changed["nbac_team_boxscore", DAY] = datetime(2025, 1, 2, tzinfo=UTC)
        after = versions(landed, "team_boxscores")
        rows = collect(Request(RAW_TABLES["team_boxscores"], [DAY], NOW), landed.zone).rows
    finally:
        name = landed.customer.name("nbac_team_boxscore")
        landed.customer.execute(f"DELETE FROM `{name}` WHERE game_date = '{DAY}' AND assists = 99")
    assert {day for day in after if after[day] != before[day]} == {DAY}
    of_team = (rows["game_id"] == corrected["game_id"]) & (rows["team_abbr"] == corrected["team_abbr"])
    assert rows["assists"][of_team].tolist() == [99]


def test_a_deletion_without_a_trace_is_seen_the_next_day(landed: Landed) -> None:
    before = versions(landed, "team_boxscores")
    row = team_row(landed, DAY)
    name = landed.customer.name("nbac_team_boxscore")
    where = f"game_date = '{DAY}' AND game_id = '{row['game_id']}' AND team_abbr = '{row['team_abbr']}'"
    kept = [dict(found) for found in landed.customer.client.query(f"SELECT * FROM `{name}` WHERE {where}").result()]
    landed.customer.execute(f"DELETE FROM `{name}` WHERE {where}")
    try:
        assert versions(landed, "team_boxscores") == before
        store = landed.home / "source_fingerprints.json"
        store.write_text(store.read_text().replace(f'"day": "{datetime.now(UTC).date()}"', '"day": "2020-01-01"'))
        after = versions(landed, "team_boxscores")
    finally:
        landed.customer.append("nbac_team_boxscore", kept)
    assert {day for day in after if after[day] != before[day]} == {DAY}


def test_a_correction_makes_its_date_stale_and_a_wrong_row_is_quarantined(landed: Landed, tmp_path: Path) -> None:
    warehouse = DuckDBWarehouse(tmp_path / "nba.duckdb")
    raw = RAW_TABLES["team_boxscores"]
    ingest(raw, landed.zone, warehouse, FORTNIGHT, run_id="test", now=NOW)
    assert [news for news in news_of(warehouse, landed.zone, FORTNIGHT[0], FORTNIGHT[-1]) if news.ingested] == []
    wrong = {**team_row(landed, DAY), "processed_at": NOW, "fg_made": 99, "fg_attempted": 1}
    landed.customer.append("nbac_team_boxscore", [wrong])
    try:
        landed.clock.changed["nbac_team_boxscore", DAY] = NOW + timedelta(days=1)
        news = [one for one in news_of(warehouse, landed.zone, DAY, DAY) if one.ingested]
        found = collect(Request(raw, [DAY], NOW), landed.zone)
    finally:
        name = landed.customer.name("nbac_team_boxscore")
        landed.customer.execute(f"DELETE FROM `{name}` WHERE game_date = '{DAY}' AND fg_made = 99")
    assert [(one.table, one.day) for one in news] == [("team_boxscores", DAY)]
    (quarantined,) = found.quarantined
    assert quarantined.path == f"team_boxscores/nbac_team_boxscore/{DAY}.parquet"
    assert "fg_made" in quarantined.reason


def test_the_arrival_sensor_builds_what_is_in_the_tables_and_what_is_corrected_in_them(
    landed: Landed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NBA_ASSETS_LANDING", landed.customer.address)
    zone = landed.zone
    monkeypatch.setattr(google_cloud, "open_source_tables", lambda *_: zone)
    warehouse = DuckDBWarehouse(landed.home / "nba.duckdb")
    season = Season(landed.folder, write_season(landed.home / "season", 2024, **SMALL_LEAGUE))
    operator = Operator(landed.folder, season, warehouse, in_jobs=True)
    operator.until_quiet()
    before = operator.partition_state()
    assert before["player_game_summary", DAY]["row_count"] > 0
    assert ("ml_feature_store", DAY) in before
    landed.queries.clear()
    assert operator.tick("raw_arrival") == []
    assert landed.queries == []

    corrected = {**team_row(landed, DAY), "assists": 99, "processed_at": NOW}
    landed.customer.append("nbac_team_boxscore", [corrected])
    try:
        landed.clock.changed["nbac_team_boxscore", DAY] = NOW + timedelta(days=1)
        ran = operator.tick("raw_arrival")
    finally:
        name = landed.customer.name("nbac_team_boxscore")
        landed.customer.execute(f"DELETE FROM `{name}` WHERE game_date = '{DAY}' AND assists = 99")
    assert [(one.job, one.trigger, one.start, one.end) for one in ran] == [("postgame", "results", DAY, DAY)]
    after = operator.partition_state()
    changed = {key for key in before if after[key]["digest"] != before[key]["digest"]}
    assert ("team_offense_game_summary", DAY) in changed
    assert {day for _, day in changed} == {DAY}


def test_a_new_report_is_seen_on_every_game_date_that_it_may_be_about(landed: Landed) -> None:
    before = versions(landed, "injury_report")
    landed.clock.changed["nbac_injury_report", DAY] = datetime(2025, 1, 2, tzinfo=UTC)
    after = versions(landed, "injury_report")
    assert {day for day in after if after[day] != before[day]} == {DAY + timedelta(days=days) for days in range(-1, 8)}


def test_a_partition_changed_since_it_was_listed_is_not_read(landed: Landed) -> None:
    zone = landed.zone
    listed = next(file for file in zone.files("team_boxscores") if file.date_of("game_date") == DAY)
    landed.clock.changed["nbac_team_boxscore", DAY] = datetime(2025, 1, 2, tzinfo=UTC)
    with pytest.raises(OSError, match="was changed since it was listed"), zone.local_copy(listed):
        pass


def test_a_partition_that_changes_while_it_is_read_is_not_taken_for_either_state(
    landed: Landed, monkeypatch: pytest.MonkeyPatch
) -> None:
    zone = landed.zone
    listed = {file.date_of("game_date"): file for file in zone.files("team_boxscores")}
    run = bigquery_source.run

    def changed(client: Any, place: Any, statement: str) -> Any:
        if "FARM_FINGERPRINT" not in statement and "nbac_team_boxscore`" in statement:
            landed.clock.changed["nbac_team_boxscore", DAY] = datetime(2025, 1, 2, tzinfo=UTC)
        return run(client, place, statement)

    monkeypatch.setattr(bigquery_source, "run", changed)
    with pytest.raises(OSError, match="was changed since it was listed"), zone.local_copy(listed[DAY]):
        pass
    with zone.local_copy(listed[DAY + timedelta(days=1)]) as path:
        assert path.stat().st_size


def test_a_game_is_of_the_provider_or_of_the_league_and_never_of_both(landed: Landed) -> None:
    """Rows that stand in for the provider's, in his table and in the league's own."""
    day = date(2024, 12, 24)
    event = {
        "game_date": day,
        "season_year": 2024,
        "home_team_abbr": "LAL",
        "away_team_abbr": "BOS",
        "period": 1,
        "game_clock_seconds": 700,
        "player_1_team_abbr": "BOS",
        "score_home": 0,
        "score_away": 3,
        "shot_made": True,
        "shot_type": "3PT",
        "shot_distance": 0.0,
        "processed_at": datetime(2024, 12, 25, tzinfo=UTC),
    }
    theirs = {"event_type": "3pt", "data_source": "nbacom_fallback", "original_x": 1.0, "original_y": 2.0}
    provider = [
        event
        | {"game_id": "20241224_BOS_LAL", "event_sequence": 1, "event_type": "shot", "data_source": "bigdataball"},
        event | {"game_id": "20241224_BOS_LAL", "event_sequence": 2} | theirs,
        event | {"game_id": "20241224_BOS_MIA", "event_sequence": 3, "home_team_abbr": "MIA"} | theirs,
    ]
    league = [
        event | {"game_id": "20241224_BOS_LAL", "event_sequence": 4, "event_type": "3pt"},
        event | {"game_id": "20241224_BOS_DEN", "event_sequence": 5, "event_type": "3pt"},
        event | {"game_id": "20241224_BOS_DEN", "event_sequence": 6, "event_type": "freethrow", "shot_type": "FT"},
    ]
    landed.customer.append("bigdataball_play_by_play", provider)
    landed.customer.append("nbac_play_by_play", league)
    try:
        rows = collect(Request(RAW_TABLES["play_by_play"], [day], NOW), landed.zone).rows
    finally:
        for table in ("bigdataball_play_by_play", "nbac_play_by_play"):
            landed.customer.execute(f"DELETE FROM `{landed.customer.name(table)}` WHERE game_date = '{day}'")
    found = sorted(
        zip(
            *(rows[name].tolist() for name in ("event_sequence", "game_id", "event_type", "home_team_abbr")),
            strict=True,
        )
    )
    assert found == [
        (1, "20241224_BOS_LAL", "shot", "LAL"),
        (3, "20241224_BOS_MIA", "shot", "MIA"),
        (5, "20241224_BOS_DEN", "shot", "DEN"),
        (6, "20241224_BOS_DEN", "free throw", "DEN"),
    ]
    by_event = {int(sequence): place for place, sequence in enumerate(rows["event_sequence"])}
    assert rows["points_scored"][by_event[5]] == 3
    assert rows["points_scored"][by_event[6]] == 1
    assert rows["shot_made"][by_event[6]] != rows["shot_made"][by_event[6]]
    assert rows["loc_x"][by_event[3]] != rows["loc_x"][by_event[3]]


def test_a_line_of_a_player_whose_team_is_unknown_counts_from_the_first_tip_off(landed: Landed) -> None:
    tip_off = min(row["game_date_est"] for row in games(landed, DAY))
    line = {
        "game_date": DAY,
        "market_type": "points",
        "bet_side": "over",
        "player_name": "Nobody Known",
        "player_lookup": "nobodyknown",
        "player_team": "FA",
        "bookmaker": "BetMGM",
        "points_line": 12.5,
        "odds_american": -110,
        "is_active": True,
        "bookmaker_last_update": tip_off + timedelta(seconds=90),
        "processed_at": tip_off,
    }
    landed.customer.append("bettingpros_player_points_props", [line])
    try:
        rows = collect(Request(RAW_TABLES["player_points_props"], [DAY], NOW), landed.zone).rows
    finally:
        name = landed.customer.name("bettingpros_player_points_props")
        landed.customer.execute(f"DELETE FROM `{name}` WHERE game_date = '{DAY}' AND player_team = 'FA'")
    (place,) = (rows["player_lookup"] == "nobodyknown").nonzero()[0].tolist()
    assert (rows["minutes_before_tipoff"][place], rows["home_team_abbr"][place]) == (-2, None)


def test_the_catalogue_is_queried_for_tables_that_were_modified_alone(landed: Landed) -> None:
    catalogue = landed.clock.catalogue
    found = catalogue.look(READ)
    assert set(found) == {table.table for table in READ}
    assert set(found["nba_players_registry"]) == {None}
    assert DAY in found["nbac_team_boxscore"]
    landed.queries.clear()
    assert catalogue.look(READ) == found
    assert landed.queries == []


def test_tables_that_are_not_there_have_no_files_and_a_project_out_of_reach_is_an_error(landed: Landed) -> None:
    nowhere = replace(landed.zone, address=f"bigquery://{PROJECT}/nba_nowhere")
    catalogue = CatalogueModifications(SourceAddress.parse(nowhere.address), landed.customer.client)
    assert replace(nowhere, modifications=catalogue).files("rosters") == []
    away = bigquery.Client(
        project=PROJECT, credentials=AnonymousCredentials(), client_options={"api_endpoint": "http://127.0.0.1:1"}
    )

    class Refusing:
        def look(self, tables: Sequence[Partitions]) -> Mapping[str, Mapping[date | None, datetime]]:  # noqa: ARG002
            raise GoogleAPICallError("no access")

    with pytest.raises(LandingZoneError, match=r"cannot be listed: .*no access.*roles/bigquery.dataViewer"):
        replace(nowhere, client=away, modifications=Refusing()).files("rosters")
    away.close()


def test_the_setting_opens_the_tables_with_default_credentials(
    landed: Landed, bigquery_service: BigQueryEmulator, credentials: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BIGQUERY_EMULATOR_HOST", bigquery_service.url)
    monkeypatch.setenv("NBA_ASSETS_LANDING", landed.customer.address)
    zone = landing_zone()
    assert isinstance(zone, SourceTables)
    assert (zone, zone.home) == (landed.zone, landed.home)
    assert {file.date_of("game_date") for file in zone.files("team_boxscores")} >= {DAY}
    assert zone.reader is not None
    zone.client.close()
    zone.reader.transport.close()
    bigquery_clients.cache_clear()


def team_row(landed: Landed, day: date) -> dict[str, Any]:
    """A team's row of a date, as the customer has it."""
    name = landed.customer.name("nbac_team_boxscore")
    statement = f"SELECT * FROM `{name}` WHERE game_date = '{day}' ORDER BY processed_at DESC, team_abbr LIMIT 1"
    return dict(next(iter(landed.customer.client.query(statement).result())))


def games(landed: Landed, day: date) -> list[dict[str, Any]]:
    """The games of a date, as the customer has them."""
    statement = f"SELECT * FROM `{landed.customer.name('nbac_schedule')}` WHERE game_date = '{day}'"
    return [dict(row) for row in landed.customer.client.query(statement).result()]
