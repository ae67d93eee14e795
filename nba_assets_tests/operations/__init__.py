"""Tests of launching and of the command line."""
