"""Which files a landing zone holds for a table, and what their paths say."""

from __future__ import annotations

import os
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from nba_assets.raw.landing import FolderLandingZone, Format, LandedFile, LandingZoneError, suffix_of, table_of


def put(folder: Path, *paths: str) -> None:
    """Empty files, of one age."""
    for path in paths:
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).touch()
        os.utime(folder / path, (0, 0))


def test_a_table_is_a_file_or_a_folder_of_any_depth(tmp_path: Path) -> None:
    put(
        tmp_path,
        "schedule.parquet",
        "schedule/2021/x.csv",
        "schedule/a/b/c/y.ndjson.gz",
        "rosters.csv",
        "schedules.csv",
    )
    assert [file.path for file in FolderLandingZone(tmp_path).files("schedule")] == [
        "schedule.parquet",
        "schedule/2021/x.csv",
        "schedule/a/b/c/y.ndjson.gz",
    ]


def test_an_absent_feed_has_no_files(tmp_path: Path) -> None:
    assert FolderLandingZone(tmp_path).files("player_points_props") == []


def test_hidden_temporary_and_foreign_files_are_passed_over(tmp_path: Path) -> None:
    put(
        tmp_path,
        "rosters/.x.parquet",
        "rosters/_x.parquet",
        "rosters/_temporary/x.parquet",
        "rosters/.staging/x.csv",
        "rosters/x.parquet.tmp",
        "rosters/x.tmp/x.csv",
        "rosters/README.md",
        "rosters/x.xlsx",
        "rosters/good.json",
    )
    assert [file.path for file in FolderLandingZone(tmp_path).files("rosters")] == ["rosters/good.json"]


def test_a_zone_under_a_hidden_folder_is_not_hidden(tmp_path: Path) -> None:
    put(tmp_path, ".var/landing/rosters/x.csv")
    assert len(FolderLandingZone(tmp_path / ".var" / "landing").files("rosters")) == 1


def faults(zone: Path, table: str = "rosters") -> dict[str, str | None]:
    return {file.path: file.fault for file in FolderLandingZone(zone).files(table)}


def test_a_name_that_is_not_utf8_is_listed_in_a_form_that_can_be_printed(tmp_path: Path) -> None:
    put(tmp_path, "rosters/2021-11-15/good.csv", "rosters/Schröder.csv")
    (tmp_path / os.fsdecode(b"rosters/2021-11-15/caf\xe9.csv")).touch()
    (tmp_path / os.fsdecode(b"rosters/\xff")).mkdir()
    (tmp_path / os.fsdecode(b"rosters/\xff/x.csv")).touch()
    said = "has a name that is not UTF-8"
    assert faults(tmp_path) == {
        "rosters/2021-11-15/good.csv": None,
        "rosters/Schröder.csv": None,
        "rosters/2021-11-15/caf\\xe9.csv": said,
        "rosters/\\xff/x.csv": said,
    }
    assert {
        file.date_of("roster_date") for file in FolderLandingZone(tmp_path).files("rosters") if "caf" in file.path
    } == {date(2021, 11, 15)}


def test_links_to_files_and_folders_are_followed_inside_the_zone_and_out_of_it(tmp_path: Path) -> None:
    zone = tmp_path / "zone"
    put(tmp_path, "elsewhere/2021/a.csv", "elsewhere/b.csv", "zone/rosters/c.csv")
    (zone / "rosters/2021").symlink_to(tmp_path / "elsewhere/2021")
    (zone / "rosters/d.csv").symlink_to(tmp_path / "elsewhere/b.csv")
    (zone / "rosters/e.csv").symlink_to("c.csv")
    (zone / "injury_report").symlink_to(tmp_path / "elsewhere")
    (zone / "schedule.csv").symlink_to(tmp_path / "elsewhere/b.csv")
    assert faults(zone) == {
        "rosters/2021/a.csv": None,
        "rosters/c.csv": None,
        "rosters/d.csv": None,
        "rosters/e.csv": None,
    }
    assert faults(zone, "injury_report") == {"injury_report/2021/a.csv": None, "injury_report/b.csv": None}
    assert faults(zone, "schedule") == {"schedule.csv": None}


def test_links_to_nothing_and_in_circles_are_listed_with_their_fault(tmp_path: Path) -> None:
    put(tmp_path, "rosters/2021/good.csv")
    for name, target in {
        "gone.csv": "nowhere",
        "2022": "nowhere",
        "self.csv": "self.csv",
        "2021/up": "..",
        "README.md": "nowhere",
    }.items():
        (tmp_path / "rosters" / name).symlink_to(target)
    (tmp_path / "schedule.parquet").symlink_to("nowhere")
    assert faults(tmp_path) == {
        "rosters/2021/good.csv": None,
        "rosters/gone.csv": "is a link to nothing",
        "rosters/2022": "is a link to nothing",
        "rosters/self.csv": "cannot be opened: Too many levels of symbolic links",
        "rosters/2021/up": "is a link to a folder that it lies in",
    }
    assert faults(tmp_path, "schedule") == {"schedule.parquet": "is a link to nothing"}


def test_folders_under_the_name_of_a_file(tmp_path: Path) -> None:
    """Some tools write a table as a folder of parts."""
    put(tmp_path, "rosters/x.parquet/part-0.parquet", "rosters/y.parquet/_SUCCESS", "schedule.parquet/part-0.parquet")
    (tmp_path / "rosters/z.parquet").mkdir()
    (empty,) = (file for file in FolderLandingZone(tmp_path).files("rosters") if file.fault)
    assert (empty.size, empty.modified_nanoseconds) == (0, 0)
    assert faults(tmp_path) == {
        "rosters/x.parquet/part-0.parquet": None,
        "rosters/z.parquet": "is an empty folder under the name of a file",
    }
    assert faults(tmp_path, "schedule") == {"schedule.parquet/part-0.parquet": None}


def test_what_is_no_regular_file_is_not_read(tmp_path: Path) -> None:
    put(tmp_path, "rosters/good.csv")
    os.mkfifo(tmp_path / "rosters/pipe.csv")
    assert faults(tmp_path) == {
        "rosters/good.csv": None,
        "rosters/pipe.csv": "is not a regular file",
    }


def test_a_path_that_is_too_long_for_the_system(tmp_path: Path) -> None:
    put(tmp_path, "rosters/2021-11-15/good.csv")
    at = os.open(tmp_path / "rosters/2021-11-15", os.O_RDONLY)
    for _ in range(20):
        os.mkdir("a" * 250, dir_fd=at)
        inner = os.open("a" * 250, os.O_RDONLY, dir_fd=at)
        os.close(at)
        at = inner
    os.close(at)
    good, deep = FolderLandingZone(tmp_path).files("rosters")[::-1]
    assert (good.path, good.fault) == ("rosters/2021-11-15/good.csv", None)
    assert (deep.fault, deep.date_of("roster_date")) == ("cannot be opened: File name too long", date(2021, 11, 15))


def test_a_folder_that_may_not_be_listed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(tmp_path, "rosters/2021-11-15/x.csv", "rosters/y.csv")
    listdir = os.listdir

    def refuse(path: Path) -> list[str]:
        if path.name == "2021-11-15":
            raise PermissionError(13, "Permission denied")
        return listdir(path)

    monkeypatch.setattr("nba_assets.raw.landing.os.listdir", refuse)
    assert faults(tmp_path) == {"rosters/2021-11-15": "cannot be opened: Permission denied", "rosters/y.csv": None}
    assert LandedFile("rosters/2021-11-15", 0, 0).date_of("roster_date") == date(2021, 11, 15)


def test_a_file_that_vanishes_while_the_zone_is_listed_is_not_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(tmp_path, "rosters/x.csv", "rosters/y.csv")
    listdir = os.listdir
    monkeypatch.setattr("nba_assets.raw.landing.os.listdir", lambda path: [*listdir(path), "gone.csv"])
    assert faults(tmp_path) == {"rosters/x.csv": None, "rosters/y.csv": None}


def test_files_come_oldest_first_then_by_name(tmp_path: Path) -> None:
    put(tmp_path, "rosters/c.csv", "rosters/b.csv", "rosters/a.csv")
    os.utime(tmp_path / "rosters/a.csv", (9, 9))
    assert [file.path[-5:] for file in FolderLandingZone(tmp_path).files("rosters")] == ["b.csv", "c.csv", "a.csv"]


def test_a_missing_landing_zone_is_named(tmp_path: Path) -> None:
    with pytest.raises(LandingZoneError, match=r"nowhere is not a folder.*NBA_ASSETS_LANDING"):
        FolderLandingZone(tmp_path / "nowhere").files("schedule")


def test_a_landing_zone_that_may_not_be_read_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nba_assets.raw.landing.os.access", lambda *_: False)
    with pytest.raises(LandingZoneError, match="not a folder that can be read"):
        FolderLandingZone(tmp_path).files("schedule")


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("play_by_play/game_date=2021-11-15/x.parquet", date(2021, 11, 15)),
        ("play_by_play/date=2021-11-15/x.parquet", date(2021, 11, 15)),
        ("play_by_play/2021-11-15.parquet", date(2021, 11, 15)),
        ("play_by_play/2021-11-15.csv.gz", date(2021, 11, 15)),
        ("play_by_play/2021-11-15/x.csv", date(2021, 11, 15)),
        ("play_by_play/2021/11/15/x.csv", date(2021, 11, 15)),
        ("play_by_play/2021/11/15.jsonl", date(2021, 11, 15)),
        ("play_by_play/2021/3/5/x.csv", date(2021, 3, 5)),
        ("play_by_play/year=2021/month=11/day=15/x.csv", date(2021, 11, 15)),
        ("play_by_play/season_year=2021/game_date=2021-11-15/2021-12-01.parquet", date(2021, 11, 15)),
        ("play_by_play.parquet", None),
        ("play_by_play/2021.parquet", None),
        ("play_by_play/2021/11/x.csv", None),
        ("play_by_play/2021-13-45.parquet", None),
        ("play_by_play/game_date=__HIVE_DEFAULT_PARTITION__/x.parquet", None),
        ("play_by_play/report_date=2021-11-15/x.parquet", None),
        ("play_by_play/20211115_CHI_LAL.json", None),
    ],
)
def test_the_date_that_a_path_names(path: str, expected: date | None) -> None:
    assert LandedFile(path, 0, 0).date_of("game_date") == expected


def test_the_values_of_a_path() -> None:
    file = LandedFile("player_registry/season=2021-22/team=Los%20Angeles%20Lakers/x=1.parquet", 0, 0)
    assert file.path_values == {"season": "2021-22", "team": "Los Angeles Lakers"}


@pytest.mark.parametrize(
    ("name", "expected", "gzipped"),
    [
        ("x.parquet", Format.PARQUET, False),
        ("x.PARQUET", Format.PARQUET, False),
        ("x.y.csv", Format.CSV, False),
        ("x.csv.gz", Format.CSV, True),
        ("x.ndjson", Format.JSON_LINES, False),
        ("x.json.gz", Format.JSON_LINES, True),
    ],
)
def test_the_format_follows_from_the_name(name: str, expected: Format, gzipped: bool) -> None:
    file = LandedFile(f"rosters/{name}", 0, 0)
    assert (file.format, file.is_gzipped) == (expected, gzipped)


def test_fingerprint_and_digest_tell_a_rewritten_file_from_a_changed_one(tmp_path: Path) -> None:
    zone, path = FolderLandingZone(tmp_path), tmp_path / "rosters.csv"

    def look() -> tuple[str, str]:
        (file,) = zone.files("rosters")
        return file.fingerprint, zone.content_digest(file)

    path.write_text("a\n1\n")
    first = look()
    assert look() == first
    os.utime(path, (1, 1))
    rewritten = look()
    path.write_text("a\n2\n")
    os.utime(path, (1, 1))
    changed_unseen = look()
    assert rewritten[0] != first[0]
    assert rewritten[1] == first[1]
    assert changed_unseen[0] == rewritten[0]
    assert changed_unseen[1] != rewritten[1]


def test_a_local_copy_can_be_read(tmp_path: Path) -> None:
    (tmp_path / "rosters.csv").write_text("a\n1\n")
    zone = FolderLandingZone(tmp_path)
    with zone.local_copy(zone.files("rosters")[0]) as path:
        assert path.read_text() == "a\n1\n"


def test_a_file_was_placed_when_it_was_written_or_put_where_it_stands() -> None:
    moment = datetime(2024, 11, 6, 12, tzinfo=UTC)
    later = int(moment.timestamp()) * 10**9
    assert LandedFile("x.csv", 1, later).placed_at == moment
    assert LandedFile("x.csv", 1, later - 10**9, placed_nanoseconds=later).placed_at == moment
    assert LandedFile("x.csv", 1, later, placed_nanoseconds=later - 10**9).placed_at == moment


@pytest.mark.parametrize(
    ("path", "suffix", "table"),
    [
        ("rosters/x.csv", ".csv", "rosters"),
        ("rosters.Json.GZ", ".Json.GZ", "rosters"),
        ("rosters.old.CSV", ".CSV", "rosters.old"),
        ("rosters/x.txt", "", "rosters"),
        ("rosters", "", "rosters"),
    ],
)
def test_the_table_of_a_path_and_how_its_name_ends(path: str, suffix: str, table: str) -> None:
    assert suffix_of(path) == suffix
    assert table_of(path) == table
