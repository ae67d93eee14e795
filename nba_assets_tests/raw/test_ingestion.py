"""Good data, however it is sent: what lands is what is stored, once, under canonical names, and nothing stored is
lost.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nba_assets.raw.tables import RAW_TABLES
from nba_assets.tables.columns import arrow_schema
from nba_assets.tables.digest import partition_digest, row_hashes
from nba_assets.warehouse.interface import OvertakenError, Replacement, Warehouse
from nba_assets_tests.conftest import real_data
from nba_assets_tests.raw.feeds import (
    DAY,
    FORMATS,
    NEXT_DAY,
    NOW,
    Row,
    digests,
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

NIGHT: dict[str, list[Row]] = {
    "schedule": [schedule_row()],
    "player_gamebook": [sheet_row(), sheet_row("Zach LaVine", team="CHI", points=26)],
    "team_boxscores": [team_row("LAL"), team_row("CHI", points=121)],
    "play_by_play": [event_row(1), event_row(2, shot_made=False, loc_x=-12.5, loc_y=30.0)],
    "game_lines": [line_row(), line_row("Chicago Bulls", outcome_point=1.5)],
    "injury_report": [injury_row(), injury_row("coreywhite", team="CHI", confidence_score=0.9)],
    "player_registry": [registry_row(), registry_row("Zach LaVine")],
}
"""A night of every kind of table."""

EARLIER, LATER = datetime(2021, 11, 16, 6, tzinfo=UTC), datetime(2021, 11, 16, 18, tzinfo=UTC)


class TestFormats:
    """The same rows are the same table, whatever file they come in."""

    @pytest.mark.parametrize("name", NIGHT)
    @pytest.mark.parametrize("suffix", FORMATS[1:])
    def test_every_format_gives_what_parquet_gives(
        self, name: str, suffix: str, tmp_path: Path, make_warehouse: Callable[[], Warehouse]
    ) -> None:
        results = []
        for kind in (".parquet", suffix):
            warehouse = make_warehouse()
            write(tmp_path / kind, f"{name}{kind}", NIGHT[name])
            report = ingested(name, tmp_path / kind, warehouse)
            report.raise_for_bad_files()
            assert report.quarantined_count == 0, report.examples
            results.append((digests(report), stored(name, warehouse)))
        assert results[0] == results[1]
        assert len(results[0][1]) == len(NIGHT[name])

    def test_text_in_parquet_is_read_like_text_in_csv(
        self, tmp_path: Path, make_warehouse: Callable[[], Warehouse]
    ) -> None:
        rows = [
            {name: None if value is None else str(value) for name, value in row.items()} for row in NIGHT["game_lines"]
        ]
        write(tmp_path / "typed", "game_lines.parquet", NIGHT["game_lines"])
        write(tmp_path / "text", "game_lines.parquet", rows)
        typed, text = (ingested("game_lines", tmp_path / kind, make_warehouse()) for kind in ("typed", "text"))
        assert digests(typed) == digests(text)

    def test_a_byte_order_mark_and_windows_line_ends_do_not_matter(self, landing: Path, warehouse: Warehouse) -> None:
        path = write(landing, "player_gamebook.csv", NIGHT["player_gamebook"])
        path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
        assert ingested("player_gamebook", landing, warehouse).row_count == 2

    def test_types_that_dataframes_write(self, landing: Path, warehouse: Warehouse) -> None:
        """Counts as floats because of nulls, dates as midnights, categories, moments in nanoseconds of another zone."""
        tip = datetime(2021, 11, 16, 3, 30, tzinfo=UTC)
        table = pa.table(
            {
                "game_date": pa.array([datetime(2021, 11, 15)] * 2, pa.timestamp("ns")),
                "home_team_abbr": pa.array(["LAL", "LAL"]).dictionary_encode(),
                "away_team_abbr": pa.array(["CHI", "CHI"], pa.large_string()),
                "player_name": ["A B", "C D"],
                "player_lookup": pa.nulls(2),
                "game_start_time": pa.array([tip, None], pa.timestamp("ns", "America/New_York")),
                "source": ["odds_api"] * 2,
                "bookmaker": ["fanduel"] * 2,
                "points_line": pa.array([20, 21], pa.int8()),
                "over_price_american": pa.array([-110.0, float("nan")]),
                "snapshot_timestamp": pa.array([tip, tip], pa.timestamp("ms")),
            }
        )
        pq.write_table(table, landing / "player_points_props.parquet")
        assert ingested("player_points_props", landing, warehouse).quarantined_count == 0
        first, second = stored("player_points_props", warehouse)
        assert (first["player_lookup"], first["over_price_american"], first["points_line"]) == ("ab", -110, 20.0)
        assert first["game_start_time"] == first["snapshot_timestamp"] == tip
        assert (second["over_price_american"], second["game_start_time"]) == (None, None)


class TestPaths:
    """A date in a path is the date of the rows, and spares reading the files of other dates."""

    @pytest.mark.parametrize(
        "path",
        [
            "player_gamebook/game_date={day}/x.parquet",
            "player_gamebook/{day}.parquet",
            "player_gamebook/{day}/x.csv",
            "player_gamebook/{day:%Y/%m/%d}/x.jsonl",
        ],
    )
    def test_files_of_other_dates_are_not_opened(self, path: str, landing: Path, warehouse: Warehouse) -> None:
        write(landing, path.format(day=DAY), [sheet_row()])
        other = write(landing, path.format(day=NEXT_DAY), [])
        other.write_bytes(b"not even a file of its format \x00\xff")
        report = ingested("player_gamebook", landing, warehouse)
        report.raise_for_bad_files()
        assert (report.row_count, report.files_read, report.files_skipped) == (1, 1, 1)

    @pytest.mark.parametrize("name", ["x.parquet", "x.csv", "x.jsonl"])
    def test_a_date_that_stands_only_in_the_path_is_taken_from_it(
        self, name: str, landing: Path, warehouse: Warehouse
    ) -> None:
        row = {key: value for key, value in sheet_row().items() if key not in ("game_date", "game_id")}
        write(landing, f"player_gamebook/game_date={DAY}/{name}", [row])
        ingested("player_gamebook", landing, warehouse).raise_for_bad_files()
        (found,) = stored("player_gamebook", warehouse)
        assert (found["game_date"], found["game_id"]) == (DAY, "20211115_CHI_LAL")

    def test_other_columns_may_stand_in_the_path_too(self, landing: Path, warehouse: Warehouse) -> None:
        row = {key: value for key, value in injury_row().items() if key != "report_date"}
        write(landing, "injury_report/report_date=2021-11-14/x.csv", [row])
        ingested("injury_report", landing, warehouse).raise_for_bad_files()
        (found,) = stored("injury_report", warehouse)
        assert (found["report_date"], found["game_date"]) == (date(2021, 11, 14), DAY)

    def test_a_row_of_another_date_than_its_path_is_set_aside(self, landing: Path, warehouse: Warehouse) -> None:
        write(landing, f"player_gamebook/{DAY}.parquet", [sheet_row(), sheet_row("Zach LaVine", NEXT_DAY, "CHI")])
        assert ingested("player_gamebook", landing, warehouse, [DAY, NEXT_DAY]).row_count == 1
        (row,) = quarantine("player_gamebook", warehouse)
        assert row["reason"] == "game_date 2021-11-16 differs from 2021-11-15, the date that the file's path names"
        assert row["partition_date"] == DAY

    def test_of_many_dates_in_a_file_only_those_requested_are_written(
        self, landing: Path, warehouse: Warehouse
    ) -> None:
        rows = [event_row(number, DAY + timedelta(days=number % 5)) for number in range(100)]
        write(landing, "play_by_play.parquet", rows, row_group_size=7)
        report = ingested("play_by_play", landing, warehouse, [DAY, DAY + timedelta(days=3)])
        assert {row["event_sequence"] % 5 for row in stored("play_by_play", warehouse)} == {0, 3}
        assert [facts.row_count for facts in report.by_date.values()] == [20, 20]

    def test_files_of_different_columns_are_put_together(self, landing: Path, warehouse: Warehouse) -> None:
        write(landing, "play_by_play/a.parquet", [event_row(1)])
        write(landing, "play_by_play/b.parquet", [event_row(2, loc_x=1.5)])
        write(landing, "play_by_play/c.csv", [event_row(3, source="nba")])
        ingested("play_by_play", landing, warehouse)
        assert [(row["loc_x"], row["source"]) for row in stored("play_by_play", warehouse)] == [
            (None, None),
            (1.5, None),
            (None, "nba"),
        ]


class TestNames:
    """Whatever the feed calls them, teams, players and games have one name."""

    def test_aliases_and_full_names_become_tricodes(self, landing: Path, warehouse: Warehouse) -> None:
        row = schedule_row(
            game_id="20211115_PHO_UTAH",
            away_team_abbr="PHO",
            home_team_abbr="utah",
            winning_team_abbr="Phoenix Suns",
        )
        write(landing, "schedule.csv", [row])
        assert ingested("schedule", landing, warehouse).quarantined_count == 0
        (found,) = stored("schedule", warehouse)
        assert [found[name] for name in ("game_id", "away_team_abbr", "home_team_abbr", "winning_team_abbr")] == [
            "20211115_PHX_UTA",
            "PHX",
            "UTA",
            "PHX",
        ]

    @pytest.mark.parametrize("given_id", ["20211115_chi_lal", "0022100213", None])
    def test_game_ids_are_made_from_the_row(self, given_id: str | None, landing: Path, warehouse: Warehouse) -> None:
        write(landing, "player_gamebook.parquet", [sheet_row(game_id=given_id)])
        ingested("player_gamebook", landing, warehouse)
        assert [row["game_id"] for row in stored("player_gamebook", warehouse)] == ["20211115_CHI_LAL"]

    def test_game_ids_without_teams_beside_them_are_mended_by_themselves(
        self, landing: Path, warehouse: Warehouse
    ) -> None:
        write(landing, "team_boxscores.csv", [team_row("BRK", game_id="20211115_GS_BRK", is_home=True)])
        ingested("team_boxscores", landing, warehouse)
        assert [(row["game_id"], row["team_abbr"]) for row in stored("team_boxscores", warehouse)] == [
            ("20211115_GSW_BKN", "BKN")
        ]

    @pytest.mark.parametrize(
        ("lookup", "name", "expected"),
        [
            (None, "Dennis Schröder", "dennisschroder"),
            ("", "Jaren Jackson Jr.", "jarenjacksonjr"),
            ("LeBron James", "somebody else", "lebronjames"),
            ("2544lebronjames", None, "lebronjames"),
        ],
    )
    def test_players_have_one_key(
        self, lookup: str | None, name: str | None, expected: str, landing: Path, warehouse: Warehouse
    ) -> None:
        write(landing, "player_gamebook.jsonl", [sheet_row(player_lookup=lookup, player_name=name)])
        ingested("player_gamebook", landing, warehouse)
        assert [row["player_lookup"] for row in stored("player_gamebook", warehouse)] == [expected]

    def test_a_feed_without_lookups_gets_them_from_the_names(self, landing: Path, warehouse: Warehouse) -> None:
        row = sheet_row()
        del row["player_lookup"]
        write(landing, "player_gamebook.parquet", [row])
        ingested("player_gamebook", landing, warehouse).raise_for_bad_files()
        assert stored("player_gamebook", warehouse)[0]["player_lookup"] == "lebronjames"

    def test_play_by_play_loses_its_numbers_and_capitals(self, landing: Path, warehouse: Warehouse) -> None:
        write(landing, "play_by_play.parquet", [event_row(1, event_type="Shot", player_2_lookup="203999")])
        ingested("play_by_play", landing, warehouse)
        (found,) = stored("play_by_play", warehouse)
        assert [found[name] for name in ("event_type", "event_subtype", "player_1_lookup", "player_2_lookup")] == [
            "shot",
            "driving layup",
            "zachlavine",
            None,
        ]

    @pytest.mark.parametrize(
        ("outcome", "expected"),
        [("los angeles lakers", "LAL"), ("LAL", "LAL"), ("Chicago Bulls", "CHI"), ("Over", None), ("UNDER", None)],
    )
    def test_outcomes_of_lines_become_teams(
        self, outcome: str, expected: str | None, landing: Path, warehouse: Warehouse
    ) -> None:
        write(landing, "game_lines.parquet", [line_row(outcome)])
        assert ingested("game_lines", landing, warehouse).quarantined_count == 0
        (found,) = stored("game_lines", warehouse)
        assert (found["outcome_team_abbr"], found["outcome_name"]) == (expected, outcome)
        assert (found["bookmaker_key"], found["market_key"]) == ("draftkings", "spreads")

    @pytest.mark.parametrize("season", ["2021-22", "2021-2022", 2021])
    def test_a_registry_is_stored_by_the_july_before_its_season(
        self, season: object, landing: Path, warehouse: Warehouse
    ) -> None:
        write(landing, "player_registry.parquet", [registry_row(season=season)])  # type: ignore[arg-type]
        report = ingested("player_registry", landing, warehouse)
        (found,) = stored("player_registry", warehouse)
        assert (found["season_start"], found["season"], found["team_abbr"]) == (date(2021, 7, 1), "2021-22", "")
        assert (report.row_count, report.by_date[DAY].row_count) == (1, 0)
        assert partition_state("player_registry", warehouse)[date(2021, 7, 1)]["row_count"] == 1


class TestValues:
    """Types, zones, stamps and nulls."""

    def test_moments_without_a_zone_are_in_utc(self, landing: Path, warehouse: Warehouse) -> None:
        moments = [
            "2021-11-15 19:00:00",
            "2021-11-15T14:00:00-05:00",
            "2021-11-15T19:00:00Z",
            "2021-11-15 19:00:00 UTC",
        ]
        rows = [line_row(snapshot_timestamp=moment, bookmaker_key=f"book{i}") for i, moment in enumerate(moments)]
        write(landing, "game_lines.csv", rows)
        ingested("game_lines", landing, warehouse)
        assert {row["snapshot_timestamp"] for row in stored("game_lines", warehouse)} == {
            datetime(2021, 11, 15, 19, tzinfo=UTC)
        }

    @pytest.mark.parametrize(("given", "expected"), [(-7, "-7"), (5.0, "5"), ("+12", "+12"), (None, None)])
    def test_plus_minus_is_text(self, given: object, expected: str | None, landing: Path, warehouse: Warehouse) -> None:
        write(landing, "player_gamebook.parquet", [sheet_row(plus_minus=given)])
        ingested("player_gamebook", landing, warehouse)
        assert stored("player_gamebook", warehouse)[0]["plus_minus"] == expected

    def test_rows_are_stamped_where_the_feed_does_not_say(self, landing: Path, warehouse: Warehouse) -> None:
        write(landing, "player_gamebook/a.parquet", [sheet_row("A")])
        write(landing, "player_gamebook/b.parquet", [sheet_row("B", processed_at=EARLIER), sheet_row("C")])
        report = ingested("player_gamebook", landing, warehouse)
        assert [row["processed_at"] for row in stored("player_gamebook", warehouse)] == [NOW, EARLIER, NOW]
        assert report.newest_processed_at == report.by_date[DAY].newest_processed_at == NOW

    def test_columns_that_a_feed_lacks_are_null_and_unknown_ones_are_ignored(
        self, landing: Path, warehouse: Warehouse
    ) -> None:
        write(landing, "play_by_play.parquet", [event_row(1, colour="red")])
        ingested("play_by_play", landing, warehouse)
        (found,) = stored("play_by_play", warehouse)
        assert list(found) == list(RAW_TABLES["play_by_play"].table.column_names)
        assert found["loc_x"] is found["home_team_abbr"] is found["score_home"] is None


class TestReplacing:
    """Ingesting is idempotent, a correction replaces, and what does not land again stays."""

    def test_the_same_bytes_twice_are_the_same_table(self, landing: Path, warehouse: Warehouse) -> None:
        for name, rows in NIGHT.items():
            write(landing, f"{name}.parquet", rows)
            first = ingested(name, landing, warehouse)
            rows_before, second = stored(name, warehouse), ingested(name, landing, warehouse)
            assert digests(first) == digests(second)
            assert stored(name, warehouse) == rows_before

    def test_the_hour_of_ingestion_is_not_part_of_the_digest(self, landing: Path, warehouse: Warehouse) -> None:
        write(landing, "player_gamebook.parquet", NIGHT["player_gamebook"])
        first = ingested("player_gamebook", landing, warehouse)
        second = ingested("player_gamebook", landing, warehouse, now=NOW + timedelta(days=1))
        assert digests(first) == digests(second)
        assert second.newest_processed_at == NOW + timedelta(days=1)

    @pytest.mark.slow
    @settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(seed=st.integers(0, 2**32))
    def test_however_rows_are_spread_over_files_the_digests_are_the_same(
        self, seed: int, tmp_path_factory: pytest.TempPathFactory, make_warehouse: Callable[[], Warehouse]
    ) -> None:
        dice, days = random.Random(seed), [DAY, NEXT_DAY, DAY + timedelta(days=2)]
        rows = [event_row(number, days[number % 2], processed_at=LATER) for number in range(12)]
        plain, spread = tmp_path_factory.mktemp("plain"), tmp_path_factory.mktemp("spread")
        write(plain, "play_by_play.parquet", rows)
        expected = digests(ingested("play_by_play", plain, make_warehouse(), days))
        rows += [row | {"shot_distance": 99.0, "processed_at": EARLIER} for row in dice.sample(rows, 4)]
        dice.shuffle(rows)
        for place, row in enumerate(rows):
            path = dice.choice(["{0}.csv", "{1}/{0}.parquet", "game_date={1}/{0}.jsonl.gz", "x/{0}.parquet"])
            write(spread, "play_by_play/" + path.format(f"file{place}", row["game_date"]), [row])
        warehouse = make_warehouse()
        dice.shuffle(days)
        singly = {day: ingested("play_by_play", spread, warehouse, [day]) for day in days}
        assert {day: report.by_date[day].digest for day, report in singly.items()} == expected
        assert digests(ingested("play_by_play", spread, warehouse, days)) == expected

    def test_a_corrected_row_wins_by_the_time_it_was_processed(self, landing: Path, warehouse: Warehouse) -> None:
        write(landing, "player_gamebook/b.parquet", [sheet_row(points=25, processed_at=LATER)], modified=1)
        write(landing, "player_gamebook/a.parquet", [sheet_row(points=24, processed_at=EARLIER)], modified=2)
        report = ingested("player_gamebook", landing, warehouse)
        assert [row["points"] for row in stored("player_gamebook", warehouse)] == [25]
        assert (report.duplicate_count, report.replaced_count, report.quarantined_count) == (0, 1, 0)

    @pytest.mark.parametrize(("modified_a", "modified_b", "expected"), [(2, 1, 24), (1, 2, 25), (1, 1, 25)])
    def test_of_equal_times_the_later_file_wins(
        self, modified_a: int, modified_b: int, expected: int, landing: Path, warehouse: Warehouse
    ) -> None:
        write(landing, "player_gamebook/a.csv", [sheet_row(points=24)], modified=modified_a)
        write(landing, "player_gamebook/b.parquet", [sheet_row(points=25)], modified=modified_b)
        ingested("player_gamebook", landing, warehouse)
        assert [row["points"] for row in stored("player_gamebook", warehouse)] == [expected]

    def test_a_correction_replaces_its_date_and_no_other(self, landing: Path, warehouse: Warehouse) -> None:
        path = write(landing, "player_gamebook.parquet", [sheet_row(), sheet_row(day=NEXT_DAY)])
        before = ingested("player_gamebook", landing, warehouse, [DAY, NEXT_DAY])
        path.unlink()
        write(landing, "player_gamebook.parquet", [sheet_row("Zach LaVine", team="CHI")])
        after = ingested("player_gamebook", landing, warehouse)
        found = {(row["game_date"], row["player_lookup"]) for row in stored("player_gamebook", warehouse)}
        assert found == {(DAY, "zachlavine"), (NEXT_DAY, "lebronjames")}
        assert digests(after)[DAY] != digests(before)[DAY]
        assert partition_state("player_gamebook", warehouse)[NEXT_DAY]["digest"] == digests(before)[NEXT_DAY]

    def test_dates_that_do_not_land_again_keep_what_they_have(self, landing: Path, warehouse: Warehouse) -> None:
        path = write(landing, "injury_report.parquet", [injury_row(), injury_row(day=NEXT_DAY)])
        before = ingested("injury_report", landing, warehouse, [DAY, NEXT_DAY])
        path.unlink()
        write(landing, "injury_report.parquet", [injury_row(day=NEXT_DAY)])
        empty_day = DAY + timedelta(days=9)
        after = ingested("injury_report", landing, warehouse, [DAY, NEXT_DAY, empty_day])
        assert (after.dates_kept, after.dates_empty) == ([DAY], [empty_day])
        assert [after.by_date[day].landed for day in (DAY, NEXT_DAY, empty_day)] == [False, True, False]
        assert digests(after) == {**digests(before), empty_day: partition_digest(row_hashes_of_nothing())}
        assert len(stored("injury_report", warehouse)) == 2

    def test_an_absent_optional_feed_is_an_empty_table(self, landing: Path, warehouse: Warehouse) -> None:
        report = ingested("player_points_props", landing, warehouse, [DAY, NEXT_DAY])
        report.raise_for_bad_files()
        assert report.dates_empty == [DAY, NEXT_DAY]
        assert [entry["row_count"] for entry in partition_state("player_points_props", warehouse).values()] == [0, 0]

    def test_the_partition_state_tells_what_is_stored(self, landing: Path, warehouse: Warehouse) -> None:
        rows = [
            sheet_row(),
            sheet_row("Zach LaVine", team="CHI", points=-1),
            sheet_row(day=NEXT_DAY, processed_at=LATER),
        ]
        write(landing, "player_gamebook.parquet", rows)
        days = [DAY, NEXT_DAY, DAY + timedelta(days=2)]
        report = ingested("player_gamebook", landing, warehouse, days)
        table, entries = RAW_TABLES["player_gamebook"].table, partition_state("player_gamebook", warehouse)
        assert list(entries) == days
        for day, entry in entries.items():
            there = warehouse.read(table, table.column_names, day, day)
            assert entry["row_count"] == there.num_rows == report.by_date[day].row_count
            digest = partition_digest(row_hashes(table, there.cast(arrow_schema(table))))
            assert entry["digest"] == digest == report.by_date[day].digest
        assert [entry["failure_count"] for entry in entries.values()] == [1, 0, 0]
        assert [entry["newest_processed_at"] for entry in entries.values()] == [NOW, LATER, None]
        assert {(entry["run_id"], entry["written_at"]) for entry in entries.values()} == {("test", NOW)}

    def test_tables_do_not_touch_each_others_partition_state(self, landing: Path, warehouse: Warehouse) -> None:
        write(landing, "player_gamebook.parquet", [sheet_row(points=-1)])
        write(landing, "team_boxscores.parquet", [team_row(points=-1)])
        ingested("player_gamebook", landing, warehouse)
        before = partition_state("player_gamebook", warehouse), quarantine("player_gamebook", warehouse)
        ingested("team_boxscores", landing, warehouse)
        assert (partition_state("player_gamebook", warehouse), quarantine("player_gamebook", warehouse)) == before

    def test_everything_is_written_in_one_transaction(
        self, landing: Path, warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        calls: list[Sequence[Replacement]] = []
        monkeypatch.setattr(type(warehouse), "replace", lambda _, replacements, **__: calls.append(replacements))
        write(landing, "player_gamebook.parquet", [sheet_row(), sheet_row("B", points=-1)])
        ingested("player_gamebook", landing, warehouse)
        (replacements,) = calls
        assert [replacement.table.name for replacement in replacements] == [
            "player_gamebook",
            "raw_quarantine",
            "table_partitions",
        ]

    def test_nothing_is_ingested_for_no_dates(self, landing: Path, warehouse: Warehouse) -> None:
        with pytest.raises(ValueError, match="no dates to ingest schedule for"):
            ingested("schedule", landing, warehouse, [])


class TestWholeSeasons:
    """A schedule is a snapshot of its season: all of it is replaced at once, and nothing of another season."""

    def test_any_date_brings_the_whole_season(self, landing: Path, warehouse: Warehouse) -> None:
        opening, final = date(2021, 10, 19), date(2022, 6, 16)
        write(landing, "schedule.parquet", [schedule_row(opening), schedule_row(), schedule_row(final)])
        report = ingested("schedule", landing, warehouse, [DAY])
        assert report.row_count == 3
        assert list(report.by_date) == [DAY]
        assert {day: entry["row_count"] for day, entry in partition_state("schedule", warehouse).items()} == {
            opening: 1,
            DAY: 1,
            final: 1,
        }

    def test_a_game_that_was_moved_leaves_its_old_date(self, landing: Path, warehouse: Warehouse) -> None:
        old, new = date(2021, 12, 1), date(2022, 2, 1)
        path = write(landing, "schedule.parquet", [schedule_row(), schedule_row(old)])
        ingested("schedule", landing, warehouse)
        path.unlink()
        write(landing, "schedule.csv", [schedule_row(), schedule_row(new)])
        ingested("schedule", landing, warehouse)
        assert [row["game_date"] for row in stored("schedule", warehouse)] == [DAY, new]
        counts = {day: entry["row_count"] for day, entry in partition_state("schedule", warehouse).items()}
        assert counts == {DAY: 1, old: 0, new: 1}

    def test_seasons_that_share_a_summer_leave_each_other_alone(self, landing: Path, warehouse: Warehouse) -> None:
        """2020-21 ended in July 2021, when 2021-22 had begun by the calendar."""
        finals = schedule_row(date(2021, 7, 20), "PHX", "MIL", season_year=2020)
        path = write(landing, "schedule.parquet", [finals])
        ingested("schedule", landing, warehouse, [date(2021, 7, 20)])
        path.unlink()
        write(landing, "schedule.parquet", [schedule_row()])
        for day in (DAY, date(2021, 8, 1)):
            report = ingested("schedule", landing, warehouse, [day])
            assert [row["season_year"] for row in stored("schedule", warehouse)] == [2020, 2021]
            assert partition_state("schedule", warehouse)[date(2021, 7, 20)]["row_count"] == 1
        assert report.dates_empty == [date(2021, 8, 1)]

    def test_other_seasons_in_the_same_file_wait_for_their_own_dates(self, landing: Path, warehouse: Warehouse) -> None:
        write(landing, "schedule.parquet", [schedule_row(), schedule_row(date(2022, 11, 15), points=-1)])
        ingested("schedule", landing, warehouse)
        assert [row["season_year"] for row in stored("schedule", warehouse)] == [2021]
        ingested("schedule", landing, warehouse, [DAY, date(2022, 11, 15)])
        assert [row["season_year"] for row in stored("schedule", warehouse)] == [2021, 2022]

    def test_a_season_that_does_not_land_again_stays(self, landing: Path, warehouse: Warehouse) -> None:
        path = write(landing, "schedule.parquet", [schedule_row()])
        before = ingested("schedule", landing, warehouse)
        path.unlink()
        write(landing, "schedule.parquet", [schedule_row(date(2022, 11, 15))])
        after = ingested("schedule", landing, warehouse)
        assert (digests(after), after.dates_kept) == (digests(before), [DAY])


def row_hashes_of_nothing() -> Any:
    """The hashes of no rows."""
    table = RAW_TABLES["schedule"].table
    return row_hashes(table, arrow_schema(table).empty_table())


REAL_ROWS = {
    2020: {"play_by_play": 205_754, "player_gamebook": 38_617, "rosters": 38_809, "schedule": 1_171},
    2021: {"play_by_play": 610_084, "player_gamebook": 45_400, "rosters": 45_602, "schedule": 1_323},
    2022: {"play_by_play": 231_870, "player_gamebook": 42_754, "rosters": 42_951, "schedule": 1_320},
}
"""Rows of the largest feeds of each season, and of its schedule."""


@pytest.mark.parametrize(
    "season", [pytest.param(2020, marks=pytest.mark.slow), 2021, pytest.param(2022, marks=pytest.mark.slow)]
)
def test_every_row_of_a_real_season_gets_in(season: int, warehouse: Warehouse) -> None:
    """Real feeds break no rule, name no unknown team and hold no duplicate: whatever the checks refuse, it is not
    reality.
    """
    folder = real_data(season)
    days = [date(season, 10, 1) + timedelta(days=offset) for offset in range(300)]
    for name in RAW_TABLES:
        report = ingested(name, folder, warehouse, days, now=datetime(2024, 1, 1, tzinfo=UTC))
        report.raise_for_bad_files()
        landed = pq.ParquetFile(folder / f"{name}.parquet").metadata.num_rows if report.files_read else 0
        assert (report.row_count, report.quarantined_count, report.duplicate_count) == (landed, 0, 0), report.examples
        assert report.row_count == REAL_ROWS[season].get(name, report.row_count)
        recorded = sum(entry["row_count"] for entry in partition_state(name, warehouse).values())
        assert recorded == len(stored_keys(name, warehouse)) == landed
    single = ingested("play_by_play", folder, warehouse, [date(season + 1, 1, 15)])
    assert digests(single) == {
        day: entry["digest"]
        for day, entry in partition_state("play_by_play", warehouse).items()
        if day in single.by_date
    }
    assert single.row_count > 0


def stored_keys(name: str, warehouse: Warehouse) -> pa.Table:
    """The keys of all rows of a raw table."""
    table = RAW_TABLES[name].table
    return warehouse.read(table, table.key, date.min, date.max)


def test_the_pauses_of_one_who_is_overtaken_double_up_to_two_seconds(
    landing: Path, warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    pauses: list[float] = []

    def overtaken(*_: object, **__: object) -> None:
        raise OvertakenError("overtaken by run other")

    # The module that it calls, and not its function: that is also what threads of other tests sleep with.
    monkeypatch.setattr("tenacity.nap.time", SimpleNamespace(sleep=pauses.append))
    monkeypatch.setattr(random, "uniform", lambda _, most: most)
    monkeypatch.setattr(warehouse, "replace", overtaken)
    write(landing, "play_by_play.csv", [event_row(1)])
    with pytest.raises(OvertakenError, match="overtaken by run other"):
        ingested("play_by_play", landing, warehouse)
    assert pauses == [0.05, 0.1, 0.2, 0.4, 0.8, 1.6] + [2.0] * 23
