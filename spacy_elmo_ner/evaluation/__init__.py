"""Reports on gold and predicted Docs: shared task scores, a table per tag, JSON."""
