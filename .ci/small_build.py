"""Build the first dates of a small simulated league in an empty folder, and print the digest of every table and date:
it is equal under every interpreter.
"""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import duckdb

from nba_assets.raw.sample_league import write_season

BUILT_DAYS = 12

folder = Path(sys.argv[1]).absolute()
first = write_season(folder / "var" / "landing", 2024, teams=("BOS", "DEN", "LAL", "MIA"), games_per_team=12).first_date
command = [
    str(Path(sys.executable).with_name("nba-assets")),
    "backfill",
    str(first),
    str(first + timedelta(days=BUILT_DAYS - 1)),
]
subprocess.run(command, cwd=folder, env={**os.environ, "NBA_ASSETS_BOOTSTRAP_DAYS": "0"}, stdout=sys.stderr, check=True)
with duckdb.connect(str(folder / "var" / "nba.duckdb"), read_only=True) as warehouse:
    built = warehouse.execute(
        "SELECT table_name, partition_date, row_count, digest FROM nba_processing.table_partitions ORDER BY ALL"
    ).fetchall()
if not {"ml_feature_store", "player_composite_factors"} <= {table for table, _, rows, _ in built if rows}:
    sys.exit("the build is too small: the last tables are empty")
for entry in built:
    print(*entry)
