"""The content of a date's page, read from the warehouse: its games, teams and players as stored, and the quality of the
tables.

Nothing is computed anew: a number on the page is a stored one, and keeps the place that it was read from. The layout is
in `page`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np

from nba_assets.analytics.injuries import INJURY_COLUMNS, latest_statuses
from nba_assets.analytics.people import full_names
from nba_assets.analytics.player_game_summary import TABLE as RESULTS
from nba_assets.analytics.upcoming_player_game_context import TABLE as PLAYER_CONTEXT
from nba_assets.analytics.upcoming_team_game_context import TABLE as TEAM_CONTEXT
from nba_assets.analytics.venues import ARENA_COLUMNS, arenas
from nba_assets.automation.staleness import STATE_COLUMNS, Graph, PartitionState, Stale, stale
from nba_assets.basketball.season import LONGEST_SEASON_DAYS, SeasonCalendar
from nba_assets.basketball.teams import TEAMS
from nba_assets.entities.outcomes import take
from nba_assets.entities.relations import at, find
from nba_assets.precompute.ml_feature_store import TABLE as FEATURES
from nba_assets.precompute.player_composite_factors import FATIGUE_PER_POINT
from nba_assets.precompute.player_composite_factors import TABLE as FACTORS
from nba_assets.precompute.player_daily_cache import TABLE as CACHE
from nba_assets.precompute.team_defense_zone_analysis import TABLE as ZONE_DEFENSE
from nba_assets.publishing.input_state import InputState
from nba_assets.raw.schedule import FINAL_COLUMNS, POSTPONED, has_ended, league_games
from nba_assets.raw.tables import INJURY_REPORT, RAW_TABLES, SCHEDULE
from nba_assets.registry import COMPUTED_TABLES
from nba_assets.tables.bookkeeping import ENTITY_FAILURES, EXPECTED_FAILURES, TABLE_PARTITIONS
from nba_assets.tables.columns import to_columns
from nba_assets.tables.spec import Columns, Table
from nba_assets.warehouse.interface import Warehouse

SHOWN_PER_SIDE = 4
"""Rotation players of a team that are shown at either end of the composite adjustment."""
ROTATION_MINUTES = 15.0
"""Mean minutes of the newest ten games from which a player is one of the rotation."""
READ_BY_THE_PAGE = (TEAM_CONTEXT, PLAYER_CONTEXT, ZONE_DEFENSE, FACTORS, CACHE, FEATURES)
FINAL = "final"
STATUSES = ("out", "doubtful", "questionable", "probable")
"""Injury statuses that are shown, the gravest first."""


@dataclass(frozen=True)
class Row:
    """A stored row and its table."""

    table: Table
    values: Mapping[str, Any]

    def __getitem__(self, column: str) -> Any:
        return self.values[column]

    @property
    def key(self) -> str:
        """The values of the key, joined."""
        return "/".join(str(self.values[name]) for name in self.table.key)


@dataclass(frozen=True)
class Absence:
    """A player whom the injury report names."""

    name: str
    status: str
    reason: str | None


@dataclass(frozen=True)
class Player:
    """A player with composite factors, and what else is stored of him for the date."""

    name: str
    context: Row
    factors: Row
    cache: Row | None
    features: Row | None
    result: Row | None
    """His game summary, once the date was played; known only after the fact."""

    @property
    def contributions(self) -> Mapping[str, float]:
        """Points that each factor adds to the total adjustment."""
        return {
            "fatigue": (self.factors["fatigue_score"] - 100) / FATIGUE_PER_POINT,
            "mismatch": self.factors["shot_zone_mismatch_score"],
            "pace": self.factors["pace_score"],
            "usage": self.factors["usage_spike_score"],
        }

    @property
    def is_favoured(self) -> bool:
        """Whether the circumstances of the date add to his points."""
        return bool(self.factors["total_composite_adjustment"] > 0)

    @property
    def is_in_rotation(self) -> bool:
        """Whether he plays `ROTATION_MINUTES` a game."""
        minutes = None if self.cache is None else self.cache["minutes_avg_last_10"]
        return minutes is not None and minutes >= ROTATION_MINUTES


@dataclass(frozen=True)
class Side:
    """One team in one game."""

    team: str
    name: str
    context: Row | None
    faces: Row | None
    """How the opponent defends each zone."""
    absences: Sequence[Absence]
    players: Sequence[Player]
    """All players of the team with composite factors, the most favoured first."""
    score: int | None = None
    """Final score, once the game was played; known only after the fact."""

    @property
    def shown(self) -> Sequence[Player]:
        """The rotation players at either end of their composite factors."""
        rotation = [player for player in self.players if player.is_in_rotation]
        return [*rotation[:SHOWN_PER_SIDE], *rotation[max(SHOWN_PER_SIDE, len(rotation) - SHOWN_PER_SIDE) :]]

    @property
    def others(self) -> Sequence[Player]:
        """All other players."""
        shown = self.shown
        return [player for player in self.players if player not in shown]


@dataclass(frozen=True)
class Game:
    """One game of the date."""

    game_id: str
    away: Side
    home: Side
    local_tip: str
    eastern_tip: str
    arena: str | None
    state: str | None
    """Where it is not simply to be played: `final` or `postponed`."""


@dataclass(frozen=True)
class TableState:
    """The state of a table on the date."""

    table: Table
    entry: Row | None
    """Its entry in the state of partitions; None where the date is not built."""
    failures: Mapping[str, int]
    completeness: float | None
    """Mean of completeness_percentage."""
    ready_share: float | None
    remark: str | None
    """Why it has no rows, or which of its inputs changed since it was built."""


@dataclass(frozen=True)
class SlateFacts:
    """The content of a date's page."""

    day: date
    games: Sequence[Game]
    tables: Sequence[TableState]
    raw: Sequence[TableState]
    rows: Mapping[str, Columns]
    """Rows of the date by table, for pictures."""
    names: Mapping[str, str]
    player_count: int
    feature_quality: float | None
    """Mean of feature_quality_score."""

    @property
    def missing(self) -> list[Table]:
        """Tables that the page reads and that are not built for the date."""
        return [state.table for state in self.tables if state.entry is None and state.table in READ_BY_THE_PAGE]

    @property
    def stale(self) -> list[Table]:
        """Built tables of which an input has changed since."""
        return [
            state.table
            for state in self.tables
            if state.entry is not None and state.entry["row_count"] and state.remark
        ]

    @property
    def empty(self) -> dict[str, list[str]]:
        """Built tables that the page reads and that have no rows, by the reason."""
        found: dict[str, list[str]] = {}
        for state in self.tables:
            if state.entry is not None and not state.entry["row_count"] and state.table in READ_BY_THE_PAGE:
                found.setdefault(state.remark or "no rows for this date", []).append(state.table.name)
        return found

    @property
    def knows_schedule(self) -> bool:
        """The schedule of the date was ingested."""
        return any(state.table is SCHEDULE.table and state.entry is not None for state in self.raw)

    @property
    def failure_count(self) -> int:
        """Failure records of the date, over all tables, without the expected ones."""
        return sum(sum(state.failures.values()) for state in self.tables) - self.expected_count

    @property
    def expected_count(self) -> int:
        """Failure records that say that an entity has too few recent games."""
        return sum(
            count
            for state in self.tables
            for category, count in state.failures.items()
            if category in EXPECTED_FAILURES
        )

    @property
    def players(self) -> list[Player]:
        """All players of the date with composite factors."""
        return [player for game in self.games for side in (game.away, game.home) for player in side.players]


def gather(warehouse: Warehouse, day: date, graph: Graph, bootstrap_days: int) -> SlateFacts:
    """What the warehouse holds of a date.

    `graph` holds what each computed table reads; rows of a season begin after `bootstrap_days`.
    """
    with warehouse.session():
        schedule = _schedule(warehouse, day)
        rows = {table.name: warehouse.read(table, table.column_names, day, day) for table in COMPUTED_TABLES.values()}
        partition_state = warehouse.read(
            TABLE_PARTITIONS, (*STATE_COLUMNS, "failure_count"), day - timedelta(days=LONGEST_SEASON_DAYS), day
        )
        inputs = InputState.read(
            warehouse,
            [source for sources in graph.values() for source in sources],
            day,
            day,
            entries=to_columns(partition_state),
        )
        failed = warehouse.read(ENTITY_FAILURES, ("table_name", "failure_category"), day, day).to_pylist()
        reports = to_columns(warehouse.read(INJURY_REPORT.table, INJURY_COLUMNS, day, day))
        names = full_names(warehouse, day)
    stored = {name: [Row(COMPUTED_TABLES[name], values) for values in mine.to_pylist()] for name, mine in rows.items()}
    tonight = take(schedule, schedule["game_date"] == np.datetime64(day, "D"))
    calendar = SeasonCalendar.from_schedule(
        schedule["game_date"], schedule["season_year"], schedule["is_regular_season"] == 1
    )
    game_days = np.unique(schedule["game_date"][league_games(schedule)])
    of_date = take(
        to_columns(partition_state), to_columns(partition_state)["partition_date"] == np.datetime64(day, "D")
    )
    late = stale(PartitionState.of(of_date), inputs, graph, game_days, day)
    entries = {
        entry["table_name"]: Row(TABLE_PARTITIONS, entry)
        for entry in partition_state.to_pylist()
        if entry["partition_date"] == day
    }
    elapsed = float(calendar.days_into_season(np.array([day], dtype="M8[D]"))[0])
    qualities = [row["feature_quality_score"] for row in stored[FEATURES.name]]
    return SlateFacts(
        day,
        _games(tonight, stored, reports, names),
        [
            _state(
                table,
                entries,
                failed,
                stored[name],
                late.get(name, {}).get(day),
                bootstrap=0 <= elapsed < bootstrap_days,
                has_games=_plays(tonight),
            )
            for name, table in COMPUTED_TABLES.items()
        ],
        [_state(raw.table, entries, failed, [], None, bootstrap=False, has_games=True) for raw in RAW_TABLES.values()],
        {name: to_columns(mine) for name, mine in rows.items()},
        names,
        len(stored[PLAYER_CONTEXT.name]),
        float(np.mean(qualities)) if qualities else None,
    )


def _schedule(warehouse: Warehouse, day: date) -> Columns:
    columns = (
        "game_id",
        "game_date",
        "game_time_utc",
        "season_year",
        *FINAL_COLUMNS,
        "home_team_abbr",
        "away_team_abbr",
        *ARENA_COLUMNS,
    )
    reach = timedelta(days=LONGEST_SEASON_DAYS)
    return to_columns(warehouse.read(SCHEDULE.table, columns, day - reach, day + reach))


def _plays(games: Columns) -> bool:
    return bool(league_games(games).any())


def _games(tonight: Columns, stored: Mapping[str, list[Row]], reports: Columns, names: Mapping[str, str]) -> list[Game]:
    counts = (tonight["is_regular_season"] == 1) | (tonight["is_playoffs"] == 1)
    order = np.lexsort([tonight["game_id"].astype(str), tonight["game_time_utc"]])
    games = take(tonight, order[counts[order]])
    zones, over = arenas(games)["arena_timezone"], has_ended(games)
    absences = _absences(games, reports, names)
    contexts = {row["team_abbr"]: row for row in stored[TEAM_CONTEXT.name]}
    defenses = {row["team_abbr"]: row for row in stored[ZONE_DEFENSE.name]}
    players = _players(stored, names)

    def side(team: str, opponent: str, score: float | None) -> Side:
        full_name = TEAMS[team].full_name if team in TEAMS else team
        final = None if score is None else int(score)
        return Side(
            team,
            full_name,
            contexts.get(team),
            defenses.get(opponent),
            absences.get(team, []),
            players.get(team, []),
            final,
        )

    found = []
    for place, game_id in enumerate(games["game_id"].tolist()):
        away, home = games["away_team_abbr"][place], games["home_team_abbr"][place]
        tip = games["game_time_utc"][place]
        status = games["game_status"][place]
        state = FINAL if over[place] else "postponed or cancelled" if status == POSTPONED else None
        eastern_tip = _clock(tip, "America/New_York")
        scores = [games[f"{which}_team_score"][place] if state == FINAL else None for which in ("away", "home")]
        sides = side(away, home, scores[0]), side(home, away, scores[1])
        found.append(Game(game_id, *sides, _clock(tip, zones[place]), eastern_tip, games["arena_name"][place], state))
    return found


def _clock(moment: np.datetime64, zone: str | None) -> str:
    """A moment on the wall clock of a place, e.g. 7:30 PM EST."""
    if np.isnat(moment):
        return "time not known"
    utc: datetime = moment.astype("M8[us]").item().replace(tzinfo=UTC)
    local = utc.astimezone(ZoneInfo(zone or "America/New_York"))
    return f"{local.hour % 12 or 12}:{local:%M %p} {local.tzname()}"


def _absences(games: Columns, reports: Columns, names: Mapping[str, str]) -> dict[str, list[Absence]]:
    """Who is listed by the newest report before tip-off, by team."""
    teams = np.concatenate([games["home_team_abbr"], games["away_team_abbr"]])
    tips = np.concatenate([games["game_time_utc"], games["game_time_utc"]])
    latest = latest_statuses(reports, at(tips, find((reports["team"],), (teams,))))
    absences: dict[str, list[Absence]] = {}
    for team, player, status, reason in zip(
        latest["team"], latest["player_lookup"], latest["injury_status"], latest["reason"], strict=True
    ):
        if status in STATUSES:
            absences.setdefault(team, []).append(Absence(names.get(player, player), status, reason))
    return {
        team: sorted(mine, key=lambda absence: (STATUSES.index(absence.status), absence.name))
        for team, mine in absences.items()
    }


def _players(stored: Mapping[str, list[Row]], names: Mapping[str, str]) -> dict[str, list[Player]]:
    """The players with composite factors by team, the most favoured first."""
    contexts = {row["player_lookup"]: row for row in stored[PLAYER_CONTEXT.name]}
    results = {row["player_lookup"]: row for row in stored[RESULTS.name]}
    caches = {row["player_lookup"]: row for row in stored[CACHE.name]}
    features = {row["player_lookup"]: row for row in stored[FEATURES.name]}
    found: dict[str, list[Player]] = {}
    for row in sorted(stored[FACTORS.name], key=lambda row: (-row["total_composite_adjustment"], row["player_lookup"])):
        player = row["player_lookup"]
        if player in contexts:
            rows = contexts[player], row, caches.get(player), features.get(player), results.get(player)
            found.setdefault(contexts[player]["team_abbr"], []).append(Player(names.get(player, player), *rows))
    return found


def _state(
    table: Table,
    entries: Mapping[str, Row],
    failed: Sequence[Mapping[str, Any]],
    rows: Sequence[Row],
    late: Stale | None,
    *,
    bootstrap: bool,
    has_games: bool,
) -> TableState:
    entry = entries.get(table.name)
    failures = Counter(failure["failure_category"] for failure in failed if failure["table_name"] == table.name)
    remark = None
    if entry is not None and not entry["row_count"]:
        remark = _why_empty(table, bootstrap=bootstrap, has_games=has_games) or (
            "each player has a failure record instead" if failures else None
        )
    elif late is not None:
        remark = f"stale: {late.causes[0]} is not what it was built from"
    return TableState(
        table,
        entry,
        failures,
        _mean(rows, "completeness_percentage"),
        _mean(rows, "is_production_ready"),
        remark,
    )


def _why_empty(table: Table, *, bootstrap: bool, has_games: bool) -> str | None:
    if not has_games:
        return "no league games on this date"
    if bootstrap and table.dataset == FEATURES.dataset:
        return "the first days of a season have no rows"
    return None


def _mean(rows: Sequence[Row], column: str) -> float | None:
    known = [row[column] for row in rows if row.values.get(column) is not None]
    return float(np.mean(known)) if known else None
