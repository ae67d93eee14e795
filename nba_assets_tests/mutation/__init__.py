"""Mutation testing: one-line faults put into a copy of the product, to see which of them the tests notice.

Usage: `python -m nba_assets_tests.mutation PATH... --count 60 --seed 1 [--against TESTS...] [--mirrored-only]`, where a
PATH is a package or module below `nba_assets`, as in `precompute` or `raw/values.py`.

A mutant is one changed operator, constant, condition, slice bound, reduction or statement (`mutants`). The mirrored
tests (`nba_assets_tests/PACKAGE`, or those named by `--against`) run once on the unchanged copy while it is recorded
which test executes which line (`session`); each mutant then runs only against the tests that execute its line, the
fastest first, until one fails. What survives is run against the rest of the default suite, unless `--mirrored-only`.
One process at a time; a mutant that does not end is stopped and counts as killed. The working tree is never changed,
and the same seed draws the same mutants from the same code.

Survivors are listed with their change. Each is a missing test, or equivalent: no input shows a difference.
"""
