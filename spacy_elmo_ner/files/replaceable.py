"""Which output folders may be replaced: nothing that we did not write is lost."""

import os
from pathlib import Path
from typing import Optional

from .manifest import MARKER, find_changed, find_stranger, has_manifest, read_manifest
from .workspace import clear_leftovers


def check_replaceable(
    folder: Path, *, force: Optional[bool] = None, names_only: bool = False
) -> None:
    """Check that there is nothing at `folder`, or a folder that we wrote.

    Args:
        folder: Where an output will be.
        force: Whether the user wants to lose what is there. None if the command has no
            such option.
        names_only: Do not read the files to see whether they were changed.

    Raises:
        ValueError: If there is something that we did not write, or that was changed.
    """
    place = Path(os.path.realpath(folder))
    clear_leftovers(place)
    here = Path(os.path.realpath(os.getcwd()))
    if place == here or place in here.parents:
        raise ValueError(
            f"{folder} is the folder that you are in, or one above it; name a new one."
        )
    for above in place.parents:
        if os.path.lexists(above) and not above.is_dir():
            raise ValueError(f"{folder} cannot be written: {above} is a file.")
    if force is True or not os.path.lexists(place):
        return
    obstacle = _obstacle(folder, place, names_only)
    if obstacle is not None:
        remedy = "Choose another name, or move what is there"
        remedy += "." if force is None else ", or give --force to replace it."
        raise ValueError(f"{obstacle} {remedy}")


def _obstacle(folder: Path, place: Path, names_only: bool) -> Optional[str]:
    """Why what is at `place`, which the user calls `folder`, is not ours to replace."""
    if not place.is_dir():
        return f"{folder} is already a file."
    stranger = find_stranger(place)
    if stranger is not None and not has_manifest(place):
        return (
            f"{folder} already exists, and spacy_elmo_ner did not write it, or an "
            "older version did."
        )
    if stranger is not None and read_manifest(place) is None:
        return (
            f"{folder / MARKER} is damaged, so it is not known what else in that "
            "folder spacy_elmo_ner wrote."
        )
    if stranger is not None:
        return f"{folder} holds {stranger}, which spacy_elmo_ner did not write."
    changed = None if names_only else find_changed(place)
    if changed is not None:
        return f"{folder / changed} was changed after spacy_elmo_ner wrote it."
    return None


def check_is_no_file(folder: Path) -> None:
    """Check that other files can be written into `folder`.

    Raises:
        ValueError: If there is a file at its path.
    """
    if os.path.lexists(folder) and not folder.is_dir():
        raise ValueError(f"The output {folder} is a file; name a folder.")
