"""Tests of the decisions about runs, without Dagster."""
