"""The how-to pages, followed step by step on a copy of the project."""
