"""A simulated league: a season of raw data about invented players, for demonstrations and tests.

Thirty teams with their real tricodes and arenas play 82 games and the play-offs. Each game is played possession by
possession (`play`), by the players on the sheets (`sheets`), and its records are sums over its events (`records`); what
is published before it is in `announcements`. All of it follows from a seed, each game from a stream of random numbers
of its own, so that a date comes out the same in a month and in a whole season.

The conventions are those of real feeds, oddities included: corrected box scores, games without play-by-play, lines
taken after the tip-off, and more; `SpecialCases` says where. Not simulated: the All-Star game, preseason, referees.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from io import BytesIO
from itertools import pairwise
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from nba_assets.raw.sample_league.schedule import GAMES_PER_TEAM, SEED, opening_night
from nba_assets.raw.sample_league.season import SeasonSummary, SimulatedSeason, SpecialCase, SpecialCases, simulate

__all__ = [
    "SeasonSummary",
    "SimulatedSeason",
    "SpecialCase",
    "SpecialCases",
    "opening_night",
    "simulate",
    "simulate_season",
    "write_season",
]

CORRECTION_FILE, FIRST_FILE = "part-correction.parquet", "part.parquet"
PARTITIONED_BY: Mapping[str, str] = {"schedule": "season_year", "player_registry": "season", "rosters": "roster_date"}
"""The column whose values name a table's folders, where it is not the game date."""


def simulate_season(
    season_year: int = 2024,
    seed: int = SEED,
    through: date | None = None,
    *,
    teams: Sequence[str] | None = None,
    games_per_team: int = GAMES_PER_TEAM,
    special_cases: bool = True,
) -> Mapping[str, pa.Table]:
    """The raw tables of a season, see `simulate`; a corrected row is there twice, and the later `processed_at`
    counts.
    """
    season = simulate(
        season_year, seed, through, teams=teams, games_per_team=games_per_team, special_cases=special_cases
    )
    return {
        name: pa.concat_tables([rows, season.corrections[name]]) if name in season.corrections else rows
        for name, rows in season.tables.items()
    }


def write_season(
    directory: Path,
    season_year: int = 2024,
    *,
    seed: int = SEED,
    through: date | None = None,
    teams: Sequence[str] | None = None,
    games_per_team: int = GAMES_PER_TEAM,
    special_cases: bool = True,
    opening: date | None = None,
    announced_through: date | None = None,
) -> SeasonSummary:
    """Write a season into a folder as a landing zone, and tell what is in it; for the arguments see `simulate`.

    There is one sub-folder per raw table, and in it one Parquet file per date
    (`play_by_play/game_date=2024-10-22/part.parquet`), or one per season for schedule and registry. Files of the same
    name with other bytes are replaced, each at once; all others are left alone. The same arguments give the same bytes.
    """
    season = simulate(
        season_year,
        seed,
        through,
        teams=teams,
        games_per_team=games_per_team,
        special_cases=special_cases,
        opening=opening,
        announced_through=announced_through,
    )
    for tables, file_name in ((season.tables, FIRST_FILE), (season.corrections, CORRECTION_FILE)):
        for name, rows in tables.items():
            column = PARTITIONED_BY.get(name, "game_date")
            for value, part in _partitions(rows, column):
                _write(part, directory / name / f"{column}={value}" / file_name)
    return season.summary


def _partitions(rows: pa.Table, column: str) -> Iterator[tuple[object, pa.Table]]:
    """Runs of equal values of a column; every table is in the order of its dates."""
    codes = rows[column].combine_chunks().dictionary_encode().indices.to_numpy()
    bounds = np.flatnonzero(np.diff(codes, prepend=-1, append=-1)).tolist()
    for start, end in pairwise(bounds):
        yield rows[column][start].as_py(), rows.slice(start, end - start)


def _write(rows: pa.Table, path: Path) -> None:
    content = BytesIO()
    pq.write_table(rows, content, compression="zstd")
    if path.exists() and path.read_bytes() == content.getvalue():
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f".{path.name}.tmp")
    unfinished.write_bytes(content.getvalue())
    os.replace(unfinished, path)
