"""Game summaries, and contexts of scheduled games (phase3 in stored values such as an origin), a module per table."""
