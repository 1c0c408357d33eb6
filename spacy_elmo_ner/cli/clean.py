"""`clean`: remove what the project's commands wrote."""

import hashlib
from contextlib import suppress
from pathlib import Path
from typing import Iterator, List, Set

import srsly
import typer

from ..elmo.layer_cache import is_layer_cache
from ..files.manifest import (
    MARKER,
    read_manifest,
    unchanged_beside,
    unchanged_files,
)
from ..files.workspace import remove_leftovers
from .escapes import echo

# `spacy project run` lists the outputs of each command here, with checksums
PROJECT_LOCK = "project.lock"
SHOWN = 3


def clean(
    folders: List[Path] = typer.Argument(..., help="Folders below the current one"),
) -> None:
    """Remove what the project's commands wrote into these folders: the outputs that
    project.lock lists, if they are unchanged; what train, pretrain, prune and vectors
    wrote, if nobody has changed it; and ELMo's cache. Everything else is kept and
    listed, and the exit code is then 1. A file, or a folder that is not below the
    current one, is refused before anything is removed.
    """
    here = Path.cwd().resolve()
    for folder in folders:
        if here not in folder.resolve().parents:
            raise ValueError(f"{folder} is not below {here}; remove it by hand.")
        if folder.exists() and not folder.is_dir():
            raise ValueError(f"{folder} is a file, not a folder; remove it by hand.")
        if folder.is_symlink():
            raise ValueError(f"{folder} is a link; remove it by hand.")
    kept: List[Path] = []
    for folder in folders:
        if folder.is_dir():
            kept += _clean(folder)
            echo(f"{folder} {'cleaned' if folder.is_dir() else 'removed'}")
    if kept:
        names = ", ".join(map(str, kept[:SHOWN]))
        more = f" and {len(kept) - SHOWN:,} more" if len(kept) > SHOWN else ""
        raise ValueError(
            "Kept, because no command of this project is known to have written it as "
            f"it is: {names}{more}. Remove by hand what you do not need."
        )


def _clean(folder: Path) -> List[Path]:
    """Remove what is ours; return what is left."""
    for inner in (folder, *_folders(folder)):
        remove_leftovers(inner)
    ours = _in_marked_folders(folder) | _in_project_lock(folder)
    ours |= {file for file in _files(folder) if is_layer_cache(file)}
    for file in ours:
        file.unlink(missing_ok=True)
    for inner in [*sorted(_folders(folder), reverse=True), folder]:
        with suppress(OSError):  # something is left in it
            inner.rmdir()
    return sorted(_files(folder))


def _in_marked_folders(folder: Path) -> Set[Path]:
    """Files that are as train, pretrain, prune and vectors wrote them."""
    ours: Set[Path] = set()
    for marker in folder.rglob(MARKER):
        place = marker.parent
        if read_manifest(place) is None:
            continue
        ours |= {marker, *(place / name for name in unchanged_files(place))}
        if place != folder:
            ours |= {place.parent / name for name in unchanged_beside(place)}
    root = folder.resolve()
    return {file for file in ours if root in (file.parent.resolve() / "_").parents}


def _in_project_lock(folder: Path) -> Set[Path]:
    """Files of outputs that are as `spacy project run` left them."""
    lock = Path(PROJECT_LOCK)
    if not lock.is_file():
        return set()
    ours: Set[Path] = set()
    for command in srsly.read_yaml(lock).values():
        for output in command.get("outs") or []:
            path = Path(output["path"])
            is_below = folder in path.parents or path == folder
            if is_below and path.exists() and _checksum(path) == output["md5"]:
                ours |= set(_files(path)) if path.is_dir() else {path}
    return ours


def _checksum(path: Path) -> str:
    """The checksum that spaCy writes into project.lock."""
    digest = hashlib.md5()
    for file in sorted(path.rglob("*")) if path.is_dir() else [path]:
        if file.is_file():
            digest.update(file.read_bytes())
    return digest.hexdigest()


def _files(folder: Path) -> Iterator[Path]:
    for path in folder.rglob("*"):
        if path.is_symlink() or not path.is_dir():
            yield path


def _folders(folder: Path) -> Iterator[Path]:
    for path in folder.rglob("*"):
        if path.is_dir() and not path.is_symlink():
            yield path
