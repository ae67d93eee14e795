"""NBA raw data into daily-partitioned analytics tables: a Dagster asset graph."""

import warnings

# Dagster says once per asset that backfill policies are in beta. They are what makes a range one run.
warnings.filterwarnings("ignore", message="Parameter `backfill_policy`")
