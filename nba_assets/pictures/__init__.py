"""Pictures of tables: columns in, PNG bytes out. Knows neither Dagster nor where the columns come from."""
