"""What is fetched sets the sensors to work by itself: a new date becomes all tables, an unchanged one nothing, a
corrected one its tables again.
"""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import cast

import pytest

from nba_assets.raw.content_index import forget_landed
from nba_assets.registry import COMPUTED_TABLES, GAME_SUMMARIES, PREGAME_TABLES
from nba_assets_tests.memory_warehouse import MemoryWarehouse
from nba_assets_tests.orchestration.at_work import Operator, Season
from nba_assets_tests.providers.invented_game import DAY, InventedGame, schedule
from nba_assets_tests.providers.league_site import LIVE_SCHEDULE, LeagueSite, live_box, right, serving
from nba_assets_tests.providers.test_fetch import Fetching


@pytest.mark.slow
def test_a_fetched_date_becomes_all_tables_by_itself(own_home: Path) -> None:
    game, following = (
        InventedGame(),
        InventedGame(day=DAY + timedelta(days=1), home="ATL", away="BOS", league_id="0022400563"),
    )
    site = LeagueSite({LIVE_SCHEDULE: right(schedule([game.schedule_entry(), following.schedule_entry(status=1)]))})
    site.has_live(game)
    forget_landed()
    with serving(site):
        fetching = Fetching(site, own_home, today=following.day)
        fetching.run(DAY)
        operator = Operator(fetching.zone, cast(Season, None), MemoryWarehouse())
        assert [ran.short for ran in operator.until_quiet()] == [
            ("postgame", "results", DAY, DAY),
            ("pregame", "next_date", following.day, following.day),
        ]
        partition_state = operator.partition_state()
        assert set(partition_state) == {(name, DAY) for name in GAME_SUMMARIES} | {
            (name, following.day) for name in PREGAME_TABLES
        }
        assert {name for name, _ in partition_state} == set(COMPUTED_TABLES)

        fetching.run(DAY)
        assert operator.until_quiet() == []

        corrected = game.live_box_score()
        corrected["game"]["homeTeam"]["players"][0]["statistics"]["plusMinusPoints"] = 9.0
        site.answers[live_box(game)] = right(corrected)
        fetching.run(DAY)
        assert {(ran.start, ran.end) for ran in operator.until_quiet() if "player_game_summary" in ran.assets} == {
            (DAY, DAY)
        }
