"""Writes deliveries into a landing zone, partitioned by date, and keeps one provider per game; what the files must hold
is said by the raw contract.

A provider's rows of one date are one file, `play_by_play/game_date=2025-01-15/league.parquet`. It is written beside and
renamed into place, and left alone where nothing but the time of processing would change, so that sensors see every
correction and nothing else. Files that no provider wrote are never touched.

Two providers spell names and number events in their own ways, so that rows of one game must not be mixed: of each game,
and of a team's roster of a day, one provider's rows stand in the zone. Those of the preferred provider stand
(`NBA_ASSETS_PROVIDER_PREFERENCE`), without a preference those processed last; the other's rows of this game are taken
out of its file. Landing a date from a second provider is thus a correction of the first.
"""

from __future__ import annotations

import io
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from nba_assets.providers.delivery import Delivery, ProviderError, to_table
from nba_assets.providers.identities import Sightings
from nba_assets.raw.tables import (
    GAME_LINES,
    INJURY_REPORT,
    PLAY_BY_PLAY,
    PLAYER_BOXSCORES,
    PLAYER_GAMEBOOK,
    PLAYER_POINTS_PROPS,
    PLAYER_REGISTRY,
    RAW_TABLES,
    ROSTERS,
    SCHEDULE,
    TEAM_BOXSCORES,
    RawTable,
)
from nba_assets.settings import variables

PREFERENCE_VARIABLE = variables()["provider_preference"]

PROVIDERS = ("league", "espn", "games-csv", "odds-api", "injury-report")
"""Every provider, by the name of its files."""

PARTITIONED_BY: Mapping[str, str] = {SCHEDULE.name: "season_year", PLAYER_REGISTRY.name: "season"}
"""The column whose values name a table's folders, where it is not the date."""

GAME_TABLES = (SCHEDULE, PLAYER_GAMEBOOK, PLAYER_BOXSCORES, TEAM_BOXSCORES, PLAY_BY_PLAY)
ONE_PROVIDER_PER: Mapping[str, str] = {raw.name: "game_id" for raw in GAME_TABLES} | {ROSTERS.name: "team_abbr"}
"""What of a table comes from one provider as a whole, by the column that names it."""

REPLACED_BY: Mapping[str, tuple[str, ...]] = {
    **{raw.name: ("game_id",) for raw in GAME_TABLES if raw is not SCHEDULE},
    ROSTERS.name: ("team_abbr",),
    GAME_LINES.name: ("home_team_abbr", "away_team_abbr", "bookmaker_key", "market_key", "snapshot_timestamp"),
    PLAYER_POINTS_PROPS.name: ("player_lookup", "bookmaker", "snapshot_timestamp"),
    INJURY_REPORT.name: ("team", "reported_at"),
}
"""Rows that a provider has landed on a date before are kept unless it delivers rows with the same values again; other
tables' files are replaced whole.
"""


@dataclass
class LandingWriter:
    """Lands deliveries in `zone`; as a context manager it registers the players of all of them at its end, also after
    an error.

    `preference` are providers in order: each one's games stand over those of the providers after it and of those that
    are not named.
    """

    zone: Path
    preference: Sequence[str] = ()
    remarks: list[str] = field(default_factory=list)
    files_written: int = 0
    _sightings: Sightings = field(default_factory=Sightings)

    def __post_init__(self) -> None:
        """Refuse a preference for an unknown provider."""
        if unknown := [name for name in self.preference if name not in PROVIDERS]:
            raise ProviderError(
                f"{PREFERENCE_VARIABLE} names {', '.join(unknown)}; the providers are {', '.join(PROVIDERS)}"
            )

    def __enter__(self) -> Self:
        """The writer itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Register the players of what has landed."""
        self.register_players()

    def write(self, delivery: Delivery) -> None:
        """Land one delivery: every table's rows in the file of their date or season.

        Raises ValueError for a provider that is not among `PROVIDERS`: its files would not be told from others.
        """
        if delivery.provider not in PROVIDERS:
            raise ValueError(f"no provider {delivery.provider}: add it to PROVIDERS of landing_writer")
        self.remarks += delivery.remarks
        self._sightings.add(delivery)
        for name, rows in delivery.tables.items():
            raw = RAW_TABLES[name]
            self._write(raw, delivery.provider, to_table(raw, rows, delivery.processed_at))

    def register_players(self) -> None:
        """Land the registry rows of the players of all deliveries so far: one universal id per person across providers,
        see `identities`.
        """
        for delivery in self._sightings.registrations(self.zone):
            self._write(
                PLAYER_REGISTRY,
                delivery.provider,
                to_table(PLAYER_REGISTRY, delivery.tables[PLAYER_REGISTRY.name], delivery.processed_at),
            )
        self._sightings = Sightings()

    def _write(self, raw: RawTable, provider: str, rows: pa.Table) -> None:
        column = PARTITIONED_BY.get(raw.name, raw.table.date_column)
        for value in sorted(pc.unique(rows[column]).to_pylist()):
            folder = self.zone / raw.name / f"{column}={value}"
            part = rows.filter(pc.equal(rows[column], pa.scalar(value, rows.schema.field(column).type)))
            if raw.name in ONE_PROVIDER_PER:
                part = self._contest(raw, folder, provider, part)
            if part.num_rows:
                self._replace(
                    folder / f"{provider}.parquet", _with_kept_rows(raw, folder / f"{provider}.parquet", part)
                )

    def _contest(self, raw: RawTable, folder: Path, provider: str, rows: pa.Table) -> pa.Table:
        """The rows that stand over what other providers have landed; of what they stand over the others' rows are
        removed.
        """
        column = ONE_PROVIDER_PER[raw.name]
        for other in PROVIDERS:
            file = folder / f"{other}.parquet"
            if other == provider or not file.exists():
                continue
            theirs = pq.read_table(file)
            mine, other_newest = _newest(rows, column), _newest(theirs, column)
            both = mine.keys() & other_newest.keys()
            lost = [
                thing
                for thing in both
                if (self._rank(provider), _age(mine[thing])) > (self._rank(other), _age(other_newest[thing]))
            ]
            if lost:
                self.remarks.append(
                    f"{raw.name} {folder.name}: {len(lost)} of {len(mine)} games or teams stay as landed by {other}"
                )
                rows = _without(rows, column, lost)
            if won := both - {*lost}:
                self._replace(file, _without(theirs, column, won))
        return rows

    def _rank(self, provider: str) -> int:
        return self.preference.index(provider) if provider in self.preference else len(self.preference)

    def _replace(self, file: Path, rows: pa.Table) -> None:
        if not rows.num_rows:
            file.unlink(missing_ok=True)
            return
        if file.exists() and pq.read_table(file).drop("processed_at").equals(rows.drop("processed_at")):
            return
        content = io.BytesIO()
        pq.write_table(rows, content, compression="zstd")
        write_beside(file, content.getvalue())
        self.files_written += 1


def landed_games(zone: Path, day: date, providers: Sequence[str]) -> set[str]:
    """Canonical ids of the games of a date of which team totals have landed from one of some providers."""
    files = (
        zone / TEAM_BOXSCORES.name / f"{TEAM_BOXSCORES.table.date_column}={day}" / f"{provider}.parquet"
        for provider in providers
    )
    return {
        game
        for file in files
        if file.exists()
        for game in pq.read_table(file, columns=["game_id"])["game_id"].to_pylist()
    }


def write_beside(file: Path, content: bytes) -> None:
    """Write a file under a temporary name, and rename it into place: it is there whole or not at all."""
    file.parent.mkdir(parents=True, exist_ok=True)
    unfinished = file.with_name(f".{file.name}.tmp")
    unfinished.write_bytes(content)
    os.replace(unfinished, file)


def _with_kept_rows(raw: RawTable, file: Path, rows: pa.Table) -> pa.Table:
    """The rows, behind those that the provider landed before and does not deliver again."""
    columns = REPLACED_BY.get(raw.name)
    if columns is None or not file.exists():
        return rows
    before = pq.read_table(file)
    for name in rows.column_names:
        if before.schema.field(name).type != rows.schema.field(name).type:
            before, rows = _as_text(before, name), _as_text(rows, name)
    delivered = {*_values(rows, columns)}
    kept = [key not in delivered for key in _values(before, columns)]
    return pa.concat_tables([before.filter(pa.array(kept, pa.bool_())), rows])


def _as_text(rows: pa.Table, name: str) -> pa.Table:
    return rows.set_column(rows.column_names.index(name), name, rows[name].cast(pa.string()))


def _values(rows: pa.Table, columns: Sequence[str]) -> list[tuple[Any, ...]]:
    return list(zip(*(rows[name].to_pylist() for name in columns), strict=True))


def _newest(rows: pa.Table, column: str) -> dict[str, datetime]:
    """The newest `processed_at` of each game or team."""
    newest: dict[str, datetime] = {}
    for thing, stamp in _values(rows, (column, "processed_at")):
        newest[thing] = max(stamp, newest.get(thing, stamp))
    return newest


def _age(stamp: datetime) -> float:
    return -stamp.timestamp()


def _without(rows: pa.Table, column: str, things: Sequence[str] | set[str]) -> pa.Table:
    return rows.filter(pc.invert(pc.is_in(rows[column], pa.array(sorted(things), pa.string()))))
