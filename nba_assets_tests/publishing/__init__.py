"""Tests of what stands around every table."""
