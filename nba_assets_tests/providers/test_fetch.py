"""Fetching from the league against a local site: everything lands whole, whatever the site does in between."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from nba_assets.cli import app
from nba_assets.providers.check import check_landing
from nba_assets.providers.delivery import ProviderError
from nba_assets.providers.landing_writer import LandingWriter
from nba_assets.providers.league.client import ATTEMPTS, LeagueClient, RefusedError
from nba_assets.providers.league.source import LeagueSource
from nba_assets.raw.landing import FolderLandingZone
from nba_assets.registry import COMPUTED_TABLES
from nba_assets.tables.bookkeeping import UNMATCHED_NAMES
from nba_assets.warehouse.duckdb import DuckDBWarehouse
from nba_assets_tests.pipeline import build, ingest_all
from nba_assets_tests.providers.conftest import NOW
from nba_assets_tests.providers.invented_game import DAY, InventedGame, Player, schedule, schedule_entry
from nba_assets_tests.providers.league_site import (
    LIVE_SCHEDULE,
    Answer,
    LeagueSite,
    live_box,
    live_events,
    right,
    roster,
    serving,
)

FIRST = InventedGame()
SECOND = InventedGame(home="NYK", away="CLE", league_id="0022400562")
NEXT = InventedGame(day=DAY + timedelta(days=1), home="ATL", away="NYK", league_id="0022400563")
LONG_AFTER = DAY + timedelta(days=30)


@pytest.fixture
def site() -> Iterator[LeagueSite]:
    """The site on the evening of the second date: three games over, one to come, all of them on the live feed."""
    to_come = schedule_entry(DAY + timedelta(days=2), "CLE", "BOS", "0022400564")
    played = [game.schedule_entry() for game in (FIRST, SECOND, NEXT)]
    site = LeagueSite({LIVE_SCHEDULE: right(schedule([*played, to_come]))})
    site.has_live(FIRST, SECOND, NEXT)
    with serving(site) as found:
        yield found


@dataclass
class Fetching:
    """One fetch on a clock of the test's own, which only sleeping moves."""

    site: LeagueSite
    folder: Path
    today: date = LONG_AFTER
    timeouts: tuple[float, float] = (5.0, 30.0)
    offline: bool = False
    preference: tuple[str, ...] = ()
    seconds: float = 0.0
    slept: list[float] = field(default_factory=list)
    said: list[str] = field(default_factory=list)

    @property
    def zone(self) -> Path:
        return self.folder / "landing"

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.seconds += seconds

    def run(self, *days: date, **options: Any) -> LandingWriter:
        cache = self.folder / "responses"
        client = LeagueClient(
            self.site.cdn_url,
            self.site.stats_url,
            cache,
            0.6,
            self.offline,
            self.timeouts,
            self.sleep,
            lambda: self.seconds,
        )
        self.source = LeagueSource(client, self.today, self.zone, self.preference, self.said.append, days, **options)
        with LandingWriter(self.zone, self.preference) as writer:
            for delivery in self.source.deliveries():
                writer.write(delivery)
        return writer

    def landed(self, table: str, day: date = DAY) -> list[dict[str, Any]]:
        file = self.zone / table / f"game_date={day}" / "league.parquet"
        rows: list[dict[str, Any]] = pq.read_table(file).to_pylist() if file.exists() else []
        return rows

    def files(self) -> dict[str, bytes]:
        return {
            str(file.relative_to(self.zone)): file.read_bytes()
            for file in sorted(self.zone.rglob("*"))
            if file.is_file()
        }


def quarantined(zone: Path) -> list[str]:
    """Everything that ingestion would refuse, quarantine or remark on."""
    checks = check_landing(FolderLandingZone(zone), NOW)
    return [line for check in checks for line in (*check.complaints(), *check.collection.notices)]


def test_a_date_lands_whole_and_nothing_of_it_would_be_quarantined(site: LeagueSite, tmp_path: Path) -> None:
    fetching = Fetching(site, tmp_path)
    fetching.run(DAY)
    assert {row["game_id"] for row in fetching.landed("team_boxscores")} == {"20250115_ATL_BOS", "20250115_CLE_NYK"}
    assert len(fetching.landed("player_boxscores")) == 24
    assert len(fetching.landed("player_gamebook")) == 32
    assert len(fetching.landed("play_by_play")) == sum(
        len(game.live_play_by_play()["game"]["actions"]) for game in (FIRST, SECOND)
    )
    assert fetching.said == ["2025-01-15: 2 games, 4 calls"]
    assert quarantined(fetching.zone) == []
    assert site.headers[0]["Referer"] == "https://www.nba.com/"
    assert "Mozilla" in site.headers[0]["User-Agent"]


def test_calls_accept_what_can_be_decoded_and_name_the_site_called(site: LeagueSite, tmp_path: Path) -> None:
    """The library offers Brotli, which nobody here decodes, and names the league's host whatever the address."""
    Fetching(site, tmp_path).run(DAY)
    assert {headers["Accept-Encoding"] for headers in site.headers} == {"gzip, deflate"}
    assert {headers["Host"].split(":")[0] for headers in site.headers} == {"127.0.0.1"}


def test_without_nba_api_a_fetch_says_in_a_line_how_to_install_it(
    site: LeagueSite, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fetching = Fetching(site, tmp_path)
    fetching.run(DAY)
    for module in ("nba_api.live.nba.library.http", "nba_api.stats.library.http"):
        monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(ProviderError, match=r"^fetching .* pip install 'nba-assets\[nba\]'$"):
        Fetching(site, tmp_path / "other").run(DAY)
    again = Fetching(site, tmp_path, offline=True)
    again.run(DAY)
    assert again.files() == fetching.files(), "what is kept can be mapped without it"


def test_calls_keep_their_pace(site: LeagueSite, tmp_path: Path) -> None:
    fetching = Fetching(site, tmp_path)
    fetching.run(DAY, DAY + timedelta(days=1))
    assert len(site.calls) == 7
    assert fetching.slept == pytest.approx([0.6] * 6)


@pytest.mark.parametrize(
    "trouble",
    [
        pytest.param(Answer(500), id="500"),
        pytest.param(Answer(503), id="503"),
        pytest.param(replace(right(FIRST.live_box_score()), half=True), id="half a body"),
        pytest.param(Answer(200, b"<html>maintenance</html>"), id="no JSON"),
        pytest.param(Answer(429, headers={"Retry-After": "7"}), id="429"),
        pytest.param(Answer(silent=True), id="no answer"),
    ],
)
def test_what_passes_is_waited_for_and_the_date_comes_out_the_same(
    site: LeagueSite, tmp_path: Path, trouble: Answer
) -> None:
    undisturbed = Fetching(site, tmp_path / "undisturbed")
    undisturbed.run(DAY)
    site.trouble[live_box(FIRST)] = [trouble, trouble]
    fetching = Fetching(site, tmp_path, timeouts=(5.0, 0.2) if trouble.silent else (5.0, 30.0))
    writer = fetching.run(DAY)
    assert writer.remarks == []
    for table in ("team_boxscores", "player_gamebook", "play_by_play"):
        rows = [[{**row, "processed_at": None} for row in found.landed(table)] for found in (fetching, undisturbed)]
        assert rows[0] == rows[1]


def test_retry_after_is_kept_as_seconds_and_as_a_date(site: LeagueSite, tmp_path: Path) -> None:
    later = datetime.now(UTC) + timedelta(seconds=300)
    site.trouble[live_box(FIRST)] = [
        Answer(429, headers={"Retry-After": "70"}),
        Answer(503, headers={"Retry-After": f"{later:%a, %d %b %Y %H:%M:%S} GMT"}),
    ]
    fetching = Fetching(site, tmp_path)
    fetching.run(DAY)
    waits = [seconds for seconds in fetching.slept if seconds > 60]
    assert waits[0] == 70
    assert 200 < waits[1] <= 300


@pytest.mark.parametrize("header", ["soon", "Wed, 15 Jan 2025 10:00:00 -0000", "Wed, 15 Jan 2025 10:00:00 GMT"])
def test_a_retry_after_that_says_nothing_or_is_over_is_no_reason_to_wait_longer(
    site: LeagueSite, tmp_path: Path, header: str
) -> None:
    site.trouble[live_box(FIRST)] = [Answer(429, headers={"Retry-After": header})]
    fetching = Fetching(site, tmp_path)
    assert fetching.run(DAY).remarks == []
    assert max(fetching.slept) <= 60


def test_a_game_that_cannot_be_had_costs_itself_and_comes_with_the_next_fetch(site: LeagueSite, tmp_path: Path) -> None:
    site.trouble[live_box(FIRST)] = [Answer(500)] * ATTEMPTS
    fetching = Fetching(site, tmp_path)
    writer = fetching.run(DAY)
    assert fetching.source.failed == 1
    assert len(writer.remarks) == 1
    assert "20250115_ATL_BOS is missing: " in writer.remarks[0]
    assert "status 500; it was called 5 times" in writer.remarks[0]
    assert {row["game_id"] for row in fetching.landed("team_boxscores")} == {"20250115_CLE_NYK"}
    site.calls.clear()
    fetching.run(DAY)
    assert site.calls == [LIVE_SCHEDULE, live_box(FIRST), live_events(FIRST)]
    assert {row["game_id"] for row in fetching.landed("team_boxscores")} == {"20250115_ATL_BOS", "20250115_CLE_NYK"}


def test_a_game_without_play_by_play_lands_without_it_and_says_so(site: LeagueSite, tmp_path: Path) -> None:
    del site.answers[live_events(FIRST)]
    fetching = Fetching(site, tmp_path)
    writer = fetching.run(DAY)
    assert {row["game_id"] for row in fetching.landed("play_by_play")} == {"20250115_CLE_NYK"}
    assert len(fetching.landed("team_boxscores")) == 4
    assert writer.remarks[0].startswith("20250115_ATL_BOS is without play-by-play: ")


@pytest.mark.parametrize(
    "payload",
    [{"game": {}}, {}, [], {"game": {"gameStatus": 3, "homeTeam": None}}, {"meta": {"code": 200}}],
    ids=["empty game", "empty", "a list", "no team", "only meta"],
)
def test_an_answer_of_another_shape_costs_its_game_and_is_named(site: LeagueSite, tmp_path: Path, payload: Any) -> None:
    site.answers[live_box(FIRST)] = right(payload)
    fetching = Fetching(site, tmp_path)
    (remark,) = fetching.run(DAY).remarks
    assert remark.startswith(
        "20250115_ATL_BOS is missing: the league's cdn-boxscore/0022400561 does not have the shape that is expected: "
    )
    assert {row["game_id"] for row in fetching.landed("team_boxscores")} == {"20250115_CLE_NYK"}
    site.has_live(FIRST)
    assert fetching.run(DAY).remarks == []
    assert len(fetching.landed("team_boxscores")) == 4


def test_an_empty_box_score_is_no_game_without_points(site: LeagueSite, tmp_path: Path) -> None:
    payload = FIRST.live_box_score()
    payload["game"]["awayTeam"]["players"] = []
    site.answers[live_box(FIRST)] = right(payload)
    fetching = Fetching(site, tmp_path)
    assert "20250115_ATL_BOS has no player with minutes for one of the teams" in fetching.run(DAY).remarks[0]
    assert {row["game_id"] for row in fetching.landed("team_boxscores")} == {"20250115_CLE_NYK"}


@pytest.mark.parametrize("payload", [{"game": {"actions": []}}, {"game": {}}])
def test_an_empty_play_by_play_is_said(site: LeagueSite, tmp_path: Path, payload: Any) -> None:
    site.answers[live_events(FIRST)] = right(payload)
    fetching = Fetching(site, tmp_path)
    (remark,) = fetching.run(DAY).remarks
    assert remark.startswith("20250115_ATL_BOS is without play-by-play: ")
    assert {row["game_id"] for row in fetching.landed("play_by_play")} == {"20250115_CLE_NYK"}


def test_a_schedule_of_another_shape_is_one_line(site: LeagueSite, tmp_path: Path) -> None:
    entry = FIRST.schedule_entry() | {"gameId": "../../0022400561"}
    site.answers[LIVE_SCHEDULE] = right(schedule([entry]))
    with pytest.raises(
        ProviderError,
        match=r"^the league's schedule of 2024-25 does not have the shape that is expected: .* is no game id$",
    ):
        Fetching(site, tmp_path).run(DAY)


def test_games_that_the_live_feed_lacks_come_from_the_statistics_site_the_same(
    site: LeagueSite, tmp_path: Path
) -> None:
    live = Fetching(site, tmp_path / "live")
    live.run(DAY)
    for game in (FIRST, SECOND):
        del site.answers[live_box(game)]
    site.has_statistics(FIRST, SECOND)
    fetching = Fetching(site, tmp_path)
    assert fetching.run(DAY).remarks == []
    assert quarantined(fetching.zone) == []
    sums = [
        sorted(
            (row["game_id"], row["team_abbr"], row["points"], row["total_rebounds"])
            for row in found.landed("team_boxscores")
        )
        for found in (fetching, live)
    ]
    assert sums[0] == sums[1]
    assert len(fetching.landed("play_by_play")) == len(live.landed("play_by_play"))


def test_a_retired_endpoint_is_replaced_by_the_older_one_or_said_to_be_missing(
    site: LeagueSite, tmp_path: Path
) -> None:
    for game in (FIRST, SECOND):
        del site.answers[live_box(game)]
    site.has_statistics(FIRST, SECOND)
    for game in (FIRST, SECOND):
        site.answers[f"/stats/boxscoresummaryv3 {game.league_id}"] = Answer(410)
    site.answers[f"/stats/boxscoresummaryv2 {FIRST.league_id}"] = right(FIRST.summary_v2())
    fetching = Fetching(site, tmp_path)
    writer = fetching.run(DAY)
    inactive = [row["game_id"] for row in fetching.landed("player_gamebook") if row["player_status"] == "inactive"]
    assert inactive == ["20250115_ATL_BOS"] * 2
    assert len(writer.remarks) == 1
    assert writer.remarks[0].startswith("20250115_CLE_NYK is without inactive players: ")


def test_a_season_that_the_live_feed_does_not_have_gets_its_schedule_from_the_statistics_site(
    site: LeagueSite, tmp_path: Path
) -> None:
    site.answers["/stats/scheduleleaguev2 2024-25"] = site.answers[LIVE_SCHEDULE]
    site.answers[LIVE_SCHEDULE] = right(schedule([], "2025-26"))
    fetching = Fetching(site, tmp_path)
    fetching.run(seasons=[2024])
    assert len(fetching.landed("team_boxscores")) == 4
    assert len(fetching.landed("team_boxscores", NEXT.day)) == 2
    assert fetching.said == [
        "2025-01-15: 2 games, 4 calls",
        "2025-01-16: 1 games, 2 calls",
        "2025-01-17: no game is over, 1 not over yet",
    ]


def test_what_is_landed_and_final_is_not_fetched_again(site: LeagueSite, tmp_path: Path) -> None:
    fetching = Fetching(site, tmp_path)
    fetching.run(DAY)
    before = fetching.files()
    site.calls.clear()
    assert fetching.run(DAY).files_written == 0
    assert site.calls == [LIVE_SCHEDULE]
    assert fetching.said[-1] == "2025-01-15: 2 games are landed already"
    assert fetching.files() == before


@pytest.mark.parametrize(
    ("preference", "calls"),
    [((), 5), (("league", "espn"), 5), (("espn", "league"), 1), (("espn",), 1)],
    ids=["none", "league first", "espn first", "espn alone"],
)
def test_a_date_of_another_provider_is_fetched_unless_that_one_is_preferred(
    site: LeagueSite, tmp_path: Path, preference: tuple[str, ...], calls: int
) -> None:
    Fetching(site, tmp_path).run(DAY)
    file = tmp_path / "landing" / "team_boxscores" / f"game_date={DAY}" / "league.parquet"
    file.rename(file.with_name("espn.parquet"))
    site.calls.clear()
    shutil.rmtree(tmp_path / "responses")
    Fetching(site, tmp_path, preference=preference).run(DAY)
    assert len(site.calls) == calls


def test_the_newest_days_are_fetched_again_and_a_correction_lands(site: LeagueSite, tmp_path: Path) -> None:
    fetching = Fetching(site, tmp_path, today=DAY + timedelta(days=3))
    fetching.run(DAY)
    payload = FIRST.live_box_score()
    payload["game"]["homeTeam"]["players"][0]["statistics"]["assists"] += 1
    site.answers[live_box(FIRST)] = right(payload)
    assert fetching.run(DAY).files_written == 2
    star = next(row for row in fetching.landed("player_boxscores") if row["player_name"] == FIRST.squads["BOS"][0].name)
    assert star["assists"] == FIRST.counts([FIRST.squads["BOS"][0]])["assists"] + 1


def test_a_response_of_a_game_that_was_still_running_is_not_taken_for_final(site: LeagueSite, tmp_path: Path) -> None:
    site.trouble[live_box(FIRST)] = [right(FIRST.live_box_score(status=2))]
    fetching = Fetching(site, tmp_path, today=DAY)
    assert "is not final yet" in fetching.run(DAY).remarks[0]
    fetching.today = LONG_AFTER
    assert fetching.run(DAY).remarks == []
    assert len(fetching.landed("team_boxscores")) == 4


def test_responses_that_are_kept_map_again_without_the_network(site: LeagueSite, tmp_path: Path) -> None:
    fetching = Fetching(site, tmp_path)
    fetching.run(DAY)
    before = fetching.files()
    for file in fetching.zone.rglob("*.parquet"):
        file.unlink()
    site.calls.clear()
    fetching.offline = True
    fetching.run(DAY)
    assert site.calls == []
    assert fetching.files() == before


def test_without_the_network_no_response_is_given_up(site: LeagueSite, tmp_path: Path) -> None:
    fetching = Fetching(site, tmp_path)
    fetching.run(DAY)
    kept = tmp_path / "responses" / "cdn-boxscore" / f"{FIRST.league_id}.json"
    kept.write_text("{}")
    fetching.offline = True
    assert "does not have the shape" in fetching.run(DAY).remarks[0]
    assert kept.exists()


@pytest.mark.parametrize("refusal", [Answer(403), Answer(silent=True)], ids=["403", "no answer"])
def test_where_the_site_refuses_one_line_says_so_and_what_has_landed_stays(
    site: LeagueSite, tmp_path: Path, refusal: Answer
) -> None:
    del site.answers[live_box(NEXT)]
    site.trouble[f"/stats/boxscoretraditionalv3 {NEXT.league_id}"] = [refusal] * ATTEMPTS
    fetching = Fetching(site, tmp_path, timeouts=(5.0, 0.2) if refusal.silent else (5.0, 30.0))
    with pytest.raises(
        RefusedError,
        match=(
            r"The league blocks addresses of clouds and data centres: fetch from another network, or set "
            r"HTTPS_PROXY$"
        ),
    ):
        fetching.run(DAY, NEXT.day)
    assert len(fetching.landed("team_boxscores")) == 4
    assert any(name.startswith("player_registry/") for name in fetching.files())
    assert not [file for file in tmp_path.rglob("*") if file.name.endswith(".tmp")]
    site.has_live(NEXT)
    site.calls.clear()
    fetching.run(DAY, NEXT.day)
    assert site.calls == [LIVE_SCHEDULE, live_box(NEXT), live_events(NEXT)]


def test_rosters_of_today_come_with_the_daily_fetch(site: LeagueSite, tmp_path: Path) -> None:
    star = FIRST.squads["BOS"][0]
    row = [1610612738, "2024", star.name, "F", "JUL 28, 1999", 25.0, star.number]
    site.answers["/stats/commonteamroster 1610612738"] = roster(row)
    fetching = Fetching(site, tmp_path, today=DAY + timedelta(days=1))
    writer = fetching.run(DAY, with_rosters=True)
    rows = pq.read_table(fetching.zone / "rosters" / "roster_date=2025-01-16" / "league.parquet").to_pylist()
    assert [(row["player_lookup"], row["team_abbr"]) for row in rows] == [("zarkodilas", "BOS")]
    assert len(writer.remarks) == fetching.source.failed == 29
    assert quarantined(fetching.zone) == []


def test_rosters_that_are_all_missing_are_named_all_the_same(site: LeagueSite, tmp_path: Path) -> None:
    fetching = Fetching(site, tmp_path, today=DAY + timedelta(days=1))
    fetching.run(DAY, with_rosters=True)
    assert fetching.source.failed == 30
    assert sum(line.startswith("the roster of ") for line in fetching.said) == 30


def test_players_are_registered_once_over_all_dates(site: LeagueSite, tmp_path: Path) -> None:
    fetching = Fetching(site, tmp_path)
    fetching.run(DAY)
    fetching.run(NEXT.day)
    rows = pq.read_table(fetching.zone / "player_registry" / "season=2024-25" / "league.parquet").to_pylist()
    everyone: set[Player] = {
        player for game in (FIRST, SECOND, NEXT) for squad in game.squads.values() for player in squad
    }
    assert len(rows) == len(everyone) == 32
    assert {row["player_id"] for row in rows} == {str(player.number) for player in everyone}
    assert {row["universal_player_id"] for row in rows} == {f"league-{player.number}" for player in everyone}


class TestCommand:
    @pytest.fixture(autouse=True)
    def settings(self, site: LeagueSite, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("NBA_ASSETS_LEAGUE_CDN_URL", site.cdn_url)
        monkeypatch.setenv("NBA_ASSETS_LEAGUE_STATS_URL", site.stats_url)
        monkeypatch.setenv("NBA_ASSETS_LEAGUE_PAUSE_SECONDS", "0")

    def test_a_range_is_fetched_into_the_landing_zone(self) -> None:
        result = CliRunner().invoke(app, ["fetch", "2025-01-15", "2025-01-16"])
        assert result.exit_code == 0, result.output
        assert "2025-01-16: 1 games, 2 calls" in result.output
        assert "6 team_boxscores" in result.output
        again = CliRunner().invoke(app, ["fetch", "--season", "2024", "--from-cache"])
        assert again.exit_code == 0, again.output
        assert "0 files are new or changed" in again.output

    def test_a_refusal_is_one_line_and_status_1(self, site: LeagueSite) -> None:
        site.answers[LIVE_SCHEDULE] = Answer(404)
        site.answers["/stats/scheduleleaguev2 2024-25"] = Answer(403)
        result = CliRunner().invoke(app, ["fetch", "2025-01-15"])
        assert result.exit_code == 1
        assert "refuses (status 403). The league blocks addresses of clouds and data centres" in result.output
        assert "Traceback" not in result.output

    def test_a_missing_game_is_status_1(self, site: LeagueSite) -> None:
        del site.answers[live_box(FIRST)]
        result = CliRunner().invoke(app, ["fetch", "2025-01-15"])
        assert result.exit_code == 1
        assert "20250115_ATL_BOS is missing: " in result.output

    @pytest.mark.parametrize(
        "arguments", [[], ["2025-01-15", "--daily"], ["--season", "2024", "--daily"], ["2025-01-16", "2025-01-15"]]
    )
    def test_dates_that_contradict_each_other_are_not_understood(self, arguments: list[str]) -> None:
        assert CliRunner().invoke(app, ["fetch", *arguments]).exit_code == 2


def test_an_unknown_season_is_a_provider_error(site: LeagueSite, tmp_path: Path) -> None:
    with pytest.raises(ProviderError, match=r"scheduleleaguev2.* is not there"):
        Fetching(site, tmp_path).run(seasons=[1990])


def test_a_fetched_date_becomes_summaries_about_which_all_feeds_agree(site: LeagueSite, tmp_path: Path) -> None:
    fetching = Fetching(site, tmp_path)
    fetching.run(DAY)
    warehouse = DuckDBWarehouse(tmp_path / "nba.duckdb")
    ingest_all(warehouse, fetching.zone, [DAY], now=NOW)
    summaries = ("team_offense_game_summary", "team_defense_game_summary", "player_game_summary")
    build(warehouse, [DAY], summaries)
    rows = {
        name: warehouse.read(COMPUTED_TABLES[name], COMPUTED_TABLES[name].column_names, DAY, DAY).to_pylist()
        for name in summaries
    }
    assert [len(rows[name]) for name in summaries] == [4, 4, 32]
    assert {issue for name in summaries for row in rows[name] for issue in row["quality_issues"]} == {
        "missing_points_props"
    }
    assert {row["universal_player_id"] for row in rows["player_game_summary"]} == {
        f"league-{player.number}" for game in (FIRST, SECOND) for squad in game.squads.values() for player in squad
    }
    assert {row["has_complete_shot_zones"] for row in rows["player_game_summary"] if row["minutes_played"]} == {True}
    assert warehouse.read(UNMATCHED_NAMES, UNMATCHED_NAMES.column_names, DAY, DAY).num_rows == 0
