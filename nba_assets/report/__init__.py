"""The slate of a date as one page to read: what is known of its games, and how far it is to be trusted."""
