"""The folder of reports: a page per date, links between neighbouring dates, an index.

What stands on a page is in `page`.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from datetime import date
from pathlib import Path

from nba_assets.pictures.canvas import day_text

NAVIGATION = re.compile(r"<!-- days -->.*?<!-- /days -->", re.DOTALL)
INDEX = "index.html"
INDEX_PAGE = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark"><title>Reports</title>
<style>body {{ font: 15px/1.7 system-ui, sans-serif; max-width: 40em; margin: 2em auto; padding: 0 1em; }}</style>
</head>
<body><h1>Reports</h1><ul>{items}</ul></body></html>
"""


def add_report(folder: Path, day: date, page: str) -> Path:
    """Put the page of a date into a folder, link it with its neighbours there, and renew the index; returns the page's
    file.
    """
    folder.mkdir(parents=True, exist_ok=True)
    days = sorted({*days_in(folder), day})
    place = days.index(day)
    for neighbour in days[max(place - 1, 0) : place + 2]:
        file = file_of(folder, neighbour)
        _write(file, _linked(page if neighbour == day else file.read_text(encoding="utf-8"), days, neighbour))
    items = "".join(f'<li><a href="{one}.html">{day_text(one)}</a></li>' for one in reversed(days))
    _write(folder / INDEX, INDEX_PAGE.format(items=items))
    return file_of(folder, day)


def days_in(folder: Path) -> list[date]:
    """Dates that have a page in a folder, ascending."""
    return sorted(date.fromisoformat(file.stem) for file in folder.glob("????-??-??.html"))


def file_of(folder: Path, day: date) -> Path:
    """The file of a date's page."""
    return folder / f"{day}.html"


def _linked(page: str, days: Sequence[date], day: date) -> str:
    place = days.index(day)
    before, after = days[:place][-1:], days[place + 1 :][:1]
    links = [f'<a href="{one}.html">← {day_text(one)}</a>' for one in before] + [f'<a href="{INDEX}">all reports</a>']
    links += [f'<a href="{one}.html">{day_text(one)} →</a>' for one in after]
    return NAVIGATION.sub(
        lambda _: f'<!-- days --><nav class="days">{"".join(links)}</nav><!-- /days -->', page, count=1
    )


def _write(file: Path, text: str) -> None:
    unfinished = file.with_name(f".{file.name}.tmp")
    unfinished.write_text(text, encoding="utf-8")
    os.replace(unfinished, file)
