"""The slate of a date as one page to read: what is known of its games, and the quality of the data."""
