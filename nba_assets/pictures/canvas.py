"""What all pictures have in common: a sheet of paper measured in pixels, its colours, and how it becomes a small PNG.

What is drawn on it is said by the picture's own module. A sheet belongs to one thread; there is no global figure and no
global setting.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from io import BytesIO
from typing import Any, Literal

import numpy as np
from matplotlib.artist import Artist
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Polygon
from matplotlib.text import Text
from matplotlib.transforms import Affine2D, Transform
from PIL import Image  # comes with matplotlib

WIDTH = 720
"""Pixels across: as wide as the panel in which pictures are looked at."""
SHARPNESS = 1.4
"""Stored pixels per pixel of the layout, so that text stays sharp on a fine screen."""
DOTS_PER_INCH = 100
POINT = 72 / DOTS_PER_INCH
"""Points in a pixel of the layout: matplotlib measures text and lines in points."""
INKS = 48
"""Colours that a stored picture may hold; flat drawings need no more, and are a third of the size."""

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
    """A white sheet of `WIDTH` x `height` pixels; places count from the top left corner, downwards."""

    figure: Figure
    height: float
    _pixels: Transform

    @classmethod
    def blank(cls, height: float, title: str, subtitle: str) -> Sheet:
        """A sheet that says what it shows, and of how much."""
        figure = Figure(
            figsize=(WIDTH / DOTS_PER_INCH, height / DOTS_PER_INCH), dpi=DOTS_PER_INCH * SHARPNESS, facecolor=PAPER
        )
        FigureCanvasAgg(figure)
        sheet = cls(figure, height, Affine2D().scale(1 / WIDTH, -1 / height).translate(0, 1) + figure.transFigure)
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
        weight: str = "normal",
    ) -> None:
        """Words whose middle is at height `y`."""
        self._add(
            Text(
                x,
                y,
                words,
                fontsize=size * POINT,
                color=color,
                horizontalalignment=align,
                verticalalignment="center_baseline",
                fontfamily="DejaVu Sans",
                fontweight=weight,
                parse_math=False,
            )
        )

    def box(self, left: float, top: float, width: float, height: float, color: str, *, edge: str = "none") -> None:
        """A filled rectangle; a negative width reaches to the left."""
        self.polygon(
            [(left, top), (left + width, top), (left + width, top + height), (left, top + height)], color, edge=edge
        )

    def polygon(self, corners: Sequence[Point], color: str, *, edge: str = "none", thickness: float = 1.0) -> None:
        """A filled area."""
        self._add(Polygon(np.array(corners), closed=True, facecolor=color, edgecolor=edge, linewidth=thickness * POINT))

    def line(self, start: Point, stop: Point, color: str, thickness: float = 1.0) -> None:
        """A straight line with blunt ends."""
        self._add(
            Line2D(*zip(start, stop, strict=True), color=color, linewidth=thickness * POINT, solid_capstyle="butt")
        )

    def dot(self, x: float, y: float, color: str, size: float, *, hollow: bool = False) -> None:
        """A round spot, or a ring."""
        fill = "none" if hollow else color
        self._add(
            Line2D(
                [x],
                [y],
                marker="o",
                markersize=size * POINT,
                markerfacecolor=fill,
                markeredgecolor=color,
                markeredgewidth=1.2 * POINT,
            )
        )

    def png(self) -> bytes:
        """The sheet as a PNG."""
        canvas: Any = self.figure.canvas
        canvas.draw()
        picture = Image.frombuffer("RGBA", canvas.get_width_height(), canvas.buffer_rgba(), "raw", "RGBA", 0, 1)
        stored = BytesIO()
        picture.convert("RGB").quantize(INKS, dither=Image.Dither.NONE).save(stored, "PNG", optimize=True)
        return stored.getvalue()

    def _add(self, artist: Artist) -> None:
        # In the order of drawing: whatever comes later lies on top.
        artist.set_zorder(len(self.figure.artists))
        artist.set_transform(self._pixels)
        self.figure.add_artist(artist)


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
