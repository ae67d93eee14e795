"""The job that fetches the league's newest days, against a local site."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from nba_assets.definitions import defs
from nba_assets.providers import fetching
from nba_assets.providers.league.teams import TEAM_IDS
from nba_assets_tests.providers.invented_game import DAY, InventedGame, schedule
from nba_assets_tests.providers.league_site import LIVE_SCHEDULE, Answer, LeagueSite, live_box, right, roster, serving

GAME = InventedGame()


@pytest.fixture
def site(monkeypatch: pytest.MonkeyPatch) -> Iterator[LeagueSite]:
    """The site on the morning after a game."""
    site = LeagueSite({LIVE_SCHEDULE: right(schedule([GAME.schedule_entry()]))})
    site.has_live(GAME)
    for number, team in enumerate(sorted(TEAM_IDS.values())):
        someone = [team, "2024", f"Player {number}", "F", "JUL 28, 1999", 25.0, 9000 + number]
        site.answers[f"/stats/commonteamroster {team}"] = roster(someone)
    with serving(site) as found:
        monkeypatch.setattr(fetching, "league_today", lambda: DAY + timedelta(days=1))
        monkeypatch.setenv("NBA_ASSETS_LEAGUE_CDN_URL", found.cdn_url)
        monkeypatch.setenv("NBA_ASSETS_LEAGUE_STATS_URL", found.stats_url)
        monkeypatch.setenv("NBA_ASSETS_LEAGUE_PAUSE_SECONDS", "0")
        yield found


def run() -> tuple[bool, str, dict[str, Any]]:
    """Whether the job succeeded, why it did not, and its metadata."""
    with dg.DagsterInstance.ephemeral() as instance:
        result = defs.resolve_job_def("fetch").execute_in_process(instance=instance, raise_on_error=False)
        failed = [event.step_failure_data for event in result.all_events if event.is_step_failure]
        outputs = [event.step_output_data for event in result.all_events if event.is_successful_output]
    said = failed[0].user_failure_data.description if failed and failed[0].user_failure_data else ""
    metadata = outputs[0].metadata if outputs else {}
    return result.success, str(said), {name: value.value for name, value in metadata.items()}


def landed(home: Path) -> set[str]:
    return {str(file.relative_to(home / "landing")) for file in (home / "landing").rglob("*.parquet")}


@pytest.mark.usefixtures("site")
def test_the_newest_days_and_todays_rosters_land_where_sensors_find_them(own_home: Path) -> None:
    succeeded, _, metadata = run()
    assert succeeded
    assert {f"player_boxscores/game_date={DAY}/league.parquet", "rosters/roster_date=2025-01-16/league.parquet"} <= (
        landed(own_home)
    )
    assert metadata["files_written"] == len(landed(own_home))
    assert (metadata["rows"]["team_boxscores"], metadata["rows"]["rosters"]) == (2, len(TEAM_IDS))
    assert run()[2]["files_written"] == 0


def test_a_game_that_cannot_be_had_fails_the_run_and_what_has_landed_stays(site: LeagueSite, own_home: Path) -> None:
    del site.answers[live_box(GAME)]
    succeeded, said, _ = run()
    assert (succeeded, said) == (False, "1 games or rosters could not be fetched; the log names them")
    assert "rosters/roster_date=2025-01-16/league.parquet" in landed(own_home)


def test_a_site_that_refuses_fails_the_run_with_its_one_line(site: LeagueSite) -> None:
    site.answers[LIVE_SCHEDULE] = Answer(404)
    site.answers["/stats/scheduleleaguev2 2024-25"] = Answer(403)
    succeeded, said, _ = run()
    assert not succeeded
    assert "refuses (status 403). The league blocks addresses of clouds and data centres" in said
