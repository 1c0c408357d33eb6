"""A pipeline for those who do not write Python: an HTTP service and a page to try it."""
