"""Outputs that cannot be replaced: devices, pipes, and files that are already open."""

import os
import shutil
import stat
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Iterator, Optional


def is_stream(path: Path) -> bool:
    """Whether it is a device or a pipe, or /dev/stdout and its like."""
    try:
        mode = os.stat(path).st_mode
    except (FileNotFoundError, NotADirectoryError):
        return False
    if stat.S_ISREG(mode):
        return _descriptor(path) is not None
    return not stat.S_ISDIR(mode)


@contextmanager
def written_through(path: Path) -> Iterator[Path]:
    """A temporary file, copied to the stream when the block ends without error."""
    with TemporaryDirectory() as folder:
        temporary = Path(folder) / (path.name or "new")
        yield temporary
        number = _descriptor(path)
        # we append to a file that is already open, as its owner does
        name = path if number is None else os.dup(number)
        with temporary.open("rb") as source, open(name, "wb", buffering=0) as stream:
            shutil.copyfileobj(source, stream)


def _descriptor(path: Path) -> Optional[int]:
    """The number of this process's open file that the path leads to."""
    name = os.path.abspath(path)
    own = f"/proc/{os.getpid()}/fd"
    while True:
        parent, last = os.path.split(name)
        if os.path.realpath(parent) == own:
            return int(last)
        if not os.path.islink(name):
            return None
        name = os.path.join(parent, os.readlink(name))
