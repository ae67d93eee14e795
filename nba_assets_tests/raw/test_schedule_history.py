"""What is kept of a schedule when it changes, and what was known of it at a moment."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, timedelta, tzinfo
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nba_assets.raw import ingestion
from nba_assets.raw.schedule import POSTPONED, SCHEDULED
from nba_assets.raw.schedule_history import KNOWN_COLUMNS, ScheduleHistory, first_tips, superseded
from nba_assets.tables.bookkeeping import SCHEDULE_HISTORY
from nba_assets.tables.spec import Columns
from nba_assets.warehouse import duckdb
from nba_assets.warehouse.duckdb import DuckDBWarehouse
from nba_assets.warehouse.interface import Changed, Insertion, Replacement, Warehouse, WriteFacts
from nba_assets_tests import memory_warehouse
from nba_assets_tests.analytics.builders import columns
from nba_assets_tests.raw.feeds import DAY, NEXT_DAY, Row, ingested, partition_state, schedule_row, stored, write

SUMMER = datetime(2021, 8, 20, 12, tzinfo=UTC)
"""When the season is ingested for the first time."""
HOUR, INSTANT = timedelta(hours=1), timedelta(microseconds=1)
TIP = datetime(2021, 11, 15, 23, 30, tzinfo=UTC)
"""Of the games of DAY."""
LATER = date(2021, 11, 18)
UNPLAYED = {"game_status": SCHEDULED, "home_team_score": None, "away_team_score": None, "winning_team_abbr": None}


def to_come(day: date = LATER, away: str = "CHI", home: str = "LAL", **changes: Any) -> Row:
    """One game that is still to be played."""
    return schedule_row(day, away, home, **(UNPLAYED | {"is_primetime": False} | changes))


class Clock(datetime):
    """The clock of the warehouses."""

    moment = SUMMER

    @classmethod
    def now(cls, tz: tzinfo | None = None) -> datetime:  # type: ignore[override]
        return cls.moment.astimezone(tz)


@pytest.fixture(autouse=True)
def _clock(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (duckdb, memory_warehouse):
        monkeypatch.setattr(module, "datetime", Clock)


def announce(landing: Path, warehouse: Warehouse, games: Sequence[Row], moment: datetime) -> None:
    """A schedule lands, and is ingested at a moment."""
    write(landing, "schedule/season_year=2021/part.parquet", games)
    Clock.moment = moment
    ingested("schedule", landing, warehouse, now=moment)


def history(warehouse: Warehouse) -> list[Row]:
    rows: list[Row] = warehouse.read(SCHEDULE_HISTORY, SCHEDULE_HISTORY.column_names, date.min, date.max).to_pylist()
    return sorted(rows, key=lambda row: (row["known_until"], row["game_id"]))


def told(warehouse: Warehouse) -> list[tuple[Any, ...]]:
    """The entries of the history in short."""
    names = ("game_id", "was_listed", "was_called_off", "is_primetime", "known_from", "known_until")
    return [tuple(row[name] for name in names) for row in history(warehouse)]


def known(warehouse: Warehouse, day: date = DAY) -> dict[str, float]:
    """Which games were known before the first tip-off of a date, with their status."""
    with warehouse.session():
        found = ScheduleHistory.read(warehouse, date(2021, 7, 1), date(2022, 7, 1))
        games = _columns(stored("schedule", warehouse))
    ((_, view),) = found.as_known(games, np.array([day], dtype="M8[D]"))
    return dict(zip(view["game_id"].tolist(), view["game_status"].tolist(), strict=True))


def _columns(rows: Sequence[Row]) -> Columns:
    """Rows of the schedule in memory."""
    tips = [row["game_time_utc"] and row["game_time_utc"].astimezone(UTC).replace(tzinfo=None) for row in rows]
    others = [name for name in KNOWN_COLUMNS if name not in ("game_date", "game_time_utc")]
    return columns([{name: row[name] for name in others} for row in rows]) | {
        "game_date": np.array([row["game_date"] for row in rows], dtype="M8[D]"),
        "game_time_utc": np.array(tips, dtype="M8[us]"),
    }


FIRST, OTHER = to_come(), to_come(LATER, "BOS", "MIA")
TONIGHT = to_come(DAY, "DEN", "UTA")
FIRST_ID, OTHER_ID, TONIGHT_ID = (game["game_id"] for game in (FIRST, OTHER, TONIGHT))
SEASON = [TONIGHT, FIRST, OTHER]
UNCHANGED = {FIRST_ID: SCHEDULED, OTHER_ID: SCHEDULED, TONIGHT_ID: SCHEDULED}


class TestWhatIsKept:
    def test_nothing_of_what_comes_first_nor_of_what_comes_again(self, landing: Path, warehouse: Warehouse) -> None:
        for moment in (SUMMER, TIP, TIP + HOUR):
            announce(landing, warehouse, SEASON, moment)
        assert history(warehouse) == []

    def test_nothing_of_how_games_end_nor_of_what_counts_in_no_standings(
        self, landing: Path, warehouse: Warehouse
    ) -> None:
        exhibition = to_come(date(2021, 10, 5), "BOS", "NYK", is_regular_season=False)
        announce(landing, warehouse, [*SEASON, exhibition], SUMMER)
        ended = schedule_row(DAY, "DEN", "UTA", is_primetime=False, arena_name="Elsewhere")
        announce(landing, warehouse, [ended, FIRST, OTHER, exhibition | {"is_primetime": True}], TIP + 3 * HOUR)
        assert history(warehouse) == []

    @pytest.mark.parametrize(
        ("changes", "was"),
        [
            ({"game_status": POSTPONED}, (FIRST_ID, True, False, False)),
            ({"is_primetime": True}, (FIRST_ID, True, False, False)),
            ({"is_regular_season": False, "is_playoffs": True}, (FIRST_ID, True, False, False)),
        ],
        ids=["called off", "on prime time", "of the play-offs"],
    )
    def test_a_game_as_it_was(
        self, landing: Path, warehouse: Warehouse, changes: Row, was: tuple[str, bool, bool, bool]
    ) -> None:
        announce(landing, warehouse, SEASON, SUMMER)
        announce(landing, warehouse, [TONIGHT, FIRST | changes, OTHER], TIP)
        assert told(warehouse) == [(*was, SUMMER, TIP)]
        (kept,) = history(warehouse)
        assert (kept["home_team_abbr"], kept["away_team_abbr"]) == ("LAL", "CHI")
        assert (kept["game_date"], kept["season_year"], kept["run_id"]) == (LATER, 2021, "test")

    def test_a_game_that_is_moved_is_gone_from_one_date_and_was_not_on_the_other(
        self, landing: Path, warehouse: Warehouse
    ) -> None:
        announce(landing, warehouse, SEASON, SUMMER)
        moved = to_come(date(2021, 12, 24))
        announce(landing, warehouse, [TONIGHT, moved, OTHER], TIP)
        assert told(warehouse) == [
            (FIRST_ID, True, False, False, SUMMER, TIP),
            (moved["game_id"], False, False, False, SUMMER, TIP),
        ]

    def test_each_version_begins_where_the_one_before_ends(self, landing: Path, warehouse: Warehouse) -> None:
        announce(landing, warehouse, SEASON, SUMMER)
        for hours in (1, 2, 3):
            announce(
                landing, warehouse, [TONIGHT, FIRST | {"is_primetime": bool(hours % 2)}, OTHER], SUMMER + hours * HOUR
            )
        assert [(row["known_from"], row["known_until"]) for row in history(warehouse)] == [
            (SUMMER, SUMMER + HOUR),
            (SUMMER + HOUR, SUMMER + 2 * HOUR),
            (SUMMER + 2 * HOUR, SUMMER + 3 * HOUR),
        ]

    def test_a_season_is_known_since_its_first_date_and_not_since_the_one_that_changed_last(
        self, landing: Path, warehouse: Warehouse
    ) -> None:
        """Results change dates; what is announced of them has been known all the time."""
        announce(landing, warehouse, SEASON, SUMMER)
        announce(landing, warehouse, [schedule_row(DAY, "DEN", "UTA"), FIRST, OTHER], TIP + 3 * HOUR)
        announce(landing, warehouse, [schedule_row(DAY, "DEN", "UTA"), OTHER], TIP + 9 * HOUR)
        assert [row["known_from"] for row in history(warehouse) if row["was_listed"]] == [SUMMER, SUMMER]

    def test_each_season_has_a_beginning_of_its_own(self, landing: Path, warehouse: Warehouse) -> None:
        """The first day of July is of both."""
        in_july = SUMMER - 30 * 24 * HOUR
        old = [to_come(date(2021, 3, 1), season_year=2020)]
        for moment, changes, seasons in (
            (in_july, {}, {2020: old}),
            (SUMMER, {}, {2020: old, 2021: SEASON}),
            (TIP, {"is_primetime": True}, {2020: old, 2021: SEASON}),
        ):
            for season, games in seasons.items():
                write(landing, f"schedule/season_year={season}/part.parquet", [game | changes for game in games])
            Clock.moment = moment
            ingested("schedule", landing, warehouse, [date(2021, 7, 1)], now=moment)
        assert {(row["season_year"], row["known_from"]) for row in history(warehouse)} == {
            (2020, in_july),
            (2021, SUMMER),
        }

    def test_a_clock_that_is_set_back_leaves_later_changes_later(self, landing: Path, warehouse: Warehouse) -> None:
        announce(landing, warehouse, SEASON, SUMMER)
        announce(landing, warehouse, [TONIGHT, FIRST], TIP)
        announce(landing, warehouse, [TONIGHT], TIP - HOUR)
        announce(landing, warehouse, SEASON, SUMMER - HOUR)
        moments = [(row["game_id"], row["known_from"], row["known_until"]) for row in history(warehouse)]
        assert moments == [
            (OTHER_ID, SUMMER, TIP),
            (FIRST_ID, SUMMER, TIP + INSTANT),
            (OTHER_ID, TIP, TIP + 2 * INSTANT),
            (FIRST_ID, TIP + INSTANT, TIP + 2 * INSTANT),
        ]

    def test_a_warehouse_from_before_there_was_a_history_has_one_from_its_next_change_on(
        self, landing: Path, stored_warehouse: DuckDBWarehouse
    ) -> None:
        warehouse = stored_warehouse
        announce(landing, warehouse, SEASON, SUMMER)
        assert warehouse.missing_columns(SCHEDULE_HISTORY) is None
        assert known(warehouse) == UNCHANGED
        announce(landing, warehouse, [TONIGHT, OTHER], TIP + HOUR)
        assert told(warehouse) == [(FIRST_ID, True, False, False, SUMMER, TIP + HOUR)]

    def test_it_is_written_with_the_schedule_or_not_at_all(self, landing: Path, tmp_path: Path) -> None:
        class Dying(DuckDBWarehouse):
            def replace(
                self, replacements: Sequence[Replacement | Insertion], *, unless: Sequence[Changed] = ()
            ) -> WriteFacts:
                written = {each.table.name for each in replacements}
                assert written == {"schedule", "raw_quarantine", "table_partitions", "schedule_history"}
                assert len(unless) == 2
                raise KeyboardInterrupt

        path = tmp_path / "w" / "nba.duckdb"
        announce(landing, DuckDBWarehouse(path), SEASON, SUMMER)
        with pytest.raises(KeyboardInterrupt):
            announce(landing, Dying(path), [TONIGHT, OTHER], TIP)
        assert history(DuckDBWarehouse(path)) == []
        announce(landing, DuckDBWarehouse(path), [TONIGHT, OTHER], TIP + HOUR)
        assert [row["known_until"] for row in history(DuckDBWarehouse(path))] == [TIP + HOUR]

    def test_who_is_overtaken_keeps_what_the_other_has_announced(
        self, landing: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(ingestion, "LONGEST_WAIT_SECONDS", 0.0)
        path = tmp_path / "w" / "nba.duckdb"

        others = [lambda: announce(landing, DuckDBWarehouse(path), [TONIGHT, OTHER], TIP - HOUR)]

        class Overtaken(DuckDBWarehouse):
            def replace(
                self, replacements: Sequence[Replacement | Insertion], *, unless: Sequence[Changed] = ()
            ) -> WriteFacts:
                if others:
                    others.pop()()
                    write(landing, "schedule/season_year=2021/part.parquet", [TONIGHT])
                return super().replace(replacements, unless=unless)

        announce(landing, DuckDBWarehouse(path), SEASON, SUMMER)
        announce(landing, Overtaken(path), [TONIGHT], TIP)
        assert [(row["game_id"], row["known_until"]) for row in history(DuckDBWarehouse(path))] == [
            (FIRST_ID, TIP - HOUR),
            (OTHER_ID, TIP),
        ]


class TestWhatWasKnown:
    @pytest.mark.parametrize(
        ("changed", "before", "after"),
        [
            ([TONIGHT, OTHER], UNCHANGED, {TONIGHT_ID: 1, OTHER_ID: 1}),
            ([TONIGHT, FIRST | {"game_status": POSTPONED}, OTHER], UNCHANGED, {TONIGHT_ID: 1, OTHER_ID: 1}),
            (
                [*SEASON, to_come(NEXT_DAY)],
                UNCHANGED,
                UNCHANGED | {to_come(NEXT_DAY)["game_id"]: 1},
            ),
        ],
        ids=["gone", "called off", "added"],
    )
    def test_a_change_counts_once_it_was_known_before_the_tip_off(
        self,
        landing: Path,
        make_warehouse: Callable[[], Warehouse],
        changed: list[Row],
        before: Row,
        after: Row,
    ) -> None:
        for moment, expected in ((TIP, before), (TIP + HOUR, before), (TIP - INSTANT, after)):
            warehouse = make_warehouse()
            announce(landing, warehouse, SEASON, SUMMER)
            announce(landing, warehouse, changed, moment)
            assert known(warehouse) == expected
            assert known(warehouse, LATER).keys() == after.keys()

    @pytest.mark.parametrize(("since", "is_known"), [(TIP, False), (TIP - INSTANT, True)])
    def test_nothing_counts_that_was_first_known_after_the_tip_off(
        self, landing: Path, warehouse: Warehouse, since: datetime, is_known: bool
    ) -> None:
        announce(landing, warehouse, SEASON, since)
        announce(landing, warehouse, [TONIGHT, OTHER], TIP + HOUR)
        assert (FIRST_ID in known(warehouse)) is is_known

    def test_what_was_called_off_from_the_beginning_is_as_it_is(self, landing: Path, warehouse: Warehouse) -> None:
        """That it was called off is no change on record."""
        called_off = FIRST | {"game_status": POSTPONED}
        announce(landing, warehouse, [TONIGHT, called_off, OTHER], SUMMER)
        announce(landing, warehouse, [TONIGHT, called_off], TIP - HOUR)
        assert known(warehouse) == {TONIGHT_ID: SCHEDULED, FIRST_ID: POSTPONED}

    def test_what_was_called_off_from_the_beginning_and_is_on_later_was_called_off(
        self, landing: Path, warehouse: Warehouse
    ) -> None:
        announce(landing, warehouse, [TONIGHT, FIRST | {"game_status": POSTPONED}, OTHER], SUMMER)
        announce(landing, warehouse, SEASON, TIP + HOUR)
        assert known(warehouse) == UNCHANGED | {FIRST_ID: POSTPONED}
        assert known(warehouse, LATER) == UNCHANGED

    def test_a_game_is_called_off_and_back_on(self, landing: Path, warehouse: Warehouse) -> None:
        announce(landing, warehouse, SEASON, SUMMER)
        announce(landing, warehouse, [TONIGHT, FIRST | {"game_status": POSTPONED}, OTHER], TIP - HOUR)
        announce(landing, warehouse, SEASON, TIP + HOUR)
        assert known(warehouse) == {TONIGHT_ID: SCHEDULED, OTHER_ID: SCHEDULED}
        assert known(warehouse, LATER) == UNCHANGED

    def test_of_many_versions_the_one_that_was_in_force(self, landing: Path, warehouse: Warehouse) -> None:
        """Here and gone in turns; the date's tip-off lies between the third and the fourth change."""
        announce(landing, warehouse, SEASON, SUMMER)
        for number in range(6):
            games = [TONIGHT, OTHER] if number % 2 == 0 else SEASON
            announce(landing, warehouse, games, TIP + (number - 2.5) * HOUR)
        assert FIRST_ID not in known(warehouse)
        assert len(history(warehouse)) == 6

    def test_dates_that_knew_the_same_are_one_group_and_those_that_know_it_all_read_what_is(self) -> None:
        games = _games(DAY, NEXT_DAY, LATER, LATER + timedelta(days=1))
        days = np.unique(games["game_date"])
        changes = {
            "game_id": np.array(["x"], dtype=object),
            "game_date": np.array([LATER], dtype="M8[D]"),
            "season_year": np.array([2021.0]),
            "was_listed": np.ones(1),
            "was_called_off": np.zeros(1),
            "home_team_abbr": np.array(["BOS"], dtype=object),
            "away_team_abbr": np.array(["NYK"], dtype=object),
            "is_primetime": np.ones(1),
            "known_from": np.array(["2021-08-20"], dtype="M8[us]"),
            "known_until": np.array(["2021-11-17T12:00"], dtype="M8[us]"),
            "run_id": np.array(["r"], dtype=object),
        }
        otherwise, same = ScheduleHistory(changes).as_known(games, days)
        assert same[1] is games
        assert (same[0].tolist(), otherwise[0].tolist()) == ([LATER, LATER + timedelta(days=1)], [DAY, NEXT_DAY])
        assert len(otherwise[1]["game_id"]) == len(games["game_id"]) + 1
        place = otherwise[1]["game_id"].tolist().index("x")
        found = {name: values[place] for name, values in otherwise[1].items()}
        assert (found["is_regular_season"], found["is_playoffs"], found["is_primetime"]) == (1, 0, 1)
        assert (found["home_team_abbr"], found["game_date"]) == ("BOS", np.datetime64(LATER))
        assert np.isnat(found["game_time_utc"])
        ((all_days, all_games),) = ScheduleHistory.none().as_known(games, days)
        assert all_games is games
        assert all_days is days


def _games(*days: date) -> Columns:
    return _columns([to_come(day) for day in days])


def test_the_first_tip_off_is_that_of_the_first_game_that_counts_called_off_or_not() -> None:
    early, late = datetime(2021, 11, 15, 18, tzinfo=UTC), datetime(2021, 11, 16, 3, tzinfo=UTC)
    rows = [
        to_come(DAY, game_time_utc=late),
        to_come(DAY, "BOS", "MIA", game_time_utc=TIP, game_status=POSTPONED),
        to_come(DAY, "NYK", "TOR", game_time_utc=early, is_regular_season=False),
        to_come(NEXT_DAY, game_time_utc=None),
        to_come(LATER, game_time_utc=TIP + 3 * 24 * HOUR, is_regular_season=False, is_playoffs=True),
    ]
    games = _columns(rows)
    days = np.array([DAY, NEXT_DAY, LATER, date(2022, 7, 4)], dtype="M8[D]")
    midnight = [datetime(2021, 11, 17, 5), datetime(2022, 7, 5, 4)]
    expected = [TIP.replace(tzinfo=None), midnight[0], (TIP + 3 * 24 * HOUR).replace(tzinfo=None), midnight[1]]
    assert first_tips(games, days).tolist() == expected
    nothing = {name: values[:0] for name, values in games.items()}
    assert first_tips(nothing, days[1:2]).tolist() == midnight[:1]


def test_of_two_states_the_games_that_are_gone_were_listed_and_those_that_come_were_not() -> None:
    first, both = _games(DAY), _games(DAY, LATER)
    nothing = {name: values[:0] for name, values in both.items()}
    assert superseded(both, first)["was_listed"].tolist() == [1]
    assert superseded(first, both)["was_listed"].tolist() == [0]
    assert len(superseded(both, both)["game_id"]) == len(superseded(nothing, nothing)["game_id"]) == 0


def test_what_is_kept_does_not_touch_the_state_of_partitions(landing: Path, warehouse: Warehouse) -> None:
    announce(landing, warehouse, SEASON, SUMMER)
    announce(landing, warehouse, [TONIGHT, FIRST], TIP)
    assert partition_state("schedule_history", warehouse) == {}
