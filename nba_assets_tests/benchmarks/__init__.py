"""Measurements, not tests: what the pipeline's own work costs, and what Dagster adds."""
