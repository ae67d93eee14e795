"""Tests of windows, groups, completeness and the parallel resource."""
