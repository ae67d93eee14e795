"""Slow readings of what each table means: one row at a time, plain Python, nothing shared with the code under test but
the names of columns.
"""
