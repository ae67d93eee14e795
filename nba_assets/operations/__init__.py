"""Running the graph: jobs, launching them outside the UI, and what surrounds a run."""
