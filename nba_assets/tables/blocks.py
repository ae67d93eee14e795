"""Columns that several tables share, declared once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from nba_assets.tables.spec import Column, Table, count, day, flag, moment, number, text, texts

PLAYER_LOOKUP = text("player_lookup", "Normalised name: lower case, letters and digits only", nullable=False)
UNIVERSAL_PLAYER_ID = text(
    "universal_player_id", "Identity of the player across seasons; null where the registry does not know him"
)
GAME_ID = text("game_id", "Canonical game id, YYYYMMDD_AWAY_HOME", nullable=False)
GAME_DATE = day("game_date", "US-Eastern date of the game", nullable=False)

STAMPS: tuple[Column, ...] = (
    text(
        "data_hash",
        "64-bit hash of the row's key and measures, 16 hexadecimal digits; equal content has an equal hash",
        nullable=False,
        hashed=False,
    ),
    moment("created_at", "When a row with this key was first written", nullable=False, hashed=False),
    moment("processed_at", "When the row was last written", nullable=False, hashed=False),
)

REPROCESSING: tuple[Column, ...] = (
    # Nullable, so that tables that were stored without it can gain it.
    count("reprocess_attempt_count", "Earlier attempts at this row that ended in a PROCESSING_ERROR", hashed=False),
)
"""Filled where rows are published."""

QUALITY_TIERS = ("gold", "silver", "bronze", "poor", "unusable")

_SHARED_QUALITY: tuple[Column, ...] = (
    text(
        "quality_tier",
        "Tier by quality score: gold from 95, silver from 75, bronze from 50, poor from 25, else unusable",
        nullable=False,
        values=QUALITY_TIERS,
    ),
    number(
        "quality_score",
        "Quality of the row's inputs, 0 to 100: less for a backup source, a small sample or issues",
        scale=1,
        nullable=False,
        allowed=(0, 100),
    ),
    texts("quality_issues", "Issues of the row's inputs, by name; empty where there are none", nullable=False),
    texts("data_sources", "Raw tables that gave values to the row, sorted", nullable=False),
    flag("processed_with_issues", "The row has quality issues", nullable=False),
)

QUALITY = (
    *_SHARED_QUALITY,
    text("primary_source_used", "Feed that the row's measures come from"),
    flag("is_production_ready", "At least bronze and no blocking issue", nullable=False),
)
"""Quality of a row that describes a single game."""


def ready_flag(also: str = "") -> Column:
    """Readiness of a row that looks back; `also` says what else it asks for."""
    return flag(
        "is_production_ready",
        "Fit for use in a model: every completeness window reaches the threshold, or the date is in the first days "
        "of a "
        f"season or at a season boundary{also}",
        nullable=False,
    )


CONTEXT_QUALITY = (*_SHARED_QUALITY, ready_flag())
"""Quality of a row that looks back."""


def copied(table: Table, names: Sequence[str]) -> tuple[Column, ...]:
    """Columns of another table as a row repeats them: null where that table has no row for it."""
    return tuple(
        replace(column, description=f"{column.description}; from {table.name}", nullable=True)
        for column in map(table.column, names)
    )


def completeness_block(meaning: str, windows: Sequence[str] = ()) -> tuple[Column, ...]:
    """Completeness of a row's look-back: counts of the primary window, which `meaning` describes, and the percentage of
    each window by name.
    """
    return (
        count("expected_games_count", f"Expected: the {meaning}", nullable=False),
        count("actual_games_count", "Expected games that have a row", nullable=False),
        number(
            "completeness_percentage",
            "Actual games in percent of expected games; 100 where none is expected",
            unit="percent",
            scale=1,
            nullable=False,
            allowed=(0, 100),
        ),
        count("missing_games_count", "Expected games without a row", nullable=False),
        *(
            number(
                f"{window}_completeness_pct",
                f"Actual in percent of expected games, {window_words(window)}",
                unit="percent",
                scale=1,
                nullable=False,
                allowed=(0, 100),
            )
            for window in windows
        ),
        *(
            flag(f"{window}_is_complete", f"Every expected game has a row, {window_words(window)}", nullable=False)
            for window in windows
        ),
        *(
            [
                flag(
                    "all_windows_complete",
                    "Every window is complete; other than for is_production_ready there are no exemptions",
                    nullable=False,
                )
            ]
            if windows
            else []
        ),
    )


def window_words(window: str) -> str:
    """A look-back window in words. Examples: l5 -> "newest 5 games", l14d -> "14 days before the date"."""
    size = window.removeprefix("l")
    return f"{size.removesuffix('d')} days before the date" if size.endswith("d") else f"newest {size} games"


def readiness_block() -> tuple[Column, ...]:
    """Why a row may count as ready although its windows are not."""
    return (
        flag("season_boundary_detected", "The date is in October, November or April", nullable=False),
        flag("backfill_bootstrap_mode", "One of the first 30 days of the season", nullable=False),
    )
