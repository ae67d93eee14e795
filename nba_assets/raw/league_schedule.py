"""The schedule as a lookup of the league's own game ids, read only once a file needs it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from numpy.typing import NDArray

from nba_assets.tables.spec import Columns

LOOKUP_COLUMNS = ("nba_game_id", "game_id", "game_date", "home_team_abbr", "away_team_abbr")


class LeagueSchedule(Mapping[str, NDArray[Any]]):
    """`LOOKUP_COLUMNS` of the schedule's games, one row per game; `read` is called at the first look at one of them."""

    def __init__(self, read: Callable[[], Columns]) -> None:
        self._read = read
        self._columns: Columns | None = None

    @property
    def was_read(self) -> bool:
        """Whether anybody has looked anything up."""
        return self._columns is not None

    def __getitem__(self, name: str) -> NDArray[Any]:
        """A column."""
        if self._columns is None:
            self._columns = self._read()
        return self._columns[name]

    def __iter__(self) -> Iterator[str]:
        """The names of the columns."""
        return iter(LOOKUP_COLUMNS)

    def __len__(self) -> int:
        """The number of columns."""
        return len(LOOKUP_COLUMNS)
