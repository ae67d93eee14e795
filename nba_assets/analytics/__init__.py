"""Game summaries, and contexts of scheduled games (phase 3 in stored values such as an origin): one module per table."""
