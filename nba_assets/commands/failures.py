"""Open failures as the command line shows them: a summary, and a listing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from nba_assets.commands.output import age_of, list_entries, say

if TYPE_CHECKING:
    from nba_assets.publishing.retry import OpenFailure

FAILURES_SHOWN, REASONS_SHOWN = 50, 20


def summarise_failures(failures: Sequence[OpenFailure]) -> None:
    """Print how many failures there are of each table, category and reason, the most frequent first."""
    counted = Counter((failure.table, failure.category, failure.reason) for failure in failures)
    retryable = Counter((failure.table, failure.category, failure.reason) for failure in failures if failure.can_retry)
    list_entries(
        ("table", "category", "failures", "can retry", "reason"),
        [
            (table, category, f"{number:,}", f"{retryable[table, category, reason]:,}", reason)
            for (table, category, reason), number in counted.most_common(REASONS_SHOWN)
        ],
    )
    if len(counted) > REASONS_SHOWN:
        say(f"{REASONS_SHOWN} of {len(counted):,} kinds shown")


def list_failures(failures: Sequence[OpenFailure], limit: int) -> None:
    """Print the newest failures."""
    from nba_assets.orchestration.retries import newest_first

    now = datetime.now(UTC)
    list_entries(
        ("table", "date", "entity", "category", "can retry", "attempts", "age", "reason"),
        [
            (
                failure.table,
                str(failure.day),
                failure.entity,
                failure.category,
                "yes" if failure.can_retry else "no",
                str(failure.attempts),
                age_of(now - failure.recorded_at),
                failure.reason,
            )
            for failure in newest_first(failures)[:limit]
        ],
    )
    if len(failures) > limit:
        say(f"{limit:,} of {len(failures):,} failures shown; more with --limit")
