"""The formulas against published numbers, hand-worked cases and slow re-implementations."""
