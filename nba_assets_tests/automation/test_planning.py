"""Which runs a request takes, what is missing upstream or of the raw data, and which dates are ingested together."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any, cast

import numpy as np
import pytest

from nba_assets.automation import planning
from nba_assets.automation.landed_files import News
from nba_assets.automation.planned_runs import Launch
from nba_assets.automation.planning import _ranges, missing_raw_dates, missing_upstream, plan, plan_ingestion
from nba_assets.automation.scheduled_dates import UnscheduledError
from nba_assets.basketball.season import SeasonCalendar
from nba_assets.raw.landing import LandingZone
from nba_assets.raw.tables import RAW_TABLES
from nba_assets.tables.bookkeeping import TABLE_PARTITIONS
from nba_assets.warehouse.interface import Warehouse
from nba_assets_tests.precompute.builders import Shelf

FIRST = date(2024, 11, 4)
DAYS = [FIRST + timedelta(days=number) for number in range(6)]
UPSTREAM = {"summary": ["schedule"], "analysis": ["summary"], "cache": ["analysis", "summary", "rosters"]}


def built(**numbers: Sequence[int]) -> Warehouse:
    """A warehouse in which tables are built for days of these numbers."""
    rows = [{"table_name": name, "partition_date": DAYS[number]} for name, days in numbers.items() for number in days]
    return cast(Warehouse, Shelf({TABLE_PARTITIONS.name: rows}))


def ingested(*numbers: int, without: str = "") -> Warehouse:
    """The same of all raw tables but one."""
    return built(**{name: numbers for name in RAW_TABLES if name != without})


def test_what_is_read_and_neither_built_nor_run_is_named_with_how_much_of_it_is_there() -> None:
    warehouse = built(summary=[0, 1, 2, 5], analysis=[0, 1, 2])
    assert missing_upstream(warehouse, ["cache"], UPSTREAM, DAYS[0], DAYS[2]) == []
    assert missing_upstream(warehouse, ["cache"], UPSTREAM, DAYS[0], DAYS[3]) == [
        "cache reads what is not built: analysis (3 of 4 dates are built), summary (3 of 4 dates are built). "
        "Build it first, or with --table."
    ]
    assert missing_upstream(warehouse, ["cache"], UPSTREAM, DAYS[5], DAYS[5]) == [
        "cache reads what is not built: analysis (0 of 1 dates are built). Build it first, or with --table."
    ]


def test_what_is_run_with_it_or_ingested_by_itself_is_not_missing() -> None:
    assert missing_upstream(built(), ["cache", "analysis", "summary"], UPSTREAM, DAYS[0], DAYS[1]) == []
    assert missing_upstream(built(), ["summary"], UPSTREAM, DAYS[0], DAYS[1]) == []
    lines = missing_upstream(built(), ["cache", "analysis"], UPSTREAM, DAYS[0], DAYS[1])
    assert [line.partition(" reads ")[0] for line in lines] == ["cache", "analysis"]


def test_a_date_lacks_raw_data_where_any_table_was_never_ingested() -> None:
    assert missing_raw_dates(ingested(0, 1, 2), DAYS[0], DAYS[2]) == []
    assert missing_raw_dates(ingested(0, 2), DAYS[0], DAYS[3]) == [DAYS[1], DAYS[3]]
    assert missing_raw_dates(ingested(0, 1, without="rosters"), DAYS[0], DAYS[1]) == DAYS[:2]


@pytest.mark.parametrize(
    ("days", "there", "ranges"),
    [
        ([], (), []),
        ([2], (), [(2, 2)]),
        ([0, 1, 2], (0, 1, 2), [(0, 2)]),
        ([0, 2], (), [(0, 2)]),
        ([0, 2], (1,), [(0, 0), (2, 2)]),
        ([0, 3, 5], (4,), [(0, 3), (5, 5)]),
        ([0, 3, 5], (1, 4), [(0, 0), (3, 3), (5, 5)]),
        ([0, 3], (0, 3), [(0, 3)]),
        ([1, 2, 4, 5], (3,), [(1, 2), (4, 5)]),
    ],
)
def test_dates_are_ingested_together_unless_one_between_them_is_ingested(
    days: Sequence[int], there: Sequence[int], ranges: Sequence[tuple[int, int]]
) -> None:
    found = _ranges(ingested(*there), [DAYS[number] for number in days])
    assert list(found) == [(DAYS[first], DAYS[last]) for first, last in ranges]


NOWHERE = cast(LandingZone, None)
"""Where what has landed is told by `told`."""
INGESTED = datetime(2024, 11, 20, tzinfo=UTC)


def calendar(*days: date, season: int = 2024) -> SeasonCalendar:
    """Seasons with games on these days; those before November are of the season before."""
    years = [season - (day < date(season, 9, 1)) for day in days]
    return SeasonCalendar.from_schedule(np.array(days, dtype="M8[D]"), np.array(years), np.ones(len(days)))


def told(monkeypatch: pytest.MonkeyPatch, seasons: SeasonCalendar, *news: News) -> list[tuple[Any, ...]]:
    """Let these be the seasons and the news; returns the dates between which news are looked for."""
    looked: list[tuple[Any, ...]] = []

    def found(_warehouse: object, _landing: object, *dates: object) -> Sequence[News]:
        looked.append(dates)
        return news

    for name in ("calendar_of", "require_scheduled"):
        monkeypatch.setattr(planning, name, lambda *_: seasons)
    monkeypatch.setattr(planning, "news_of", found)
    return looked


class TestBuilding:
    @pytest.fixture(autouse=True)
    def season(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """The first of the days is opening night, and nothing has landed since."""
        told(monkeypatch, calendar(*DAYS))

    def test_what_is_ingested_is_built_in_one_run_without_the_raw_tables(self) -> None:
        runs = plan(ingested(*range(6)), NOWHERE, ["a", "b"], DAYS[2], DAYS[3])
        assert runs == [Launch("full", ["a", "b"], DAYS[2], DAYS[3])]

    def test_raw_tables_go_with_it_where_a_date_lacks_them_or_they_are_requested(self) -> None:
        whole = [Launch("full", [*RAW_TABLES, "a"], DAYS[2], DAYS[3])]
        assert plan(ingested(0, 1, 2), NOWHERE, ["a"], DAYS[2], DAYS[3]) == whole
        assert plan(ingested(0, 1, 3), NOWHERE, ["a"], DAYS[2], DAYS[3]) == whole
        assert plan(ingested(*range(6)), NOWHERE, ["a"], DAYS[2], DAYS[3], ingest=True) == whole

    def test_earlier_dates_of_the_season_that_are_missing_are_ingested_by_a_run_before(self) -> None:
        runs = plan(ingested(0, 2, 3, 4), NOWHERE, ["a"], DAYS[4], DAYS[4])
        assert runs == [
            Launch("full", list(RAW_TABLES), DAYS[1], DAYS[3]),
            Launch("full", ["a"], DAYS[4], DAYS[4]),
        ]

    def test_a_date_before_opening_night_has_no_earlier_dates(self) -> None:
        start = FIRST - timedelta(days=20)
        (run,) = plan(ingested(), NOWHERE, ["a"], start, start)
        assert run == Launch("full", [*RAW_TABLES, "a"], start, start)

    def test_files_that_changed_since_they_were_ingested_bring_the_raw_tables_in_and_are_named(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        new, changed = (News("rosters", f"rosters/{when}.csv", DAYS[2], when) for when in (None, INGESTED))
        said: list[str] = []
        looked = told(monkeypatch, calendar(*DAYS), new)
        assert plan(ingested(*range(6)), NOWHERE, ["a"], DAYS[2], DAYS[3], said.append)[0].assets == ["a"]
        assert said == []
        assert looked == [(DAYS[2], DAYS[3])]
        told(monkeypatch, calendar(*DAYS), new, changed)
        (run,) = plan(ingested(*range(6)), NOWHERE, ["a"], DAYS[2], DAYS[3], said.append)
        assert run.assets == [*RAW_TABLES, "a"]
        assert said == [f"rosters: came or changed since it was ingested: {changed.path}"]

    def test_dates_before_the_first_partition_are_not_ingested_and_that_is_said(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        said: list[str] = []
        monkeypatch.setattr(planning, "FIRST_DATE", DAYS[0])
        plan(ingested(), NOWHERE, ["a"], DAYS[3], DAYS[3], said.append)
        assert said == []
        monkeypatch.setattr(planning, "FIRST_DATE", DAYS[1])
        earlier, _ = plan(ingested(), NOWHERE, ["a"], DAYS[3], DAYS[3], said.append)
        assert (earlier.start, earlier.end) == (DAYS[1], DAYS[2])
        assert len(said) == 1
        assert said[0].startswith(f"The season began on {DAYS[0]}, before the first partition {DAYS[1]}: ")


class TestIngesting:
    def ranges(self, warehouse: Warehouse, start: date = DAYS[0], end: date = DAYS[5]) -> list[tuple[date, date]]:
        """The dates of the runs, which ingest all raw tables."""
        runs = plan_ingestion(warehouse, NOWHERE, start, end)
        assert runs == [Launch("ingest", list(RAW_TABLES), run.start, run.end) for run in runs]
        return [(run.start, run.end) for run in runs]

    def test_without_a_schedule_nothing_is_ingested(self, monkeypatch: pytest.MonkeyPatch) -> None:
        told(monkeypatch, calendar(), News("rosters", "a", DAYS[1], None))
        with pytest.raises(UnscheduledError, match="no schedule has landed"):
            self.ranges(ingested())

    def test_dates_of_files_are_ingested_and_files_after_the_last_game_are_not_looked_for(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        news = [News("rosters", str(number), DAYS[number], None) for number in (4, 1)]
        looked = told(monkeypatch, calendar(*DAYS[:5]), *news)
        said: list[str] = []
        assert self.ranges(ingested(2)) == [(DAYS[1], DAYS[1]), (DAYS[4], DAYS[4])]
        plan_ingestion(ingested(), NOWHERE, DAYS[1], DAYS[3], said.append)
        assert looked == [(DAYS[0], DAYS[4], (DAYS[0], DAYS[4])), (DAYS[1], DAYS[3], (DAYS[1], DAYS[3]))]
        assert said == [f"1 table: 2 files not ingested yet, of 2 dates from {DAYS[1]} to {DAYS[4]}"]

    @pytest.mark.parametrize(
        ("start", "end", "first", "last"), [(0, 5, 1, 4), (1, 4, 1, 4), (2, 4, 3, 4), (0, 3, 1, 3), (2, 2, None, None)]
    )
    def test_a_file_without_a_date_is_ingested_from_the_first_to_the_last_game(
        self, monkeypatch: pytest.MonkeyPatch, start: int, end: int, first: int | None, last: int | None
    ) -> None:
        told(monkeypatch, calendar(DAYS[1], DAYS[3], DAYS[4]), News("rosters", "rosters.csv", None, INGESTED))
        found = self.ranges(ingested(*range(6)), DAYS[start], DAYS[end])
        days = [] if first is None or last is None else DAYS[first : last + 1]
        assert found == ([(days[0], days[-1])] if days else [])

    @pytest.mark.parametrize(("tables", "is_whole"), [(["schedule"], True), (["schedule", "rosters"], False)])
    def test_a_whole_season_that_names_no_date_is_ingested_by_the_last_date_of_each_season(
        self, monkeypatch: pytest.MonkeyPatch, tables: Collection[str], is_whole: bool
    ) -> None:
        spring = [date(2024, 4, 12), date(2024, 4, 13)]
        told(
            monkeypatch,
            calendar(*spring, DAYS[1], DAYS[4], DAYS[5]),
            *(News(name, f"{name}.csv", None, INGESTED) for name in tables),
        )
        found = self.ranges(ingested(*range(6)), spring[0], DAYS[4])
        if is_whole:
            assert found == [(spring[1], spring[1]), (DAYS[4], DAYS[4])]
        else:
            assert found[0][0] == spring[0]
