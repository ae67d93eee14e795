"""Which failure a refused date names."""

from __future__ import annotations

from types import SimpleNamespace
from typing import cast

import numpy as np
import pytest

from nba_assets.entities.outcomes import concatenate, failures
from nba_assets.publishing.publication import Publication, _first_hard_failure
from nba_assets.tables.bookkeeping import HARD_FAILURE
from nba_assets.tables.spec import Columns

DAYS = np.array(["2024-11-05", "2024-11-06"], dtype="M8[D]")


def failed(place: int, category: str, reason: str) -> Columns:
    entity, day = np.array(["one"], dtype=object), DAYS[place : place + 1]
    return failures(entity, day, "PLAYER", category, reason, can_retry=True)


OTHER_DATE = failed(0, HARD_FAILURE, "of another date")
SOFT, FIRST, SECOND = (
    failed(1, "INSUFFICIENT_DATA", "few games"),
    failed(1, HARD_FAILURE, "first"),
    failed(1, HARD_FAILURE, "second"),
)


@pytest.mark.parametrize(
    ("records", "named"),
    [
        ([OTHER_DATE, SOFT, FIRST, SECOND], "first"),
        ([OTHER_DATE, SOFT], "one of an earlier run"),
        ([OTHER_DATE], "one of an earlier run"),
        ([], "one of an earlier run"),
    ],
)
def test_the_first_hard_failure_of_the_date_itself_is_named(records: list[Columns], named: str) -> None:
    publication = cast(Publication, SimpleNamespace(failures=concatenate(records)))
    assert _first_hard_failure(publication, DAYS[1].item()) == named
