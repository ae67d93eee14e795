"""Players' names as keys."""

from __future__ import annotations

import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nba_assets.basketball.names import player_lookup, strip_leading_digits


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("LeBron James Jr.", "lebronjamesjr"),
        ("José Alvarado", "josealvarado"),
        ("Jose\u0301 Alvarado", "josealvarado"),
        ("O'Neal", "oneal"),
        ("Dāvis Bertāns", "davisbertans"),
        ("Luka Dončić", "lukadoncic"),
        ("Shai Gilgeous-Alexander", "shaigilgeousalexander"),
        ("Gary Payton II", "garypaytonii"),
        ("Karl-Anthony  Towns", "karlanthonytowns"),
        ("Robert'); DROP TABLE players;--", "robertdroptableplayers"),
        ("姚明", ""),
        ("", ""),
        (None, ""),
    ],
)
def test_player_lookup(name: str | None, key: str) -> None:
    assert player_lookup(name) == key


@given(st.text())
def test_a_key_is_plain_and_is_its_own_key(name: str) -> None:
    key = player_lookup(name)
    assert re.fullmatch("[a-z0-9]*", key)
    assert player_lookup(key) == key


@given(st.text(alphabet="abcXYZ .'-", max_size=12), st.sampled_from("\u0301\u0304\u030c\u0308"))
def test_case_accents_and_unicode_form_do_not_matter(name: str, accent: str) -> None:
    accented = accent.join([*name, ""])
    assert player_lookup(unicodedata.normalize("NFC", accented)) == player_lookup(accented.upper()) == player_lookup(name)


@pytest.mark.parametrize(
    ("lookup", "bare"),
    [("1630552jalenjohnson", "jalenjohnson"), ("jalenjohnson", "jalenjohnson"), ("player2", "player2"), ("", "")],
)
def test_strip_leading_digits(lookup: str, bare: str) -> None:
    assert strip_leading_digits(lookup) == bare
