"""Tests of nba_assets; they mirror the package."""
