"""Docs as tables: a row for each document, sentence, entity or token.

levels.py  Doc → rows, in spaCy alone
"""
