"""Several rows of one key, or of one game of the league: which stands, and that nothing vanishes without a word."""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nba_assets.raw.collection import CONTENTS_SHOWN
from nba_assets.raw.content_index import LandedIndex
from nba_assets.raw.landing import FolderLandingZone
from nba_assets.tables.digest import partition_digest
from nba_assets.warehouse.duckdb import DuckDBWarehouse
from nba_assets.warehouse.interface import Warehouse
from nba_assets_tests.raw.feeds import (
    DAY,
    NEXT_DAY,
    NOW,
    Row,
    event_row,
    ingested,
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

EARLIER, LATER = datetime(2021, 11, 16, 6, tzinfo=UTC), datetime(2021, 11, 16, 18, tzinfo=UTC)
GAME = "20211115_CHI_LAL"


class TestRowsOfOneKey:
    """Rows of one file that differ, and none of which is newer, are all quarantined."""

    @pytest.mark.parametrize("suffix", [".parquet", ".csv", ".jsonl"])
    def test_a_block_that_shares_the_number_of_the_shot_costs_both_and_no_shot_vanishes_in_silence(
        self, suffix: str, landing: Path, warehouse: Warehouse
    ) -> None:
        block = event_row(
            2,
            event_type="block",
            event_subtype=None,
            player_1_lookup="anthonydavis",
            player_1_team_abbr="LAL",
            shot_made=None,
        )
        write(landing, f"play_by_play{suffix}", [event_row(1), event_row(2, shot_made=False), block, event_row(3)])
        report = ingested("play_by_play", landing, warehouse)
        assert [row["event_sequence"] for row in stored("play_by_play", warehouse)] == [1, 3]
        rows_at_fault = quarantine("play_by_play", warehouse)
        assert [(row["row_number"], row["game_id"], row["partition_date"]) for row in rows_at_fault] == [
            (2, GAME, DAY),
            (3, GAME, DAY),
        ]
        (reason,) = {row["reason"] for row in rows_at_fault}
        assert reason.startswith(
            f"is one of 2 rows of the file with game_id {GAME}, event_sequence 2 that differ in event_type, "
            "event_subtype, player_1_"
        )
        assert reason.endswith(", and nothing says which is the newest")
        assert [json.loads(row["content"])["event_type"] for row in rows_at_fault] == ["shot", "block"]
        assert (report.conflict_count, report.quarantined_count, report.duplicate_count, report.replaced_count) == (
            2,
            2,
            0,
            0,
        )
        assert (
            report.by_date[DAY].conflict_count,
            partition_state("play_by_play", warehouse)[DAY]["failure_count"],
        ) == (2, 2)

    def test_a_game_with_one_event_number_is_quarantined_as_a_whole_and_its_rows_are_not_all_spelled_out(
        self, landing: Path, warehouse: Warehouse
    ) -> None:
        rows = [event_row(0, game_clock_seconds=seconds) for seconds in range(300)]
        other = event_row(
            0, game_id="20211115_BOS_CLE", home_team_abbr="CLE", away_team_abbr="BOS", player_1_team_abbr="BOS"
        )
        write(landing, "play_by_play.parquet", [*rows, other])
        ingested("play_by_play", landing, warehouse)
        assert [row["game_id"] for row in stored("play_by_play", warehouse)] == ["20211115_BOS_CLE"]
        rows_at_fault = quarantine("play_by_play", warehouse)
        assert sorted(row["row_number"] for row in rows_at_fault) == list(range(1, 301))
        (reason,) = {row["reason"] for row in rows_at_fault}
        assert reason.startswith(
            f"is one of 300 rows of the file with game_id {GAME}, event_sequence 0 that differ in game_clock_seconds, "
        )
        assert sum(row["content"] is not None for row in rows_at_fault) == CONTENTS_SHOWN

    def test_many_differing_columns_are_counted(self, landing: Path, warehouse: Warehouse) -> None:
        other = sheet_row(
            points=3, field_goals_made=1, field_goals_attempted=9, minutes="10:00", plus_minus="3", assists=1, steals=2
        )
        write(landing, "player_gamebook.parquet", [sheet_row(), other])
        ingested("player_gamebook", landing, warehouse)
        assert (
            "differ in minutes, points, field_goals_made, field_goals_attempted, assists and 2 more columns"
            in (quarantine("player_gamebook", warehouse)[0]["reason"])
        )

    def test_equal_rows_and_rows_that_differ_in_their_stamp_alone_are_duplicates(
        self, landing: Path, warehouse: Warehouse
    ) -> None:
        rows = [
            sheet_row(),
            sheet_row(),
            sheet_row(processed_at=EARLIER),
            sheet_row(player_lookup="lebron_james", processed_at=LATER),
        ]
        write(landing, "player_gamebook.parquet", rows)
        report = ingested("player_gamebook", landing, warehouse)
        assert (report.row_count, report.duplicate_count, report.replaced_count, report.quarantined_count) == (
            1,
            3,
            0,
            0,
        )
        assert report.by_date[DAY].duplicate_count == 3
        assert report.newest_processed_at == NOW

    def test_the_newest_row_of_a_file_stands(self, landing: Path, warehouse: Warehouse) -> None:
        rows = [
            sheet_row(points=26, processed_at=LATER),
            sheet_row(points=24, processed_at=EARLIER),
            sheet_row(points=25, processed_at=EARLIER),
        ]
        write(landing, "player_gamebook.parquet", rows)
        report = ingested("player_gamebook", landing, warehouse)
        assert [row["points"] for row in stored("player_gamebook", warehouse)] == [26]
        assert (report.replaced_count, report.conflict_count) == (2, 0)

    def test_a_row_without_a_stamp_is_not_known_to_be_newer(self, landing: Path, warehouse: Warehouse) -> None:
        write(landing, "player_gamebook.parquet", [sheet_row(points=26, processed_at=LATER), sheet_row(points=24)])
        assert ingested("player_gamebook", landing, warehouse).conflict_count == 2

    def test_only_the_newest_rows_of_a_file_are_in_conflict(self, landing: Path, warehouse: Warehouse) -> None:
        rows = [
            sheet_row(points=points, processed_at=stamp)
            for points, stamp in ((20, EARLIER), (21, LATER), (22, LATER), (21, LATER))
        ]
        write(landing, "player_gamebook.parquet", rows)
        report = ingested("player_gamebook", landing, warehouse)
        assert [row["row_number"] for row in quarantine("player_gamebook", warehouse)] == [2, 3, 4]
        assert (report.row_count, report.conflict_count, report.replaced_count) == (0, 3, 1)

    def test_a_newer_file_corrects_a_contradiction(self, landing: Path, warehouse: Warehouse) -> None:
        write(landing, "player_gamebook/a.csv", [sheet_row(points=24), sheet_row(points=25)], modified=1)
        write(landing, "player_gamebook/b.csv", [sheet_row(points=26)], modified=2)
        report = ingested("player_gamebook", landing, warehouse)
        assert [row["points"] for row in stored("player_gamebook", warehouse)] == [26]
        assert (report.replaced_count, report.quarantined_count) == (2, 0)

    def test_where_the_newest_file_contradicts_itself_the_older_row_does_not_stand(
        self, landing: Path, warehouse: Warehouse
    ) -> None:
        write(
            landing, "player_gamebook/a.csv", [sheet_row(points=24), sheet_row("Zach LaVine", team="CHI")], modified=1
        )
        write(landing, "player_gamebook/b.csv", [sheet_row(points=24), sheet_row(points=25)], modified=2)
        report = ingested("player_gamebook", landing, warehouse)
        assert [row["player_lookup"] for row in stored("player_gamebook", warehouse)] == ["zachlavine"]
        assert [(row["file"], row["row_number"]) for row in quarantine("player_gamebook", warehouse)] == [
            ("player_gamebook/b.csv", 1),
            ("player_gamebook/b.csv", 2),
        ]
        assert (report.conflict_count, report.replaced_count) == (2, 1)

    def test_a_file_that_says_what_an_older_one_said_is_a_duplicate(self, landing: Path, warehouse: Warehouse) -> None:
        for age in (1, 2):
            write(
                landing, f"player_gamebook/{age}.csv", [sheet_row(), sheet_row("Zach LaVine", team="CHI")], modified=age
            )
        report = ingested("player_gamebook", landing, warehouse)
        assert (report.row_count, report.duplicate_count, report.replaced_count, report.quarantined_count) == (
            2,
            2,
            0,
            0,
        )

    def test_a_date_of_which_every_row_is_in_conflict_does_not_keep_what_it_had(
        self, landing: Path, warehouse: Warehouse
    ) -> None:
        write(landing, "player_gamebook.csv", [sheet_row(points=24)])
        ingested("player_gamebook", landing, warehouse)
        write(landing, "player_gamebook.csv", [sheet_row(points=24), sheet_row(points=25)])
        report = ingested("player_gamebook", landing, warehouse)
        assert stored("player_gamebook", warehouse) == []
        assert partition_state("player_gamebook", warehouse)[DAY]["row_count"] == report.by_date[DAY].row_count == 0

    def test_conflicts_are_counted_by_date(self, landing: Path, warehouse: Warehouse) -> None:
        rows = [team_row(day=day, points=points) for day, points in ((DAY, 1), (DAY, 2), (NEXT_DAY, 3), (NEXT_DAY, 3))]
        write(landing, "team_boxscores.parquet", rows)
        report = ingested("team_boxscores", landing, warehouse, [DAY, NEXT_DAY])
        counts = [(facts.conflict_count, facts.duplicate_count, facts.row_count) for facts in report.by_date.values()]
        assert counts == [(2, 0, 0), (0, 1, 1)]

    @pytest.mark.parametrize(
        ("name", "rows", "game_id"),
        [
            ("team_boxscores", [team_row(), team_row(points=99)], GAME),
            ("game_lines", [line_row(), line_row(outcome_price=1.5)], GAME),
            ("player_registry", [registry_row(), registry_row(universal_player_id="other")], None),
            ("schedule", [schedule_row(), schedule_row(home_team_score=99)], GAME),
        ],
    )
    def test_every_table_quarantines_conflicts_with_the_game_where_the_row_tells_it(
        self, name: str, rows: list[Row], game_id: str | None, landing: Path, warehouse: Warehouse
    ) -> None:
        write(landing, f"{name}.parquet", rows)
        assert ingested(name, landing, warehouse).row_count == 0
        assert [row["game_id"] for row in quarantine(name, warehouse)] == [game_id, game_id]


class TestGameOfAQuarantinedRow:
    """The game of a bad row, where the row tells it."""

    @pytest.mark.parametrize(
        ("changes", "game_id"),
        [
            ({"points": -1}, GAME),
            ({"points": -1, "game_id": "0022100213"}, GAME),
            ({"points": -1, "game_id": "20211115_BOS_LAL"}, None),
            ({"home_team_abbr": "XYZ"}, None),
            ({"game_date": "soon"}, None),
        ],
    )
    def test_it_is_told_unless_it_is_at_fault(
        self, changes: Row, game_id: str | None, landing: Path, warehouse: Warehouse
    ) -> None:
        write(landing, "player_gamebook.csv", [sheet_row(**changes), sheet_row("Zach LaVine", team="CHI")])
        ingested("player_gamebook", landing, warehouse)
        assert [row["game_id"] for row in quarantine("player_gamebook", warehouse)] == [game_id]

    def test_a_table_without_game_ids_has_it_from_date_and_teams(self, landing: Path, warehouse: Warehouse) -> None:
        write(landing, "game_lines.csv", [line_row(outcome_price=-1)])
        ingested("game_lines", landing, warehouse)
        assert [row["game_id"] for row in quarantine("game_lines", warehouse)] == [GAME]


OLD, NEW = date(2021, 12, 1), date(2022, 2, 1)


def moved(day: date, **changes: Any) -> Row:
    """One game of the league, on a date."""
    plain: Row = {"nba_game_id": "0022100300", "game_status": 1, "home_team_score": None, "away_team_score": None}
    return schedule_row(day, **(plain | changes))


def games(warehouse: Warehouse) -> list[date]:
    return [row["game_date"] for row in stored("schedule", warehouse)]


class TestMovedGames:
    """A schedule has one row per game of the league: a moved game leaves its old date."""

    def test_of_two_snapshots_the_newer_one_has_the_date(self, landing: Path, warehouse: Warehouse) -> None:
        write(landing, "schedule/a.parquet", [schedule_row(), moved(OLD)], modified=1)
        write(landing, "schedule/b.parquet", [schedule_row(), moved(NEW)], modified=2)
        report = ingested("schedule", landing, warehouse)
        assert games(warehouse) == [DAY, NEW]
        assert (report.replaced_count, report.duplicate_count, report.quarantined_count) == (1, 1, 0)
        assert quarantine("schedule", warehouse) == []

    def test_the_time_of_processing_goes_before_the_file(self, landing: Path, warehouse: Warehouse) -> None:
        write(landing, "schedule/a.parquet", [moved(NEW, processed_at=LATER)], modified=1)
        write(landing, "schedule/b.parquet", [moved(OLD, processed_at=EARLIER)], modified=2)
        ingested("schedule", landing, warehouse, [OLD])
        assert games(warehouse) == [NEW]

    def test_a_game_that_was_moved_back_stands_on_its_first_date(self, landing: Path, warehouse: Warehouse) -> None:
        for age, day in enumerate((OLD, NEW, OLD)):
            write(landing, f"schedule/{age}.parquet", [moved(day, season_year=2021)], modified=age + 1)
        ingested("schedule", landing, warehouse, [OLD])
        assert games(warehouse) == [OLD]

    @pytest.mark.parametrize("order", [1, -1])
    def test_in_one_file_the_postponed_row_yields(self, order: int, landing: Path, warehouse: Warehouse) -> None:
        write(landing, "schedule.csv", [moved(OLD, game_status=4), moved(NEW)][::order])
        report = ingested("schedule", landing, warehouse, [OLD])
        assert (games(warehouse), report.replaced_count) == ([NEW], 1)

    def test_a_game_that_is_postponed_without_a_new_date_stays(self, landing: Path, warehouse: Warehouse) -> None:
        write(landing, "schedule/a.csv", [moved(OLD)], modified=1)
        write(landing, "schedule/b.csv", [moved(OLD, game_status=4)], modified=2)
        ingested("schedule", landing, warehouse, [OLD])
        assert [(row["game_date"], row["game_status"]) for row in stored("schedule", warehouse)] == [(OLD, 4)]

    def test_a_newer_postponement_stands_over_an_older_row_of_the_same_file(
        self, landing: Path, warehouse: Warehouse
    ) -> None:
        write(
            landing, "schedule.csv", [moved(OLD, processed_at=EARLIER), moved(NEW, game_status=4, processed_at=LATER)]
        )
        ingested("schedule", landing, warehouse, [OLD])
        assert games(warehouse) == [NEW]

    @pytest.mark.parametrize("status", [1, 4])
    def test_one_file_with_two_dates_of_a_game_contradicts_itself(
        self, status: int, landing: Path, warehouse: Warehouse
    ) -> None:
        write(landing, "schedule/a.csv", [schedule_row(), moved(OLD)], modified=1)
        write(
            landing,
            "schedule/b.csv",
            [moved(OLD + timedelta(days=1), game_status=status), moved(NEW, game_status=status)],
            modified=2,
        )
        report = ingested("schedule", landing, warehouse)
        assert games(warehouse) == [DAY]
        rows_at_fault = quarantine("schedule", warehouse)
        assert [(row["partition_date"], row["game_id"]) for row in rows_at_fault] == [
            (OLD + timedelta(days=1), "20211202_CHI_LAL"),
            (NEW, "20220201_CHI_LAL"),
        ]
        assert rows_at_fault[0]["reason"] == (
            "is one of 2 rows of the file for the game 0022100300 (20211202_CHI_LAL, 20220201_CHI_LAL), and nothing "
            "says which is the newest"
        )
        assert (report.conflict_count, report.replaced_count) == (2, 1)

    def test_an_old_date_does_not_stand_where_the_new_one_contradicts_itself(
        self, landing: Path, warehouse: Warehouse
    ) -> None:
        write(landing, "schedule/a.csv", [schedule_row(), moved(OLD)], modified=1)
        write(landing, "schedule/b.csv", [moved(NEW), moved(NEW, arena_name="elsewhere")], modified=2)
        report = ingested("schedule", landing, warehouse)
        assert games(warehouse) == [DAY]
        assert (report.conflict_count, report.replaced_count) == (2, 1)

    def test_a_contradiction_about_the_old_date_is_over_once_the_game_is_moved(
        self, landing: Path, warehouse: Warehouse
    ) -> None:
        write(landing, "schedule/a.csv", [moved(OLD), moved(OLD, arena_name="elsewhere")], modified=1)
        write(landing, "schedule/b.csv", [moved(NEW)], modified=2)
        report = ingested("schedule", landing, warehouse, [OLD])
        assert (games(warehouse), report.conflict_count, report.replaced_count) == ([NEW], 0, 2)

    def test_games_without_an_id_of_the_league_are_games_of_their_own(
        self, landing: Path, warehouse: Warehouse
    ) -> None:
        write(landing, "schedule.csv", [moved(OLD, nba_game_id=None), moved(NEW, nba_game_id=None)])
        ingested("schedule", landing, warehouse, [OLD])
        assert games(warehouse) == [OLD, NEW]

    def test_the_old_date_is_left_in_a_warehouse_that_had_it(self, landing: Path, warehouse: Warehouse) -> None:
        write(landing, "schedule/a.csv", [schedule_row(), moved(OLD)], modified=1)
        ingested("schedule", landing, warehouse)
        assert games(warehouse) == [DAY, OLD]
        write(landing, "schedule/b.csv", [moved(NEW)], modified=2)
        ingested("schedule", landing, warehouse, [DAY])
        assert games(warehouse) == [DAY, NEW]
        assert {day: entry["row_count"] for day, entry in partition_state("schedule", warehouse).items()} == {
            DAY: 1,
            OLD: 0,
            NEW: 1,
        }


@pytest.mark.slow
@settings(max_examples=25, deadline=None)
@given(
    rows=st.lists(
        st.tuples(
            st.integers(1, 3),
            st.sampled_from([10, 20, 30]),
            st.sampled_from([DAY, NEXT_DAY]),
            st.sampled_from([None, EARLIER, LATER]),
            st.integers(0, 3),
        ),
        min_size=1,
        max_size=14,
    ),
    seed=st.integers(0, 2**32),
)
def test_the_order_of_rows_and_the_names_of_files_change_nothing(
    rows: list[tuple[int, int, date, datetime | None, int]], seed: int
) -> None:
    """Of files of different ages, with duplicates, corrections, conflicts and bad rows: digests, and what is
    quarantined with what reason.
    """
    dice = random.Random(seed)

    def outcome(shuffled: bool) -> object:
        with TemporaryDirectory() as folder, TemporaryDirectory() as home:
            files: dict[int, list[Row]] = {}
            for sequence, points, day, stamp, file in dice.sample(rows, len(rows)) if shuffled else rows:
                files.setdefault(file, []).append(
                    event_row(sequence, day, shot_distance=points, period=1 if points < 30 else 15, processed_at=stamp)
                )
            names = dice.sample("abcd", 4) if shuffled else "abcd"
            for file in dice.sample(sorted(files), len(files)) if shuffled else sorted(files):
                write(Path(folder), f"play_by_play/{names[file]}.csv", files[file], modified=1000 + file)
            warehouse = DuckDBWarehouse(Path(home) / "nba.duckdb")
            report = ingested("play_by_play", Path(folder), warehouse, [DAY, NEXT_DAY])
            rows_at_fault = quarantine("play_by_play", warehouse)
            digests = {
                day: facts.digest for day, facts in report.by_date.items() if facts.landed or facts.conflict_count
            }
            assert digests == _landed_digests(Path(folder), "play_by_play", [DAY, NEXT_DAY])
            counts = [
                (day, facts.conflict_count, facts.duplicate_count, facts.replaced_count)
                for day, facts in report.by_date.items()
            ]
            said = Counter(
                (row["partition_date"], row["game_id"], row["reason"], row["content"]) for row in rows_at_fault
            )
            return {day: facts.digest for day, facts in report.by_date.items()}, counts, said

    assert outcome(shuffled=False) == outcome(shuffled=True)


@settings(max_examples=25, deadline=None)
@given(
    rows=st.lists(
        st.tuples(
            st.sampled_from(["0022100300", "0022100301", None]),
            st.sampled_from([OLD, OLD + timedelta(days=1), NEW]),
            st.sampled_from([1, 3, 4]),
            st.sampled_from([None, EARLIER, LATER]),
            st.integers(0, 2),
        ),
        min_size=1,
        max_size=10,
    )
)
def test_the_landed_schedule_agrees_with_the_ingested_one_whatever_was_moved(
    rows: list[tuple[str | None, date, int, datetime | None, int]],
) -> None:
    with TemporaryDirectory() as folder, TemporaryDirectory() as home:
        files: dict[int, list[Row]] = {}
        for league_id, day, status, stamp, file in rows:
            files.setdefault(file, []).append(moved(day, nba_game_id=league_id, game_status=status, processed_at=stamp))
        for file, mine in files.items():
            write(Path(folder), f"schedule/{file}.csv", mine, modified=1000 + file)
        warehouse = DuckDBWarehouse(Path(home) / "nba.duckdb")
        ingested("schedule", Path(folder), warehouse, [OLD])
        landed = LandedIndex(FolderLandingZone(Path(folder))).look(NOW.date(), NOW)
        ingested_games = [(row["game_id"], row["game_status"]) for row in stored("schedule", warehouse)]
        assert sorted(zip(landed.schedule["game_id"], landed.schedule["game_status"], strict=True)) == sorted(
            ingested_games
        )
        recorded = {
            day: entry["digest"] for day, entry in partition_state("schedule", warehouse).items() if entry["row_count"]
        }
        assert landed.tables["schedule"].digests == recorded


def _landed_digests(folder: Path, name: str, days: Sequence[date]) -> dict[date, str]:
    digests = LandedIndex(FolderLandingZone(folder)).look(max(days), NOW).tables[name].digests
    return {day: digest for day, digest in digests.items() if day in days}


def test_the_content_index_knows_of_conflicts_and_of_dates_that_have_nothing_else(
    landing: Path, make_warehouse: Callable[[], Warehouse]
) -> None:
    write(landing, f"team_boxscores/{DAY}.csv", [team_row(), team_row(points=99), team_row("CHI")], modified=1)
    write(
        landing,
        f"team_boxscores/{NEXT_DAY}.csv",
        [team_row(day=NEXT_DAY), team_row(day=NEXT_DAY, points=99)],
        modified=1,
    )
    table = LandedIndex(FolderLandingZone(landing)).look(NEXT_DAY, NOW).tables["team_boxscores"]
    assert table.conflicts == {DAY: [GAME], NEXT_DAY: ["20211116_CHI_LAL"]}
    assert table.games == {DAY: {GAME: 1}, NEXT_DAY: {}}
    warehouse = make_warehouse()
    ingested("team_boxscores", landing, warehouse, [DAY, NEXT_DAY])
    assert table.digests == {
        day: entry["digest"] for day, entry in partition_state("team_boxscores", warehouse).items()
    }
    assert table.digests[NEXT_DAY] == partition_digest(np.array([], dtype=np.uint64))
