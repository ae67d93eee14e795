"""Which files a landing zone holds for a table, and what their paths say."""

from __future__ import annotations

import os
from datetime import date
from pathlib import Path

import pytest

from nba_assets.raw.landing import FolderLandingZone, Format, LandedFile, LandingZoneError


def put(folder: Path, *paths: str) -> None:
    """Empty files, of one age."""
    for path in paths:
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).touch()
        os.utime(folder / path, (0, 0))


def test_a_table_is_a_file_or_a_folder_of_any_depth(tmp_path: Path) -> None:
    put(tmp_path, "schedule.parquet", "schedule/2021/x.csv", "schedule/a/b/c/y.ndjson.gz", "rosters.csv", "schedules.csv")
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


def test_files_come_oldest_first_then_by_name(tmp_path: Path) -> None:
    put(tmp_path, "rosters/c.csv", "rosters/b.csv", "rosters/a.csv")
    os.utime(tmp_path / "rosters/a.csv", (9, 9))
    assert [file.path[-5:] for file in FolderLandingZone(tmp_path).files("rosters")] == ["b.csv", "c.csv", "a.csv"]


def test_a_missing_landing_zone_is_named(tmp_path: Path) -> None:
    with pytest.raises(LandingZoneError, match=r"nowhere is not a folder.*NBA_ASSETS_LANDING"):
        FolderLandingZone(tmp_path / "nowhere").files("schedule")


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
