"""Reads a page as a browser does: its numbers with where they are said to stand, its pictures, and what it says."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from html.parser import HTMLParser
from typing import Any

import numpy as np

from nba_assets.pictures.canvas import MINUS
from nba_assets.registry import ALL_TABLES
from nba_assets.tables.spec import Column, Type
from nba_assets.warehouse.interface import Warehouse


@dataclass
class Shown:
    """A number of the page: the attributes that tell what it is, and its words."""

    attributes: dict[str, str]
    words: str = ""


@dataclass
class ReadPage:
    """What a page shows."""

    numbers: list[Shown] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)
    tags: list[tuple[str, dict[str, str]]] = field(default_factory=list)

    @property
    def text(self) -> str:
        """All its words."""
        return " ".join(" ".join(self.texts).split())

    def marked(self, attribute: str) -> list[str]:
        """Values of an attribute over the page."""
        return [attributes[attribute] for _, attributes in self.tags if attribute in attributes]

    def stored(self) -> list[tuple[str, str, str, str, str]]:
        """Table, key, column, value and words of each number that is said to be stored."""
        shown = [number for number in self.numbers if "data-of" in number.attributes]
        return [(*_three(number.attributes["data-of"]), number.attributes["value"], number.words) for number in shown]


def read_page(html: str) -> ReadPage:
    """A page, read."""
    page = ReadPage()
    _Reader(page).feed(html)
    return page


def differences(page: ReadPage, warehouse: Warehouse, day: date) -> list[str]:
    """Numbers of a page that are not what the warehouse holds for its date, or not written as their column asks."""
    wrong = []
    rows: dict[str, dict[str, dict[str, Any]]] = {}
    for name in {table for table, *_ in page.stored()}:
        table = ALL_TABLES[name]
        stored = warehouse.read(table, table.column_names, day, day).to_pylist()
        rows[name] = {"/".join(str(row[part]) for part in table.key): row for row in stored}
    for name, key, column, value, words in page.stored():
        held = rows[name].get(key, {}).get(column)
        if held is None or float(held) != float(value):
            wrong.append(f"{name} {key} {column}: the page has {value}, the table {held}")
        elif words not in _ways_to_write(ALL_TABLES[name].column(column), held):
            wrong.append(f"{name} {key} {column}: {held} is written {words}")
    return wrong


def mean_differences(page: ReadPage, warehouse: Warehouse, day: date) -> list[str]:
    """Means and counts of a page that are not those of the rows."""
    wrong = []
    for number in page.numbers:
        attributes = number.attributes
        if "data-mean-of" in attributes:
            name, column = attributes["data-mean-of"].split("|")
            held = float(
                np.mean(
                    [float(row[column]) for row in warehouse.read(ALL_TABLES[name], (column,), day, day).to_pylist()]
                )
            )
            written = {f"{held:.1f}", f"{100 * held:.0f} %"}
        elif "data-count-of" in attributes:
            name, category = attributes["data-count-of"].split("|")
            where = {"table_name": name, "failure_category": category}
            held = float(warehouse.read(ALL_TABLES["entity_failures"], ("entity_id",), day, day, where).num_rows)
            written = {f"{held:.0f}"}
        else:
            continue
        if held != float(attributes["value"]) or number.words not in written:
            wrong.append(f"{attributes}: {held} is written {number.words}")
    return wrong


def _ways_to_write(column: Column, value: Any) -> set[str]:
    """How a value may be read: with the decimals of its column, two at most, with or without its sign."""
    if column.type is Type.BOOL:
        return {"yes" if value else "no"}
    decimals = 0 if column.type is Type.INT64 else 2 if column.scale is None else min(column.scale, 2)
    digits = f"{abs(value):,.{decimals}f}"
    if float(digits.replace(",", "")) == 0:
        return {digits}
    return {f"{MINUS}{digits}"} if value < 0 else {digits, f"+{digits}"}


def _three(address: str) -> tuple[str, str, str]:
    table, key, column = address.split("|")
    return table, key, column


class _Reader(HTMLParser):
    def __init__(self, page: ReadPage) -> None:
        super().__init__()
        self.page = page
        self.inside: list[str] = []

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        known = {name: value or "" for name, value in attributes}
        self.page.tags.append((tag, known))
        if tag == "data":
            self.page.numbers.append(Shown(known))
        self.inside.append(tag)

    def handle_endtag(self, tag: str) -> None:
        while self.inside and self.inside.pop() != tag:
            pass

    def handle_data(self, text: str) -> None:
        if "style" in self.inside:
            return
        self.page.texts.append(text)
        if self.inside and self.inside[-1] == "data":
            self.page.numbers[-1].words += text
