"""Other spellings of one name."""

from __future__ import annotations

import pytest

from nba_assets.basketball.names import SUFFIXES
from nba_assets.basketball.spellings import spellings, with_other_suffix


@pytest.mark.parametrize(
    ("name", "keys"),
    [
        ("Nikola Đurišić", {"nikoladurisic", "nikoladjurisic", "nikolaurisic"}),
        ("Ömer Aşık", {"omerasik", "omerask"}),  # noqa: RUF001 - the letter is meant
        ("Łukasz Kołodziej", {"lukaszkolodziej", "ukaszkoodziej"}),
        ("Søren Kjær", {"sorenkjaer", "soerenkjaer", "srenkjr"}),
        ("Þórir Groß", {"thorirgross", "orirgro"}),
        ("Œdipe Ðor", {"oedipedor", "dipeor"}),
        ("José Alvarado", {"josealvarado"}),
        ("1630552 Jalen Johnson", {"jalenjohnson"}),
        ("...", set()),
        (None, set()),
    ],
)
def test_all_keys_that_feeds_make_of_a_name(name: str | None, keys: set[str]) -> None:
    assert set(spellings(name)) == keys


def test_the_transliterated_spelling_comes_first() -> None:
    assert spellings("Nikola Đurišić")[0] == "nikoladurisic"


def test_a_bare_name_is_tried_with_every_suffix() -> None:
    assert with_other_suffix("robertwilliams") == tuple("robertwilliams" + suffix for suffix in SUFFIXES)


@pytest.mark.parametrize(
    ("lookup", "without"),
    [
        ("garypaytonii", "garypayton"),
        ("robertwilliamsiii", "robertwilliams"),
        ("larrynancejr", "larrynance"),
        ("abcdv", "abcd"),
    ],
)
def test_a_name_with_a_suffix_is_tried_without_it(lookup: str, without: str) -> None:
    assert without in with_other_suffix(lookup)


def test_a_name_is_not_tried_with_another_suffix_than_its_own() -> None:
    assert "garypaytonjr" not in with_other_suffix("garypaytonii")


def test_what_remains_of_a_key_must_be_a_name() -> None:
    assert "lev" not in with_other_suffix("levv")
