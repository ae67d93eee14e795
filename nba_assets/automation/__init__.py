"""Pure decisions about runs: what has become stale, what has landed and which runs that calls for. Dagster is not known
here.
"""
