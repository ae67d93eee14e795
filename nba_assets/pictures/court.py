"""The half court, and what two tables say of its three zones: where players shoot from, and how teams defend.

The court is drawn to scale in feet from the hoop, as the zones are defined: the painted area, the rest inside the arc,
and beyond it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date

import numpy as np
from numpy.typing import NDArray

from nba_assets.pictures.canvas import (
    BLUE,
    DARK_ORANGE,
    FAINT,
    GREEN,
    INK,
    MINUS,
    ORANGE,
    PALE_BLUE,
    PALE_GREEN,
    PALE_ORANGE,
    PAPER,
    RULE,
    SHADE,
    SMALL,
    TINY,
    UNKNOWN,
    Point,
    Sheet,
    blend,
    day_text,
    shortened,
    signed,
)
from nba_assets.tables.spec import Columns

ZONES = ("paint", "mid_range", "three_pt")
TITLES = {"paint": "Paint", "mid_range": "Mid-range", "three_pt": "Three"}
STRONG = {"paint": BLUE, "mid_range": ORANGE, "three_pt": GREEN}
PALE = {"paint": PALE_BLUE, "mid_range": PALE_ORANGE, "three_pt": PALE_GREEN}
FLOOR = {"paint": "#e3e8ee", "mid_range": "#eef1f5", "three_pt": SHADE}

HALF_WIDTH, BASELINE, FARTHEST = 25.0, -5.25, 37.0
PAINT_HALF_WIDTH, FREE_THROW_LINE = 8.0, 13.75
ARC_RADIUS, CORNER_X = 23.75, 22.0
"""Feet from the hoop."""
FOOT, COURT_LEFT, COURT_TOP = 6.0, 14.0, 62.0
COURT_BOTTOM = COURT_TOP + FOOT * (FARTHEST - BASELINE)
WORDS_AT = {"paint": 6.6, "mid_range": 18.3, "three_pt": 30.5}
"""How far from the hoop a zone's words stand."""
RIGHT = 334.0

FULL_SAMPLE, ENOUGH_SHOTS, NAMED = 10, 50, 4
DEFENSE_LIMIT = 6.0
"""Percentage points at which a cell has its full colour."""

Line = tuple[str, str]
"""Words and their colour."""


def shot_zones(day: date, rows: Columns, names: Mapping[str, str]) -> bytes:
    """Where the players of a date shoot from: shares and accuracy by zone of all of them, their spread, and the players
    with the largest share in each zone.

    `rows` are the date's rows of player_shot_zone_analysis; `names` are full names by player_lookup.
    """
    shots = rows["total_shots_last_10"]
    known = shots > 0
    few = int((rows["games_in_sample_10"][known] < FULL_SAMPLE).sum())
    sheet = Sheet.blank(
        484,
        f"Where shots come from, as of {day_text(day)}",
        f"{known.sum():,} players, {shots[known].sum():,.0f} shots in the newest {FULL_SAMPLE} games of each"
        f"{f'; {few} of them played fewer' if few else ''}",
    )
    attempts = {zone: rows[f"{zone}_rate_last_10"][known] / 100 * shots[known] for zone in ZONES}
    makes = {zone: float(np.nansum(rows[f"{zone}_pct_last_10"][known] * attempts[zone])) for zone in ZONES}
    tried = {zone: float(values.sum()) for zone, values in attempts.items()}
    words_of = {
        zone: [
            (f"{_share(tried[zone], sum(tried.values()))} of all shots", INK),
            (f"{_share(makes[zone], tried[zone])} go in", INK),
        ]
        for zone in ZONES
    }
    _court(sheet, PALE, words_of)
    _spread(sheet, 76, "Share of a player's shots", {zone: rows[f"{zone}_rate_last_10"][known] for zone in ZONES})
    _spread(sheet, 214, "Accuracy of a player", {zone: 100 * rows[f"{zone}_pct_last_10"][known] for zone in ZONES})
    sheet.text(
        RIGHT,
        346,
        "bar: middle half of the players · line: 5 to 95 % of them · tick and number: median",
        size=TINY - 0.5,
        color=FAINT,
    )
    sheet.text(
        14,
        368,
        f"Largest shares in a zone, {ENOUGH_SHOTS} shots or more: share of their shots, and how many go in",
        weight="bold",
    )
    for number, zone in enumerate(ZONES):
        _shooters(sheet, 14 + 234 * number, zone, rows, known & (shots >= ENOUGH_SHOTS), names)
    return sheet.svg()


def zone_defense(day: date, rows: Columns) -> bytes:
    """How the teams defend each zone against the league's average: the best and worst on the court, all of them beside
    it.

    `rows` are the date's rows of team_defense_zone_analysis.
    """
    teams = rows["team_abbr"]
    order = np.argsort(rows["defensive_rating_last_15"], kind="stable")
    half = -(-len(order) // 2)
    sheet = Sheet.blank(
        max(COURT_BOTTOM + 60, 124 + 20 * half),
        f"Defence by zone against the league, as of {day_text(day)}",
        (
            f"{len(teams)} teams, newest {_span(rows['games_in_sample'])} games each: percentage points that opponents "
            f"make more (+, worse) or less ({MINUS})"
        ),
    )
    against = {zone: rows[f"{zone}_defense_vs_league_avg"] for zone in ZONES}
    _court(sheet, FLOOR, {zone: _extremes(teams, against[zone]) for zone in ZONES})
    _scale(sheet, COURT_BOTTOM + 26)
    sheet.text(RIGHT, 72, "All teams, best defensive rating first", weight="bold")
    for block, places in enumerate((order[:half], order[half:])):
        _team_block(
            sheet, RIGHT + 194 * block, teams[places], {zone: values[places] for zone, values in against.items()}
        )
    return sheet.svg()


def _court(sheet: Sheet, colours: Mapping[str, str], words_of: Mapping[str, Sequence[Line]]) -> None:
    """A half court with its zones coloured, and in each its title over some lines of text."""
    turn = np.arccos(CORNER_X / ARC_RADIUS)
    arc = [(ARC_RADIUS * np.cos(angle), ARC_RADIUS * np.sin(angle)) for angle in np.linspace(turn, np.pi - turn, 90)]
    areas = {
        "three_pt": [(-HALF_WIDTH, BASELINE), (-HALF_WIDTH, FARTHEST), (HALF_WIDTH, FARTHEST), (HALF_WIDTH, BASELINE)],
        "mid_range": [(CORNER_X, BASELINE), *arc, (-CORNER_X, BASELINE)],
        "paint": [
            (side * PAINT_HALF_WIDTH, depth)
            for side, depth in ((1, BASELINE), (1, FREE_THROW_LINE), (-1, FREE_THROW_LINE), (-1, BASELINE))
        ],
    }
    for zone, corners in areas.items():
        sheet.polygon([_on_court(*corner) for corner in corners], colours[zone], edge=FAINT, thickness=1.2)
    sheet.dot(*_on_court(0, 0), INK, 9, hollow=True)
    sheet.line(_on_court(-3, -1.25), _on_court(3, -1.25), INK, 1.6)
    for zone, lines in words_of.items():
        x, middle = _on_court(0, WORDS_AT[zone])
        top = middle - 7.5 * len(lines)
        sheet.text(x, top, TITLES[zone], align="center", weight="bold")
        for number, (words, colour) in enumerate(lines, 1):
            sheet.text(x, top + 15 * number, words, size=SMALL, color=colour, align="center")


def _on_court(across: float, along: float) -> Point:
    """A place in feet from the hoop as a place on the sheet."""
    return COURT_LEFT + FOOT * (HALF_WIDTH + across), COURT_TOP + FOOT * (FARTHEST - along)


def _spread(sheet: Sheet, top: float, title: str, values: Mapping[str, NDArray[np.float64]]) -> None:
    """One strip per zone of how far the players spread, 0 to 100 percent."""
    left, per_percent = RIGHT + 66, 2.72
    sheet.text(RIGHT, top, title, weight="bold")
    bottom = top + 20 + 28 * len(values)
    for percent in (0, 25, 50, 75, 100):
        x = left + percent * per_percent
        sheet.line((x, top + 16), (x, bottom), RULE)
        sheet.text(x, bottom + 9, f"{percent} %", size=TINY, color=FAINT, align="center")
    for number, (zone, mine) in enumerate(values.items()):
        y = top + 32 + 28 * number
        sheet.text(RIGHT, y, TITLES[zone], size=SMALL)
        known = mine[~np.isnan(mine)]
        if not len(known):
            continue
        low, quarter, middle, three_quarters, high = left + per_percent * np.percentile(known, (5, 25, 50, 75, 95))
        sheet.line((low, y), (high, y), STRONG[zone], 2)
        sheet.line((quarter, y), (three_quarters, y), STRONG[zone], 11)
        sheet.line((middle, y - 8), (middle, y + 8), INK, 2)
        sheet.text(706, y, f"{np.median(known):.0f} %", size=SMALL, align="right", weight="bold")


def _shooters(
    sheet: Sheet, left: float, zone: str, rows: Columns, enough: NDArray[np.bool_], names: Mapping[str, str]
) -> None:
    """Who takes the largest share of his shots in a zone."""
    sheet.line((left, 383), (left + 216, 383), STRONG[zone], 3)
    sheet.text(left, 396, TITLES[zone], size=SMALL, weight="bold")
    candidates = np.flatnonzero(enough)
    rates, accuracy = rows[f"{zone}_rate_last_10"], rows[f"{zone}_pct_last_10"]
    for number, place in enumerate(candidates[np.argsort(-rates[candidates], kind="stable")][:NAMED]):
        y = 415 + 18 * number
        player = str(rows["player_lookup"][place])
        sheet.text(left, y, shortened(names.get(player, player), 19))
        sheet.text(left + 172, y, f"{rates[place]:.0f} %", align="right", weight="bold")
        sheet.text(
            left + 214,
            y,
            UNKNOWN if np.isnan(accuracy[place]) else f"{100 * accuracy[place]:.0f} %",
            align="right",
            color=FAINT,
        )


def _extremes(teams: NDArray[np.object_], values: NDArray[np.float64]) -> list[Line]:
    """The best and the worst defence of a zone."""
    known = np.flatnonzero(~np.isnan(values))
    order = known[np.argsort(values[known], kind="stable")]
    if not len(order):
        return [("nothing known", FAINT)]
    ends = (("best", order[0], BLUE), ("worst", order[-1], DARK_ORANGE))
    return [(f"{word} {teams[place]} {signed(values[place], 1)}", colour) for word, place, colour in ends]


def _team_block(
    sheet: Sheet, left: float, teams: NDArray[np.object_], against: Mapping[str, NDArray[np.float64]]
) -> None:
    for column, zone in enumerate(ZONES):
        sheet.text(
            left + 62 + 46 * column, 94, TITLES[zone].removesuffix("-range"), size=SMALL, color=FAINT, align="center"
        )
    for number, team in enumerate(teams):
        y = 104 + 20 * number
        sheet.text(left, y + 10, str(team), weight="bold")
        for column, zone in enumerate(ZONES):
            value = float(against[zone][number])
            x = left + 40 + 46 * column
            sheet.box(x, y + 1, 44, 18, _heat(value))
            strong = abs(np.nan_to_num(value)) > 0.85 * DEFENSE_LIMIT
            sheet.text(x + 22, y + 10, signed(value, 1), size=SMALL, color=PAPER if strong else INK, align="center")


def _scale(sheet: Sheet, y: float) -> None:
    """What the colours of the cells mean."""
    left, width, steps = COURT_LEFT + 52, 15, 13
    for number, value in enumerate(np.linspace(-DEFENSE_LIMIT, DEFENSE_LIMIT, steps)):
        sheet.box(left + width * number, y - 6, width, 12, _heat(value))
        if value in (-DEFENSE_LIMIT, 0, DEFENSE_LIMIT):
            sheet.text(left + width * (number + 0.5), y + 15, signed(value, 0), size=TINY, color=FAINT, align="center")
    sheet.text(COURT_LEFT, y, "better", size=SMALL, color=FAINT)
    sheet.text(left + width * steps + 8, y, "worse", size=SMALL, color=FAINT)


def _heat(value: float) -> str:
    if np.isnan(value):
        return SHADE
    return blend(PAPER, BLUE if value < 0 else ORANGE, min(abs(value) / DEFENSE_LIMIT, 1.0))


def _share(part: float, whole: float) -> str:
    return f"{100 * part / whole:.0f} %" if whole else UNKNOWN


def _span(games: NDArray[np.float64]) -> str:
    low, high = (int(games.min()), int(games.max())) if len(games) else (0, 0)
    return str(high) if low == high else f"{low} to {high}"
