"""Tests of the walk-forward test of points models."""
