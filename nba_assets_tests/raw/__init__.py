"""Tests of the raw data contract: landing zone, ingestion, the simulated league."""
