"""All that Dagster is told: assets, checks, resources, jobs, sensors, schedules, the instance, runs started by hand."""
