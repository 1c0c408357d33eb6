"""Gold and predicted Docs → reports: the shared task's scorer, a table per tag, JSON."""
