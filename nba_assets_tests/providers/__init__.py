"""Tests of the providers: mappings, fetching from a local site, landing, imports."""
