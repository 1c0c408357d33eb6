"""Files that are whole or not there, and errors that name them.

atomic.py         files and folders that appear when they are complete
workspace.py      where they are written before that
streams.py        outputs that cannot be replaced, such as pipes
replaceable.py    which output folders may be replaced
manifest.py       the list of our files that each of our folders holds
file_checksum.py  of files
checksum.py       of arrays
download.py       files from the network, continued where they broke off
reading.py        errors of reading, told with the file's name
"""
