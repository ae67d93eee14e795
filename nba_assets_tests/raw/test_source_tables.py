"""Raw tables that are already in BigQuery: addresses, and what the sources say of themselves."""

from __future__ import annotations

import re
from datetime import date

import pytest

from nba_assets.raw.bigquery_source import SourceAddress, SourceAddressError, source_of
from nba_assets.raw.source_tables import INJURY_REPORT, SOURCES
from nba_assets.raw.tables import RAW_TABLES
from nba_assets.settings import Settings, SettingsError


def test_an_address_names_two_datasets_and_has_defaults() -> None:
    assert SourceAddress.parse("bigquery://my-project/nba_raw") == SourceAddress(
        "my-project", "nba_raw", "nba_reference", "US", 100
    )
    whole = SourceAddress.parse("bigquery://my-project/raw?reference=people&location=EU&max_gb=7")
    assert whole == SourceAddress("my-project", "raw", "people", "EU", 7)


@pytest.mark.parametrize(
    "address",
    [
        "bigquery://my-project",
        "bigquery:///nba_raw",
        "bigquery://my-project/nba_raw/more",
        "bigquery://my-project/nba_raw?dataset=x",
        "bigquery://my-project/nba_raw?max_gb=all",
        "bigquery://[my-project/nba_raw",
        "bigquery://my-project/nba_raw?max_gb=²",
        "bigquery://my-project/nba`raw",
        "bigquery://my-project/nba_raw?reference=nba`x",
    ],
)
def test_an_address_that_names_none_says_what_one_looks_like(address: str) -> None:
    with pytest.raises(SourceAddressError, match="write bigquery://PROJECT/nba_raw"):
        SourceAddress.parse(address)


def test_a_command_that_writes_files_needs_a_folder() -> None:
    settings = Settings.from_environment({"NBA_ASSETS_LANDING": "bigquery://my-project/nba_raw"})
    with pytest.raises(SettingsError, match="are tables in BigQuery, and this command writes files"):
        _ = settings.landing_folder


def test_every_raw_table_has_a_source_whose_select_names_the_tables_that_it_reads() -> None:
    assert SOURCES.keys() == RAW_TABLES.keys()
    for sources in SOURCES.values():
        for source in sources:
            named = set(re.findall(r"`\{(?:raw|reference)\}\.(\w+)`", source.select))
            assert named == {read.table for read in source.reads}


def test_a_file_belongs_to_the_source_of_its_path() -> None:
    for table, sources in SOURCES.items():
        for source in sources:
            assert source_of(f"{table}/{source.name}/2024-11-01.parquet") == (table, source)
    assert source_of("schedule/nbac_schedule.parquet") == ("schedule", SOURCES["schedule"][0])


def test_a_report_is_about_games_from_the_day_before_it_to_a_week_after_it() -> None:
    days = INJURY_REPORT.days(date(2024, 11, 10))
    assert (days[0], days[-1], len(days)) == (date(2024, 11, 9), date(2024, 11, 17), 9)
