"""The sport itself: one function for each formula, pure functions on numbers and numpy arrays.

Nothing here knows of tables, storage or Dagster, and nothing here rounds a measure. In an array NaN (or None among
texts) means unknown.
"""
