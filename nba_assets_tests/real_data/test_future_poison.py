"""What is said of a date before its games does not depend on anything that came to be known later."""

from __future__ import annotations

import random
import shutil
from datetime import date
from pathlib import Path

import duckdb
import pytest

from nba_assets.analytics import upcoming_player_game_context
from nba_assets.publishing.publication import DateFacts, prepare
from nba_assets.tables.digest import partition_digest
from nba_assets_tests.pipeline import build, days_between, table_run
from nba_assets_tests.poison import Poison, add_props, poisoned
from nba_assets_tests.real_data.conftest import BuiltSeason

CONTEXTS = (
    "upcoming_team_game_context",
    "upcoming_player_game_context",
)
BEFORE_GAMES = (
    *CONTEXTS,
    "team_defense_zone_analysis",
    "player_shot_zone_analysis",
    "player_composite_factors",
    "player_daily_cache",
    "ml_feature_store",
)
"""Tables that describe a date before its games, upstream first."""

REGULAR = days_between(date(2021, 11, 2), date(2022, 4, 10))
ON_CHRISTMAS, WITHOUT_REPORTS = date(2021, 12, 25), date(2022, 6, 8)
"""Afternoon games; a play-off date on which the only injury reports are the late ones of the poison."""
ONE, OTHER = sorted(random.Random(2021).sample(REGULAR, 2))
DAYS = (ONE, OTHER, ON_CHRISTMAS, WITHOUT_REPORTS)
AT_ONCE = {(ONE, "deleted"), (OTHER, "deleted"), (ON_CHRISTMAS, "absurd"), (WITHOUT_REPORTS, "absurd")}


@pytest.fixture(scope="module")
def with_props(season_2021: BuiltSeason, tmp_path_factory: pytest.TempPathFactory) -> BuiltSeason:
    """The season with points lines on the requested days, and its contexts of these days; the other tables do not know
    of points lines.
    """
    path = tmp_path_factory.mktemp("poison") / "clean.duckdb"
    shutil.copy(season_2021.path, path)
    warehouse = type(season_2021.warehouse)(path)
    facts: dict[str, list[DateFacts]] = {
        name: [] if name in CONTEXTS else season_2021.facts[name] for name in BEFORE_GAMES
    }
    for day in DAYS:
        if day != WITHOUT_REPORTS:
            add_props(warehouse, day)
        for name, mine in build(warehouse, [day], CONTEXTS).items():
            facts[name] += mine
    return BuiltSeason(2021, path, warehouse, facts)


@pytest.mark.parametrize(
    ("day", "how"),
    [
        pytest.param(day, how, id=f"{how} from {day} on", marks=[] if (day, how) in AT_ONCE else pytest.mark.slow)
        for how in ("absurd", "deleted")
        for day in DAYS
    ],
)
def test_later_knowledge_changes_nothing(with_props: BuiltSeason, tmp_path: Path, day: date, how: Poison) -> None:
    warehouse = poisoned(with_props.path, tmp_path / "poisoned.duckdb", day, how)
    for name, (spoilt,) in build(warehouse, [day], BEFORE_GAMES).items():
        clean = with_props.fact(name, day)
        assert clean.row_count > 0
        assert (spoilt.row_count, spoilt.failures, spoilt.digest) == (clean.row_count, clean.failures, clean.digest), (
            name
        )


@pytest.fixture(scope="module")
def without_the_past(season_2021: BuiltSeason, tmp_path_factory: pytest.TempPathFactory) -> dict[str, DateFacts]:
    """What a date would be if the results of the days before it had never been."""
    warehouse = poisoned(
        season_2021.path, tmp_path_factory.mktemp("past") / "poisoned.duckdb", date(2022, 1, 10), "deleted"
    )
    return {name: fact for name, (fact,) in build(warehouse, [date(2022, 1, 12)], BEFORE_GAMES).items()}


@pytest.mark.parametrize("name", BEFORE_GAMES)
def test_poison_is_tasted_where_it_is_the_past(
    season_2021: BuiltSeason, without_the_past: dict[str, DateFacts], name: str
) -> None:
    """The proof above could fail: two days later what was taken away is missed."""
    clean, spoilt = season_2021.fact(name, date(2022, 1, 12)), without_the_past[name]
    assert spoilt.row_count > 0
    assert spoilt.digest != clean.digest


EARLIER = {
    "lines": (
        "update nba_raw.game_lines set snapshot_timestamp = snapshot_timestamp - interval 3 hours where game_date = ?"
    ),
    "props": (
        "update nba_raw.player_points_props set minutes_before_tipoff = 1 where minutes_before_tipoff < 0 and "
        "game_date = ?"
    ),
    "reports": (
        "update nba_raw.injury_report set reported_at = reported_at - interval 1 hour where reason = 'POISON' "
        "and report_date = game_date and game_date = ?"
    ),
}
"""Brings late announcements of a date forward, to before its games."""


@pytest.mark.parametrize("feed", EARLIER)
def test_poison_is_tasted_where_it_was_announced_in_time(with_props: BuiltSeason, tmp_path: Path, feed: str) -> None:
    warehouse = poisoned(with_props.path, tmp_path / "poisoned.duckdb", ON_CHRISTMAS, "absurd")
    with duckdb.connect(warehouse.path) as connection:
        connection.execute(EARLIER[feed], [ON_CHRISTMAS])
    clean = with_props.fact("upcoming_player_game_context", ON_CHRISTMAS)
    run = table_run(warehouse, "upcoming_player_game_context", [ON_CHRISTMAS])
    spoilt = prepare(run, upcoming_player_game_context.build(run))
    assert partition_digest(spoilt.hashes) != clean.digest
