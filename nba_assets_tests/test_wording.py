"""How things are counted in words."""

from __future__ import annotations

import pytest

from nba_assets.wording import counted


@pytest.mark.parametrize(
    ("number", "nouns", "said"),
    [
        (0, ("date",), "0 dates"),
        (1, ("date",), "1 date"),
        (2, ("date",), "2 dates"),
        (1204, ("row",), "1,204 rows"),
        (1, ("entity", "entities"), "1 entity"),
        (3, ("entity", "entities"), "3 entities"),
    ],
)
def test_a_number_is_said_with_its_noun(number: int, nouns: tuple[str, ...], said: str) -> None:
    assert counted(number, *nouns) == said
