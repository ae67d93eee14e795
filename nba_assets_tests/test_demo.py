"""The demonstration's season is under way on whatever day it is started, and goes on day by day as a feed would land
it.
"""

from __future__ import annotations

import json
from datetime import date, timedelta
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from nba_assets import cli
from nba_assets.automation.stored_state import read_state
from nba_assets.demo import MARKER, land_next_day, land_until
from nba_assets.partitions import league_today
from nba_assets.raw.landing import LandingZoneError
from nba_assets.settings import SETTINGS_FILE, Settings
from nba_assets.warehouse.duckdb import DuckDBWarehouse

TODAY = date(2026, 11, 26)
"""Thanksgiving, on which the league itself does not play."""
DAY = timedelta(days=1)


def files(landing: Path, table: str, day: date) -> list[Path]:
    return sorted((landing / table).glob(f"*={day}/*.parquet"))


def contents(landing: Path) -> dict[str, tuple[int, bytes]]:
    return {
        str(file.relative_to(landing)): (file.stat().st_mtime_ns, file.read_bytes())
        for file in landing.rglob("*.parquet")
    }


@pytest.mark.parametrize("today", [date(2026, 7, 4), date(2026, 12, 24), date(2027, 2, 14), date(2028, 2, 29)])
def test_on_any_day_there_are_games_yesterday_tonight_and_tomorrow(
    today: date, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("nba_assets.demo.write_season", lambda *_, **__: (tmp_path / "landing").mkdir())
    season = land_until(today, tmp_path, tmp_path / "landing")
    assert {today - DAY, today, today + DAY} <= set(season.game_days)
    assert season.through == today - DAY
    assert season.shown_on(today) == season.tonight == today
    assert len([day for day in season.game_days if day < today]) >= 30


def test_settings_that_the_home_has_already_stay(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("nba_assets.demo.write_season", lambda *_, **__: (tmp_path / "landing").mkdir())
    settings = tmp_path / SETTINGS_FILE
    settings.write_text("# mine\nNBA_ASSETS_PLAYER_WORKERS=3\nNBA_ASSETS_FIRST_DATE=2020-01-01\n")
    season = land_until(TODAY, tmp_path, tmp_path / "landing")
    assert settings.read_text() == (f"# mine\nNBA_ASSETS_PLAYER_WORKERS=3\nNBA_ASSETS_FIRST_DATE={season.opening}\n")


@pytest.mark.slow
def test_the_demo_of_the_next_day_leaves_nothing_stale(own_home: Path) -> None:
    """A player who joins the registry reaches every date of the season: the demo suggested a backfill of all of it."""
    for arguments in (["demo", "--no-open"], ["demo", "--next-day"], ["demo", "--no-open"]):
        outcome = CliRunner().invoke(cli.app, arguments)
        assert outcome.exit_code == 0, outcome.output
    warehouse = DuckDBWarehouse(own_home / "nba.duckdb")
    assert not any(read_state(warehouse, league_today()).stale(league_today()).values())


@pytest.mark.slow
def test_season_lands_until_yesterday_and_goes_on_as_a_feed_would(tmp_path: Path) -> None:
    landing = tmp_path / "landing"
    season = land_until(TODAY, tmp_path, landing)
    assert files(landing, "team_boxscores", TODAY - DAY)
    assert not files(landing, "team_boxscores", TODAY)
    assert files(landing, "game_lines", TODAY)
    assert not files(landing, "game_lines", TODAY + DAY)
    assert Settings.from_environment({"NBA_ASSETS_HOME": str(tmp_path)}).first_date == season.opening
    schedule = pq.read_table(next((landing / "schedule").rglob("*.parquet"))).to_pylist()
    assert all(
        (game["home_team_score"] is None) == (game["game_date"] >= TODAY)
        for game in schedule
        if game["game_status"] != 4
    )

    before = contents(landing)
    assert land_until(TODAY, tmp_path, landing) == season
    assert contents(landing) == before, "files that hold what they should are left alone"

    following = land_next_day(TODAY, landing)
    assert (following.through, following.tonight, following.shown_on(TODAY)) == (TODAY, TODAY + DAY, TODAY)
    assert files(landing, "team_boxscores", TODAY)
    assert files(landing, "game_lines", TODAY + DAY)
    after = contents(landing)
    changed = {name for name in after if after[name] != before.get(name)}
    assert all(
        "schedule" in name or "player_registry" in name or f"={TODAY}" in name or f"={TODAY + DAY}" in name
        for name in changed
    )
    announced = [
        str(file.relative_to(landing))
        for name in ("game_lines", "injury_report")
        for file in files(landing, name, TODAY)
    ]
    assert all(after[name] == before[name] for name in announced), "what was announced does not change with the results"

    with pytest.raises(LandingZoneError, match="have landed already; the next day can land after midnight"):
        land_next_day(TODAY, landing)
    assert land_until(TODAY, tmp_path, landing) == following, "the demo goes on from what has landed"
    with pytest.raises(LandingZoneError, match="ended on"):
        land_until(season.game_days[-1] + DAY, tmp_path, landing)


def test_a_landing_zone_with_other_data_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "landing").mkdir()
    (tmp_path / "landing" / "notes.txt").write_text("mine")
    with pytest.raises(LandingZoneError, match="holds data that is not the demo's"):
        land_until(TODAY, tmp_path, tmp_path / "landing")
    assert [path.name for path in tmp_path.iterdir()] == ["landing"]


@pytest.mark.parametrize(
    ("place", "named_in", "advice"),
    [
        ("home/landing", None, "set NBA_ASSETS_HOME to an empty folder for the demo"),
        ("home/landing", "environment", "set NBA_ASSETS_HOME to an empty folder for the demo"),
        ("other", "environment", "unset NBA_ASSETS_LANDING for the demo"),
        ("other", "settings", "remove NBA_ASSETS_LANDING from {home}/settings.env for the demo"),
    ],
)
def test_what_named_the_landing_zone_with_other_data_is_what_is_to_change(
    place: str, named_in: str | None, advice: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home, landing = tmp_path / "home", tmp_path / place
    monkeypatch.setenv("NBA_ASSETS_HOME", str(home))
    landing.mkdir(parents=True)
    (landing / "notes.txt").write_text("mine")
    if named_in == "environment":
        monkeypatch.setenv("NBA_ASSETS_LANDING", str(landing))
    if named_in == "settings":
        home.mkdir()
        (home / "settings.env").write_text(f"NBA_ASSETS_LANDING={landing}\n")
    outcome = CliRunner().invoke(cli.app, ["demo", "--no-open"])
    assert isinstance(outcome.exception, LandingZoneError)
    assert str(outcome.exception).endswith(f"; {advice.format(home=home)}")


def test_without_a_demo_there_is_no_next_day(own_home: Path) -> None:
    outcome = CliRunner().invoke(cli.app, ["demo", "--next-day"], catch_exceptions=True)
    assert isinstance(outcome.exception, LandingZoneError)
    assert "run `nba-assets demo` first" in str(outcome.exception)


def test_the_demo_of_an_earlier_version_is_named(tmp_path: Path) -> None:
    (tmp_path / MARKER).write_text(json.dumps({"season": 2024, "through": "2024-11-21"}))
    with pytest.raises(LandingZoneError, match="the demo of an earlier version"):
        land_next_day(TODAY, tmp_path)
