"""Files that are whole or not there, and errors that name them.

atomic.py     files and folders that appear when they are complete
workspace.py  where they are written before that
written.py    which folders are ours, by the list that is left in them
reading.py    errors of reading, told with the file's name
checksum.py   of arrays
"""
