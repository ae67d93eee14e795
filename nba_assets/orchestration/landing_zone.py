"""The landing zone that the environment names, with the client that it needs."""

from __future__ import annotations

from nba_assets.raw.landing import FolderLandingZone, LandingZone
from nba_assets.settings import Settings


def landing_zone() -> LandingZone:
    """The landing zone of NBA_ASSETS_LANDING: a folder."""
    return FolderLandingZone(Settings.from_environment().landing_folder)
