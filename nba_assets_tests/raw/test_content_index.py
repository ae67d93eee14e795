"""What has landed: the same digests that ingestion writes into the state of partitions, for the price of reading what
is new.
"""

from __future__ import annotations

import os
import random
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyarrow import csv

from nba_assets.raw import content_index
from nba_assets.raw.content_index import RESULTS, ContentIndex, LandedIndex, LandedTable
from nba_assets.raw.landing import FolderLandingZone, LandedFile, LandingZoneError
from nba_assets.raw.sample_league import simulate
from nba_assets.raw.tables import RAW_TABLES
from nba_assets.tables.bookkeeping import TABLE_PARTITIONS
from nba_assets.tables.columns import arrow_schema
from nba_assets.tables.digest import partition_digest
from nba_assets.tables.spec import Table
from nba_assets.warehouse.interface import (
    Changed,
    Insertion,
    Replacement,
    TableStatus,
    Warehouse,
    WriteFacts,
)
from nba_assets_tests.league import SMALL_LEAGUE
from nba_assets_tests.raw import feeds
from nba_assets_tests.raw.feeds import (
    DAY,
    NEXT_DAY,
    NOW,
    event_row,
    ingested,
    line_row,
    partition_state,
    schedule_row,
    sheet_row,
    team_row,
    write,
)

LATER = datetime(2025, 7, 1, tzinfo=UTC)
FIRST = date(2024, 10, 1)
DAYS = [FIRST + timedelta(days=number) for number in range(60)]

NOTHING = partition_digest(np.array([], dtype=np.uint64))
"""The digest of a date without rows."""

Season = Mapping[str, pa.Table]


@pytest.fixture(scope="module")
def season() -> tuple[Season, Season]:
    """First versions of a league's rows, and corrections of some."""
    simulated = simulate(2024, **SMALL_LEAGUE)
    return simulated.tables, simulated.corrections


def look(landing: Path, through: date = DAYS[-1], now: datetime = LATER) -> ContentIndex:
    return LandedIndex(FolderLandingZone(landing)).look(through, now)


@dataclass
class Written:
    """A warehouse in which nothing stands yet, and what was written into its state of partitions."""

    digests: dict[date, str] = field(default_factory=dict)
    largest_write_dates: int | None = None

    def read(self, table: Table, columns: Sequence[str], *_: object) -> pa.Table:
        return arrow_schema(table, columns).empty_table()

    def close(self) -> None:
        """Nothing is open."""

    def replace(self, replacements: Sequence[Replacement | Insertion], *, unless: Sequence[Changed] = ()) -> WriteFacts:
        del unless
        (entries,) = (
            replacement.rows.to_pylist() for replacement in replacements if replacement.table is TABLE_PARTITIONS
        )
        self.digests = {row["partition_date"]: row["digest"] for row in entries if row["row_count"]}
        return WriteFacts()

    def session(self) -> AbstractContextManager[None]:
        return nullcontext()

    def status(self, _: Sequence[Table]) -> list[TableStatus]:
        return []


def recorded(name: str, landing: Path, days: Sequence[date], now: datetime = LATER) -> dict[date, str]:
    """The digests that an ingestion writes into the state of partitions, of the dates that have rows."""
    warehouse = Written()
    ingested(name, landing, warehouse, days, now=now)
    return warehouse.digests


def by_date(rows: pa.Table, column: str) -> list[tuple[date, pa.Table]]:
    values = rows[column].to_pylist()
    return [(day, rows.filter(pa.array([value == day for value in values]))) for day in dict.fromkeys(values)]


def in_folders(tables: Season, landing: Path, name: str) -> None:
    """One Parquet file per date."""
    for table, rows in tables.items():
        column = RAW_TABLES[table].table.date_column
        if column not in rows.column_names:
            target = landing / table / f"{name}.parquet"
            target.parent.mkdir(parents=True, exist_ok=True)
            pq.write_table(rows, target)
            continue
        for day, part in by_date(rows, column):
            target = landing / table / f"{column}={day}" / f"{name}.parquet"
            target.parent.mkdir(parents=True, exist_ok=True)
            pq.write_table(part, target)


def in_one_file(tables: Season, landing: Path, name: str) -> None:
    """One Parquet file with all dates."""
    for table, rows in tables.items():
        (landing / table).mkdir(parents=True, exist_ok=True)
        pq.write_table(rows, landing / table / f"{name}.parquet")


def as_csv(tables: Season, landing: Path, name: str) -> None:
    """One CSV file with all dates, whose name says nothing of them."""
    for table, rows in tables.items():
        (landing / table).mkdir(parents=True, exist_ok=True)
        csv.write_csv(rows, landing / table / f"{name}.csv")


def some_dates_apart(tables: Season, landing: Path, name: str) -> None:
    """Every third date in a file of its own, the others together, some dates in both."""
    for table, rows in tables.items():
        column = RAW_TABLES[table].table.date_column
        if column not in rows.column_names:
            in_one_file({table: rows}, landing, name)
            continue
        (landing / table).mkdir(parents=True, exist_ok=True)
        parts = by_date(rows, column)
        for day, part in parts[::3]:
            pq.write_table(part, landing / table / f"{name}-{day}.parquet")
            csv.write_csv(part, landing / table / f"{day}.csv")
        together = [part for place, (_, part) in enumerate(parts) if place % 3 or place % 2]
        pq.write_table(pa.concat_tables([rows.schema.empty_table(), *together]), landing / table / f"{name}.parquet")


Layout = Callable[[Season, Path, str], None]


@pytest.mark.parametrize("layout", [in_folders, in_one_file, as_csv, some_dates_apart])
def test_landed_digests_are_those_of_the_partition_state(
    layout: Layout, season: tuple[Season, Season], tmp_path: Path
) -> None:
    """Every raw table, with corrections beside the rows that they correct."""
    for part, name in zip(season, ("first", "corrections"), strict=True):
        layout(part, tmp_path, name)
    content = look(tmp_path)
    for name, raw in RAW_TABLES.items():
        expected = recorded(name, tmp_path, DAYS)
        assert len(expected) > (0 if raw.whole_season else 10)
        wanted = set(expected) if raw.whole_season else set(DAYS)
        assert {day: digest for day, digest in content.tables[name].digests.items() if day in wanted} == expected, name
        for day in (DAYS[28], DAYS[35]):
            assert recorded(name, tmp_path, [day]).get(day) == content.tables[name].digests.get(day), (name, day)


def test_the_first_partition_hides_no_part_of_what_holds_a_whole_season(
    season: tuple[Season, Season], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A registry is dated the first of July, before many a first partition."""
    names = ("player_registry", "schedule")
    in_one_file({name: season[0][name] for name in names}, tmp_path, "first")
    everything = look(tmp_path)
    monkeypatch.setattr(content_index, "EARLIEST", DAYS[30])
    content = look(tmp_path)
    for name in names:
        assert content.tables[name].digests == everything.tables[name].digests != {}


def test_ingestion_keeps_the_landed_digest_in_a_warehouse_that_holds_other_content(
    tmp_path: Path, warehouse: Warehouse
) -> None:
    """The digest does not depend on what stood there before."""
    write(tmp_path, "schedule.csv", [schedule_row(), schedule_row(NEXT_DAY, game_status=1)])
    write(tmp_path, "player_gamebook.csv", [sheet_row(), sheet_row(day=NEXT_DAY)])
    for name in ("schedule", "player_gamebook"):
        ingested(name, tmp_path, warehouse, [DAY, NEXT_DAY])
    write(tmp_path, "schedule.csv", [schedule_row(), schedule_row(NEXT_DAY)])
    write(tmp_path, "player_gamebook.csv", [sheet_row(points=27)])
    content = look(tmp_path, NEXT_DAY, NOW)
    for name in ("schedule", "player_gamebook"):
        ingested(name, tmp_path, warehouse, [DAY])
        assert {
            day: partition_state(name, warehouse)[day]["digest"] for day in content.tables[name].digests
        } == content.tables[name].digests


def test_games_are_counted_by_their_rows(season: tuple[Season, Season], tmp_path: Path) -> None:
    tables, corrections = season
    in_one_file(tables, tmp_path, "first")
    in_folders(corrections, tmp_path, "corrections")
    content = look(tmp_path, through=LATER.date())
    for name in RESULTS:
        counted = {game: size for games in content.tables[name].games.values() for game, size in games.items()}
        assert counted == {row["values"]: row["counts"] for row in tables[name]["game_id"].value_counts().to_pylist()}
    assert content.tables["rosters"].games == {}


def test_a_corrected_copy_replaces_the_first_row_whatever_file_came_first(tmp_path: Path) -> None:
    early, late = (datetime(2021, 11, 16, hour, tzinfo=UTC) for hour in (3, 9))
    write(
        tmp_path,
        f"player_gamebook/{DAY}.csv",
        [sheet_row(points=25, processed_at=early), sheet_row("Anthony Davis", processed_at=early)],
        modified=200,
    )
    write(
        tmp_path,
        "player_gamebook/correction.parquet",
        [sheet_row(points=27, field_goals_made=10, processed_at=late)],
        modified=100,
    )
    content = look(tmp_path, NEXT_DAY, NOW)
    assert content.tables["player_gamebook"].digests == recorded("player_gamebook", tmp_path, [DAY])
    assert content.tables["player_gamebook"].games == {DAY: {"20211115_CHI_LAL": 2}}
    (tmp_path / "player_gamebook/correction.parquet").unlink()
    assert look(tmp_path, NEXT_DAY, NOW).tables["player_gamebook"].digests != content.tables["player_gamebook"].digests


ROWS = st.lists(
    st.tuples(
        st.sampled_from(["LeBron James", "Anthony Davis", "Zach LaVine"]),
        st.integers(20, 22),
        st.sampled_from([DAY, NEXT_DAY]),
        st.sampled_from([None, *(datetime(2021, 11, 17, hour, tzinfo=UTC) for hour in (1, 2))]),
        st.sampled_from(["a.parquet", "b.csv", "c.jsonl", "dated", "dated-too"]),
    ),
    min_size=1,
    max_size=12,
)


@given(rows=ROWS, seed=st.integers(0, 5))
@settings(max_examples=30)
def test_any_spread_of_rows_over_files_has_the_digest_of_the_partition_state(
    rows: list[tuple[str, int, date, datetime | None, str]], seed: int
) -> None:
    """The same player may come twice in a file, and in several files, with and without a time."""
    with TemporaryDirectory() as folder:
        files: dict[str, list[feeds.Row]] = {}
        for player, points, day, processed_at, place in rows:
            path = {"dated": f"game_date={day}/x.parquet", "dated-too": f"{day}.csv"}.get(place, place)
            files.setdefault(path, []).append(sheet_row(player, day, points=points, processed_at=processed_at))
        for age, path in enumerate(random.Random(seed).sample(sorted(files), len(files))):
            write(Path(folder), f"player_gamebook/{path}", files[path], modified=1000 + age // 2)
        content = look(Path(folder), NEXT_DAY)
        expected = {
            day: recorded("player_gamebook", Path(folder), [day]).get(day, NOTHING)
            for day in sorted({row[2] for row in rows})
        }
        assert content.tables["player_gamebook"].digests == expected


@dataclass(frozen=True)
class CountingZone:
    """A landing zone that notes what is read."""

    zone: FolderLandingZone
    opened: list[str] = field(default_factory=list, compare=False, hash=False)

    def files(self, table: str) -> list[LandedFile]:
        return self.zone.files(table)

    def listing(self, tables: Sequence[str]) -> Mapping[str, list[LandedFile]]:
        return self.zone.listing(tables)

    def local_copy(self, file: LandedFile) -> AbstractContextManager[Path]:
        self.opened.append(file.path)
        return self.zone.local_copy(file)

    def content_digest(self, file: LandedFile) -> str:
        return self.zone.content_digest(file)

    def taken(self) -> list[str]:
        """What was opened since the last time."""
        opened = sorted(self.opened)
        self.opened.clear()
        return opened


@pytest.fixture
def zone(landing: Path) -> CountingZone:
    """Two dates of one game, and a file of both."""
    for day in (DAY, NEXT_DAY):
        write(landing, f"play_by_play/{day}.parquet", [event_row(1, day), event_row(2, day)], modified=100)
    write(landing, "schedule.csv", [schedule_row(DAY), schedule_row(NEXT_DAY)], modified=100)
    return CountingZone(FolderLandingZone(landing))


def test_a_file_is_read_once_until_it_is_written_again(zone: CountingZone, landing: Path) -> None:
    index = LandedIndex(zone)
    first = index.look(NEXT_DAY, NOW)
    assert zone.taken() == ["play_by_play/2021-11-15.parquet", "play_by_play/2021-11-16.parquet", "schedule.csv"]
    again = index.look(NEXT_DAY, NOW)
    assert zone.taken() == []
    assert again.tables["play_by_play"] is first.tables["play_by_play"]
    write(landing, f"play_by_play/{DAY}.parquet", [event_row(1), event_row(2)], modified=300)
    touched = index.look(NEXT_DAY, NOW)
    assert zone.taken() == ["play_by_play/2021-11-15.parquet"]
    assert touched.tables["play_by_play"].digests == first.tables["play_by_play"].digests
    write(landing, f"play_by_play/{DAY}.parquet", [event_row(1), event_row(2), event_row(3)], modified=400)
    grown = index.look(NEXT_DAY, NOW).tables["play_by_play"]
    assert grown.digests[DAY] != first.tables["play_by_play"].digests[DAY]
    assert grown.digests[NEXT_DAY] == first.tables["play_by_play"].digests[NEXT_DAY]
    (landing / f"play_by_play/{DAY}.parquet").unlink()
    assert set(index.look(NEXT_DAY, NOW).tables["play_by_play"].digests) == {NEXT_DAY}


def test_files_of_later_dates_are_left_alone(zone: CountingZone) -> None:
    index = LandedIndex(zone)
    assert set(index.look(DAY, NOW).tables["play_by_play"].digests) == {DAY}
    assert zone.taken() == ["play_by_play/2021-11-15.parquet", "schedule.csv"]
    assert set(index.look(NEXT_DAY, NOW).tables["play_by_play"].digests) == {DAY, NEXT_DAY}
    assert zone.taken() == ["play_by_play/2021-11-16.parquet"]


def test_what_there_was_no_time_for_is_not_known_and_comes_next(
    zone: CountingZone, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(content_index, "FILES_AT_ONCE", 1)
    index = LandedIndex(zone)
    looks = [index.look(NEXT_DAY, NOW, seconds=0) for _ in range(4)]
    assert [len(look.schedule["game_id"]) for look in looks] == [2, 2, 2, 2]
    assert [
        sorted(day for day in (DAY, NEXT_DAY) if look.is_known(("play_by_play", "schedule"), day)) for look in looks
    ] == [
        [],
        [DAY],
        [DAY, NEXT_DAY],
        [DAY, NEXT_DAY],
    ]
    assert len(zone.taken()) == 3
    assert looks[-1].tables["play_by_play"].digests == look_anew(zone).tables["play_by_play"].digests


def look_anew(zone: CountingZone) -> ContentIndex:
    return LandedIndex(zone).look(NEXT_DAY, NOW)


def test_what_all_dates_depend_on_is_read_first_and_what_has_failed_last() -> None:
    through = date(2024, 11, 10)
    days = {"old": date(2024, 10, 25), "yesterday": date(2024, 11, 9), "today": through, "before": date(2024, 11, 8)}
    files = {name: LandedFile(name, 1, 0) for name in (*days, "undated", "failed", "replaced")}
    index = LandedIndex(FolderLandingZone(Path("nowhere")))
    for name in ("failed", "replaced"):
        since = files[name] if name == "failed" else LandedFile(name, 2, 0)
        index._troubles[name] = content_index._Trouble(since.fingerprint, "is busy", (through,), is_transient=True)
    new: list[tuple[str, LandedFile, date | None]] = [
        *(("rosters", files[name], day) for name, day in days.items()),
        ("rosters", files["undated"], None),
        ("player_boxscores", files["failed"], through),
        ("player_gamebook", files["replaced"], through),
        ("schedule", LandedFile("schedule", 1, 0), None),
    ]
    batches = [(name, [file.path for file, _ in mine]) for name, mine in index._batches(new, through)]
    assert batches == [
        ("schedule", ["schedule"]),
        ("rosters", ["yesterday", "today"]),
        ("player_gamebook", ["replaced"]),
        ("rosters", ["undated"]),
        ("rosters", ["old", "before"]),
        ("player_boxscores", ["failed"]),
    ]


def test_a_date_has_digests_of_the_named_tables_that_have_rows_of_it() -> None:
    tables = {"rosters": LandedTable({DAY: "a"}), "schedule": LandedTable({DAY: "b", NEXT_DAY: "c"})}
    landed = ContentIndex(tables, {})
    assert landed.digests(["rosters", "schedule"], DAY) == {"rosters": "a", "schedule": "b"}
    assert landed.digests(["rosters", "schedule"], NEXT_DAY) == {"schedule": "c"}
    assert landed.digests(["rosters"], NEXT_DAY) == {}
    assert landed.dates(["schedule", "rosters"]) == [DAY, NEXT_DAY]


def test_a_bad_file_troubles_its_date_until_it_is_replaced(zone: CountingZone, landing: Path) -> None:
    index = LandedIndex(zone)
    (landing / f"play_by_play/{DAY}.parquet").write_bytes(b"PAR1 and then nothing")
    table = index.look(NEXT_DAY, NOW).tables["play_by_play"]
    assert "play_by_play/2021-11-15.parquet cannot be read" in (table.trouble(DAY) or "")
    assert table.trouble(NEXT_DAY) is None
    assert set(table.digests) == {NEXT_DAY}
    write(landing, f"play_by_play/{DAY}.parquet", [event_row(1)])
    assert index.look(NEXT_DAY, NOW).tables["play_by_play"].trouble(DAY) is None


def test_a_bad_file_among_those_that_are_read_together_costs_nobody_else(landing: Path) -> None:
    days = [DAY - timedelta(days=number) for number in range(20)]
    for day in days:
        write(landing, f"play_by_play/{day}.parquet", [event_row(1, day)])
    write(landing, f"play_by_play/{days[7]}.parquet", [{"sequence": 1}])
    write(landing, f"play_by_play/{days[9]}.parquet", [event_row(1, days[8])])
    table = look(landing, DAY, NOW).tables["play_by_play"]
    assert set(table.digests) == set(days) - {days[7], days[9]}
    assert [day for day in days if table.trouble(day)] == [days[7]]
    assert table.digests == recorded("play_by_play", landing, days, NOW)


def test_a_bad_file_without_a_date_troubles_every_date(zone: CountingZone, landing: Path) -> None:
    write(landing, "play_by_play/more.csv", [{"sequence": 1}])
    table = LandedIndex(zone).look(NEXT_DAY, NOW).tables["play_by_play"]
    assert all("lacks the required column" in (table.trouble(day) or "") for day in (DAY, NEXT_DAY))
    assert set(table.digests) == {DAY, NEXT_DAY}


def test_a_file_that_vanishes_while_it_is_looked_at_is_a_bad_one(landing: Path) -> None:
    write(landing, f"team_boxscores/{DAY}.parquet", [team_row(), team_row("CHI")])

    @dataclass(frozen=True)
    class Vanishing(CountingZone):
        def local_copy(self, file: LandedFile) -> AbstractContextManager[Path]:
            (self.zone.root / file.path).unlink()
            return self.zone.local_copy(file)

    index = LandedIndex(Vanishing(FolderLandingZone(landing)))
    assert "cannot be read" in (index.look(DAY, NOW).tables["team_boxscores"].trouble(DAY) or "")
    assert index.look(DAY, NOW).tables["team_boxscores"] == LandedTable()


def test_files_that_cannot_be_opened_trouble_their_dates_and_no_look(landing: Path) -> None:
    for day in (DAY, NEXT_DAY):
        write(landing, f"team_boxscores/{day}.parquet", [team_row(day=day), team_row("CHI", day)])
    (landing / f"team_boxscores/{DAY}").mkdir()
    (landing / os.fsdecode(f"team_boxscores/{DAY}/".encode() + b"\xe9.csv")).touch()
    (landing / f"play_by_play/{NEXT_DAY}.csv").parent.mkdir()
    (landing / f"play_by_play/{NEXT_DAY}.csv").symlink_to("nowhere")
    (landing / "injury_report.jsonl").symlink_to("injury_report.jsonl")
    content = look(landing, NEXT_DAY, NOW)
    assert (
        content.tables["team_boxscores"].trouble(DAY) == f"team_boxscores/{DAY}/\\xe9.csv has a name that is not UTF-8"
    )
    assert content.tables["team_boxscores"].trouble(NEXT_DAY) is None
    assert set(content.tables["team_boxscores"].digests) == {DAY, NEXT_DAY}
    assert [content.tables["play_by_play"].trouble(day) is None for day in (DAY, NEXT_DAY)] == [True, False]
    assert "Too many levels" in (content.tables["injury_report"].trouble(DAY) or "")


def test_a_bad_file_troubles_the_dates_of_its_rows_where_they_can_be_read(landing: Path) -> None:
    write(landing, "play_by_play/good.csv", [event_row(1), event_row(1, NEXT_DAY)])
    write(landing, "play_by_play/bad.csv", [{"game_date": DAY, "event_sequence": 1}])
    table = look(landing, NEXT_DAY, NOW).tables["play_by_play"]
    assert [table.trouble(day) is None for day in (DAY, NEXT_DAY)] == [False, True]
    assert set(table.digests) == {DAY, NEXT_DAY}


def test_a_moved_game_leaves_its_old_date_in_the_landed_schedule(landing: Path) -> None:
    later = NEXT_DAY + timedelta(days=3)
    write(landing, "schedule/a.csv", [schedule_row(), schedule_row(NEXT_DAY, nba_game_id="0022100999")], modified=100)
    index = LandedIndex(FolderLandingZone(landing))
    assert index.look(NEXT_DAY, NOW).schedule["game_date"].tolist() == [DAY, NEXT_DAY]
    write(landing, "schedule/b.csv", [schedule_row(later, nba_game_id="0022100999", game_status=1)], modified=200)
    moved = index.look(NEXT_DAY, NOW)
    assert moved.schedule["game_date"].tolist() == [DAY, later]
    assert moved.tables["schedule"].digests == recorded("schedule", landing, [DAY], NOW)
    assert set(moved.tables["schedule"].digests) == {DAY, later}


def test_without_a_landing_zone_nothing_is_forgotten(zone: CountingZone, landing: Path) -> None:
    index = LandedIndex(zone)
    index.look(NEXT_DAY, NOW)
    zone.taken()
    landing.rename(landing.with_name("away"))
    with pytest.raises(LandingZoneError, match="NBA_ASSETS_LANDING"):
        index.look(NEXT_DAY, NOW)
    landing.with_name("away").rename(landing)
    assert set(index.look(NEXT_DAY, NOW).tables["play_by_play"].digests) == {DAY, NEXT_DAY}
    assert zone.taken() == []


def test_the_newest_schedule_counts(landing: Path) -> None:
    write(
        landing, "schedule/old.csv", [schedule_row(game_status=1), schedule_row(NEXT_DAY, game_status=1)], modified=100
    )
    write(landing, "schedule/new.csv", [schedule_row(game_status=3)], modified=200)
    games = LandedIndex(FolderLandingZone(landing)).look(NEXT_DAY, NOW).schedule
    assert dict(zip(games["game_date"].tolist(), games["game_status"].tolist(), strict=True)) == {DAY: 3, NEXT_DAY: 1}


def test_lines_of_a_season_in_one_file_are_told_apart_by_date(landing: Path) -> None:
    target = write(landing, "game_lines.parquet", [line_row(), line_row("CHI"), line_row(day=NEXT_DAY)])
    before = look(landing, NEXT_DAY, NOW).tables["game_lines"].digests
    assert before == recorded("game_lines", landing, [DAY, NEXT_DAY])
    write(landing, "game_lines.parquet", [line_row(), line_row("CHI"), line_row(day=NEXT_DAY, outcome_point=-2.5)])
    os.utime(target, (1, 1))
    after = look(landing, NEXT_DAY, NOW).tables["game_lines"].digests
    assert {day for day in before if before[day] != after[day]} == {NEXT_DAY}
