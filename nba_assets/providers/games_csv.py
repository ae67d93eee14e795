"""A CSV collection of box scores: games.csv, one line per game, with games_details.csv, the players' lines as the
league's Traditional V2 has them.

It has no play-by-play, lines, rosters, injury reports and inactive players; team totals are the sums over the players,
and their points the final score.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from nba_assets.providers.delivery import Delivery, ProviderError, Row, mapping
from nba_assets.providers.files import newest_change, read_frame, records
from nba_assets.providers.games import Game
from nba_assets.providers.league.box_scores import PLAYER_COUNTS, V2_COUNTS, BoxScore, v2_entry
from nba_assets.providers.league.schedule import competition
from nba_assets.providers.league.teams import tricode_of
from nba_assets.raw.schedule import FINAL
from nba_assets.raw.tables import SCHEDULE
from nba_assets.raw.values import league_game_id

PROVIDER = "games-csv"
GAMES, DETAILS = "games.csv", "games_details.csv"
ABSENT = (
    "games-csv has no play-by-play, lines, rosters, injury reports, inactive players, tip-off times and arenas: "
    "they stay absent"
)


@dataclass(frozen=True)
class GamesCsvFolder:
    """A folder with games.csv and games_details.csv; `progress` receives one line about them."""

    folder: Path
    progress: Callable[[str], None]

    def deliveries(self) -> Iterator[Delivery]:
        """The schedule of all seasons, then one delivery per date.

        Raises ProviderError where a file is missing or cannot be read.
        """
        games, details = (read_frame(self.folder / name, texts=True) for name in (GAMES, DETAILS))
        processed_at = newest_change(self.folder / name for name in (GAMES, DETAILS))
        with mapping(f"{self.folder / DETAILS}"):
            lines = {league_game_id(str(own_id)): rows for own_id, rows in details.groupby("GAME_ID", sort=False)}
        with mapping(f"{self.folder / GAMES}"):
            found = {entry["GAME_ID"]: (game, entry) for entry in records(games) if (game := _game(entry)) is not None}
            schedule = [_schedule_row(game, entry) for game, entry in found.values()]
        yield Delivery(PROVIDER, processed_at, {SCHEDULE.name: schedule}, [ABSENT])
        by_day: dict[date, list[tuple[Game, Row]]] = {}
        for game, entry in found.values():
            by_day.setdefault(game.day, []).append((game, entry))
        for _, played in sorted(by_day.items()):
            tables: dict[str, list[Row]] = {}
            remarks = []
            for game, line in played:
                if game.league_id not in lines:
                    remarks.append(f"{DETAILS} has no line of {game.game_id}, its box score stays absent")
                    continue
                try:
                    with mapping(f"game {game.league_id} of {DETAILS}"):
                        box = _box_score(game, line, records(lines[game.league_id]))
                except ProviderError as error:
                    remarks.append(f"{game.game_id} is left out: {error}")
                    continue
                for name, rows in box.tables().items():
                    tables.setdefault(name, []).extend(rows)
            yield Delivery(PROVIDER, processed_at, tables, remarks)
        self.progress(f"games-csv: {len(found)} games on {len(by_day)} dates")


def _game(entry: Row) -> Game | None:
    season = int(float(entry["SEASON"]))
    home, away = (tricode_of(int(float(entry[side])), season) for side in ("HOME_TEAM_ID", "VISITOR_TEAM_ID"))
    return Game.between(
        home, away, date.fromisoformat(entry["GAME_DATE_EST"][:10]), season, league_game_id(entry["GAME_ID"])
    )


def _schedule_row(game: Game, entry: Row) -> Row:
    home, away = _whole(entry["PTS_home"]), _whole(entry["PTS_away"])
    is_final = entry["GAME_STATUS_TEXT"].strip().lower().startswith("final")
    return {
        **game.columns(SCHEDULE),
        **competition(str(game.league_id)),
        "game_status": FINAL if is_final else 1,
        "home_team_score": home if is_final else None,
        "away_team_score": away if is_final else None,
        "winning_team_abbr": game.side(home > away) if is_final and home is not None and away is not None else None,
    }


def _box_score(game: Game, entry: Row, lines: Sequence[Row]) -> BoxScore:
    home_id = int(float(entry["HOME_TEAM_ID"]))
    entries = [v2_entry(_with_numbers(line), game.side(int(float(line["TEAM_ID"])) == home_id)) for line in lines]
    teams = {}
    for is_home, score in ((True, "PTS_home"), (False, "PTS_away")):
        mine = [
            entry.statistics
            for entry in entries
            if entry.person.team == game.side(is_home) and entry.minutes is not None
        ]
        teams[is_home] = {name: sum(line[name] or 0 for line in mine) for name in PLAYER_COUNTS.values()} | {
            "points": _whole(entry[score]) or 0
        }
    return BoxScore(game, entries, teams)


def _with_numbers(line: Row) -> Row:
    return {
        **line,
        **{name: _whole(line[name]) for name in V2_COUNTS.values()},
        "PLUS_MINUS": _number(line["PLUS_MINUS"]),
    }


def _number(text: str) -> float | None:
    return float(text) if text else None


def _whole(text: str) -> int | None:
    return int(float(text)) if text else None
