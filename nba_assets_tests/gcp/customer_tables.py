"""Raw tables as a customer has them in BigQuery, filled from a landed season, with the faults that such tables have.

What they cannot hold is taken from the landed files as well, so that both say the same.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from google.cloud import bigquery

from nba_assets_tests.gcp.emulators import PROJECT

Row = dict[str, Any]

COUNTS = (
    "minutes STRING, points INT64, field_goals_made INT64, field_goals_attempted INT64, three_pointers_made INT64, "
    "three_pointers_attempted INT64, free_throws_made INT64, free_throws_attempted INT64, offensive_rebounds INT64, "
    "defensive_rebounds INT64, total_rebounds INT64, assists INT64, steals INT64, blocks INT64, turnovers INT64, "
    "personal_fouls INT64, plus_minus INT64"
)
GAME = "game_id STRING, game_date DATE, season_year INT64, home_team_abbr STRING, away_team_abbr STRING"
TABLES: Mapping[str, tuple[str, str | None]] = {
    "nbac_schedule": (
        "game_id STRING, season_year INT64, game_date DATE, game_date_est TIMESTAMP, game_status INT64, "
        "home_team_tricode STRING, away_team_tricode STRING, arena_name STRING, is_primetime BOOL, "
        "is_regular_season BOOL, is_playoffs BOOL, is_all_star BOOL, is_emirates_cup BOOL, "
        "neutral_site_flag BOOL, arena_timezone STRING, home_team_score INT64, away_team_score INT64, "
        "winning_team_tricode STRING, processed_at TIMESTAMP",
        "game_date",
    ),
    "nbac_gamebook_player_stats": (
        f"{GAME}, player_name STRING, player_name_original STRING, player_lookup STRING, team_abbr STRING, "
        f"player_status STRING, dnp_reason STRING, {COUNTS}, processed_at TIMESTAMP",
        "game_date",
    ),
    "nbac_player_boxscores": (
        f"{GAME}, nba_game_id STRING, game_status STRING, player_full_name STRING, player_lookup STRING, "
        f"team_abbr STRING, position STRING, starter BOOL, {COUNTS}, processed_at TIMESTAMP",
        "game_date",
    ),
    "nbac_team_boxscore": (
        "game_id STRING, nba_game_id STRING, game_date DATE, season_year INT64, team_abbr STRING, is_home BOOL, "
        "minutes STRING, fg_made INT64, fg_attempted INT64, three_pt_made INT64, three_pt_attempted INT64, "
        "ft_made INT64, ft_attempted INT64, offensive_rebounds INT64, defensive_rebounds INT64, "
        "total_rebounds INT64, assists INT64, steals INT64, blocks INT64, turnovers INT64, personal_fouls INT64, "
        "points INT64, plus_minus INT64, processed_at TIMESTAMP",
        "game_date",
    ),
    "bigdataball_play_by_play": (
        f"{GAME}, event_sequence INT64, period INT64, game_clock_seconds INT64, event_type STRING, "
        "event_subtype STRING, score_home INT64, score_away INT64, player_1_lookup STRING, "
        "player_1_team_abbr STRING, player_2_lookup STRING, player_2_role STRING, shot_made BOOL, "
        "shot_type STRING, shot_distance FLOAT64, points_scored INT64, original_x FLOAT64, original_y FLOAT64, "
        "data_source STRING, processed_at TIMESTAMP",
        "game_date",
    ),
    "nbac_play_by_play": (
        f"{GAME}, nba_game_id STRING, event_sequence INT64, period INT64, game_clock_seconds INT64, "
        "event_type STRING, event_action_type STRING, score_home INT64, score_away INT64, player_1_lookup STRING, "
        "player_1_team_abbr STRING, player_2_lookup STRING, shot_made BOOL, shot_type STRING, shot_x FLOAT64, "
        "shot_y FLOAT64, shot_distance FLOAT64, processed_at TIMESTAMP",
        "game_date",
    ),
    "odds_api_game_lines": (
        "snapshot_timestamp TIMESTAMP, commence_time TIMESTAMP, game_date DATE, home_team STRING, "
        "away_team STRING, home_team_abbr STRING, away_team_abbr STRING, bookmaker_key STRING, market_key STRING, "
        "outcome_name STRING, outcome_price FLOAT64, outcome_point FLOAT64, processed_at TIMESTAMP",
        "game_date",
    ),
    "odds_api_player_points_props": (
        "game_date DATE, game_start_time TIMESTAMP, home_team_abbr STRING, away_team_abbr STRING, "
        "snapshot_timestamp TIMESTAMP, minutes_before_tipoff INT64, bookmaker STRING, player_name STRING, "
        "player_lookup STRING, points_line FLOAT64, over_price_american INT64, under_price_american INT64, "
        "processed_at TIMESTAMP",
        "game_date",
    ),
    "bettingpros_player_points_props": (
        "game_date DATE, market_type STRING, bet_side STRING, player_name STRING, player_lookup STRING, "
        "player_team STRING, bookmaker STRING, points_line FLOAT64, odds_american INT64, is_active BOOL, "
        "bookmaker_last_update TIMESTAMP, opening_line FLOAT64, processed_at TIMESTAMP",
        "game_date",
    ),
    "nbac_injury_report": (
        "report_date DATE, report_hour INT64, game_date DATE, team STRING, player_full_name STRING, "
        "player_lookup STRING, injury_status STRING, reason STRING, reason_category STRING, "
        "confidence_score FLOAT64, processed_at TIMESTAMP",
        "report_date",
    ),
    "espn_team_rosters": (
        "roster_date DATE, scrape_hour INT64, season_year INT64, team_abbr STRING, player_full_name STRING, "
        "player_lookup STRING, position_abbr STRING, age INT64, birth_date DATE, roster_status STRING, "
        "processed_at TIMESTAMP",
        "roster_date",
    ),
    "nba_players_registry": (
        "universal_player_id STRING, player_name STRING, player_lookup STRING, team_abbr STRING, season STRING, "
        "processed_at TIMESTAMP",
        None,
    ),
}
"""Columns that are read, and the one by which the table is partitioned."""
LOST: Mapping[str, tuple[str, ...]] = {
    "schedule": ("arena_latitude", "arena_longitude"),
    "player_boxscores": ("starter", "position"),
    "play_by_play": ("shot_zone",),
}
"""What files may hold and these tables do not."""
SUFFIX_LETTERS = ("jr", "sr", "iii", "ii", "iv")


@dataclass(frozen=True)
class Customer:
    """The datasets of a customer, and what is in them."""

    client: bigquery.Client
    raw: str
    reference: str

    @property
    def address(self) -> str:
        """As NBA_ASSETS_LANDING has it."""
        return f"bigquery://{PROJECT}/{self.raw}?reference={self.reference}"

    def create(self) -> None:
        """The datasets and their tables, empty."""
        for dataset in (self.raw, self.reference):
            self.client.create_dataset(f"{PROJECT}.{dataset}")
        for name, (columns, partition) in TABLES.items():
            layout = f"PARTITION BY {partition} OPTIONS (require_partition_filter = TRUE)" if partition else ""
            self.execute(f"CREATE TABLE `{self.name(name)}` ({columns}) {layout}")

    def name(self, table: str) -> str:
        """The full name of a table."""
        return f"{PROJECT}.{self.reference if TABLES[table][1] is None else self.raw}.{table}"

    def execute(self, statement: str) -> None:
        """Execute a statement, and wait for it."""
        self.client.query(statement).result()

    def append(self, table: str, rows: Iterable[Row]) -> None:
        """Add rows, as their loads do."""
        kinds = {"STRING": pa.string(), "INT64": pa.int64(), "FLOAT64": pa.float64(), "BOOL": pa.bool_()}
        kinds |= {"DATE": pa.date32(), "TIMESTAMP": pa.timestamp("us", tz="UTC")}
        columns = [part.split() for part in TABLES[table][0].split(", ")]
        content = io.BytesIO()
        schema = pa.schema([(name, kinds[kind]) for name, kind in columns])
        pq.write_table(pa.Table.from_pylist([dict(row) for row in rows], schema=schema), content)
        content.seek(0)
        config = bigquery.LoadJobConfig(source_format="PARQUET", write_disposition="WRITE_APPEND")
        self.client.load_table_from_file(content, self.name(table), size=None, job_config=config).result()


def without_what_is_lost(landing: Path) -> None:
    """Empty the columns of landed files that the customer's tables do not have."""
    for table, names in LOST.items():
        for path in (landing / table).rglob("*.parquet"):
            rows = pq.read_table(path)
            for name in names:
                place = rows.column_names.index(name)
                rows = rows.set_column(place, name, pa.nulls(rows.num_rows, rows.schema.field(name).type))
            pq.write_table(rows, path)


def fill(customer: Customer, landing: Path) -> None:
    """Append what has landed, in the customer's form and with the customer's faults."""
    landed = {table: _rows(landing, table) for table in ("schedule", *FORMS, "player_points_props", "injury_report")}
    customer.append("nbac_schedule", [row for game in landed["schedule"] for row in _schedule(game)])
    for table, (source, form) in FORMS.items():
        rows = [form(row) for row in landed[table]]
        customer.append(source, [*rows, *_older_and_equal(rows)])
    names = {row["player_lookup"]: row["player_full_name"] for row in landed["rosters"]}
    customer.append("nbac_injury_report", [_injury(row, names) for row in landed["injury_report"]])
    odds = [row for row in landed["player_points_props"] if row["source"] == "odds_api"]
    customer.append("odds_api_player_points_props", [{**row, "player_lookup": None} for row in odds])
    team = {row["player_lookup"]: row["team_abbr"] for row in landed["player_gamebook"]}
    others = [row for row in landed["player_points_props"] if row["source"] == "bettingpros"]
    customer.append("bettingpros_player_points_props", [side for row in others for side in _sides(row, team)])


def _rows(landing: Path, table: str) -> list[Row]:
    paths = [*sorted((landing / table).rglob("*.parquet"))]
    return [row for path in paths for row in pq.ParquetFile(path).read().to_pylist()]


def _schedule(row: Row) -> list[Row]:
    """A game, and the row that stood there before it was played."""
    game = {
        **row,
        "game_id": row["nba_game_id"],
        "game_date_est": row["game_time_utc"],
        **{f"{side}_tricode": row[f"{side}_abbr"] for side in ("home_team", "away_team", "winning_team")},
        "is_regular_season": row["is_regular_season"] or None,
    }
    results = ("home_team_score", "away_team_score", "winning_team_tricode")
    before = {"game_status": 1, "processed_at": row["processed_at"] - timedelta(days=2), **dict.fromkeys(results)}
    return [game, game | before]


def _injury(row: Row, names: Mapping[str, str]) -> Row:
    """The report of a player whose key has lost letters."""
    key = row["player_lookup"]
    for letters in SUFFIX_LETTERS:
        key = key.replace(letters, "")
    return row | {"player_lookup": key, "player_full_name": names[row["player_lookup"]]}


def _sides(row: Row, team: Mapping[str, str]) -> list[Row]:
    """The over and the under of an offer, and what else is in the same table."""
    side = {
        **row,
        "market_type": "points",
        "player_team": team[row["player_lookup"]],
        "is_active": True,
        "bookmaker_last_update": row["snapshot_timestamp"],
    }
    over = side | {"bet_side": "over", "odds_american": row["over_price_american"]}
    under = side | {"bet_side": "under", "odds_american": row["under_price_american"]}
    older = over | {"odds_american": -999, "processed_at": row["processed_at"] - timedelta(hours=1)}
    return [
        over,
        under,
        older,
        over | {"market_type": "rebounds", "points_line": 4.5},
        under | {"is_active": False, "points_line": 1.5},
        over | {"bookmaker": "BettingPros Consensus"},
    ]


def _older_and_equal(rows: list[Row]) -> list[Row]:
    """What appending leaves: the same row twice, and rows that were corrected since."""
    measures = {"assists": 1, "score_home": 7, "outcome_price": 1.5, "age": 40}
    older = [
        row
        | {name: value for name, value in measures.items() if row.get(name)}
        | {"processed_at": row["processed_at"] - timedelta(days=30)}
        for row in rows[::7]
    ]
    return [*rows[::5], *older]


FORMS: Mapping[str, tuple[str, Callable[[Row], Row]]] = {
    "player_gamebook": (
        "nbac_gamebook_player_stats",
        lambda row: row | {"player_name_original": row["player_name"], "player_lookup": None},
    ),
    "player_boxscores": ("nbac_player_boxscores", lambda row: row | {"player_full_name": row["player_name"]}),
    "team_boxscores": ("nbac_team_boxscore", dict),
    "play_by_play": (
        "bigdataball_play_by_play",
        lambda row: row | {"original_x": row["loc_x"], "original_y": row["loc_y"], "data_source": row["source"]},
    ),
    "game_lines": (
        "odds_api_game_lines",
        lambda row: row | {"home_team": row["home_team_abbr"], "home_team_abbr": None},
    ),
    "rosters": ("espn_team_rosters", dict),
    "player_registry": ("nba_players_registry", dict),
}
"""The tables whose rows are renamed alone, with each row's form."""
