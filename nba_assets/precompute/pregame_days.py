"""Which dates get precomputed rows: those with league games, once the bootstrap days of the season are over."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from nba_assets.publishing.table_run import TableRun


def pregame_days(run: TableRun) -> NDArray[np.datetime64]:
    """The run's dates that get rows, ascending; why another date gets none is noted for its metadata.

    The first `bootstrap_days` of a season (14 by default, counted from opening night; 0 for none) get no rows.
    """
    days = run.game_days
    young = run.calendar.is_bootstrap(days, run.settings.bootstrap_days)
    elapsed = run.calendar.days_into_season(days)
    for day, number in zip(days[young].tolist(), elapsed[young].tolist(), strict=True):
        run.date_notes[day] = {
            "no_rows_because": (
                f"bootstrap: day {number} of the season, rows begin with day {run.settings.bootstrap_days}"
            )
        }
    for day in np.setdiff1d(run.days, days).tolist():
        run.date_notes[day] = {"no_rows_because": "no league games on this date"}
    return days[~young]
