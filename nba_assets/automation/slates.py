"""The games of a date, for planning runs: which of them count, which are over, when the first and the last tip off."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import numpy as np

from nba_assets.partitions import LEAGUE_TIMEZONE
from nba_assets.raw.schedule import ended_besides, league_finals, league_games
from nba_assets.tables.spec import Columns

EASTERN = ZoneInfo(LEAGUE_TIMEZONE)


@dataclass(frozen=True)
class Slate:
    """One date of the schedule."""

    day: date
    games: tuple[str, ...] = ()
    """Games that count and are not called off."""
    finals: frozenset[str] = frozenset()
    known: frozenset[str] = frozenset()
    """Every game of the date that the schedule lists, exhibitions and postponed ones included."""
    besides: frozenset[str] = frozenset()
    """Played games that count in no standings: they get no rows, and the players' load counts them."""
    tips: tuple[datetime, ...] = ()
    """Known tip-offs of the games that count, ascending."""

    @property
    def first_tip(self) -> datetime:
        """The earliest tip-off; the end of the date where none is known."""
        return self.tips[0] if self.tips else end_of(self.day)

    @property
    def last_tip(self) -> datetime:
        """The latest tip-off; the end of the date where none is known."""
        return self.tips[-1] if self.tips else end_of(self.day)


def slates(schedule: Columns) -> dict[date, Slate]:
    """The slates of a schedule (`game_id`, `game_date`, `game_time_utc`, `season_year`, `is_all_star`,
    `FINAL_COLUMNS`), by date.
    """
    order = np.lexsort((schedule["game_id"].astype(str), schedule["game_date"]))
    games = {name: values[order] for name, values in schedule.items()}
    counts, finals, besides = league_games(games), league_finals(games), ended_besides(games)
    ids, tips = games["game_id"], games["game_time_utc"]
    bounds = np.flatnonzero(
        np.diff(games["game_date"].astype("M8[D]").astype(np.int64), prepend=-1, append=-1)
    ).tolist()
    found = {}
    for start, end in pairwise(bounds):
        mine, over = counts[start:end], finals[start:end]
        known_tips = tips[start:end][mine & ~np.isnat(tips[start:end])]
        day = games["game_date"][start].item()
        found[day] = Slate(
            day,
            tuple(ids[start:end][mine].tolist()),
            frozenset(ids[start:end][over].tolist()),
            frozenset(ids[start:end].tolist()),
            frozenset(ids[start:end][besides[start:end]].tolist()),
            tuple(moment.replace(tzinfo=UTC) for moment in sorted(known_tips.astype("M8[us]").tolist())),
        )
    return found


def slate_of(found: Mapping[date, Slate], day: date) -> Slate:
    """The slate of a date; an empty one where the schedule has none."""
    return found.get(day) or Slate(day)


def end_of(day: date) -> datetime:
    """Midnight after a date, as the league's clocks have it."""
    return datetime.combine(day + timedelta(days=1), time(), EASTERN).astimezone(UTC)


def league_date(now: datetime) -> date:
    """The date at a moment, as the league's calendar has it."""
    return now.astimezone(EASTERN).date()
