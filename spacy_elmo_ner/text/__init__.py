"""What is read of a Doc: its words, and where its sentences end.

invisible.py      characters that nobody sees
words.py          tokens → what they show, and which of them are words or names
lines.py          a text's lines, without the margin of quoted mail and comments
table_columns.py  lines that are rows of a table
line_breaks.py    which line breaks end a sentence
sentence_ends.py  how a sentence ends
sentences.py      Docs → sentences of words
direction.py      whether a text is read from the left or the right
parts.py          long Docs and sentences → parts that overlap
"""
