"""Compute for one player or one team at a time, in parallel: as-of windows, groups, outcomes, completeness, the
parallel resource.
"""
