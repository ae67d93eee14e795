"""The commands of the command line, a module per group; `cli` puts them together.

Heavy modules are imported by the command that needs them, so that `--help` answers at once.
"""
