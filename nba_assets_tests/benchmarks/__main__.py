"""`make bench`: what the tables cost, and what the same figures cost otherwise, written as Markdown.

usage: python -m nba_assets_tests.benchmarks [--season 2021] [--repeats 3] [--days N] [--write docs/benchmarks.md]
"""

from __future__ import annotations

import argparse
import os
import tempfile
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

from nba_assets_tests.benchmarks.report import page
from nba_assets_tests.benchmarks.suite import Plan, Season, measure_everything
from nba_assets_tests.conftest import REAL_DATA
from nba_assets_tests.real_data.conftest import SEASONS

REGULAR_SEASON_ENDS = {2020: date(2021, 5, 16), 2021: date(2022, 4, 10), 2022: date(2023, 4, 9)}
DEFAULTS = {"season": 2021, "repeats": 3, "days": None}


def main() -> None:
    """Measure, and print the page or write it to a file."""
    parser = argparse.ArgumentParser(prog="python -m nba_assets_tests.benchmarks")
    parser.add_argument("--season", type=int, choices=REGULAR_SEASON_ENDS)
    parser.add_argument("--repeats", type=int)
    parser.add_argument("--days", type=int, help="only the first days of the season, and no other season")
    parser.add_argument("--write", type=Path, help="the Markdown file to be written; printed by default")
    parser.set_defaults(**DEFAULTS)
    options = parser.parse_args()
    plan = Plan(repeats=options.repeats, short_repeats=3 * options.repeats)
    with tempfile.TemporaryDirectory() as folder:
        # Nothing reaches the home of whoever measures.
        os.environ["NBA_ASSETS_HOME"] = folder
        written = page(
            measure_everything(_seasons(options.season, options.days), Path(folder), plan, print),
            _command(options),
        )
    if options.write:
        options.write.write_text(written)
    else:
        print(written)


def _seasons(first: int, days: int | None) -> list[Season]:
    """The season and, unless only some days of it are measured, all others that are there."""
    if not os.environ.get(REAL_DATA):
        raise SystemExit(f"there is nothing to measure: set {REAL_DATA} to a folder that holds season_{first}")
    root = Path(os.environ[REAL_DATA]).absolute()
    regular = {
        year: Season(root / f"season_{year}", SEASONS[year][0], end) for year, end in REGULAR_SEASON_ENDS.items()
    }
    season = regular.pop(first)
    if days:
        return [replace(season, last=season.first + timedelta(days=days - 1))]
    return [season, *(other for other in regular.values() if other.landing.is_dir())]


def _command(options: argparse.Namespace) -> str:
    differing = {name: getattr(options, name) for name, usual in DEFAULTS.items() if getattr(options, name) != usual}
    given = "".join(f" --{name} {value}" for name, value in differing.items())
    return f"python -m nba_assets_tests.benchmarks{given}" if given else "make bench"


if __name__ == "__main__":
    main()
