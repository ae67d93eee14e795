"""Tests of the page of a date."""
