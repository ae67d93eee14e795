"""What a table reads of earlier dates: a thin look-back is reported, an empty date counts as built."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from nba_assets.entities.outcomes import Outcome
from nba_assets.entities.parallel import ParallelEntities
from nba_assets.orchestration.computed_assets import details_metadata
from nba_assets.publishing.lineage import InputFacts, inputs_by_date, note_inputs, thin_look_backs
from nba_assets.publishing.publication import prepare
from nba_assets.publishing.table_run import TableRun
from nba_assets.raw.tables import SCHEDULE
from nba_assets.registry import COMPUTED_TABLES, GAME_SUMMARIES, PREGAME_TABLES
from nba_assets.settings import Settings
from nba_assets.tables.blocks import STAMPS
from nba_assets.tables.columns import arrow_schema
from nba_assets.tables.spec import Input, Table, before, day, of_its_date, text
from nba_assets.warehouse.duckdb import DuckDBWarehouse
from nba_assets.warehouse.interface import Replacement


def table(name: str, *inputs: Input) -> Table:
    columns = (day("game_date", "Date", nullable=False), text("team_abbr", "Team", nullable=False), *STAMPS)
    return Table(
        "nba_precompute", name, "one team on one date", ("game_date", "team_abbr"), "game_date", columns, inputs=inputs
    )


RESULTS, LATELY, TONIGHT = table("results"), table("lately"), table("tonight")
READER = table(
    "reader", before(RESULTS, has_all_finals=True), before(LATELY, days=3, has_all_finals=True), of_its_date(TONIGHT)
)
"""Looks back on results of the season and of the last three days, and reads tonight's rows of its own date."""
OPENING = date(2021, 10, 19)
GAME_DAYS = [OPENING + timedelta(days=number) for number in (0, 1, 2, 4, 5, 8)]
POSTPONED, EXHIBITION = OPENING + timedelta(days=3), OPENING + timedelta(days=6)
TODAY = OPENING + timedelta(days=8)


def day_number(number: int) -> date:
    return OPENING + timedelta(days=number)


def game(played: date, **changes: Any) -> dict[str, Any]:
    home_and_away = {"home_team_abbr": "BOS", "away_team_abbr": "LAL", "game_id": f"{played:%Y%m%d}_LAL_BOS"}
    phase = {"season_year": 2021, "is_regular_season": True, "is_playoffs": False}
    status = 1 if played >= TODAY else 3
    moment = datetime(2021, 10, 1, tzinfo=UTC)
    score = {"home_team_score": 110, "away_team_score": 101} if status == 3 else {}
    blank: dict[str, Any] = dict.fromkeys(SCHEDULE.table.column_names)
    return blank | {
        "game_date": played,
        "game_status": status,
        "processed_at": moment,
        **home_and_away,
        **phase,
        **score,
        **changes,
    }


@pytest.fixture
def warehouse(tmp_path: Path) -> DuckDBWarehouse:
    """A schedule of six game days, with a postponed game and an exhibition between them."""
    found = DuckDBWarehouse(tmp_path / "nba.duckdb", idle_seconds=0.2)
    games = [*map(game, GAME_DAYS), game(POSTPONED, game_status=4), game(EXHIBITION, is_regular_season=False)]
    rows = pa.Table.from_pylist(games, schema=arrow_schema(SCHEDULE.table))
    found.replace([Replacement(SCHEDULE.table, rows, [row["game_date"] for row in games])])
    return found


def run_of(warehouse: DuckDBWarehouse, spec: Table, *dates: date) -> TableRun:
    run = TableRun(
        spec,
        dates,
        warehouse,
        ParallelEntities.serial(),
        Settings.from_environment({}),
        "run",
        datetime(2022, 1, 1, tzinfo=UTC),
    )
    note_inputs(run)
    return run


def publish(warehouse: DuckDBWarehouse, spec: Table, dates: Sequence[date], *, empty: Sequence[date] = ()) -> None:
    """Build dates with a row each, or none."""
    filled = [played for played in dates if played not in empty]
    rows = {"game_date": np.array(filled, dtype="M8[D]"), "team_abbr": np.full(len(filled), "BOS", dtype=object)}
    prepare(run_of(warehouse, spec, *sorted(dates)), Outcome(rows)).write()


def looked_back(warehouse: DuckDBWarehouse, *dates: date) -> dict[date, dict[str, InputFacts]]:
    inputs = inputs_by_date(run_of(warehouse, READER, *dates))
    return {when: {source.name: source for source in sources} for when, sources in inputs.items()}


def found_of_expected(warehouse: DuckDBWarehouse, when: date, name: str) -> tuple[int | None, int | None]:
    source = looked_back(warehouse, when)[when][name]
    return source.game_days_found, source.game_days_expected


def test_a_full_past_is_every_day_with_final_games(warehouse: DuckDBWarehouse) -> None:
    """Not days without games, nor those of a postponed game or an exhibition, nor the date itself."""
    publish(warehouse, RESULTS, GAME_DAYS[:5])
    publish(warehouse, LATELY, GAME_DAYS[:5])
    assert found_of_expected(warehouse, TODAY, RESULTS.name) == (5, 5)
    assert found_of_expected(warehouse, TODAY, LATELY.name) == (1, 1)
    rows = {name: source.row_count for name, source in looked_back(warehouse, TODAY)[TODAY].items()}
    assert rows == {RESULTS.name: 5, LATELY.name: 1, TONIGHT.name: 0}
    assert found_of_expected(warehouse, OPENING, RESULTS.name) == (0, 0)
    assert found_of_expected(warehouse, TODAY, TONIGHT.name) == (None, None)
    assert thin_look_backs(READER, inputs_by_date(run_of(warehouse, READER, TODAY))) == []


def test_a_thin_past_is_told_as_found_of_expected(warehouse: DuckDBWarehouse) -> None:
    """A date that was built empty although it has final games is as thin as one that was never built."""
    publish(
        warehouse,
        RESULTS,
        [day_number(0), day_number(1), day_number(3), day_number(5)],
        empty=[day_number(1), day_number(3)],
    )
    publish(warehouse, LATELY, [day_number(5)])
    run = run_of(warehouse, READER, TODAY)
    inputs = inputs_by_date(run)
    (fact,) = prepare(run, Outcome({})).write()
    told = details_metadata(run, [fact], inputs[TODAY])["inputs"]
    assert {name: told[name].get("game_days") for name in told} == {
        RESULTS.name: "2 / 5",
        LATELY.name: "1 / 1",
        TONIGHT.name: None,
    }
    assert (told[RESULTS.name]["dates_built"], told[RESULTS.name]["rows"]) == (4, 2)
    (warning,) = thin_look_backs(READER, inputs)
    assert "reader looks back on thin data" in warning
    assert "for 1 of 1 dates results lacks rows" in warning
    assert "for 2021-10-27 2 of 5 are there" in warning


def test_in_a_range_the_newest_thin_date_speaks_for_all(warehouse: DuckDBWarehouse) -> None:
    publish(warehouse, RESULTS, [day_number(0), day_number(2), day_number(4), day_number(5)])
    publish(warehouse, LATELY, GAME_DAYS[:5])
    dates = [day_number(number) for number in (1, 2, 4, 8)]
    inputs = inputs_by_date(run_of(warehouse, READER, *dates))
    (warning,) = thin_look_backs(READER, inputs)
    assert "for 3 of 4 dates results lacks rows" in warning
    assert "for 2021-10-27 4 of 5 are there" in warning


def test_what_looks_back_on_summaries_before_a_game_expects_them_of_all_finals() -> None:
    looks = {
        (table, source.name): source.has_all_finals
        for table in PREGAME_TABLES
        for source in COMPUTED_TABLES[table].inputs
        if source.table.name in GAME_SUMMARIES and source.days != 0
    }
    assert len(looks) >= 8
    assert [look for look, has_all_finals in looks.items() if not has_all_finals] == []
