"""Reading the files of a provider's folder: rows with None for every kind of nothing, and when the files were
written.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd

from nba_assets.providers.delivery import ProviderError

CSV_SUFFIXES = (".csv", ".csv.gz")


def read_frame(file: Path, *, texts: bool = False) -> pd.DataFrame:
    """A Parquet or CSV file; with `texts` every value of a CSV file is a text, and an empty one stays empty.

    Raises ProviderError where it cannot be read.
    """
    try:
        if not file.name.lower().endswith(CSV_SUFFIXES):
            return pd.read_parquet(file)
        return pd.read_csv(file, dtype=str, keep_default_na=False) if texts else pd.read_csv(file, low_memory=False)
    except (ValueError, OSError) as error:
        raise ProviderError(f"{file} cannot be read: {str(error).splitlines()[0]}") from error


def records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """The rows of a frame by column."""
    plain = frame.astype(object).where(frame.notna(), None)
    return [{str(name): value for name, value in row.items()} for row in plain.to_dict("records")]


def newest_change(files: Iterable[Path]) -> datetime:
    """When the newest of some files was written."""
    return datetime.fromtimestamp(max(file.stat().st_mtime for file in files), UTC)
