"""Tests of the Phase 3 tables."""
