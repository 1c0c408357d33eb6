"""Which text a folder of tokens was made from."""

import json
from pathlib import Path
from typing import Any, Dict, List

from ..files.written import checksum
from .settings import TextSettings
from .text_files import list_files

ORIGIN = "origin.json"
# it changes when the same text becomes other tokens
VERSION = 1


def describe_origin(text: TextSettings) -> Dict[str, Any]:
    """What `check_origin` compares: settings, and size, time and checksum of each file."""
    return {
        "version": VERSION,
        "paths": text.paths,
        "lang": text.lang,
        "held_out": text.held_out,
        "files": [{**_stat(file), "checksum": checksum(file)} for file in _files(text)],
    }


def write_origin(origin: Dict[str, Any], folder: Path) -> None:
    (folder / ORIGIN).write_text(json.dumps(origin, indent=1), encoding="utf8")


def check_origin(folder: Path, text: TextSettings) -> None:
    """Raise ValueError unless the tokens in the folder are of this text.

    Text that is no longer at the paths that it was read from needs no comparison, nor do
    tokens that are given without any text's path.
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
            f"It is not known of which text the tokens in {folder} are, because "
            f"{ORIGIN} is missing there or damaged; {remedy}."
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
            f"The tokens in {folder} are of other text ({about}; "
            f"held_out {origin['held_out']}), or it has changed since; {remedy}."
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
    return bool(now["mtime"] == mtime) or checksum(file) == known
