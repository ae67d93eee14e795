"""Columns that several tables share, declared once."""

from __future__ import annotations

from nba_assets.tables.spec import Column, flag, moment, number, text, texts

STAMPS: tuple[Column, ...] = (
    text(
        "data_hash", "64-bit hash of the row's key and measures, 16 hexadecimal digits; equal content has an equal hash", nullable=False, hashed=False
    ),
    moment("created_at", "When a row with this key was first written", nullable=False, hashed=False),
    moment("processed_at", "When the row was last written", nullable=False, hashed=False),
)

QUALITY_TIERS = ("gold", "silver", "bronze", "poor", "unusable")

QUALITY: tuple[Column, ...] = (
    text(
        "quality_tier", "gold from a score of 95, silver from 75, bronze from 50, poor from 25, else unusable", nullable=False, values=QUALITY_TIERS
    ),
    number(
        "quality_score", "100 for the primary source, 85 for a backup source, less what the issues cost", scale=1, nullable=False, allowed=(0, 100)
    ),
    texts("quality_issues", "What is wrong with the row's inputs, by name; empty where nothing is", nullable=False),
    texts("data_sources", "Raw tables that gave values to the row, sorted", nullable=False),
    flag("is_production_ready", "At least bronze and no blocking issue", nullable=False),
    text("primary_source_used", "Feed that the row's measures come from"),
    flag("processed_with_issues", "The row has quality issues", nullable=False),
)
