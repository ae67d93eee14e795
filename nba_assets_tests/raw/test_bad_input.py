"""Bad data: it is quarantined, with its file, row and reason; the good data beside it gets in, and nothing stored is
lost.
"""

from __future__ import annotations

import json
import re
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from nba_assets.raw.ingestion import IngestionError
from nba_assets.raw.landing import LandingZoneError
from nba_assets.warehouse.duckdb import DuckDBWarehouse
from nba_assets.warehouse.interface import Warehouse
from nba_assets_tests.raw.feeds import (
    DAY,
    FORMATS,
    NEXT_DAY,
    NOW,
    event_row,
    ingested,
    injury_row,
    line_row,
    partition_state,
    quarantine,
    registry_row,
    schedule_row,
    sheet_row,
    stored,
    team_row,
    write,
)

STRANGE_NAMES = (
    "Dennis Schröder",
    "Luka Dončić",
    "Şengün, Alperen",
    "姚明 Yao",
    "Robert'); DROP TABLE nba_raw.player_gamebook; --",
    'Jokić "The Joker", "MVP"',
    "Line\nBreak",
    "Back\\slash, comma",
)


class TestBadFiles:
    """A file that cannot be used fails its table by name, after the good files are in."""

    def test_a_truncated_parquet_file(self, landing: Path, warehouse: Warehouse) -> None:
        write(landing, "player_gamebook/good.parquet", [sheet_row()])
        whole = write(landing, "player_gamebook/cut.parquet", [sheet_row(f"Player {chr(97 + n)}") for n in range(20)])
        whole.write_bytes(whole.read_bytes()[:-100])
        report = ingested("player_gamebook", landing, warehouse)
        assert [row["player_lookup"] for row in stored("player_gamebook", warehouse)] == ["lebronjames"]
        assert [bad.path for bad in report.bad_files] == ["player_gamebook/cut.parquet"]
        with pytest.raises(
            IngestionError,
            match=r"player_gamebook: 1 of 2 files.*player_gamebook/cut\.parquet cannot be read as Parquet",
        ):
            report.raise_for_bad_files()
        (row,) = quarantine("player_gamebook", warehouse)
        assert (row["file"], row["row_number"], row["partition_date"]) == ("player_gamebook/cut.parquet", 0, DAY)
        assert "cannot be read as Parquet" in row["reason"]

    @pytest.mark.parametrize("name", ["x.csv.gz", "x.jsonl.gz"])
    def test_a_truncated_compressed_file(self, name: str, landing: Path, warehouse: Warehouse) -> None:
        path = write(landing, f"player_gamebook/{name}", [sheet_row(f"Player {n * 7919}") for n in range(500)])
        path.write_bytes(path.read_bytes()[:-300])
        report = ingested("player_gamebook", landing, warehouse)
        assert (report.row_count, len(report.bad_files)) == (0, 1)

    @pytest.mark.parametrize("suffix", [".parquet", ".csv", ".csv.gz", ".jsonl.gz"])
    def test_an_empty_file_of_no_bytes(self, suffix: str, landing: Path, warehouse: Warehouse) -> None:
        (landing / f"player_gamebook{suffix}").touch()
        report = ingested("player_gamebook", landing, warehouse)
        assert [bad.path for bad in report.bad_files] == [f"player_gamebook{suffix}"]
        with pytest.raises(IngestionError, match="cannot be read as"):
            report.raise_for_bad_files()

    @pytest.mark.parametrize("suffix", [".parquet", ".csv", ".jsonl", ".jsonl.gz"])
    def test_a_valid_file_without_rows(self, suffix: str, landing: Path, warehouse: Warehouse) -> None:
        path = write(landing, f"player_gamebook{suffix}", [sheet_row()] if suffix in (".parquet", ".csv") else [])
        if suffix == ".parquet":
            pq.write_table(pq.read_table(path).slice(0, 0), path)
        elif suffix == ".csv":
            path.write_bytes(path.read_bytes().splitlines()[0] + b"\n")
        report = ingested("player_gamebook", landing, warehouse)
        report.raise_for_bad_files()
        assert report.dates_empty == [DAY]
        assert partition_state("player_gamebook", warehouse)[DAY]["row_count"] == 0

    @pytest.mark.parametrize("suffix", [".parquet", ".csv", ".jsonl"])
    def test_a_missing_required_column(self, suffix: str, landing: Path, warehouse: Warehouse) -> None:
        row = sheet_row()
        del row["player_status"]
        write(landing, f"player_gamebook/bad{suffix}", [row])
        write(landing, f"player_gamebook/good{suffix}", [sheet_row("Zach LaVine", team="CHI")])
        report = ingested("player_gamebook", landing, warehouse)
        assert [row["player_lookup"] for row in stored("player_gamebook", warehouse)] == ["zachlavine"]
        assert [bad.column for bad in report.bad_files] == ["player_status"]
        with pytest.raises(
            IngestionError, match=rf"bad\{suffix} lacks the required column player_status; it has game_id, "
        ):
            report.raise_for_bad_files()

    @pytest.mark.parametrize(
        ("delimiter", "named"), [(";", "`;`"), ("\t", "a tab"), ("|", "`|`")], ids=["semicolon", "tab", "bar"]
    )
    def test_another_delimiter_than_a_comma_is_named(
        self, delimiter: str, named: str, landing: Path, warehouse: Warehouse
    ) -> None:
        write(landing, "player_gamebook/x.csv", [sheet_row()])
        path = write(landing, "player_gamebook/x.csv", [sheet_row()])
        path.write_text(path.read_text().replace(",", delimiter))
        (bad,) = ingested("player_gamebook", landing, warehouse).bad_files
        assert re.fullmatch(
            r"lacks the required columns game_id, game_date, player_lookup, player_status; it has game_id.{1,100}: "
            rf"is {re.escape(named)} the delimiter\? Fields are separated by commas",
            bad.reason,
        ), bad.reason

    @pytest.mark.parametrize("suffix", [".parquet", ".csv", ".jsonl"])
    def test_names_of_columns_in_upper_case_are_named(self, suffix: str, landing: Path, warehouse: Warehouse) -> None:
        row = {name.upper(): value for name, value in sheet_row().items()}
        write(landing, f"player_gamebook/x{suffix}", [row])
        (bad,) = ingested("player_gamebook", landing, warehouse).bad_files
        assert re.search(
            r"; it has ([A-Z_0-9]+, ){7}[A-Z_0-9]+ and \d+ more columns: names of columns are in lower case, without "
            "spaces around them$",
            bad.reason,
        ), bad.reason

    def test_other_columns_than_the_table_has_are_named(self, landing: Path, warehouse: Warehouse) -> None:
        write(landing, "player_gamebook/x.csv", [{"foo": 1, "bar\nbaz": 2}])
        (bad,) = ingested("player_gamebook", landing, warehouse).bad_files
        assert bad.reason.endswith("player_status; it has foo, bar baz")

    def test_a_missing_date_column(self, landing: Path, warehouse: Warehouse) -> None:
        row = sheet_row()
        del row["game_date"]
        write(landing, "player_gamebook.parquet", [row])
        assert [bad.column for bad in ingested("player_gamebook", landing, warehouse).bad_files] == ["game_date"]

    @pytest.mark.parametrize(
        ("column", "values"),
        [
            ("points", pa.array([DAY])),
            ("points", pa.array([[25]])),
            ("points", pa.array([True])),
            ("game_date", pa.array([20211115])),
            ("processed_at", pa.array([1636934400])),
            ("player_name", pa.array([{"first": "LeBron"}])),
        ],
    )
    def test_a_wrong_column_type(self, column: str, values: pa.Array, landing: Path, warehouse: Warehouse) -> None:
        path = write(landing, "player_gamebook/bad.parquet", [sheet_row(processed_at=NOW)])
        table = pq.read_table(path)
        pq.write_table(table.set_column(table.column_names.index(column), column, values), path)
        write(landing, "player_gamebook/good.parquet", [sheet_row("Zach LaVine", team="CHI")])
        report = ingested("player_gamebook", landing, warehouse)
        assert [row["player_lookup"] for row in stored("player_gamebook", warehouse)] == ["zachlavine"]
        with pytest.raises(IngestionError, match=rf"bad\.parquet holds .* in the column {column}, which is to be"):
            report.raise_for_bad_files()

    def test_a_date_column_without_any_date(self, landing: Path, warehouse: Warehouse) -> None:
        write(
            landing,
            "player_gamebook.csv",
            [sheet_row("A") | {"game_date": "15.11.2021"}, sheet_row("B") | {"game_date": "n/a"}],
        )
        (bad,) = ingested("player_gamebook", landing, warehouse).bad_files
        assert (bad.column, bad.reason) == (
            "game_date",
            "holds no date in the column game_date: '15.11.2021' is not a date YYYY-MM-DD",
        )

    def test_a_column_that_stands_twice(self, landing: Path, warehouse: Warehouse) -> None:
        (landing / "injury_report.csv").write_text("team,game_date,team\nLAL,2021-11-15,CHI\n")
        (bad,) = ingested("injury_report", landing, warehouse).bad_files
        assert (bad.column, bad.reason) == ("team", "has the column team 2 times")

    def test_text_in_another_encoding(self, landing: Path, warehouse: Warehouse) -> None:
        path = write(landing, "player_gamebook.csv", [sheet_row("Dennis Schröder")])
        path.write_bytes(path.read_text().encode("latin-1"))
        (bad,) = ingested("player_gamebook", landing, warehouse).bad_files
        assert "'utf-8' codec can't decode" in bad.reason

    def test_a_json_array_instead_of_lines(self, landing: Path, warehouse: Warehouse) -> None:
        (landing / "injury_report.json").write_text(json.dumps([injury_row()], default=str, indent=1))
        (bad,) = ingested("injury_report", landing, warehouse).bad_files
        assert bad.reason == "is a JSON array; JSON lines hold one object per line"

    def test_a_file_of_another_format_than_its_name(self, landing: Path, warehouse: Warehouse) -> None:
        (landing / "injury_report.parquet").write_text("not Parquet at all, but long enough to be mistaken for it")
        assert len(ingested("injury_report", landing, warehouse).bad_files) == 1

    def test_a_file_that_may_not_be_read(
        self, landing: Path, warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def refuse(*_: object) -> None:
            raise PermissionError(13, "Permission denied")

        write(landing, "injury_report.parquet", [injury_row()])
        monkeypatch.setattr("nba_assets.raw.readers.pq.ParquetFile", refuse)
        (bad,) = ingested("injury_report", landing, warehouse).bad_files
        assert bad.reason == "cannot be read: Permission denied"

    def test_a_required_feed_without_any_file(self, landing: Path, warehouse: Warehouse) -> None:
        report = ingested("player_gamebook", landing, warehouse)
        with pytest.raises(IngestionError, match=r"no file of this required feed\. Put player_gamebook\.parquet"):
            report.raise_for_bad_files()
        assert partition_state("player_gamebook", warehouse) == {}

    def test_a_landing_zone_that_is_not_there(self, landing: Path, warehouse: Warehouse) -> None:
        with pytest.raises(LandingZoneError, match="NBA_ASSETS_LANDING"):
            ingested("schedule", landing / "nowhere", warehouse)

    def test_dates_that_a_bad_file_may_belong_to_do_not_count_as_ingested(
        self, landing: Path, warehouse: Warehouse
    ) -> None:
        """Otherwise nobody would ingest them again once the file is repaired."""
        days = [DAY, NEXT_DAY]
        write(landing, f"player_gamebook/{DAY}.parquet", [sheet_row()])
        cut = write(landing, f"player_gamebook/{NEXT_DAY}.parquet", [sheet_row(day=NEXT_DAY)])
        ingested("player_gamebook", landing, warehouse, days)
        cut.write_bytes(b"PAR1")
        report = ingested("player_gamebook", landing, warehouse, days)
        assert list(partition_state("player_gamebook", warehouse)) == [DAY]
        assert report.dates_kept == [NEXT_DAY]
        assert len(stored("player_gamebook", warehouse)) == 2
        assert [row["partition_date"] for row in quarantine("player_gamebook", warehouse)] == [NEXT_DAY]
        cut.unlink()
        write(landing, "player_gamebook/no_date.csv", [])
        ingested("player_gamebook", landing, warehouse, days)
        assert partition_state("player_gamebook", warehouse) == {}

    def test_a_mended_file_leaves_the_quarantine(self, landing: Path, warehouse: Warehouse) -> None:
        path = write(landing, "player_gamebook.parquet", [sheet_row(points=-1), sheet_row("B", field_goals_made=21)])
        assert ingested("player_gamebook", landing, warehouse).quarantined_count == 2
        assert len(quarantine("player_gamebook", warehouse)) == 2
        path.unlink()
        write(landing, "player_gamebook.parquet", [sheet_row(), sheet_row("B")])
        ingested("player_gamebook", landing, warehouse)
        assert quarantine("player_gamebook", warehouse) == []
        assert partition_state("player_gamebook", warehouse)[DAY]["failure_count"] == 0


class TestBadRows:
    """A bad row is quarantined alone; its reason names column and value."""

    @pytest.mark.parametrize(
        ("changes", "reason"),
        [
            pytest.param({"points": -3}, "points is -3, allowed is 0 to 250", id="negative count"),
            pytest.param(
                {"total_rebounds": 1000}, "total_rebounds is 1000, allowed is 0 to 100", id="impossible count"
            ),
            pytest.param(
                {"field_goals_made": 21},
                (
                    "field_goals_made is at most field_goals_attempted, but field_goals_made is 21.0, "
                    "field_goals_attempted is 20.0"
                ),
                id="more makes than attempts",
            ),
            pytest.param({"points": "many"}, "points 'many' is not a number", id="text for a count"),
            pytest.param({"points": 2.5}, "points '2.5' is not a whole number", id="fraction of a point"),
            pytest.param({"points": "1e400"}, "points '1e400' is too large for a whole number", id="infinite count"),
            pytest.param(
                {"points": "9223372036854775808"},
                "points '9223372036854775808' is too large for a whole number, at most 9,007,199,254,740,992",
                id="count beyond the whole numbers",
            ),
            pytest.param(
                {"game_id": "20211115_CHI_LAL\n20211115_CHI_LAL"},
                "game_id '20211115_CHI_LAL\\n20211115_CHI_LAL' holds a line break or another control character",
                id="id with a line break",
            ),
            pytest.param(
                {"player_id": "2544\t1"},
                "player_id '2544\\t1' holds a line break or another control character",
                id="id with a tab",
            ),
            pytest.param({"team_abbr": "XYZ"}, "team_abbr 'XYZ' is no team", id="unknown team"),
            pytest.param(
                {"home_team_abbr": "Los Angeles"}, "home_team_abbr 'Los Angeles' is no team", id="half a name"
            ),
            pytest.param({"team_abbr": "BOS"}, "team_abbr BOS does not play in CHI at LAL", id="team of another game"),
            pytest.param(
                {"game_id": "20211115_CHI_LAC"},
                "game_id '20211115_CHI_LAC' does not agree with home_team_abbr LAL",
                id="id of another game by its home team",
            ),
            pytest.param(
                {"game_id": "20211115_BOS_LAL"},
                "game_id '20211115_BOS_LAL' does not agree with away_team_abbr CHI",
                id="id of another game by its away team",
            ),
            pytest.param(
                {"game_id": "20211115_LAL_CHI"},
                "game_id '20211115_LAL_CHI' does not agree with home_team_abbr LAL",
                id="home and away exchanged",
            ),
            pytest.param(
                {"game_id": "20211116_CHI_LAL"},
                "game_id '20211116_CHI_LAL' does not agree with game_date 2021-11-15",
                id="id of another date",
            ),
            pytest.param(
                {"game_id": "20211115_CHI_XYZ"},
                "game_id '20211115_CHI_XYZ' names XYZ, which is no team",
                id="unknown team in id",
            ),
            pytest.param(
                {"game_id": None, "home_team_abbr": "CHI", "team_abbr": "CHI"},
                "home and away team are both CHI",
                id="a team against itself",
            ),
            pytest.param(
                {"player_status": "hurt"},
                "player_status 'hurt' is not one of active, dnp, inactive",
                id="unknown status",
            ),
            pytest.param({"player_status": None}, "player_status is missing", id="required value missing"),
            pytest.param({"player_name": None}, "player_lookup is missing", id="nameless player"),
            pytest.param({"player_name": "?!"}, "player_lookup is missing", id="name without a letter"),
            pytest.param({"season_year": 21}, "season_year is 21, allowed is 1946 to 2200", id="two-digit year"),
            pytest.param(
                {"processed_at": "yesterday"}, "processed_at 'yesterday' is not a point in time", id="no time"
            ),
            pytest.param(
                {"processed_at": "0021-11-15"}, "processed_at 0021-11-15T00:00:00.000000 cannot be", id="ancient time"
            ),
        ],
    )
    def test_a_bad_row_among_good_ones(
        self, changes: dict[str, Any], reason: str, landing: Path, warehouse: Warehouse
    ) -> None:
        rows = [sheet_row("Good One"), sheet_row() | changes, sheet_row("Good Two")]
        write(landing, "player_gamebook.csv", rows)
        report = ingested("player_gamebook", landing, warehouse)
        report.raise_for_bad_files()
        assert [row["player_lookup"] for row in stored("player_gamebook", warehouse)] == ["goodone", "goodtwo"]
        (row,) = quarantine("player_gamebook", warehouse)
        assert row["reason"].startswith(reason), row["reason"]
        assert (row["file"], row["row_number"], row["partition_date"]) == ("player_gamebook.csv", 2, DAY)
        assert json.loads(row["content"])["minutes"] == "34:12"
        assert (report.quarantined_count, report.by_date[DAY].quarantined_count) == (1, 1)
        assert report.examples[0].startswith(f"player_gamebook.csv, row 2: {reason}")
        assert partition_state("player_gamebook", warehouse)[DAY]["failure_count"] == 1

    def test_everything_that_is_wrong_with_a_row_is_said(self, landing: Path, warehouse: Warehouse) -> None:
        write(landing, "player_gamebook.csv", [sheet_row(points=-3, assists="x", team="XYZ")])
        ingested("player_gamebook", landing, warehouse)
        assert quarantine("player_gamebook", warehouse)[0]["reason"].split("; ") == [
            "team_abbr 'XYZ' is no team",
            "assists 'x' is not a number",
            "points is -3, allowed is 0 to 250",
        ]

    def test_a_quote_that_is_not_closed_takes_no_row_with_it(self, landing: Path, warehouse: Warehouse) -> None:
        path = write(landing, "player_gamebook.csv", [sheet_row(f"Player {name}") for name in "ABCD"])
        path.write_text(path.read_text().replace("\n", '\n"', 2))
        report = ingested("player_gamebook", landing, warehouse)
        assert (report.row_count, report.quarantined_count) == (2, 2)
        assert [(row["row_number"], row["reason"]) for row in quarantine("player_gamebook", warehouse)] == [
            (number, "has a quote that is not closed before the next row begins") for number in (1, 2)
        ]

    @pytest.mark.parametrize("suffix", FORMATS)
    def test_a_line_break_in_an_id_is_a_fault_and_in_free_text_is_none(
        self, suffix: str, landing: Path, warehouse: Warehouse
    ) -> None:
        rows = [sheet_row("Good One", dnp_reason="knee,\nleft"), sheet_row("Odd Id", player_id="25\n44")]
        write(landing, f"player_gamebook{suffix}", rows)
        assert ingested("player_gamebook", landing, warehouse).quarantined_count == 1
        assert [row["dnp_reason"] for row in stored("player_gamebook", warehouse)] == ["knee,\nleft"]
        (row,) = quarantine("player_gamebook", warehouse)
        assert row["reason"] == "player_id '25\\n44' holds a line break or another control character"

    def test_duplicate_rows_are_dropped_and_counted_but_are_no_fault(self, landing: Path, warehouse: Warehouse) -> None:
        write(landing, "player_gamebook.parquet", [sheet_row(), sheet_row(), sheet_row(player_lookup="lebron_james")])
        report = ingested("player_gamebook", landing, warehouse)
        assert (report.row_count, report.duplicate_count, report.quarantined_count) == (1, 2, 0)

    @pytest.mark.parametrize("suffix", FORMATS)
    @pytest.mark.parametrize("name", STRANGE_NAMES)
    def test_strange_names_are_names(self, name: str, suffix: str, landing: Path, warehouse: Warehouse) -> None:
        write(landing, f"player_gamebook{suffix}", [sheet_row(name), sheet_row("Zach LaVine", team="CHI", points=-1)])
        report = ingested("player_gamebook", landing, warehouse)
        assert (report.row_count, report.quarantined_count) == (1, 1)
        assert [row["player_name"] for row in stored("player_gamebook", warehouse)] == [name]

    def test_strange_names_are_names_in_the_engine(self, landing: Path, stored_warehouse: DuckDBWarehouse) -> None:
        write(landing, "player_gamebook.csv", [sheet_row(name) for name in STRANGE_NAMES])
        ingested("player_gamebook", landing, stored_warehouse)
        found = [row["player_name"] for row in stored("player_gamebook", stored_warehouse)]
        assert sorted(found) == sorted(STRANGE_NAMES)

    def test_a_strange_name_in_the_quarantine(self, landing: Path, stored_warehouse: DuckDBWarehouse) -> None:
        name = 'Robert\'); DELETE FROM "nba_raw"; -- Şengün'
        write(landing, "player_gamebook.parquet", [sheet_row(name, team=name), sheet_row()])
        ingested("player_gamebook", landing, stored_warehouse)
        (row,) = quarantine("player_gamebook", stored_warehouse)
        assert json.loads(row["content"])["player_name"] == name
        assert "DELETE FROM" in row["reason"]

    @pytest.mark.parametrize("day", [date(1899, 11, 15), date(1946, 6, 30), NOW.date() + timedelta(days=367)])
    @pytest.mark.parametrize("suffix", [".parquet", ".csv", ".jsonl"])
    def test_a_row_dated_outside_every_season(
        self, day: date, suffix: str, landing: Path, warehouse: Warehouse
    ) -> None:
        """No run ever asks for such a date, so whichever run reads the file reports it."""
        write(landing, f"player_gamebook{suffix}", [sheet_row(), sheet_row(day=day)])
        assert ingested("player_gamebook", landing, warehouse).row_count == 1
        (row,) = quarantine("player_gamebook", warehouse)
        assert row["reason"] == f"game_date {day} lies outside every season"
        assert (row["row_number"], row["partition_date"]) == (2, DAY)

    def test_a_file_for_a_date_outside_every_season(self, landing: Path, warehouse: Warehouse) -> None:
        write(landing, "player_gamebook/game_date=1899-11-15/x.parquet", [sheet_row()])
        write(landing, "player_gamebook/game_date=2021-11-15/x.parquet", [sheet_row()])
        report = ingested("player_gamebook", landing, warehouse)
        report.raise_for_bad_files()
        assert (report.row_count, report.quarantined_count) == (1, 1)
        (row,) = quarantine("player_gamebook", warehouse)
        assert (row["file"], row["row_number"]) == ("player_gamebook/game_date=1899-11-15/x.parquet", 0)
        assert "1899-11-15, which lies outside every season" in row["reason"]

    def test_a_game_outside_of_its_own_season(self, landing: Path, warehouse: Warehouse) -> None:
        rows = [
            schedule_row(),
            schedule_row(NEXT_DAY, season_year=2019),
            schedule_row(date(2022, 11, 1), season_year=2021),
        ]
        write(landing, "schedule.parquet", rows)
        assert ingested("schedule", landing, warehouse).row_count == 1
        assert [row["reason"] for row in quarantine("schedule", warehouse)] == [
            (
                "game_date lies between the July before season_year and the October after it, but game_date is "
                "2022-11-01, season_year is 2021.0"
            )
        ]

    @pytest.mark.parametrize("suffix", [".parquet", ".csv", ".jsonl"])
    def test_a_row_without_a_readable_date(self, suffix: str, landing: Path, warehouse: Warehouse) -> None:
        row = sheet_row("B")
        write(
            landing,
            f"player_gamebook{suffix}",
            [{**sheet_row("A"), "game_date": str(DAY)}, {**row, "game_date": "soon"}, {**row, "game_date": None}],
        )
        assert ingested("player_gamebook", landing, warehouse).row_count == 1
        assert [row["reason"] for row in quarantine("player_gamebook", warehouse)] == [
            "game_date 'soon' is not a date YYYY-MM-DD",
            "game_date is missing",
        ]

    def test_a_moment_is_not_a_date(self, landing: Path, warehouse: Warehouse) -> None:
        """A tip-off in UTC is often of the next day: guessing would move the game."""
        tip = datetime(2021, 11, 15, 23, 30)
        rows = [{**sheet_row("A"), "game_date": datetime(2021, 11, 15)}, {**sheet_row("B"), "game_date": tip}]
        write(landing, "player_gamebook.parquet", rows)
        ingested("player_gamebook", landing, warehouse)
        assert [row["reason"] for row in quarantine("player_gamebook", warehouse)] == [
            "game_date 2021-11-15T23:30:00.000000 is not a date YYYY-MM-DD"
        ]

    def test_lines_of_csv_with_too_few_or_too_many_fields(self, landing: Path, warehouse: Warehouse) -> None:
        path = write(landing, "player_gamebook.csv", [sheet_row(f"Player {name}") for name in "ABC"])
        lines = path.read_bytes().splitlines()
        path.write_bytes(b"\n".join([*lines[:2], b"too,few", lines[2], lines[3] + b",too,many", lines[3]]))
        assert ingested("player_gamebook", landing, warehouse).row_count == 3
        assert [(row["row_number"], row["reason"]) for row in quarantine("player_gamebook", warehouse)] == [
            (2, "has 2 fields where the header has 13"),
            (4, "has 15 fields where the header has 13"),
        ]

    def test_lines_that_are_no_json(self, landing: Path, warehouse: Warehouse) -> None:
        path = write(landing, "injury_report.jsonl", [injury_row("a"), injury_row("b")])
        first, second = path.read_text().splitlines()
        path.write_text("\n".join([first, "", '{"cut": ', '["list"]', "42", second, second[:-9]]))
        assert ingested("injury_report", landing, warehouse).row_count == 2
        found = quarantine("injury_report", warehouse)
        assert [row["row_number"] for row in found] == [3, 4, 5, 7]
        assert {row["reason"] for row in found} == {"is not a JSON object"}
        assert found[0]["content"] == '{"cut": '

    def test_row_numbers_are_those_of_the_file(self, landing: Path, warehouse: Warehouse) -> None:
        rows = [event_row(number, DAY + timedelta(days=number // 30)) for number in range(300)]
        for place in (1, 100, 299):
            rows[place]["period"] = 99
        write(landing, "play_by_play/a.parquet", rows, row_group_size=7)
        write(landing, "play_by_play/b.csv", rows)
        days = [DAY, DAY + timedelta(days=3), DAY + timedelta(days=9)]
        ingested("play_by_play", landing, warehouse, days)
        assert [
            (row["partition_date"], row["file"][-9:], row["row_number"])
            for row in quarantine("play_by_play", warehouse)
        ] == [
            (day, name, number)
            for day, number in zip(days, (2, 101, 300), strict=True)
            for name in ("a.parquet", "lay/b.csv")
        ]

    def test_a_date_of_bad_rows_only_keeps_what_it_has(self, landing: Path, warehouse: Warehouse) -> None:
        path = write(landing, "player_gamebook.parquet", [sheet_row()])
        before = ingested("player_gamebook", landing, warehouse)
        path.unlink()
        write(landing, "player_gamebook.parquet", [sheet_row(points=-1), sheet_row("B", points=999)])
        after = ingested("player_gamebook", landing, warehouse)
        assert after.dates_kept == [DAY]
        assert after.by_date[DAY].digest == before.by_date[DAY].digest
        assert [row["points"] for row in stored("player_gamebook", warehouse)] == [25]
        assert partition_state("player_gamebook", warehouse)[DAY]["failure_count"] == 2

    @pytest.mark.parametrize(
        ("name", "row", "reason"),
        [
            ("schedule", schedule_row(winning_team_abbr="BOS"), "winning_team_abbr BOS does not play in CHI at LAL"),
            ("schedule", schedule_row(game_status=7), "game_status is 7, allowed is 1 to 4"),
            ("schedule", schedule_row(is_playoffs="maybe"), "is_playoffs 'maybe' is not true or false"),
            ("team_boxscores", team_row("BOS"), "team_abbr BOS does not play in CHI at LAL"),
            ("team_boxscores", team_row(game_id="somewhere"), "game_id 'somewhere' is not YYYYMMDD_AWAY_HOME"),
            (
                "team_boxscores",
                team_row(game_id="0022100213"),
                "nba_game_id 0022100213 is no game of the landed schedule",
            ),
            ("team_boxscores", team_row(fg_made=89), "fg_made is at most fg_attempted"),
            ("play_by_play", event_row(1, player_1_team_abbr="BOS"), "player_1_team_abbr BOS does not play"),
            ("play_by_play", event_row(1, shot_type="4PT"), "shot_type '4PT' is not one of 2PT, 3PT"),
            ("play_by_play", event_row(1, game_clock_seconds=721), "game_clock_seconds is 721, allowed is 0 to 720"),
            ("game_lines", line_row("Springfield"), "outcome_name 'Springfield' is neither a team nor Over or Under"),
            ("game_lines", line_row("Boston Celtics"), "outcome_team_abbr BOS does not play in CHI at LAL"),
            ("game_lines", line_row(home_team_abbr="CHI"), "home and away team are both CHI"),
            ("injury_report", injury_row(report_hour=24), "report_hour is 24, allowed is 0 to 23"),
            ("player_registry", registry_row(season="2021-23"), "season '2021-23' is not a season such as 2021-22"),
        ],
    )
    def test_bad_rows_of_every_kind_of_table(
        self, name: str, row: dict[str, Any], reason: str, landing: Path, warehouse: Warehouse
    ) -> None:
        write(landing, f"{name}.jsonl", [row])
        report = ingested(name, landing, warehouse)
        assert report.row_count == 0
        (row,) = quarantine(name, warehouse)
        assert row["reason"].startswith(reason), row["reason"]

    def test_no_bytes_bring_ingestion_down(self, landing: Path, warehouse: Warehouse) -> None:
        """Any one byte of a file overwritten: the table is ingested or the file is named, nothing else."""
        for suffix in (".parquet", ".csv", ".jsonl", ".csv.gz"):
            path = write(landing, f"injury_report{suffix}", [injury_row(f"player{n}") for n in range(3)])
            good = path.read_bytes()
            for place in range(0, len(good), max(1, len(good) // 12)):
                path.write_bytes(good[:place] + b"\xff" + good[place + 1 :])
                report = ingested("injury_report", landing, warehouse)
                assert report.row_count + report.quarantined_count <= 3
                assert report.row_count == 3 or report.bad_files or report.quarantined_count, (suffix, place)
            path.unlink()
