"""Arrow columns from what numpy holds: codes into a list of texts, moments, and numbers that may be missing."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime

import numpy as np
import pyarrow as pa
from numpy.typing import ArrayLike, NDArray

MOMENT = pa.timestamp("us", tz="UTC")


def texts(pool: Sequence[str | None], codes: ArrayLike) -> pa.Array:
    """A text column: the text of `pool` at each code; null for negative codes."""
    places = np.asarray(codes, dtype=np.int64)
    return pa.array(pool, pa.string()).take(pa.array(places, mask=places < 0))


def numbers(values: ArrayLike, kind: pa.DataType, missing: ArrayLike | None = None) -> pa.Array:
    """A number or flag column, null where `missing`."""
    mask = None if missing is None else np.asarray(missing, dtype=bool)
    return pa.array(np.asarray(values), mask=mask).cast(kind)


def days(values: NDArray[np.datetime64]) -> pa.Array:
    """A date column, null for NaT."""
    return pa.array(values.astype("M8[D]"), pa.date32())


def moments(values: NDArray[np.datetime64]) -> pa.Array:
    """A column of moments in UTC."""
    return pa.array(values.astype("M8[us]")).cast(MOMENT)


def day_array(values: Sequence[date]) -> NDArray[np.datetime64]:
    """Dates as numpy has them."""
    return np.array(values, dtype="M8[D]")


def moment_array(values: Sequence[datetime]) -> NDArray[np.datetime64]:
    """Moments with a time zone as numpy has them, in UTC."""
    return np.array([value.astimezone(UTC).replace(tzinfo=None) for value in values], dtype="M8[us]")
