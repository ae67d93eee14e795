"""The page of a date: one HTML file that needs nothing else, made from `page.html.j2` and what `slate` gathered.

Every stored number on it carries where it is stored (`data-of`: table, key, column) and its stored value, so that the
page can be checked against the tables.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from nba_assets.automation.staleness import Graph
from nba_assets.pictures.canvas import MINUS, UNKNOWN, day_text
from nba_assets.pictures.of_tables import data_uri, picture
from nba_assets.precompute.ml_feature_store import TABLE as FEATURES
from nba_assets.precompute.player_composite_factors import TABLE as FACTORS
from nba_assets.precompute.player_shot_zone_analysis import TABLE as SHOT_ZONES
from nba_assets.precompute.team_defense_zone_analysis import TABLE as ZONE_DEFENSE
from nba_assets.report.slate import READ_BY_THE_PAGE, Player, Row, SlateFacts, gather
from nba_assets.tables.remarks import COMPOSITE_WORTH
from nba_assets.tables.spec import Column, Table, Type
from nba_assets.warehouse.interface import Warehouse

MOST_DECIMALS = 2
"""Decimals that are read at a glance; the stored value is in the page all the same."""
ZONES = {"paint": "paint", "mid_range": "mid-range", "three_pt": "three"}
PICTURES = {
    FACTORS.name: f"Composite adjustment of rotation players, the highest and lowest; {COMPOSITE_WORTH}",
    FEATURES.name: "Spread and origin of the features of the date's players",
    ZONE_DEFENSE.name: "Defence of every team in each zone against the league's average",
    SHOT_ZONES.name: "Where players shoot from, and the players with the largest share in each zone",
}
"""The pictures of the page, and what they show."""
FULL_HEAT = 6.0
"""Percentage points at which a zone has its full colour."""


def report(warehouse: Warehouse, day: date, graph: Graph, bootstrap_days: int) -> str:
    """The page of a date, as HTML."""
    return render(gather(warehouse, day, graph, bootstrap_days))


def render(slate: SlateFacts) -> str:
    """What was gathered, as HTML."""
    environment = Environment(
        loader=PackageLoader("nba_assets", "report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "stored": stored,
        "mean": _mean,
        "heat": _heat,
        "weekday": lambda day: WEEKDAYS[day.weekday()],
        "day": day_text,
    }
    reach = _reach(slate)
    return environment.get_template("page.html.j2").render(
        slate=slate,
        zones=ZONES,
        pictures={name: _picture(slate, name) for name in PICTURES if len(next(iter(slate.rows[name].values())))},
        captions=PICTURES,
        worth=COMPOSITE_WORTH,
        bars=lambda player: bars(player, reach),
        command=build_command(slate.day, slate.missing),
        stale_command=build_command(slate.day, slate.stale),
    )


def build_command(day: date, tables: list[Table]) -> str:
    """What builds some tables of a date; all of them, where all that the page reads are to be built."""
    if len(tables) == len(READ_BY_THE_PAGE):
        return f"nba-assets run {day}"
    return " ".join([f"nba-assets run {day}", *(f"--table {table.name}" for table in tables)])


def stored(row: Row | None, column: str, *, signed: bool = False) -> Markup:
    """A stored value as it is read, with its place and its exact value; a dash where there is none."""
    if row is None or row[column] is None:
        return Markup('<span class="unknown" title="not known">{}</span>').format(UNKNOWN)
    value = row[column]
    words = value_text(row.table.column(column), value, signed=signed)
    exact = int(value) if isinstance(value, bool) else value
    return Markup('<data value="{}" data-of="{}|{}|{}">{}</data>').format(exact, row.table.name, row.key, column, words)


def value_text(column: Column, value: object, *, signed: bool = False) -> str:
    """A value as it is read: numbers with the decimals that their column keeps, at most two, and a true minus."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if column.type is Type.INT64:
        words = f"{value:+,}" if signed and value else f"{value:,}"
    elif column.type is Type.FLOAT64:
        decimals = MOST_DECIMALS if column.scale is None else min(column.scale, MOST_DECIMALS)
        words = f"{value:+,.{decimals}f}" if signed else f"{value:,.{decimals}f}"
        words = words if words.strip("+-0.,") else words.lstrip("+-")
    else:
        return str(value)
    return words.replace("-", MINUS)


@dataclass(frozen=True)
class Bar:
    """A factor's part of a player's bar: from where, how wide, in percent of the whole width."""

    factor: str
    left: float
    width: float


def bars(player: Player, reach: float) -> tuple[list[Bar], float]:
    """A player's factors as bars to the right of the middle where they give, to its left where they take; and where the
    total stands.
    """
    ends = {True: 50.0, False: 50.0}
    found = []
    for factor, points in player.contributions.items():
        width = 50 * abs(points) / reach
        if width:
            left = ends[True] if points > 0 else ends[False] - width
            ends[points > 0] = left + width if points > 0 else left
            found.append(Bar(factor, round(left, 2), round(width, 2)))
    return found, round(50 + 50 * player.factors["total_composite_adjustment"] / reach, 2)


def _reach(slate: SlateFacts) -> float:
    """Points at the end of the bars: no player of the page goes beyond."""
    longest = [
        sum(points for points in player.contributions.values() if points * sign > 0) * sign
        for game in slate.games
        for side in (game.away, game.home)
        for player in side.players
        for sign in (1, -1)
    ]
    return max(1.0, *longest) if longest else 1.0


def _heat(row: Row | None, column: str) -> str:
    """Background of a zone: blue where the defence is better than the league's, orange where it is worse."""
    if row is None or row[column] is None:
        return ""
    strength = min(abs(row[column]) / FULL_HEAT, 1)
    return f"background: rgb({'213 94 0' if row[column] > 0 else '0 114 178'} / {0.55 * strength:.2f})"


def _mean(value: float | None, of: str, *, percent: bool = False) -> Markup:
    """A mean over the rows of the date, with what it is the mean of."""
    if value is None:
        return Markup('<span class="unknown">{}</span>').format(UNKNOWN)
    words = f"{100 * value:.0f} %" if percent else f"{value:.1f}"
    return Markup('<data value="{}" data-mean-of="{}">{}</data>').format(value, of, words)


def _picture(slate: SlateFacts, table: str) -> str | None:
    """A picture as a data URI; None where it cannot be drawn."""
    try:
        drawn = picture(table, slate.day, slate.rows[table], slate.names)
    except Exception:
        # The page is worth reading without its pictures, and says which one is missing.
        return None
    return data_uri(drawn)


WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
