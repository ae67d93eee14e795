"""Precomputed tables (phase4 in stored values such as an origin): shot zones, composite factors, the daily cache, the
feature store; one module per table.
"""
