"""Which table is shown in which picture.

A table that is not listed has none.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable, Mapping
from datetime import date

from nba_assets.pictures.composite_factors import composite_factors
from nba_assets.pictures.court import shot_zones, zone_defense
from nba_assets.pictures.feature_strip import Scale, feature_strip
from nba_assets.precompute.features import FEATURES, Feature
from nba_assets.tables.spec import Columns

TABLES_WITH_PICTURES = (
    "player_shot_zone_analysis",
    "team_defense_zone_analysis",
    "player_composite_factors",
    "ml_feature_store",
)


def picture(table_name: str, day: date, rows: Columns, names: Mapping[str, str]) -> bytes:
    """An SVG of the rows that one of `TABLES_WITH_PICTURES` has for a date, of which there is at least one.

    `names` are full names of players by player_lookup; who is not in it goes by the latter.
    """
    drawings: list[Callable[[], bytes]] = [
        lambda: shot_zones(day, rows, names),
        lambda: zone_defense(day, rows),
        lambda: composite_factors(day, rows, names),
        lambda: feature_strip(
            day, rows, [Scale(feature.name, *_range(feature), feature.default) for feature in FEATURES]
        ),
    ]
    return dict(zip(TABLES_WITH_PICTURES, drawings, strict=True))[table_name]()


def data_uri(drawn: bytes) -> str:
    """A picture as the address of an image, for pages that hold everything they show."""
    return f"data:image/svg+xml;base64,{b64encode(drawn).decode()}"


def _range(feature: Feature) -> tuple[float, float]:
    bounds = feature.usual or feature.allowed
    if bounds is None:
        raise ValueError(f"feature {feature.name} has no usual or allowed range to be drawn on")
    return bounds
