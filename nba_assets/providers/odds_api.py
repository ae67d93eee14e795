"""JSON of The Odds API as rows of `game_lines` (spreads, totals) and `player_points_props` (player points), from odds,
event odds and historical odds.

Prices may be American or decimal. A snapshot is the moment of a historical answer, else the last update of the market
or of its bookmaker. Other markets, such as h2h and alternate lines, are left out.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from nba_assets.basketball.names import player_lookup
from nba_assets.basketball.season import FIRST_MONTH
from nba_assets.providers.delivery import Delivery, ProviderError, Row, mapping
from nba_assets.providers.files import newest_change
from nba_assets.providers.games import Game
from nba_assets.raw.tables import GAME_LINES, PLAYER_POINTS_PROPS, RawTable

PROVIDER, SOURCE = "odds-api", "odds_api"
EASTERN = ZoneInfo("America/New_York")
LINE_MARKETS, POINTS_MARKET = ("spreads", "totals"), "player_points"
LEAST_AMERICAN = 100

Json = Mapping[str, Any]


@dataclass(frozen=True)
class OddsApiFolder:
    """The answers that are kept as JSON files in a folder, at any depth."""

    folder: Path

    def deliveries(self) -> Iterator[Delivery]:
        """One delivery per date. Raises ProviderError where a file is no answer of The Odds API."""
        tables: dict[date, dict[str, dict[tuple[Any, ...], Row]]] = {}
        left_out: Counter[str] = Counter()
        files = sorted(self.folder.rglob("*.json"))
        for file in files:
            with mapping(f"{file}, as an answer of The Odds API,"):
                found = list(odds_rows(json.loads(file.read_bytes()), left_out))
            for raw, row in found:
                # Of responses about one moment the last one read stands.
                rows = tables.setdefault(row["game_date"], {}).setdefault(raw.name, {})
                rows[tuple(row.get(name) for name in raw.table.key)] = row
        if not files:
            raise ProviderError(f"{self.folder} holds no JSON file")
        processed_at = newest_change(files)
        remarks = [f"odds-api: {number:,} {what} left out" for what, number in left_out.items()]
        for day in sorted(tables):
            yield Delivery(
                PROVIDER, processed_at, {name: list(rows.values()) for name, rows in tables[day].items()}, remarks
            )


def odds_rows(answer: Json | Sequence[Json], left_out: Counter[str]) -> Iterator[tuple[RawTable, Row]]:
    """The rows of one answer with their raw tables; what is not mapped is counted in `left_out`."""
    snapshot = None
    if isinstance(answer, Mapping) and "data" in answer:
        snapshot, answer = _moment(answer["timestamp"]), answer["data"]
    for event in [answer] if isinstance(answer, Mapping) else answer:
        tip_off = _moment(event["commence_time"])
        day = tip_off.astimezone(EASTERN).date()
        game = Game.between(event["home_team"], event["away_team"], day, day.year - (day.month < FIRST_MONTH))
        if game is None:
            left_out["games that are not between two teams of the league"] += 1
            continue
        for bookmaker in event.get("bookmakers", ()):
            for market in bookmaker["markets"]:
                stood = snapshot or _moment(market.get("last_update") or bookmaker["last_update"])
                if market["key"] in LINE_MARKETS:
                    yield from (
                        (GAME_LINES, _line(game, tip_off, stood, bookmaker["key"], market["key"], outcome))
                        for outcome in market["outcomes"]
                    )
                elif market["key"] == POINTS_MARKET:
                    yield from (
                        (PLAYER_POINTS_PROPS, row)
                        for row in _props(game, tip_off, stood, bookmaker["key"], market["outcomes"])
                    )
                else:
                    left_out[f"markets {market['key']}"] += 1


def american(price: float) -> int | None:
    """American odds of a price that may be decimal; None of a decimal price that pays nothing.

    Example: 1.91 is -110, 2.2 is 120, -110 stays.
    """
    if abs(price) >= LEAST_AMERICAN:
        return round(price)
    if price <= 1:
        return None
    return round((price - 1) * 100) if price >= 2 else round(-100 / (price - 1))


def _line(game: Game, tip_off: datetime, stood: datetime, bookmaker: str, market: str, outcome: Json) -> Row:
    return {
        **game.columns(GAME_LINES),
        "commence_time": tip_off,
        "snapshot_timestamp": stood,
        "bookmaker_key": bookmaker,
        "market_key": market,
        "outcome_name": outcome["name"],
        "outcome_point": outcome.get("point"),
        "outcome_price": outcome["price"],
    }


def _props(game: Game, tip_off: datetime, stood: datetime, bookmaker: str, outcomes: Sequence[Json]) -> Iterator[Row]:
    """One line per player: the first that has both sides, else the first."""
    lines: dict[str, dict[float, dict[str, float]]] = {}
    for outcome in outcomes:
        lines.setdefault(outcome["description"], {}).setdefault(outcome["point"], {})[outcome["name"].lower()] = (
            outcome["price"]
        )
    for name, offered in lines.items():
        point, prices = max(offered.items(), key=lambda line: len(line[1]))
        yield {
            **game.columns(PLAYER_POINTS_PROPS),
            "game_start_time": tip_off,
            "player_lookup": player_lookup(name),
            "player_name": name,
            "source": SOURCE,
            "bookmaker": bookmaker,
            "points_line": point,
            **{f"{side}_price_american": american(price) for side, price in prices.items()},
            "snapshot_timestamp": stood,
            "minutes_before_tipoff": int((tip_off - stood).total_seconds() // 60),
        }


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)
