"""Which text a folder of tokens was made from."""

import json
from pathlib import Path
from typing import Any, Dict, List

from ..corpus.raw_text import list_files
from ..files.file_checksum import file_checksum
from .settings import TextSettings

ORIGIN = "origin.json"
# to be increased whenever the same text is tokenized differently
VERSION = 1


def describe_origin(text: TextSettings) -> Dict[str, Any]:
    """What `check_origin` compares: settings, and each file's size, time and checksum."""
    return {
        "version": VERSION,
        "paths": text.paths,
        "lang": text.lang,
        "held_out": text.held_out,
        "files": [
            {**_stat(file), "checksum": file_checksum(file)} for file in _files(text)
        ],
    }


def write_origin(origin: Dict[str, Any], folder: Path) -> None:
    """Write a description into a folder of tokens."""
    (folder / ORIGIN).write_text(json.dumps(origin, indent=1), encoding="utf8")


def check_origin(folder: Path, text: TextSettings) -> None:
    """Check that the tokens in the folder are those of this text.

    Nothing is compared if the text is no longer where it was read, or if no path to a
    text is given.

    Raises:
        ValueError: If the tokens are those of another text, or of an unknown one.
    """
    if not text.paths:
        return
    remedy = "choose another --paths.tokens, or delete the folder"
    try:
        origin = json.loads((folder / ORIGIN).read_text(encoding="utf8"))
        about = f"{', '.join(origin['paths'])}; {origin['lang']}"
        is_same = (
            origin["version"] == VERSION
            and origin["lang"] == text.lang
            and origin["held_out"] == text.held_out
        )
        files = [
            (one["size"], one["mtime"], one["checksum"]) for one in origin["files"]
        ]
    except (OSError, ValueError, LookupError, TypeError) as error:
        raise ValueError(
            f"It is not known which text the tokens in {folder} are from, because "
            f"{ORIGIN} is missing or damaged there; {remedy}."
        ) from error
    if is_same:
        try:
            found = _files(text)
        except ValueError:
            if text.paths != origin["paths"]:
                raise
            return
        is_same = len(found) == len(files) and all(
            _is(file, *known) for file, known in zip(found, files, strict=True)
        )
    if not is_same:
        raise ValueError(
            f"The tokens in {folder} are from other text ({about}; held_out "
            f"{origin['held_out']}), or the text has changed since; {remedy}."
        )


def _files(text: TextSettings) -> List[Path]:
    return list_files(Path(path) for path in text.paths)


def _stat(file: Path) -> Dict[str, Any]:
    stat = file.stat()
    return {"path": str(file), "size": stat.st_size, "mtime": stat.st_mtime_ns}


def _is(file: Path, size: int, mtime: int, known: str) -> bool:
    now = _stat(file)
    if now["size"] != size:
        return False
    return bool(now["mtime"] == mtime) or file_checksum(file) == known
