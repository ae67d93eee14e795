"""The versions of the feature vector that the store keeps side by side, and the columns that hold each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from nba_assets.precompute.features import FEATURES, VERSION, Feature
from nba_assets.precompute.features_v2 import FEATURES_V2, NEW_FEATURES, VERSION_V2


@dataclass(frozen=True)
class FeatureList:
    """A version of the feature vector: its features in the model's order, and the name that says what they are."""

    features: tuple[Feature, ...]
    name: str
    suffix: str = ""
    """What the columns of this version end with."""

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the features, in the model's order."""
        return tuple(feature.name for feature in self.features)

    def column(self, name: str) -> str:
        """A column of the store about the vector as a whole, for this version. Example: features -> features_v2."""
        return f"{name}{self.suffix}"


FEATURE_LISTS: Mapping[str, FeatureList] = {
    "v1": FeatureList(FEATURES, VERSION),
    "v2": FeatureList(FEATURES_V2, VERSION_V2, "_v2"),
}
"""By the name that a user chooses them by."""

ALL_FEATURES: tuple[Feature, ...] = (*FEATURES, *NEW_FEATURES)
"""Each once, in the order of their columns: one name is one number, whichever versions have it."""


def columns_read(table: str) -> tuple[str, ...]:
    """The columns of a table that some feature is read from, in the order of the features."""
    names = (name.split(".") for feature in ALL_FEATURES for source in feature.sources for name in source.reads)
    return tuple(dict.fromkeys(column for read, column in names if read == table))
