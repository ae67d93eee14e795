"""Checks of the landing zone, a folder or a bucket: it can be listed, and its newest file can be read."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime
from pathlib import Path

from nba_assets.doctor.finding import Finding, ok, warning
from nba_assets.orchestration.landing_zone import landing_zone
from nba_assets.raw.landing import LandedFile, LandingZoneError
from nba_assets.raw.tables import RAW_TABLES
from nba_assets.settings import Settings, is_folder
from nba_assets.wording import counted


def check_landing(settings: Settings, *, create: bool = False) -> Iterator[Finding]:
    """Whether there are files, and whether they can be read; raises LandingZoneError where the zone cannot be listed,
    OSError for a newest file that cannot be read.
    """
    if create and is_folder(settings.landing):
        Path(settings.landing).mkdir(parents=True, exist_ok=True)
    files = landed_files()
    if not files:
        yield warning(
            "landing",
            f"{settings.landing} holds no file of {', '.join(RAW_TABLES)}: land some as docs/input.md says, or run "
            "`nba-assets demo`",
        )
        return
    faulty = [file for file in files if file.fault]
    newest = max((file for file in files if not file.fault), key=lambda file: file.placed_at, default=None)
    if newest is not None:
        with landing_zone().local_copy(newest) as path, path.open("rb") as stream:
            stream.read(1)
        yield ok(
            "landing",
            f"{counted(len(files) - len(faulty), 'file')} in {settings.landing}; the newest, {newest.path}, is of "
            f"{newest.placed_at:%Y-%m-%d %H:%M} UTC and can be read",
        )
    for file in faulty[:1]:
        yield warning("landing", f"{counted(len(faulty), 'file')} cannot be used, of which {file.path} {file.fault}")


def newest_landing() -> dict[str, datetime]:
    """When the newest file was put there, under what it is; nothing where there is none, or no zone."""
    moments = []
    with suppress(LandingZoneError):  # which `check_landing` says
        moments = [file.placed_at for file in landed_files() if not file.fault]
    return {"the newest landed file": max(moments)} if moments else {}


def landed_files() -> list[LandedFile]:
    """All files of the landing zone."""
    return [file for files in landing_zone().listing(list(RAW_TABLES)).values() for file in files]
