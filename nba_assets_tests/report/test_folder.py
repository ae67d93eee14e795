"""The folder of reports: neighbouring dates are linked whatever the order in which they are written."""

from __future__ import annotations

import re
from datetime import date
from itertools import permutations
from pathlib import Path

import pytest

from nba_assets.report.folder import INDEX, add_report

DAYS = tuple(date(2026, 11, day) for day in (20, 22, 25))
PAGE = "<main>\n<!-- days --><!-- /days -->\n<h1>{}</h1></main>"


def links(file: Path) -> list[str]:
    return re.findall(r'href="([^"]+)"', file.read_text(encoding="utf-8"))


@pytest.mark.parametrize("order", list(permutations(DAYS)))
def test_pages_link_to_their_neighbours_and_the_index_lists_all(tmp_path: Path, order: tuple[date, ...]) -> None:
    for day in order:
        add_report(tmp_path / "reports", day, PAGE.format(day))
    first, second, third = (tmp_path / "reports" / f"{day}.html" for day in DAYS)
    assert links(first) == [INDEX, second.name]
    assert links(second) == [first.name, INDEX, third.name]
    assert links(third) == [second.name, INDEX]
    assert links(tmp_path / "reports" / INDEX) == [third.name, second.name, first.name]
    assert "<h1>2026-11-22</h1>" in second.read_text(encoding="utf-8")


def test_a_page_written_again_replaces_the_old_one_and_leaves_nothing_beside(tmp_path: Path) -> None:
    for words in ("old", "new"):
        file = add_report(tmp_path, DAYS[0], PAGE.format(words))
    assert "new" in file.read_text(encoding="utf-8")
    assert {path.name for path in tmp_path.iterdir()} == {file.name, INDEX}
