"""Pictures of tables: columns in, an SVG out. Knows neither Dagster nor where the columns come from."""
