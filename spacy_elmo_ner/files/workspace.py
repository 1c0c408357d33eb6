"""A hidden folder next to an output, in which the output is written before it is moved.

The folder is `.NAME.<random>.tmp`. It holds a file that is locked as long as the process
lives. So the next run knows what a killed one left behind, and finishes or removes it.
"""

import errno
import json
import os
import re
import secrets
import shutil
from contextlib import contextmanager, suppress
from io import FileIO
from pathlib import Path
from typing import IO, Iterator, List, Optional, Tuple, Union

try:
    import fcntl
except ImportError:  # on Windows, what killed runs leave behind stays there
    fcntl = None  # type: ignore[assignment]

LOCK, OLD, NEW, FIRST = "lock", "old", "new", "first"
OURS = b"spacy_elmo_ner writes this, and moves it to its place when it is whole: "
# bytes of the output's name in the workspace's, which file systems limit
LONGEST_STEM = 200


class WriteError(OSError):
    """An output cannot be written; the message says which and why."""


@contextmanager
def workspace(place: Path) -> Iterator[Path]:
    """Yield a folder next to `place`, empty except for its lock, then remove it.

    Missing parent folders are created; they stay if something is in them at the end.

    Raises:
        WriteError: If no folder can be created there.
    """
    missing: List[Path] = []
    try:
        try:
            missing += [folder for folder in place.parents if not folder.exists()]
            place.parent.mkdir(parents=True, exist_ok=True)
            clear_leftovers(place)
            folder, lock = _make(place)
        except OSError as error:
            raise WriteError(
                f"{place} cannot be written ({error.strerror}); choose another place."
            ) from error
        try:
            with lock:
                yield folder
        finally:
            _remove(folder)
    finally:
        for folder in missing:
            with suppress(OSError):
                folder.rmdir()


def clear_leftovers(place: Path) -> None:
    """Remove what killed runs left behind while they were writing to `place`.

    A run that was killed while moving a complete output to its final path is finished.
    """
    _clear(_found(place.parent, re.escape(_stem(place))), place)


def remove_leftovers(parent: Path) -> None:
    """Remove what killed runs left behind in a folder, whatever they were writing."""
    _clear(_found(parent, ".+"), None)


def _clear(folders: List[Path], place: Optional[Path]) -> None:
    for folder in folders:
        with suppress(OSError):
            with (folder / LOCK).open("rb+", buffering=0) as lock:
                text = lock.read()
                # its process was killed before it had written the whole text
                is_begun = OURS.startswith(text) and len(os.listdir(folder)) == 1
                if not (text.startswith(OURS) or is_begun) or not try_lock(lock):
                    continue
                if place is not None and text == OURS + os.fsencode(place.name):
                    _finish(folder, place)
            _remove(folder)


def _found(parent: Path, stem: str) -> List[Path]:
    """Workspaces in a folder, including those of living processes.

    Empty ones, whose process was killed before it created the lock, are removed.
    """
    pattern = re.compile(rf"\.{stem}\.[0-9a-f]{{16}}\.tmp", re.DOTALL)
    found = []
    with suppress(OSError), os.scandir(parent) as entries:
        for entry in entries:
            if pattern.fullmatch(entry.name) and entry.is_dir(follow_symlinks=False):
                with suppress(OSError):
                    os.rmdir(entry.path)
                    continue
                found.append(Path(entry.path))
    return found


def _remove(folder: Path) -> None:
    """Remove the lock last: a folder without one belongs to nobody."""
    with suppress(OSError):
        for path in folder.iterdir():
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path, ignore_errors=True)
            elif path.name != LOCK:
                path.unlink()
        (folder / LOCK).unlink()
        folder.rmdir()


def announce(workspace: Path, source: Path, target: str) -> None:
    """Note in a workspace that another file is moved into place before this one."""
    text = json.dumps([os.path.abspath(source), target])
    (workspace / FIRST).write_text(text, encoding="utf8")


def _finish(folder: Path, place: Path) -> None:
    """Finish a run that was killed after moving the old output away."""
    if os.path.lexists(place) or not (folder / OLD).exists():
        return
    if (folder / FIRST).exists():
        source, target = json.loads((folder / FIRST).read_text(encoding="utf8"))
        if os.path.exists(source):
            os.replace(source, target)
    for name in (NEW, place.name):
        if (folder / name).exists():
            os.replace(folder / name, place)
            return


def _make(place: Path) -> Tuple[Path, FileIO]:
    while True:
        name = f".{_stem(place)}.{secrets.token_hex(8)}.tmp"
        folder = place.with_name(name)
        folder.mkdir()
        try:
            lock = (folder / LOCK).open("xb+", buffering=0)
        except FileNotFoundError:
            continue  # another run mistook it for a leftover
        try:
            text = OURS + os.fsencode(place.name)
            if lock.write(text) < len(text):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            if try_lock(lock, without=True) and (folder / LOCK).exists():
                return folder, lock
        except BaseException:
            lock.close()
            _remove(folder)
            raise
        lock.close()


def _stem(place: Path) -> str:
    return os.fsencode(place.name)[:LONGEST_STEM].decode("utf8", "ignore")


def try_lock(lock: Union[FileIO, IO[bytes]], *, without: bool = False) -> bool:
    """Try to lock the file; return whether this process has it now.

    Args:
        lock: The open file.
        without: What to return on a system without locks.
    """
    if fcntl is None:
        return without
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return without
    return True
