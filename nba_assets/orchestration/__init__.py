"""All Dagster definitions: assets, checks, resources, jobs, sensors, schedules, the instance, runs started by hand."""
