"""Proofs on real seasons, found through NBA_ASSETS_REAL_DATA."""
