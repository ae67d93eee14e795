"""Phase 3: what happened in each game, and what is known of each upcoming one. One module per table."""
