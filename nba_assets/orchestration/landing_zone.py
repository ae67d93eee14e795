"""The landing zone that the environment names, with the client that it needs."""

from __future__ import annotations

from pathlib import Path

from nba_assets.raw.landing import FolderLandingZone, LandingZone
from nba_assets.settings import Settings, is_bucket


def landing_zone() -> LandingZone:
    """The landing zone of NBA_ASSETS_LANDING: a folder, or gs://BUCKET/PREFIX."""
    address = Settings.from_environment().landing
    if is_bucket(address):
        from nba_assets.orchestration.google_cloud import open_bucket

        return open_bucket(address)
    return FolderLandingZone(Path(address))
