"""Reports on gold and predicted Docs: the shared task's scores, a table per tag, JSON."""
