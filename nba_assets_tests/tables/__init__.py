"""Tests of what follows from a table's declaration."""
