"""The steps around every table's compute function: reading its inputs, auditing and publishing its rows, retry."""
