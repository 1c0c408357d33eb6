"""Docs as tables: a row for each document, sentence, entity or token.

levels.py     Doc → rows, in spaCy alone
pipelines.py  what a table has to know of the pipeline
sources.py    what `predict` takes → batches of texts
frames.py     texts → DataFrames
library.py    pandas, or how to get it
progress.py   a progress bar
spreadsheet.py  CSV that a spreadsheet opens without running what is in it
"""
