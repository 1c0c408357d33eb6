"""Folders that say which of their files we wrote.

A folder of ours holds a list of its files, each with a checksum. With it a later run
knows that it may replace the folder, and whether the files are still what was written.
"""

import hashlib
import json
import os
from contextlib import contextmanager
from pathlib import Path
from typing import Dict, Iterable, Iterator, List, NamedTuple, Optional, Set

from safetensors import SafetensorError

MARKER = ".spacy_elmo_ner.json"
BLOCK = 1 << 20
DAMAGE = (ValueError, OSError, LookupError, TypeError, RuntimeError, SafetensorError)


class Written(NamedTuple):
    """What a folder's list says.

    files: checksum of each file, by its path within the folder.
    later: names of files that may be added to the folder; see `list_beside`.
    beside: names of files that the same command writes beside the folder.
    """

    files: Dict[str, str]
    later: List[str]
    beside: List[str]


def mark(
    folder: Path, *, later: Iterable[str] = (), beside: Iterable[str] = ()
) -> None:
    """List all that is in the folder as ours."""
    files = {name: checksum(folder / name) for name in _files(folder)}
    written = Written(files, list(later), list(beside))
    text = json.dumps(written._asdict(), indent=1)
    (folder / MARKER).write_text(text, encoding="utf8")


def has_list(folder: Path) -> bool:
    return os.path.lexists(folder / MARKER)


def written_in(folder: Path) -> Optional[Written]:
    """None when there is no list, or none that can be read."""
    try:
        text = (folder / MARKER).read_text(encoding="utf8")
        written = Written(**json.loads(text))
        dict(written.files), [str(name) for name in written.later + written.beside]
    except (OSError, ValueError, TypeError):
        return None
    return written


def stranger_in(folder: Path) -> Optional[str]:
    """A file in the folder that we did not write, or None when there is none."""
    written = written_in(folder)
    ours = {MARKER, *written.files, *written.later} if written else set()
    return next((name for name in _files(folder) if name not in ours), None)


def changed_in(folder: Path) -> Optional[str]:
    """A file in the folder that is not as we wrote it, or None when there is none."""
    written = written_in(folder)
    names = {*written.files, *written.later} if written else set()
    unchanged = unchanged_in(folder)
    changed = sorted(names - unchanged)
    return next((name for name in changed if os.path.lexists(folder / name)), None)


def unchanged_in(folder: Path) -> Set[str]:
    """Files of the folder that are as we wrote them, but for the list itself."""
    written = written_in(folder)
    if written is None:
        return set()
    lists = {n for n in written.later if _read_beside(folder / n, written) is not None}
    return lists | {
        name
        for name, expected in written.files.items()
        if _is_as_written(folder / name, expected)
    }


def list_beside(folder: Path, name: str) -> None:
    """Add to the folder a list, with checksums, of what is now written beside it."""
    written = written_in(folder)
    assert written is not None and name in written.later
    sums = {one: checksum(folder.parent / one) for one in written.beside}
    (folder / name).write_text(json.dumps(sums), encoding="utf8")


def unchanged_beside(folder: Path) -> Set[str]:
    """Files beside the folder that are as `list_beside` found them."""
    written = written_in(folder)
    if written is None:
        return set()
    return {
        name
        for later in written.later
        for name, expected in (_read_beside(folder / later, written) or {}).items()
        if _is_as_written(folder.parent / name, expected)
    }


def _read_beside(path: Path, written: Written) -> Optional[Dict[str, str]]:
    """None for what is no such list; one whose writing was killed is empty."""
    try:
        sums = dict(json.loads(path.read_text(encoding="utf8") or "{}"))
    except (OSError, ValueError, TypeError):
        return None
    return sums if set(sums) <= set(written.beside) else None


def _is_as_written(path: Path, expected: str) -> bool:
    try:
        return checksum(path) == expected
    except (OSError, ValueError):
        return False


def check_whole(folder: Path) -> None:
    """Raise ValueError, which names the file, unless all is as it was written.

    A folder without a list has nothing to be checked by.
    """
    if not has_list(folder):
        return
    written = written_in(folder)
    if written is None:
        raise ValueError(f"{folder / MARKER} is damaged")
    for name in written.files:
        if not (folder / name).is_file():
            raise ValueError(f"{folder / name} is missing")
    changed = changed_in(folder)
    if changed is not None:
        raise ValueError(f"{folder / changed} is damaged")


@contextmanager
def damage_told(folder: Path, remedy: str) -> Iterator[None]:
    """Errors of reading files that are not as they were written, as a sentence."""
    try:
        yield
    except DAMAGE as error:
        raise ValueError(
            f"{folder} cannot be gone on from: {error}. {remedy}"
        ) from error


def checksum(path: Path) -> str:
    """Of a file, or of all files in a folder."""
    digest = hashlib.sha256()
    for file in sorted(path.rglob("*")) if path.is_dir() else [path]:
        if file.is_dir():
            continue
        with file.open("rb") as opened:
            while block := opened.read(BLOCK):
                digest.update(block)
    return digest.hexdigest()


def _files(folder: Path) -> Iterator[str]:
    """Everything below the folder that is no folder, as "a/b"; links, too."""
    for place, folders, files in os.walk(folder):
        links = [name for name in folders if os.path.islink(os.path.join(place, name))]
        for name in sorted(files + links):
            yield Path(place, name).relative_to(folder).as_posix()
