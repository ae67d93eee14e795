"""Tests of the Phase 4 tables."""
