"""The same figures, computed as one would without this project: by filtering a data frame per player and date, with
pandas' rolling windows, with polars and in DuckDB's SQL.

Each module has `prepared`, which is not timed (frames into the library's own form), a function per subject in
`COMPUTE`, and `to_pandas` for comparing what it gives. `same_columns` is this project's own code, for these columns
alone.
"""
