"""Players' names as keys."""

from __future__ import annotations

import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nba_assets.basketball.names import old_spelling, player_lookup, strip_leading_digits


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
        ("Nikola Đurišić", "nikoladurisic"),
        ("Đorđe Petrović", "dordepetrovic"),
        ("Ömer Aş\N{LATIN SMALL LETTER DOTLESS I}k", "omerasik"),
        ("\N{LATIN CAPITAL LETTER I WITH DOT ABOVE}lyasova", "ilyasova"),
        ("Łukasz Kołtun", "lukaszkoltun"),
        ("Søren Kjær", "sorenkjaer"),
        ("ØRN Æsir", "ornaesir"),
        ("Œuvre Groß", "oeuvregross"),
        ("GROẞ", "gross"),
        ("Þór Davíðsson", "thordavidsson"),
        ("Ðan Ŧaŋa Ħ", "dantanah"),
        ("Brown, Jaylen", "jaylenbrown"),
        ("Belloquin, D'Andre", "dandrebelloquin"),
        ("Şengün, Alperen", "alperensengun"),
        ("Mbah a Moute, Luc", "lucmbahamoute"),
        ("Williams III, Robert", "robertwilliamsiii"),
        ("Jackson Jr., Jaren", "jarenjacksonjr"),
        ("JACKSON JR, JAREN", "jarenjacksonjr"),
        ("Jackson, Jaren Jr.", "jarenjacksonjr"),
        ("Jackson, Jaren, Jr.", "jarenjacksonjr"),
        ("Jackson, Jr., Jaren", "jarenjacksonjr"),
        ("Jaren Jackson, Jr.", "jarenjacksonjr"),
        ("James, LeBron Jr.", "lebronjamesjr"),
        ("Payton II, Gary", "garypaytonii"),
        ("Smith V, John", "johnsmithv"),
        ("Brown, V", "vbrown"),
        ("Nene,", "nene"),
        ("III, Robert", "robertiii"),
        ("Nowhere, Man, The", "nowheremanthe"),
        (",", ""),
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
    assert (
        player_lookup(unicodedata.normalize("NFC", accented)) == player_lookup(accented.upper()) == player_lookup(name)
    )


@pytest.mark.parametrize(
    ("lookup", "bare"),
    [("1630552jalenjohnson", "jalenjohnson"), ("jalenjohnson", "jalenjohnson"), ("player2", "player2"), ("", "")],
)
def test_strip_leading_digits(lookup: str, bare: str) -> None:
    assert strip_leading_digits(lookup) == bare


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("Nikola Đurišić", "nikolaurisic"),
        ("Ömer Aş\N{LATIN SMALL LETTER DOTLESS I}k", "omerask"),
        ("Kjær, Søren", "srenkjr"),
        ("Luka Dončić", "lukadoncic"),
        ("Williams III, Robert", "robertwilliamsiii"),
        (None, ""),
    ],
)
def test_the_spelling_of_systems_that_delete_letters_stays_known(name: str | None, key: str) -> None:
    assert old_spelling(name) == key


@given(st.text(st.characters(max_codepoint=0x7F)))
def test_plain_names_have_one_spelling(name: str) -> None:
    assert old_spelling(name) == player_lookup(name)
