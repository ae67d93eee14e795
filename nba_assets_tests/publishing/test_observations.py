"""Checks that warn: games without rows, entities without an answer, dates that are incomplete, features that look
unlike themselves.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nba_assets.entities.groups import Grouped
from nba_assets.entities.outcomes import Outcome
from nba_assets.entities.parallel import ParallelEntities
from nba_assets.orchestration.computed_assets import check_result, check_specs
from nba_assets.publishing.observations import (
    COMPLETENESS,
    DRIFT,
    ENTITIES_COVERED,
    GAMES_COVERED,
    Observation,
    observation_names,
    observe,
)
from nba_assets.publishing.publication import prepare
from nba_assets.publishing.refusals import DATES_PUBLISHED
from nba_assets.publishing.table_run import TableRun
from nba_assets.raw.schedule import FINAL, FINAL_COLUMNS, POSTPONED
from nba_assets.registry import COMPUTED_TABLES
from nba_assets.settings import Settings
from nba_assets.tables.audit import check_names
from nba_assets.tables.blocks import STAMPS
from nba_assets.tables.columns import to_arrow
from nba_assets.tables.spec import SHARED_NOTICES, Column, Columns, Table, count, day, number, text, texts
from nba_assets.warehouse.duckdb import DuckDBWarehouse
from nba_assets_tests.pipeline import NOW

OPENING = date(2021, 10, 19)
NOBODY: Columns = {"partition_date": np.array([], dtype="M8[D]"), "entity_id": np.array([], dtype=object)}
SCHEDULED = 1


def table(name: str, *columns: Column, dataset: str = "nba_analytics") -> Table:
    return Table(
        dataset,
        name,
        "one player on one date",
        ("game_date", "player_lookup"),
        "game_date",
        (day("game_date", "Date", nullable=False), text("player_lookup", "Player", nullable=False), *columns, *STAMPS),
        entity_column="player_lookup",
    )


def run_of(path: Path, of: Table, dates: Sequence[date]) -> TableRun:
    run = TableRun(
        of,
        dates,
        DuckDBWarehouse(path / "nba.duckdb"),
        ParallelEntities.serial(),
        Settings.from_environment({}),
        "run",
        NOW,
    )
    run.schedule = {name: np.array([], dtype=kind) for name, kind in SCHEDULE_TYPES.items()}
    return run


SCHEDULE_TYPES = {"game_id": "O", "game_date": "M8[D]", "season_year": "f8", **dict.fromkeys(FINAL_COLUMNS, "f8")}


def schedule(*games: tuple[str, date, int]) -> dict[str, Any]:
    """Regular-season games, the season's opening night among them."""
    ids, dates, statuses = zip(("opening", OPENING, FINAL), *games, strict=True)
    ones, size = np.ones(len(ids)), len(ids)
    return {
        "game_id": np.array(ids, dtype=object),
        "game_date": np.array(dates, dtype="M8[D]"),
        "season_year": np.full(size, 2021.0),
        "game_status": np.array(statuses, dtype=float),
        "is_regular_season": ones,
        "is_playoffs": 0 * ones,
        "home_team_score": 110 * ones,
        "away_team_score": 101 * ones,
    }


def stored(of: Table, rows: Mapping[str, Sequence[Any]]) -> Any:
    """Rows as they would be published, their stamps null."""
    size = len(next(iter(rows.values())))
    kinds = {
        column.name: "M8[us]" if column.type == "TIMESTAMP" else "M8[D]" if column.type == "DATE" else None
        for column in of.columns
    }
    given = {
        name: np.array(values, dtype=kinds[name] or (object if isinstance(values[0], (str, list)) else float))
        for name, values in rows.items()
    }
    nulls = {
        name: np.full(size, "NaT", dtype=kind) if kind else np.full(size, None, dtype=object)
        for name, kind in kinds.items()
        if name not in rows
    }
    return to_arrow(of, {**nulls, **given})


def found(run: TableRun, rows: Any, failed: Columns = NOBODY) -> dict[str, Any]:
    return {finding.name: finding for finding in observe(run, rows, failed)}


def test_what_is_observed_of_each_table() -> None:
    notices = [notice.name for notice in SHARED_NOTICES]
    observed = {
        "team_offense_game_summary": [
            GAMES_COVERED,
            "players_disagree",
            "final_score_disagrees",
            "play_by_play_disagrees",
            "backup_source_used",
            "untyped_finals",
            "unknown_games",
            *notices,
        ],
        "team_defense_game_summary": [GAMES_COVERED, "play_by_play_disagrees", *notices],
        "player_game_summary": [
            GAMES_COVERED,
            "names_matched",
            "play_by_play_disagrees",
            "backup_source_used",
            "sheet_says_did_not_play",
            "team_without_sheet",
            "player_on_two_sheets",
            *notices,
        ],
        "upcoming_team_game_context": [GAMES_COVERED, COMPLETENESS, *notices],
        "upcoming_player_game_context": [GAMES_COVERED, COMPLETENESS, "names_matched", *notices],
        "team_defense_zone_analysis": [ENTITIES_COVERED, COMPLETENESS, *notices],
        "player_shot_zone_analysis": [ENTITIES_COVERED, COMPLETENESS, *notices],
        "player_composite_factors": [GAMES_COVERED, COMPLETENESS, *notices],
        "player_daily_cache": [ENTITIES_COVERED, COMPLETENESS, *notices],
        "ml_feature_store": [GAMES_COVERED, COMPLETENESS, DRIFT, *notices],
    }
    assert {name: [check for check, _, _ in observation_names(COMPUTED_TABLES[name])] for name in observed} == observed


@pytest.mark.parametrize("name", COMPUTED_TABLES)
def test_dagster_knows_them_as_checks_that_do_not_block(name: str) -> None:
    specs = {spec.name: spec.blocking for spec in check_specs(COMPUTED_TABLES[name])}
    names = [name for name, _, _ in (*check_names(COMPUTED_TABLES[name]), *observation_names(COMPUTED_TABLES[name]))]
    assert specs == dict.fromkeys([*names, DATES_PUBLISHED], False)


FIRST, SECOND = date(2021, 11, 15), date(2021, 11, 16)
GAMES = (
    ("a", FIRST, FINAL),
    ("b", FIRST, SCHEDULED),
    ("c", SECOND, FINAL),
    ("d", SECOND, POSTPONED),
    ("e", date(2021, 11, 20), FINAL),
)


@pytest.mark.parametrize(
    ("name", "dataset", "bootstrap_days", "lacking"),
    [
        ("player_game_summary", "nba_analytics", 0, [(SECOND, "c")]),
        ("upcoming_player_game_context", "nba_analytics", 40, [(FIRST, "b"), (SECOND, "c")]),
        ("ml_feature_store", "nba_precompute", 0, [(FIRST, "b"), (SECOND, "c")]),
        ("ml_feature_store", "nba_precompute", 28, [(SECOND, "c")]),
        ("ml_feature_store", "nba_precompute", 40, []),
    ],
    ids=[
        "a summary has rows of finals",
        "a context has rows of what is scheduled",
        "so do precomputed rows",
        "but for the first days",
        "all of them first days",
    ],
)
def test_games_without_rows_are_named(
    tmp_path: Path, name: str, dataset: str, bootstrap_days: int, lacking: list[tuple[date, str]]
) -> None:
    of = replace(table(name, text("game_id", "Game"), dataset=dataset), stage=COMPUTED_TABLES[name].stage)
    run = run_of(tmp_path, of, [FIRST, SECOND])
    run.settings = run.settings.model_copy(update={"bootstrap_days": bootstrap_days})
    run.schedule = schedule(*GAMES)
    finding = found(run, stored(of, {"game_date": [FIRST, FIRST], "player_lookup": ["p", "q"], "game_id": ["a", "a"]}))[
        GAMES_COVERED
    ]
    assert (finding.offending_count, finding.counted, finding.blocking) == (len(lacking), "games", False)
    assert finding.dates == tuple(dict.fromkeys(day for day, _ in lacking))
    assert finding.examples == tuple(f"{game} has no row" for _, game in lacking)


def test_entities_without_row_and_record_are_named(tmp_path: Path) -> None:
    of = table("cache", count("points", "Points"))
    run = run_of(tmp_path, of, [FIRST, SECOND])
    requested = {
        "game_date": np.array([FIRST, FIRST, SECOND, SECOND], dtype="M8[D]"),
        "player_lookup": np.array(["p", "q", "p", "r"], dtype=object),
        "points": np.ones(4),
    }
    outcome = run.map_rows(
        "players", lambda mine, *_: Outcome(dict(mine)), Grouped.by(requested, "player_lookup", "game_date")
    )
    publication = prepare(run, outcome)
    assert [finding.name for finding in publication.findings if not finding.passed] == []
    failed = {"partition_date": np.array([SECOND], dtype="M8[D]"), "entity_id": np.array(["r"], dtype=object)}
    rows = stored(of, {"game_date": [FIRST], "player_lookup": ["p"], "points": [1]})
    finding = found(run, rows, failed)[ENTITIES_COVERED]
    assert (finding.offending_count, finding.dates) == (2, (FIRST, SECOND))
    assert finding.examples == (
        f"q on {FIRST} has neither a row nor a failure record",
        f"p on {SECOND} has neither a row nor a failure record",
    )


def test_dates_below_the_threshold_are_named(tmp_path: Path) -> None:
    of = table("cache", number("completeness_percentage", "Completeness", scale=1))
    run = run_of(tmp_path, of, [FIRST, SECOND])
    rows = stored(
        of,
        {
            "game_date": [FIRST, FIRST, SECOND],
            "player_lookup": ["p", "q", "p"],
            "completeness_percentage": [70, 100, 90],
        },
    )
    finding = found(run, rows)[COMPLETENESS]
    assert (finding.offending_count, finding.counted, finding.dates) == (1, "dates", (FIRST,))
    assert finding.examples == (f"{FIRST}: mean completeness 85.0 % of 90 %",)
    assert found(run, rows.slice(2))[COMPLETENESS].passed
    assert found(run, rows.slice(3))[COMPLETENESS].passed


STORE = table(
    "store", number("form", "Form", scale=None), number("flag", "Flag", scale=None), texts("feature_names", "Names")
)
PLAYERS = 60
SEASON = [FIRST + timedelta(days=place) for place in range(20)]


def vectors(dates: Sequence[date], seed: int = 7) -> dict[str, list[Any]]:
    """Rows like those of earlier dates: a form that varies by player, date and game, and a flag that never does."""
    chance = np.random.default_rng(seed)
    forms = [chance.normal(100, 10, PLAYERS) + chance.normal(0, 2) for _ in dates]
    return {
        "game_date": [day for day in dates for _ in range(PLAYERS)],
        "player_lookup": [f"p{place:02d}" for _ in dates for place in range(PLAYERS)],
        "form": np.concatenate(forms).tolist() if forms else [],
        "flag": [0.0] * PLAYERS * len(dates),
        "feature_names": [["form", "flag"]] * PLAYERS * len(dates),
    }


def store(path: Path, rows: Mapping[str, Sequence[Any]]) -> None:
    """Publish rows as an earlier run."""
    days = sorted(set(rows["game_date"]))
    run = run_of(path, STORE, days)
    arrow = stored(STORE, rows)
    columns = {
        name: np.array(rows[name], dtype="M8[D]" if name == "game_date" else None)
        for name in ("game_date", "form", "flag")
    }
    names = np.empty(arrow.num_rows, dtype=object)
    names[:] = list(rows["feature_names"])
    prepare(
        run,
        Outcome({**columns, "player_lookup": np.array(rows["player_lookup"], dtype=object), "feature_names": names}),
    ).write()


def drift(run: TableRun, rows: Mapping[str, Sequence[Any]]) -> Any:
    return found(run, stored(STORE, rows))[DRIFT]


def changed(rows: dict[str, list[Any]], on: date, name: str, how: Any) -> dict[str, list[Any]]:
    return rows | {
        name: [how(value) if day == on else value for day, value in zip(rows["game_date"], rows[name], strict=True)]
    }


def test_what_varies_by_chance_does_not_drift(tmp_path: Path) -> None:
    for seed in range(100):
        assert drift(run_of(tmp_path, STORE, SEASON), vectors(SEASON, seed)).passed


@pytest.mark.parametrize(
    ("name", "how", "said"),
    [
        ("form", lambda value: value / 100, "mean 0.99"),
        ("form", lambda value: value + 15, "mean 11"),
        ("form", lambda _: 0.0, "mean 0 against"),
        ("form", lambda _: np.nan, "100% null against 0%"),
        ("flag", lambda _: 1.0, "mean 1 against 0"),
    ],
    ids=["another unit", "half again as high as usual", "nothing but zeros", "nothing at all", "what never was"],
)
def test_a_feature_that_is_no_longer_itself_is_named_with_its_date(
    tmp_path: Path, name: str, how: Any, said: str
) -> None:
    broken = SEASON[12]
    finding = drift(run_of(tmp_path, STORE, SEASON), changed(vectors(SEASON), broken, name, how))
    assert (finding.dates, finding.counted, finding.offending_count) == ((broken,), "features", 1)
    assert finding.examples[0].startswith(f"{broken} {name}: {said}")


def test_a_season_at_once_is_judged_as_date_by_date(tmp_path: Path) -> None:
    rows = changed(vectors(SEASON), SEASON[9], "form", lambda value: value - 20)
    whole = drift(run_of(tmp_path, STORE, SEASON), rows)
    store(tmp_path, rows)
    by_date = []
    for on in SEASON:
        mine = [place for place, day in enumerate(rows["game_date"]) if day == on]
        by_date.append(
            drift(
                run_of(tmp_path, STORE, [on]),
                {name: [values[place] for place in mine] for name, values in rows.items()},
            )
        )
    assert whole.dates == tuple(day for finding in by_date for day in finding.dates) == (SEASON[9],)
    assert whole.examples == tuple(example for finding in by_date for example in finding.examples)


def test_dates_that_a_run_leaves_out_are_read_from_the_store(tmp_path: Path) -> None:
    rows = vectors(SEASON)
    store(tmp_path, rows)
    ends = [SEASON[0], SEASON[-1]]
    mine = [place for place, day in enumerate(rows["game_date"]) if day in ends]
    two = {name: [values[place] for place in mine] for name, values in rows.items()}
    assert drift(run_of(tmp_path, STORE, ends), two).passed
    finding = drift(run_of(tmp_path, STORE, ends), changed(two, SEASON[-1], "form", lambda value: value * 3))
    assert finding.dates == (SEASON[-1],)


def test_another_season_and_too_few_dates_tell_nothing(tmp_path: Path) -> None:
    """The season opens between the stored dates and the run's; four dates into it nothing is known of it yet."""
    opening = SEASON[10]
    rows = vectors(SEASON)
    moved = rows | {
        "form": [
            value + (1000 if day >= opening else 0) for day, value in zip(rows["game_date"], rows["form"], strict=True)
        ]
    }
    run = run_of(tmp_path, STORE, SEASON)
    run.schedule = schedule() | {"game_date": np.array([opening], dtype="M8[D]")}
    assert drift(run, moved).passed
    assert drift(run, changed(moved, SEASON[14], "form", lambda _: 0.0)).passed
    assert drift(run, changed(moved, SEASON[15], "form", lambda _: 0.0)).dates == (SEASON[15],)


def test_without_rows_there_is_nothing_to_observe(tmp_path: Path) -> None:
    assert all(
        finding.passed
        for finding in found(run_of(tmp_path, STORE, [FIRST]), stored(STORE, vectors([FIRST])).slice(PLAYERS)).values()
    )


def test_dagster_is_told_what_was_counted_and_where() -> None:
    observation = Observation(GAMES_COVERED, False, "…", 3, (FIRST, SECOND), ("a has no row",), "games")
    result = check_result(observation)
    assert {name: value.value for name, value in result.metadata.items()} == {
        "offending_games": 3,
        "dates": [FIRST.isoformat(), SECOND.isoformat()],
        "examples": ["a has no row"],
    }
    assert (result.passed, result.severity.value) == (False, "WARN")
    assert check_result(replace(observation, offending_count=0)).passed
