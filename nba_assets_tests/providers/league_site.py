"""A local HTTP server that plays the league's two sites, on loopback, with everything that goes wrong there."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from nba_assets_tests.providers.invented_game import InventedGame


@dataclass(frozen=True)
class Answer:
    """What the site says to one call; with `half` the body breaks off, with `silent` there is no answer until the site
    closes.
    """

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    half: bool = False
    silent: bool = False


def right(payload: Any) -> Answer:
    """A payload as it should come."""
    return Answer(body=json.dumps(payload).encode())


def roster(*players: list[Any]) -> Answer:
    """The statistics site's roster of a team: rows of team, season, name, position, birth date, age and player."""
    headers = ["TeamID", "SEASON", "PLAYER", "POSITION", "BIRTH_DATE", "AGE", "PLAYER_ID"]
    return right({"resultSets": [{"name": "CommonTeamRoster", "headers": headers, "rowSet": list(players)}]})


@dataclass
class LeagueSite:
    """Answers by path, for a statistics endpoint with the game or season behind it; `trouble` comes first, answer by
    answer, `gone` paths are 404.

    A file that the live feed does not have is 403, as at the real one.
    """

    answers: dict[str, Answer] = field(default_factory=dict)
    trouble: dict[str, list[Answer]] = field(default_factory=dict)
    calls: list[str] = field(default_factory=list)
    headers: list[Mapping[str, str]] = field(default_factory=list)
    closing: threading.Event = field(default_factory=threading.Event)
    address: str = ""

    @property
    def cdn_url(self) -> str:
        return f"{self.address}/static/json"

    @property
    def stats_url(self) -> str:
        return f"{self.address}/stats"

    def has_live(self, *games: InventedGame) -> None:
        """Put games on the live feed."""
        for game in games:
            self.answers[live_box(game)] = right(game.live_box_score())
            self.answers[live_events(game)] = right(game.live_play_by_play())

    def has_statistics(self, *games: InventedGame) -> None:
        """Put games on the statistics site."""
        for game in games:
            self.answers[f"/stats/boxscoretraditionalv3 {game.league_id}"] = right(game.statistics_box_score())
            self.answers[f"/stats/playbyplayv3 {game.league_id}"] = right(game.statistics_play_by_play())
            self.answers[f"/stats/boxscoresummaryv3 {game.league_id}"] = right(game.summary_v3())

    def answer(self, path: str) -> Answer:
        """What the next call of a path gets."""
        self.calls.append(path)
        if self.trouble.get(path):
            return self.trouble[path].pop(0)
        return self.answers.get(path, Answer(403 if path.startswith("/static") else 404))


LIVE_SCHEDULE = "/static/json/staticData/scheduleLeagueV2.json"


def live_box(game: InventedGame) -> str:
    """The path of a live box score."""
    return f"/static/json/liveData/boxscore/boxscore_{game.league_id}.json"


def live_events(game: InventedGame) -> str:
    """The path of a live play-by-play."""
    return f"/static/json/liveData/playbyplay/playbyplay_{game.league_id}.json"


@contextmanager
def serving(site: LeagueSite) -> Iterator[LeagueSite]:
    """The site on a free port of 127.0.0.1."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            split = urlsplit(self.path)
            told = parse_qs(split.query)
            what = [told[name][0] for name in ("GameID", "TeamID", "Season") if name in told][:1]
            site.headers.append(dict(self.headers))
            answer = site.answer(" ".join([split.path, *what]))
            if answer.silent:
                site.closing.wait()
                return
            self.send_response(answer.status)
            for name, value in answer.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(answer.body)))
            self.end_headers()
            self.wfile.write(answer.body[: len(answer.body) // 2] if answer.half else answer.body)

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    site.address = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield site
    finally:
        site.closing.set()
        server.shutdown()
        thread.join()
        server.server_close()
