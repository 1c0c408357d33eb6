"""Files that are whole or not there, and errors that name them.

atomic.py         files and folders that appear when they are complete
workspace.py      where they are written first
streams.py        outputs that cannot be replaced, such as pipes
replaceable.py    which output folders may be replaced
manifest.py       the list of our files that each of our folders holds
file_checksum.py  checksums of files
checksum.py       checksums of arrays
download.py       files from the network, resumed where they broke off
reading.py        read errors that name the file
"""
