"""Checks that are made with a materialization and only warn: coverage of games and entities, completeness, drift.

Unlike the audit, which looks at rows alone, these compare a date with something else: the schedule, what was requested,
the threshold, the dates before. They are cheap: sums by date over columns that are in memory, and one read of the
feature store's last 30 days.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from nba_assets.basketball.season import SeasonCalendar
from nba_assets.entities.outcomes import concatenate, take
from nba_assets.entities.relations import find, within
from nba_assets.publishing.table_run import TableRun
from nba_assets.raw.schedule import league_finals, league_games
from nba_assets.settings import Settings
from nba_assets.tables.audit import EXAMPLES, Finding
from nba_assets.tables.columns import to_columns
from nba_assets.tables.spec import SHARED_NOTICES, Columns, Table

GAMES_COVERED, ENTITIES_COVERED, COMPLETENESS, DRIFT = "games_covered", "entities_covered", "completeness", "drift"
FEATURE_NAMES = "feature_names"
"""Column in which a feature store says which of its columns are features."""

TRAILING_DAYS, FEWEST_DATES = 30, 5
STANDARD_ERRORS, SMALLEST_EFFECT, NULL_SHARE_CHANGE = 4.0, 0.5, 0.2


@dataclass(frozen=True)
class Observation(Finding):
    """A finding that warns, and what it counts."""

    counted: str = "rows"


def observation_names(table: Table) -> list[tuple[str, bool, str]]:
    """The observations of a table: name, that none of them blocks a write, what it looks at."""
    games = (
        "Every final game of a date has rows"
        if is_summary(table)
        else "Every game scheduled for a date has rows, bootstrap days aside"
    )
    descriptions = {
        GAMES_COVERED: games,
        ENTITIES_COVERED: "Everybody who was to be computed has a row or a failure record",
        COMPLETENESS: "The mean completeness_percentage of a date reaches NBA_ASSETS_READY_THRESHOLD_PCT",
        DRIFT: (
            f"Each feature's mean on a date lies within {STANDARD_ERRORS:g} standard errors (more where there are few "
            f"dates), or {SMALLEST_EFFECT:g} "
            f"standard deviations, of that of the {TRAILING_DAYS} days before, and its share of nulls within "
            f"{NULL_SHARE_CHANGE:g}; from {FEWEST_DATES} earlier dates of the season on"
        ),
    }
    notices = (*table.notices, *SHARED_NOTICES)
    return [
        *((name, False, descriptions[name]) for name in _row_observations(table)),
        *((notice.name, False, notice.description) for notice in notices),
    ]


def observe(run: TableRun, rows: pa.Table, failed: Columns) -> list[Finding]:
    """One finding per observation of the run's table, in the order of `observation_names`; `rows` and `failed` are all
    of the run's dates.
    """
    makers = {
        GAMES_COVERED: lambda: _games_covered(run, rows),
        ENTITIES_COVERED: lambda: _entities_covered(run, rows, failed),
        COMPLETENESS: lambda: _completeness(run, rows),
        DRIFT: lambda: _drift(run, rows),
    }
    descriptions = {name: description for name, _, description in observation_names(run.table)}
    findings: list[Finding] = []
    for name, description in descriptions.items():
        counted, found = makers[name]() if name in makers else ("notices", sorted(run.notices.get(name, [])))
        dates = sorted({day for day, _ in found})
        findings.append(
            Observation(
                name, False, description, len(found), tuple(dates), tuple(said for _, said in found[:EXAMPLES]), counted
            )
        )
    return findings


Found = tuple[str, list[tuple[date, str]]]
"""What an observation counts, and each case: its date, and what is to be said of it."""


def is_summary(table: Table) -> bool:
    """Whether a table is about games that were played; the others are about a date before its games."""
    return table.stage == "postgame"


def rows_expected(
    table: Table, settings: Settings, calendar: SeasonCalendar, days: NDArray[np.datetime64]
) -> NDArray[np.bool_]:
    """Which dates with games are to have rows: all, but for a precomputed table's first days of a season."""
    if table.dataset != "nba_precompute":
        return np.ones(len(days), dtype=bool)
    return ~calendar.is_bootstrap(days, settings.bootstrap_days)


def _row_observations(table: Table) -> Iterator[str]:
    """Those that follow from the columns of a table."""
    names = table.column_names
    if "game_id" in names:
        yield GAMES_COVERED
    elif table.entity_column:
        yield ENTITIES_COVERED
    if "completeness_percentage" in names:
        yield COMPLETENESS
    if FEATURE_NAMES in names:
        yield DRIFT


def _games_covered(run: TableRun, rows: pa.Table) -> Found:
    games = run.schedule
    counts = league_finals(games) if is_summary(run.table) else league_games(games)
    expected = take(games, counts & np.isin(games["game_date"], run.days))
    expected = take(expected, rows_expected(run.table, run.settings, run.calendar, expected["game_date"]))
    lacking = take(expected, ~within(expected["game_id"], to_columns(rows.select(["game_id"]))["game_id"]))
    order = np.lexsort([lacking["game_id"].astype(str), lacking["game_date"]])
    return "games", [(lacking["game_date"][place].item(), f"{lacking['game_id'][place]} has no row") for place in order]


def _entities_covered(run: TableRun, rows: pa.Table, failed: Columns) -> Found:
    if not run.requested:
        return "entities", []
    there = to_columns(rows.select([run.table.date_column, str(run.table.entity_column)]))
    dates, entities = there.values()
    accounted = np.concatenate([dates, failed["partition_date"]]), np.concatenate([entities, failed["entity_id"]])
    lacking = np.flatnonzero(find((run.requested["date"], run.requested["entity"]), accounted) < 0)
    cases = sorted((run.requested["date"][place].item(), run.requested["entity"][place]) for place in lacking)
    return "entities", [(day, f"{entity} on {day} has neither a row nor a failure record") for day, entity in cases]


def _completeness(run: TableRun, rows: pa.Table) -> Found:
    columns: Columns = to_columns(rows.select([run.table.date_column, "completeness_percentage"]))
    days, group = np.unique(columns[run.table.date_column], return_inverse=True)
    means = (
        np.bincount(group, weights=columns["completeness_percentage"], minlength=1)[: len(days)]
        / np.bincount(group, minlength=1)[: len(days)]
    )
    low = np.flatnonzero(means < run.settings.ready_threshold_pct)
    threshold = run.settings.ready_threshold_pct
    return "dates", [
        (days[place].item(), f"{days[place]}: mean completeness {means[place]:.1f} % of {threshold:g} %")
        for place in low
    ]


def _drift(run: TableRun, rows: pa.Table) -> Found:
    """Features whose values on a date are not what they were lately.

    The rows of a date are not independent: the players of a game share their opponent, a date its place in the
    calendar. What a date's mean may do by chance is therefore learned from the means of the dates before, each weighted
    by its rows, with more room where these are few; it is never taken for less than independent rows would do. A
    feature that never varied is judged by how it varies now.
    """
    features = _features(rows)
    if not features:
        return "features", []
    columns = (run.table.date_column, *features)
    sums = DailySums.of(concatenate([to_columns(rows.select(columns)), _lately(run, columns)]), columns)
    cases: list[tuple[date, str]] = []
    for day, season_start in zip(run.days, run.calendar.first_day(run.days), strict=True):
        cases += [
            (day.item(), f"{day} {features[place]}: {said}")
            for place, said in sums.drifted(day, max(day - TRAILING_DAYS, season_start))
        ]
    return "features", cases


def _features(rows: pa.Table) -> list[str]:
    return list(rows.column(FEATURE_NAMES)[0].as_py()) if rows.num_rows else []


def _lately(run: TableRun, columns: Sequence[str]) -> Columns:
    """The stored rows of the days before the run's, and of those between them that the run leaves alone."""
    unbroken = (run.end - run.start).days + 1 == len(run.dates)
    last = run.start - timedelta(days=1) if unbroken else run.end
    stored = to_columns(run.warehouse.read(run.table, columns, run.start - timedelta(days=TRAILING_DAYS), last))
    return take(stored, ~np.isin(stored[run.table.date_column], run.days))


@dataclass(frozen=True, eq=False)
class DailySums:
    """Of each date with rows and each feature: how many values are known, their sum and their sum of squares, around a
    common centre.
    """

    days: NDArray[np.datetime64]
    sizes: NDArray[np.float64]
    known: NDArray[np.float64]
    sums: NDArray[np.float64]
    squares: NDArray[np.float64]
    centre: NDArray[np.float64]

    @classmethod
    def of(cls, rows: Columns, columns: Sequence[str]) -> DailySums:
        """From rows; the first of the columns is their date, the others are the features."""
        date_column, *features = columns
        order = np.argsort(rows[date_column], kind="stable")
        days, starts = np.unique(rows[date_column][order], return_index=True)
        values = np.column_stack([rows[name] for name in features])[order]
        known = (~np.isnan(values)).astype(np.float64)
        centre = np.nansum(values, axis=0) / np.maximum(known.sum(axis=0), 1)
        centred = np.nan_to_num(values - centre)
        counts, sums, squares = (np.add.reduceat(part, starts, axis=0) for part in (known, centred, centred**2))
        return cls(days, np.diff(np.append(starts, len(order))).astype(np.float64), counts, sums, squares, centre)

    def drifted(self, day: np.datetime64, since: np.datetime64) -> list[tuple[int, str]]:
        """Features (by number) whose mean or share of nulls on a date differs from the dates from `since` on before it,
        with what is to be said.
        """
        first, today = np.searchsorted(self.days, [since, day])
        if today == len(self.days) or self.days[today] != day or today - first < FEWEST_DATES:
            return []
        return [*self._null_shares(slice(first, today), today), *self._means(slice(first, today), today)]

    def _null_shares(self, before: slice, today: np.intp) -> Iterator[tuple[int, str]]:
        now = 1 - self.known[today] / self.sizes[today]
        then = 1 - self.known[before].sum(axis=0) / self.sizes[before].sum()
        for place in np.flatnonzero(np.abs(now - then) > NULL_SHARE_CHANGE).tolist():
            yield place, f"{now[place]:.0%} null against {then[place]:.0%}"

    def _means(self, before: slice, today: np.intp) -> Iterator[tuple[int, str]]:
        count, total = self.known[before], self.known[before].sum(axis=0)
        enough = ((count > 0).sum(axis=0) >= FEWEST_DATES) & (self.known[today] > 0)
        then = self.sums[before].sum(axis=0) / np.maximum(total, 1)
        now = self.sums[today] / np.maximum(self.known[today], 1)
        spread = self.squares[before].sum(axis=0) / np.maximum(total, 1) - then**2
        spread_now = self.squares[today] / np.maximum(self.known[today], 1) - now**2
        spread = np.maximum(np.where(spread > NOTHING, spread, spread_now), 0)
        deviations = self.sums[before] / np.maximum(count, 1) - then
        freedom = np.maximum((count > 0).sum(axis=0) - 1, 1)
        between = (count * deviations**2).sum(axis=0) / freedom
        per_row = np.maximum(between, spread)
        error = np.sqrt(per_row / np.maximum(self.known[today], 1) + per_row / np.maximum(total, 1))
        difference = np.abs(now - then)
        apart = (
            (difference > tolerated_errors(freedom) * error)
            & (difference > SMALLEST_EFFECT * np.sqrt(spread))
            & (difference > NOTHING)
        )
        for place in np.flatnonzero(enough & apart).tolist():
            means = np.round(np.array([now[place], then[place]]) + self.centre[place], 9) + 0.0
            yield place, f"mean {means[0]:.4g} against {means[1]:.4g} ± {error[place]:.2g}"


def tolerated_errors(freedom: NDArray[np.int64]) -> NDArray[np.float64]:
    """Standard errors that are as rare, with so many degrees of freedom, as 4 are where the error is known: the first
    terms of Student's quantile.

    Example: 12.3 with 4, 4.7 with 29.
    """
    z = STANDARD_ERRORS
    widened: NDArray[np.float64] = z + (z**3 + z) / (4 * freedom) + (5 * z**5 + 16 * z**3 + 3 * z) / (96.0 * freedom**2)
    return widened


NOTHING = 1e-9
"""What is left of a difference of equal numbers."""
