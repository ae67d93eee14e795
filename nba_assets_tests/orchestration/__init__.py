"""Tests of what Dagster is told, of runs, and of the command line."""
