"""The simulated league obeys the same rules as the real one: every invariant, and the identity of ranges and single
dates.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pytest

from nba_assets.entities.parallel import ParallelEntities, Workers
from nba_assets.publishing.publication import DateFacts
from nba_assets.raw.sample_league import SeasonSummary, write_season
from nba_assets.settings import Backend
from nba_assets.warehouse.duckdb import DuckDBWarehouse
from nba_assets_tests.invariants import game_summaries, precompute
from nba_assets_tests.invariants.judging import breaking, broken_share
from nba_assets_tests.pipeline import build, days_between, digests, ingest_all


@dataclass(frozen=True)
class BuiltLeague:
    """Some weeks, or all, of a simulated season in a warehouse."""

    path: Path
    summary: SeasonSummary
    days: list[date]
    facts: dict[str, list[DateFacts]]

    @property
    def warehouse(self) -> DuckDBWarehouse:
        """Where it is."""
        return DuckDBWarehouse(self.path)

    def rows(self, query: str) -> list[Any]:
        """Answer of a query."""
        with duckdb.connect(self.path, read_only=True) as connection:
            return connection.execute(query).fetchall()


@pytest.fixture(
    scope="module",
    params=[
        pytest.param(date(2024, 11, 10), id="three weeks"),
        pytest.param(None, id="a season", marks=pytest.mark.slow),
    ],
)
def league(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> BuiltLeague:
    folder = tmp_path_factory.mktemp("league")
    summary = write_season(folder / "landing", 2024, through=request.param)
    warehouse = DuckDBWarehouse(folder / "nba.duckdb")
    days = days_between(summary.first_date, summary.last_date)
    ingest_all(warehouse, folder / "landing", days)
    return BuiltLeague(folder / "nba.duckdb", summary, days, build(warehouse, days))


EXACT = game_summaries.EXACT | precompute.EXACT
SHARES = game_summaries.SHARES | precompute.SHARES


@pytest.mark.parametrize("name", EXACT)
def test_invariant(league: BuiltLeague, name: str) -> None:
    assert breaking(league.path, EXACT[name]) == []


@pytest.mark.parametrize("name", SHARES)
def test_invariant_but_for_a_few(league: BuiltLeague, name: str) -> None:
    broken, everything, tolerated = SHARES[name]
    assert broken_share(league.path, broken, everything) <= tolerated


FEW_GAMES = {
    ("player_shot_zone_analysis", "EXPECTED_INCOMPLETE"),
    ("player_daily_cache", "INSUFFICIENT_DATA"),
    ("player_daily_cache", "STALE_DATA"),
}
"""Why a player has no row although nothing went wrong."""


def test_nothing_is_quarantined_and_nobody_fails_but_for_few_games(league: BuiltLeague) -> None:
    assert league.rows("select table_name, reason from nba_processing.raw_quarantine limit 5") == []
    # A player who was let go stays on the latest roster snapshot for a day or two: a game of these days was expected of
    # him.
    let_go = """
        failure_category = 'INCOMPLETE_UPSTREAM' and list_min(missing_game_ids) >
        (select max(game_id) from nba_raw.player_gamebook where player_lookup = entity_id)"""
    query = f"select distinct table_name, failure_category from nba_processing.entity_failures where not ({let_go})"
    assert set(league.rows(query)) <= FEW_GAMES


def test_postponed_game_is_nobodys_and_its_new_date_everybodys(league: BuiltLeague) -> None:
    postponed = league.summary.special_cases.postponed
    assert postponed is not None
    for table in ("team_offense_game_summary", "upcoming_team_game_context"):
        assert league.rows(f"select count(*) from nba_analytics.{table} where game_id = '{postponed.game_id}'") == [
            (0,)
        ]


def test_corrected_sheet_is_the_one_that_counts(league: BuiltLeague) -> None:
    corrected = league.summary.special_cases.corrected_box
    assert corrected is not None
    query = f"""
        select p.points, (select sum(points_scored) from nba_raw.play_by_play e where e.game_id = p.game_id and
        e.player_1_lookup = p.player_lookup)
        from nba_analytics.player_game_summary p where game_id = '{corrected.game_id}' and player_lookup =
        '{corrected.player_lookup}'"""
    ((box, events),) = league.rows(query)
    assert box == events


def test_game_without_play_by_play_has_unknown_zones_and_says_so(league: BuiltLeague) -> None:
    silent = league.summary.special_cases.without_play_by_play
    assert silent is not None
    rows = league.rows(
        "select team_paint_attempts, quality_issues from nba_analytics.team_offense_game_summary where game_id = "
        f"'{silent.game_id}'"
    )
    assert rows == [(None, ["shot_zones_unavailable"])] * 2


def test_zones_decided_by_distance_alone_are_marked(league: BuiltLeague) -> None:
    estimated = league.summary.special_cases.distance_only
    assert estimated is not None
    query = f"""select count(*) filter (where shot_zones_estimated), count(*) filter (where 'shot_zones_estimated' in
        quality_issues and quality_score = 95)
        from nba_analytics.player_game_summary where game_id = '{estimated.game_id}'"""
    ((marked, charged),) = league.rows(query)
    assert marked == charged > 0


def test_overtime_is_counted(league: BuiltLeague) -> None:
    games = league.summary.special_cases.overtime
    assert games
    listed = ", ".join(f"'{game.game_id}'" for game in games)
    assert league.rows(
        f"select min(overtime_periods) >= 1 from nba_analytics.team_offense_game_summary where game_id in ({listed})"
    ) == [(True,)]


@pytest.mark.parametrize(
    "entities",
    [ParallelEntities(Workers(10), Workers(10)), ParallelEntities(Workers(2), Workers(2), Backend.processes)],
    ids=["10 threads", "2 processes"],
)
def test_workers_change_no_digest(league: BuiltLeague, entities: ParallelEntities) -> None:
    days = league.days[12:17]  # of which the first two are too early for precomputed rows
    expected = {key: digest for key, digest in digests(league.facts).items() if key[1] in days}
    with entities:
        assert digests(build(league.warehouse, days, entities=entities)) == expected


def test_single_dates_in_any_order_give_the_digests_of_the_range(league: BuiltLeague) -> None:
    for day in (league.days[16], league.days[2]):
        expected = {key: digest for key, digest in digests(league.facts).items() if key[1] == day}
        assert digests(build(league.warehouse, [day])) == expected
