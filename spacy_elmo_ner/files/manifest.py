"""Folders that list which of their files we wrote.

The manifest in such a folder lists its files, each with a checksum. It tells a later
run that it may replace the folder, and whether the files are still as written.
"""

import json
import os
from contextlib import contextmanager
from pathlib import Path
from typing import Dict, Iterable, Iterator, List, NamedTuple, Optional, Set

from safetensors import SafetensorError

from .file_checksum import file_checksum

MARKER = ".spacy_elmo_ner.json"
DAMAGE = (ValueError, OSError, LookupError, TypeError, RuntimeError, SafetensorError)


class Manifest(NamedTuple):
    """What a folder's manifest says.

    Attributes:
        files: The checksum of each file, by its path within the folder.
        later: Names of files that may be added to the folder; see `list_beside`.
        beside: Names of files that the same command writes next to the folder.
    """

    files: Dict[str, str]
    later: List[str]
    beside: List[str]


def write_manifest(
    folder: Path, *, later: Iterable[str] = (), beside: Iterable[str] = ()
) -> None:
    """List everything in the folder as ours.

    Args:
        folder: A folder that only holds what we wrote.
        later: See `Manifest`.
        beside: See `Manifest`.
    """
    files = {name: file_checksum(folder / name) for name in _files(folder)}
    manifest = Manifest(files, list(later), list(beside))
    text = json.dumps(manifest._asdict(), indent=1)
    (folder / MARKER).write_text(text, encoding="utf8")


def has_manifest(folder: Path) -> bool:
    """Whether the folder holds a manifest, even a damaged one."""
    return os.path.lexists(folder / MARKER)


def read_manifest(folder: Path) -> Optional[Manifest]:
    """Read a folder's manifest; None if there is none, or a damaged one."""
    try:
        text = (folder / MARKER).read_text(encoding="utf8")
        manifest = Manifest(**json.loads(text))
        dict(manifest.files), [str(name) for name in manifest.later + manifest.beside]
    except (OSError, ValueError, TypeError):
        return None
    return manifest


def find_stranger(folder: Path) -> Optional[str]:
    """Find a file in the folder that we did not write; None if there is none."""
    manifest = read_manifest(folder)
    ours = {MARKER, *manifest.files, *manifest.later} if manifest else set()
    return next((name for name in _files(folder) if name not in ours), None)


def find_changed(folder: Path) -> Optional[str]:
    """Find a file in the folder that is not as we wrote it; None if there is none."""
    manifest = read_manifest(folder)
    if manifest is None:
        return None
    changed = {*manifest.files, *manifest.later} - unchanged_files(folder)
    return next((n for n in sorted(changed) if os.path.lexists(folder / n)), None)


def is_unchanged(folder: Path, name: str) -> bool:
    """Whether a file is as it was written; also if no manifest lists it."""
    manifest = read_manifest(folder)
    known = None if manifest is None else manifest.files.get(name)
    return known is None or _has_sum(folder / name, known)


def unchanged_files(folder: Path) -> Set[str]:
    """Names of the folder's files that are as we wrote them, without the manifest."""
    manifest = read_manifest(folder)
    if manifest is None:
        return set()
    return _unchanged(folder, manifest.files) | {
        name
        for name in manifest.later
        if _read_list(folder / name, manifest) is not None
    }


def list_beside(folder: Path, name: str) -> None:
    """Add a list, with checksums, of the files that are now next to the folder.

    Args:
        folder: A folder with a manifest.
        name: The list's own name, one of the manifest's `later`.
    """
    manifest = read_manifest(folder)
    assert manifest is not None and name in manifest.later
    sums = {one: file_checksum(folder.parent / one) for one in manifest.beside}
    (folder / name).write_text(json.dumps(sums), encoding="utf8")


def unchanged_beside(folder: Path) -> Set[str]:
    """Names of files next to the folder that are as `list_beside` found them."""
    manifest = read_manifest(folder)
    if manifest is None:
        return set()
    lists = (_read_list(folder / name, manifest) or {} for name in manifest.later)
    return set().union(*(_unchanged(folder.parent, files) for files in lists))


def check_whole(folder: Path) -> None:
    """Check that every file is as it was written; without a manifest nothing is checked.

    Raises:
        ValueError: If a file is missing or was changed. It names the file.
    """
    if not has_manifest(folder):
        return
    manifest = read_manifest(folder)
    if manifest is None:
        raise ValueError(f"{folder / MARKER} is damaged")
    for name in manifest.files:
        if not (folder / name).is_file():
            raise ValueError(f"{folder / name} is missing")
    changed = find_changed(folder)
    if changed is not None:
        raise ValueError(f"{folder / changed} is damaged")


@contextmanager
def damage_told(folder: Path, remedy: str) -> Iterator[None]:
    """Turn errors from reading a checkpoint's files into one sentence.

    Args:
        folder: The checkpoint that the block reads.
        remedy: What to do about a damaged one, a sentence.

    Raises:
        ValueError: For whatever the libraries raise for damaged files.
    """
    try:
        yield
    except DAMAGE as error:
        raise ValueError(f"{folder} cannot be continued: {error}. {remedy}") from error


def _unchanged(folder: Path, sums: Dict[str, str]) -> Set[str]:
    return {name for name, known in sums.items() if _has_sum(folder / name, known)}


def _has_sum(path: Path, known: str) -> bool:
    try:
        return file_checksum(path) == known
    except (OSError, ValueError):
        return False


def _read_list(path: Path, manifest: Manifest) -> Optional[Dict[str, str]]:
    """What `list_beside` wrote; empty if it was killed, None for other files."""
    try:
        sums = dict(json.loads(path.read_text(encoding="utf8") or "{}"))
    except (OSError, ValueError, TypeError):
        return None
    return sums if set(sums) <= set(manifest.beside) else None


def _files(folder: Path) -> Iterator[str]:
    """Everything below the folder that is not a folder, as "a/b"; links, too."""
    for place, folders, files in os.walk(folder):
        links = [name for name in folders if os.path.islink(os.path.join(place, name))]
        for name in sorted(files + links):
            yield Path(place, name).relative_to(folder).as_posix()
