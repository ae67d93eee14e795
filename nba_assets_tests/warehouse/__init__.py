"""Tests of the warehouse: one contract for every back end, and what is DuckDB's own."""
