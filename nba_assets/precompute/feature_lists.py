"""The versions of the feature vector that the store keeps side by side, and the columns that hold each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from nba_assets.precompute.features import FEATURES, VERSION, Feature
from nba_assets.precompute.features_v2 import FEATURES_V2, NEW_FEATURES, VERSION_V2
from nba_assets.tables.spec import FeatureList


@dataclass(frozen=True)
class FeatureVersion:
    """A version of the feature vector: its features in the model's order, and how it is stored."""

    features: tuple[Feature, ...]
    stored: FeatureList

    @property
    def name(self) -> str:
        """What says which features these are."""
        return self.stored.version

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the features, in the model's order."""
        return tuple(feature.name for feature in self.features)

    def column(self, name: str) -> str:
        """A column of the store about the vector as a whole, for this version. Example: features -> features_v2."""
        return f"{name}{self.stored.suffix}"


FEATURE_VERSIONS: Mapping[str, FeatureVersion] = {
    "v1": FeatureVersion(FEATURES, FeatureList(VERSION)),
    "v2": FeatureVersion(FEATURES_V2, FeatureList(VERSION_V2, "_v2")),
}
"""By the name that a user chooses them by."""

ALL_FEATURES: tuple[Feature, ...] = (*FEATURES, *NEW_FEATURES)
"""Each once, in the order of their columns: one name is one number, whichever versions have it."""


def columns_read(table: str) -> tuple[str, ...]:
    """The columns of a table that some feature is read from, in the order of the features."""
    names = (name.split(".") for feature in ALL_FEATURES for source in feature.sources for name in source.reads)
    return tuple(dict.fromkeys(column for read, column in names if read == table))
