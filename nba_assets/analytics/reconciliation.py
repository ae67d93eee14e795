"""Feeds compared with each other: where two of them count the same thing differently, and what that costs the rows
concerned.

Which feeds are compared is declared by the tables; games that the schedule does not account for are in
`unaccounted_games`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from nba_assets.entities.relations import within
from nba_assets.publishing.table_run import TableRun
from nba_assets.raw.tables import RawTable
from nba_assets.tables.bookkeeping import RAW_QUARANTINE
from nba_assets.tables.spec import Columns, Notice

DISAGREEMENT_COST = 25.0
"""Quality points that a row loses, once, where feeds disagree about it: always a tier."""
QUARANTINE_COST = 5.0
"""Quality points that a row loses where rows of its game are in quarantine: the rest may still be right."""

SHOTS_DISAGREE, FREE_THROWS_DISAGREE, BLOCKS_DISAGREE = "shots_disagree", "free_throws_disagree", "blocks_disagree"
"""Issues of rows whose play-by-play counts differ from their box score."""
FIELD_GOALS = {
    "fg_attempts": "attempts",
    "fg_makes": "makes",
    "three_pt_attempts": "three_attempts",
    "three_pt_makes": "three_makes",
}
"""Box counts of field goals, with their names among the play-by-play's counts."""
FREE_THROWS = {"ft_attempts": "free_throw_attempts", "ft_makes": "free_throw_makes"}
BLOCKS = {"blocks": "blocks_by_events"}

PLAY_BY_PLAY_NOTICE = Notice(
    "play_by_play_disagrees", "Field goals, free throws and blocks of the play-by-play are those of the box score"
)

BACKUP_USED = Notice(
    "backup_source_used",
    "A line or a total is that of its own feed; where that lacks it, it is taken from another feed",
)


def differing(left: Columns, right: Columns, names: Mapping[str, str]) -> NDArray[np.object_]:
    """For each row the names (of the left side) whose counts are known on both sides and differ, joined by commas; None
    where nothing differs.

    `names` maps each count of the left side to that of the right side.
    """
    pairs = [(name, left[name], right[other]) for name, other in names.items()]
    unequal = np.array([~np.isnan(ours - theirs) & (ours != theirs) for _, ours, theirs in pairs])
    texts = np.full(unequal.shape[1], None, dtype=object)
    for place in np.flatnonzero(unequal.any(axis=0)).tolist():
        texts[place] = ",".join(name for name, differs in zip(names, unequal[:, place], strict=True) if differs)
    return texts


def differ(texts: NDArray[np.object_]) -> NDArray[np.bool_]:
    """Rows in which `differing` found anything."""
    return np.array([text is not None for text in texts], dtype=bool)


def report(
    run: TableRun,
    notice: str,
    whose: str,
    sides: Sequence[str],
    left: Columns,
    right: Columns,
    names: Mapping[str, str],
    texts: NDArray[np.object_],
) -> None:
    """Report each disagreement of `differing` with its game, the team or player (`whose` is the column that names him)
    and both numbers.
    """
    for place in np.flatnonzero(differ(texts)).tolist():
        said = "; ".join(
            f"{name} {left[name][place]:.0f} by {sides[0]}, {right[names[name]][place]:.0f} by {sides[1]}"
            for name in texts[place].split(",")
        )
        run.notice(notice, left["game_date"][place].item(), f"{left['game_id'][place]} {left[whose][place]}: {said}")


def in_quarantine(run: TableRun, feeds: Sequence[RawTable], game_ids: NDArray[np.object_]) -> NDArray[np.float64]:
    """1 where rows of the game, in any of these feeds, are in quarantine, else 0."""
    rows = run.read(RAW_QUARANTINE, ("game_id",), where={"table_name": [feed.name for feed in feeds]})
    return within(game_ids, rows["game_id"]).astype(np.float64) if rows["game_id"].size else np.zeros(len(game_ids))
