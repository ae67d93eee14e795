"""What is fetched from the league for which dates: the schedule of the season, then for every game that is over its box
score and play-by-play.

The live feed comes first; a game that it does not have, as those of earlier seasons, comes from the statistics site.
Responses of games that are older than `CORRECTION_DAYS` are final and taken from the cache; the newest days are fetched
again, because the league corrects its box scores.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from itertools import takewhile
from pathlib import Path
from typing import Any

from nba_assets.basketball.season import FIRST_MONTH, season_label
from nba_assets.providers.delivery import Delivery, ProviderError, Row, mapping
from nba_assets.providers.games import Game
from nba_assets.providers.landing_writer import landed_games
from nba_assets.providers.league import PROVIDER
from nba_assets.providers.league.box_scores import BoxScore, inactive_players, live_box_score, statistics_box_score
from nba_assets.providers.league.client import CallError, LeagueClient, NotThereError, RefusedError, Response
from nba_assets.providers.league.play_by_play import live_events, statistics_events
from nba_assets.providers.league.rosters import roster_rows
from nba_assets.providers.league.schedule import ScheduledGame, scheduled_games, season_of
from nba_assets.providers.league.teams import TEAM_IDS
from nba_assets.providers.people import Person
from nba_assets.raw.tables import PLAY_BY_PLAY, ROSTERS, SCHEDULE

CORRECTION_DAYS = 3
"""How many of the newest dates before today are fetched again."""

LIVE_SCHEDULE = "staticData/scheduleLeagueV2.json"


@dataclass
class LeagueSource:
    """The league's data of `days` (ascending US-Eastern dates) or of whole `seasons`; `today` is the US-Eastern date of
    now.

    `landed` is the landing zone: a final date that is there already, from the league or a provider before it in
    `preference`, is passed over. `progress` receives one line per date. `failed` counts games and rosters that could
    not be fetched. With `with_rosters` the rosters of today come too, in 30 calls.
    """

    client: LeagueClient
    today: date
    landed: Path
    preference: Sequence[str]
    progress: Callable[[str], None]
    days: Sequence[date] = ()
    seasons: Sequence[int] = ()
    with_rosters: bool = False
    failed: int = 0
    _fetched_at: list[datetime] = field(default_factory=list)

    def deliveries(self) -> Iterator[Delivery]:
        """The schedule of each season first, then one delivery per date.

        Raises RefusedError where the site does not answer this machine, and ProviderError where it has no schedule of a
        season.
        """
        games: list[ScheduledGame] = []
        for season in self.seasons or sorted({year for day in self.days for year in _seasons_of(day)}):
            response = self._schedule(season)
            with mapping(f"the league's schedule of {season_label(season)}"):
                found, remarks = scheduled_games(response.payload)
            games += found
            yield Delivery(
                PROVIDER, response.fetched_at, {SCHEDULE.name: [scheduled.row for scheduled in found]}, remarks
            )
        for day in self.days or sorted({scheduled.game.day for scheduled in games if scheduled.game.day <= self.today}):
            yield from self._of_day(
                day, [scheduled for scheduled in games if scheduled.game.day == day and scheduled.is_competitive]
            )
        if self.with_rosters:
            yield from self._rosters()

    def _of_day(self, day: date, games: Sequence[ScheduledGame]) -> Iterator[Delivery]:
        over = [scheduled for scheduled in games if scheduled.is_final]
        waiting = f", {len(games) - len(over)} not over yet" if len(over) < len(games) else ""
        if not over:
            self.progress(f"{day}: no game is over{waiting}" if games else f"{day}: no games")
            return
        if self._is_settled(day) and self._is_landed(day, over):
            self.progress(f"{day}: {len(over)} games are landed already")
            return
        tables: dict[str, list[Row]] = {}
        remarks: list[str] = []
        calls, self._fetched_at = self.client.calls, []
        for scheduled in over:
            try:
                found = self._game(scheduled, remarks)
            except RefusedError:
                raise
            except ProviderError as error:
                self.failed += 1
                remarks.append(f"{scheduled.game.game_id} is missing: {error}")
                continue
            for name, rows in found.items():
                tables.setdefault(name, []).extend(rows)
        self.progress(f"{day}: {len(over)} games{waiting}, {self.client.calls - calls} calls")
        if self._fetched_at:
            yield Delivery(PROVIDER, max(self._fetched_at), tables, remarks)

    def _game(self, scheduled: ScheduledGame, remarks: list[str]) -> dict[str, list[Row]]:
        """The rows of one game, from the live feed or else from the statistics site; both its parts come from the same
        one.
        """
        game, reuse = scheduled.game, self._is_settled(scheduled.game.day)
        league_id = str(game.league_id)
        try:
            live, box = True, self._live_box(game, league_id, reuse)
        except NotThereError:
            live, box = False, self._statistics_box(game, league_id, remarks, reuse)
        tables = box.tables()
        try:
            tables[PLAY_BY_PLAY.name] = (
                self._live_events(box, league_id, reuse) if live else self._statistics_events(box, league_id, reuse)
            )
        except RefusedError:
            raise
        except ProviderError as error:
            remarks.append(f"{game.game_id} is without play-by-play: {error}")
        return tables

    def _live_box(self, game: Game, league_id: str, reuse: bool) -> BoxScore:
        name = f"cdn-boxscore/{league_id}"
        with self._reading(name):
            return live_box_score(
                self._kept(self.client.cdn(f"liveData/boxscore/boxscore_{league_id}.json", name, reuse=reuse)), game
            )

    def _live_events(self, box: BoxScore, league_id: str, reuse: bool) -> list[Row]:
        name = f"cdn-playbyplay/{league_id}"
        with self._reading(name):
            response = self.client.cdn(f"liveData/playbyplay/playbyplay_{league_id}.json", name, reuse=reuse)
            return live_events(self._kept(response), box.game, box.people)

    def _statistics_box(self, game: Game, league_id: str, remarks: list[str], reuse: bool) -> BoxScore:
        name = f"boxscoretraditionalv3/{league_id}"
        parameters = {
            "GameID": league_id,
            "StartPeriod": "0",
            "EndPeriod": "0",
            "StartRange": "0",
            "EndRange": "0",
            "RangeType": "0",
        }
        with self._reading(name):
            response = self.client.statistics("boxscoretraditionalv3", parameters, name, reuse=reuse)
            return statistics_box_score(self._kept(response), game, self._inactive(game, league_id, remarks, reuse))

    def _statistics_events(self, box: BoxScore, league_id: str, reuse: bool) -> list[Row]:
        name = f"playbyplayv3/{league_id}"
        with self._reading(name):
            response = self.client.statistics(
                "playbyplayv3", {"GameID": league_id, "StartPeriod": "0", "EndPeriod": "0"}, name, reuse=reuse
            )
            return statistics_events(self._kept(response), box.game, box.people)

    def _inactive(self, game: Game, league_id: str, remarks: list[str], reuse: bool) -> list[Person]:
        for endpoint in ("boxscoresummaryv3", "boxscoresummaryv2"):
            name = f"{endpoint}/{league_id}"
            try:
                with self._reading(name):
                    return inactive_players(
                        self._kept(self.client.statistics(endpoint, {"GameID": league_id}, name, reuse=reuse)), game
                    )
            except RefusedError:
                raise
            except ProviderError as error:
                why = error
        remarks.append(f"{game.game_id} is without inactive players: {why}")
        return []

    @contextmanager
    def _reading(self, name: str) -> Iterator[None]:
        """A response that cannot be mapped, as that of a game which is still running, is not kept: the next fetch calls
        for it again.
        """
        try:
            with mapping(f"the league's {name}"):
                yield
        except CallError:
            raise
        except ProviderError:
            self.client.forget(name)
            raise

    def _schedule(self, season: int) -> Response:
        """The live feed has the schedule of one season, the statistics site that of each."""
        try:
            response = self.client.cdn(LIVE_SCHEDULE, "cdn-schedule", reuse=False)
        except NotThereError:
            response = None
        if response is None or season_of(response.payload) != season:
            parameters = {"LeagueID": "00", "Season": season_label(season)}
            name = f"scheduleleaguev2/{season_label(season)}"
            kept = self.client.cached(name)
            complete = kept is not None and kept.fetched_at.date() > date(season + 1, FIRST_MONTH, LATEST_END)
            response = self.client.statistics("scheduleleaguev2", parameters, name, reuse=complete)
        return response

    def _rosters(self) -> Iterator[Delivery]:
        season = max(_seasons_of(self.today))
        rows: list[Row] = []
        remarks: list[str] = []
        self._fetched_at = []
        for tricode, number in TEAM_IDS.items():
            parameters = {"LeagueID": "00", "Season": season_label(season), "TeamID": str(number)}
            try:
                response = self.client.statistics(
                    "commonteamroster", parameters, f"commonteamroster/{self.today}-{tricode}", reuse=False
                )
                with mapping(f"the league's roster of {tricode}"):
                    rows += roster_rows(self._kept(response), self.today)
            except RefusedError:
                raise
            except ProviderError as error:
                self.failed += 1
                remarks.append(f"the roster of {tricode} is missing: {error}")
        self.progress(f"{self.today}: rosters with {len(rows)} players")
        if self._fetched_at:
            yield Delivery(PROVIDER, max(self._fetched_at), {ROSTERS.name: rows}, remarks)
        else:
            for remark in remarks:
                self.progress(remark)

    def _kept(self, response: Response) -> Any:
        self._fetched_at.append(response.fetched_at)
        return response.payload

    def _is_settled(self, day: date) -> bool:
        return day < self.today - timedelta(days=CORRECTION_DAYS)

    def _is_landed(self, day: date, games: Sequence[ScheduledGame]) -> bool:
        standing = [*takewhile(lambda provider: provider != PROVIDER, self.preference), PROVIDER]
        return not self.client.offline and {scheduled.game.game_id for scheduled in games} <= landed_games(
            self.landed, day, standing
        )


def _seasons_of(day: date) -> list[int]:
    """Seasons that a date may belong to: by its month, and in the first half of October also the one before, as that of
    2019-20 ended on 2020-10-11.
    """
    season = day.year - (day.month < FIRST_MONTH)
    return [season - 1, season] if day.month == FIRST_MONTH and day.day <= LATEST_END else [season]


LATEST_END = 15
"""Of October."""
