"""Invented names, in all the shapes that real ones have: accents, apostrophes, hyphens, suffixes."""

from __future__ import annotations

import numpy as np

from nba_assets.basketball.names import player_lookup


def _words(text: str) -> list[str]:
    return text.split()


FIRST_NAMES = _words("""
    Abel Adrián Alaric Amadou Anselm Ansel Arlo Armand Auden Axel Bastien Beckett Benoît Boris Bram Calder Caspian
    Cedrik Cosimo Cyrus D'Andre Dashiel Davor De'Jon Dimitar Efraín Eldar Elias Emeka Émile Enzo Ezra Fabrizio Ferran
    Florian Gideon Goran Hakeem Hendrik Ignác Ilias Ivo Ja'Quan Jarek Jean-Luc Joaquín Jonas Jorik Kacper Kaleo Keanu
    Kofi Konrad Lázaro Leif Léon Lorenz Luan Lubomír Malachi Marek Matteo Mikkel Milan Nils Ørjan Octavio Olivér Osei
    Pascal Petr Quillan Raphaël Roan Roman Rémy Sandor Saša Søren Stellan Taavi Tadeusz Teo Thibault Tobiah Uri Valentin
    Vasil Viggo Wendell Xabier Yannick Yusuf Zev
""")

SURNAMES = _words("""
    Abernale Adeyimba Aldenmoor Amberwick Ashdowne Azkarrondo Balewright Bantrell Barkwith Belloquin Bexworth
    Birchhollow Blakemoore-Tull Bornazzi Brandveld Brightmoor-Vance Brixworthy Cairnlow Calloquist Carrowmere Castelbrun
    Cederwall Chalkwood Clovenfield Coldstream-Ray Corvanti Crestmoor D'Avrenne Dahlquive Dembarré Deverholt Dorsimond
    Drakewell Dunmarrow Eddingsworth Eketorp Elmhaven Emberline Falkendorp Farnhollow Fenwright Ferrandel Fjeldmark
    Foxglade Galbrenner Garrowby Ghiorzo Glenmarch Grønsted Halbrook-Onu Harkenfeld Hawkesdene Helmquist Hollowell
    Ibarruti Ilvesaro Inkwell Jadrosić Jorvath Kaldwell Karvonsen Kelbourne Kestrelby Kovařín Krügendahl Lachlanby
    Larkspire Lindqvarn Loxwood Łukaszin Marrowgate Mbekilo Merriwynde Mirandaux Monteclair Mossgrave N'Dakolo
    Nightingate Norvalle Núñezal O'Brannagh O'Tarrell Oakenfold Obasanyo Okonwele Ostervang Pellworth Peñarrubia
    Perivale Pinehurst Quarrington Quennell Radovanek Ravenscar Redfernley Roquevert Rosmarin Rutherglade Şahinel
    Sandoval-Oake Savardin Selwick Silverthorn Skovgaardsen Stanwick Stormfeld Strandberge Szalontai Tamarelle
    Tanglewood Thistledown Torvinen Trevannion Ukwuoma Underhale Valtermarch Vancroft Varjonen Verhoevel Vossberg
    Wainscott Westerlund-Abe Whitlowe Wolfram-Dey Yarborne Žalgirin Zwellingen
""")

SUFFIXES = ("Jr.", "II", "III", "IV")
SUFFIX_SHARE = 0.05


def invent_names(count: int, rng: np.random.Generator) -> list[str]:
    """Distinct names, also when accents, blanks and case are ignored.

    Raises ValueError when more are requested than there are.
    """
    if count > len(FIRST_NAMES) * len(SURNAMES):
        raise ValueError(f"cannot invent {count} names: there are {len(FIRST_NAMES) * len(SURNAMES)}")
    names: dict[str, str] = {}
    for pick in rng.permutation(len(FIRST_NAMES) * len(SURNAMES)).tolist():
        if len(names) == count:
            break
        name = f"{FIRST_NAMES[pick // len(SURNAMES)]} {SURNAMES[pick % len(SURNAMES)]}"
        if rng.random() < SUFFIX_SHARE:
            name = f"{name} {SUFFIXES[rng.integers(len(SUFFIXES))]}"
        names.setdefault(player_lookup(name), name)
    return list(names.values())
