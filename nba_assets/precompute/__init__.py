"""From game summaries and contexts to features: shot zones, composite factors, the daily cache, the feature store.

One module per table.
"""
