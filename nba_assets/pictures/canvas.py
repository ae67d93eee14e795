"""What all pictures have in common: a sheet of paper measured in pixels, its colours, and how it becomes a small SVG.

What is drawn on it is said by the picture's own module.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal
from xml.etree import ElementTree

import numpy as np

WIDTH = 720
"""Pixels across: as wide as the panel in which pictures are looked at."""
FONTS = "DejaVu Sans, Verdana, Arial, sans-serif"
"""The first that the reader's machine has; the first two are of one width."""

INK, FAINT, RULE, PAPER, SHADE = "#1c2430", "#5b6673", "#d5dae1", "#ffffff", "#f6f7f9"
BLUE, ORANGE, GREEN, PURPLE = "#0072b2", "#d55e00", "#009e73", "#aa4499"
PALE_BLUE, PALE_ORANGE, PALE_GREEN, DARK_ORANGE = "#d3e6f2", "#f9dfcf", "#d0ede3", "#a84400"
"""Distinct to people who see few colours, too. Where something is good or bad, blue is good and orange bad."""

TITLE, BODY, SMALL, TINY = 15.0, 11.5, 10.5, 9.5
"""Heights of text in pixels of the layout."""

MINUS, UNKNOWN = "\N{MINUS SIGN}", "\N{EN DASH}"

Point = tuple[float, float]


@dataclass(frozen=True)
class Sheet:
    """A white sheet of `WIDTH` x `height` pixels; places count from the top left corner, downwards. What is drawn later
    lies on top.
    """

    height: float
    _root: ElementTree.Element

    @classmethod
    def blank(cls, height: float, title: str, subtitle: str) -> Sheet:
        """A sheet that says what it shows, and of how much."""
        size = {"width": str(WIDTH), "height": _number(height), "viewBox": f"0 0 {WIDTH} {_number(height)}"}
        root = ElementTree.Element("svg", {"xmlns": "http://www.w3.org/2000/svg", **size, "font-family": FONTS})
        sheet = cls(height, root)
        sheet.box(0, 0, WIDTH, height, PAPER)
        sheet.text(14, 22, title, size=TITLE, weight="bold")
        sheet.text(14, 42, subtitle, color=FAINT)
        return sheet

    def text(
        self,
        x: float,
        y: float,
        words: str,
        *,
        size: float = BODY,
        color: str = INK,
        align: Literal["left", "center", "right"] = "left",
        weight: Literal["normal", "bold"] = "normal",
    ) -> None:
        """Words whose middle is at height `y`."""
        anchor = {"left": {}, "center": {"text-anchor": "middle"}, "right": {"text-anchor": "end"}}[align]
        look = {"font-size": _number(size), "fill": color} | ({"font-weight": weight} if weight != "normal" else {})
        # A third of the height below the middle is the baseline; not every viewer knows SVG's own word for it.
        element = self._add("text", x=_number(x), y=_number(y + size / 3), **look, **anchor)
        element.text = "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in words)

    def box(self, left: float, top: float, width: float, height: float, color: str, *, edge: str = "none") -> None:
        """A filled rectangle; a negative width reaches to the left."""
        place = {"x": min(left, left + width), "y": top, "width": abs(width), "height": height}
        self._add("rect", **{name: _number(value) for name, value in place.items()}, **_area(color, edge, 1.0))

    def polygon(self, corners: Sequence[Point], color: str, *, edge: str = "none", thickness: float = 1.0) -> None:
        """A filled area."""
        points = " ".join(f"{_number(x)},{_number(y)}" for x, y in corners)
        self._add("polygon", points=points, **_area(color, edge, thickness))

    def line(self, start: Point, stop: Point, color: str, thickness: float = 1.0) -> None:
        """A straight line with blunt ends."""
        ends = {"x1": start[0], "y1": start[1], "x2": stop[0], "y2": stop[1], "stroke-width": thickness}
        self._add("line", stroke=color, **{name: _number(value) for name, value in ends.items()})

    def dot(self, x: float, y: float, color: str, size: float, *, hollow: bool = False) -> None:
        """A round spot, or a ring."""
        place = {"cx": _number(x), "cy": _number(y), "r": _number(size / 2)}
        self._add("circle", **place, **_area("none" if hollow else color, color, 1.2))

    def svg(self) -> bytes:
        """The sheet as an SVG, in UTF-8."""
        return ElementTree.tostring(self._root, encoding="utf-8")

    def _add(self, tag: str, **attributes: str) -> ElementTree.Element:
        return ElementTree.SubElement(self._root, tag, attributes)


def _area(color: str, edge: str, thickness: float) -> dict[str, str]:
    return {"fill": color} | ({"stroke": edge, "stroke-width": _number(thickness)} if edge != "none" else {})


def _number(value: float) -> str:
    """A length in pixels, short: tenths are finer than any screen. Example: 12.0 -> 12, 3.26 -> 3.3."""
    return f"{value:.1f}".removesuffix(".0")


def blend(first: str, second: str, share: float) -> str:
    """A colour between two, `share` of the way to the second."""
    ends = [[int(colour[place : place + 2], 16) for place in (1, 3, 5)] for colour in (first, second)]
    return "#" + "".join(f"{round(start + (stop - start) * share):02x}" for start, stop in zip(*ends, strict=True))


MONTHS = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)


def day_text(day: date) -> str:
    """A date as people read it, whatever the machine's language."""
    return f"{day.day} {MONTHS[day.month - 1]} {day.year}"


def signed(value: float, decimals: int) -> str:
    """A number with its sign and a true minus; what is not known is a dash. Example: -0.04 with one decimal -> 0.0."""
    if np.isnan(value):
        return UNKNOWN
    said = f"{value:+.{decimals}f}"
    return said.replace("-", MINUS) if said.strip("+-0.") else said[1:]


def shortened(words: str, longest: int) -> str:
    """Words, cut where there is no room for more."""
    return words if len(words) <= longest else words[: longest - 1] + "…"
