"""The landing zone that the environment names, with the client that it needs."""

from __future__ import annotations

from pathlib import Path

from nba_assets.raw.landing import FolderLandingZone, LandingZone
from nba_assets.settings import Settings, are_source_tables, is_bucket


def landing_zone() -> LandingZone:
    """The landing zone of NBA_ASSETS_LANDING: a folder, gs://BUCKET/PREFIX, or bigquery://PROJECT/DATASET."""
    settings = Settings.from_environment()
    address = settings.landing
    if is_bucket(address):
        from nba_assets.orchestration.google_cloud import open_bucket

        return open_bucket(address)
    if are_source_tables(address):
        from nba_assets.orchestration.google_cloud import open_source_tables

        return open_source_tables(address, settings.home)
    return FolderLandingZone(Path(address))
