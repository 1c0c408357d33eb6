"""Files and folders that appear whole or not at all."""

import os
import shutil
from contextlib import contextmanager
from pathlib import Path
from typing import Iterator
from uuid import uuid4


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A temporary name beside `path`, moved to it when the block ends without error.

    After an error the temporary file is gone and `path` is as it was.
    """
    temporary = path.with_name(f".{path.name}.{uuid4().hex}.tmp")
    try:
        yield temporary
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


@contextmanager
def replacing_folder(folder: Path) -> Iterator[Path]:
    """As `replacing`, for a folder; the temporary one is there, and empty.

    Folders cannot be exchanged in one step. After a kill between the two moves
    `recover_folder` puts the old one back.
    """
    recover_folder(folder)
    fresh = folder.with_name(folder.name + ".new")
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir(parents=True)
    try:
        yield fresh
        shutil.rmtree(_old(folder), ignore_errors=True)
        if folder.exists():
            os.replace(folder, _old(folder))
        os.replace(fresh, folder)
        shutil.rmtree(_old(folder), ignore_errors=True)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)


def recover_folder(folder: Path) -> None:
    """Undo the first half of a `replacing_folder` whose second half never came."""
    if not folder.exists() and _old(folder).exists():
        os.replace(_old(folder), folder)


def _old(folder: Path) -> Path:
    return folder.with_name(folder.name + ".old")
