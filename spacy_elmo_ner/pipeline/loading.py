"""Loading a pipeline by name, with an error that says what is wrong with its files."""

import json
from pathlib import Path
from typing import Any, Callable, Dict, Union

import numpy as np
import spacy
import srsly
from spacy.language import Language
from spacy.tokenizer import Tokenizer
from spacy.util import get_package_path, is_package
from spacy.vectors import Mode
from spacy.vocab import Vocab
from thinc.api import Config

from ..files.reading import reading, reason
from . import default_pipeline

REMEDY = "get the pipeline again, or train it again"


def load(name: Union[str, Path, None] = None) -> Language:
    """Load a pipeline.

    Args:
        name: A folder or an installed package. None is the default pipeline,
            en_elmo_ner_sm.

    Returns:
        The pipeline, as `spacy.load` returns it.

    Raises:
        ValueError: If spaCy cannot load it, or the default one is not installed; if one
            of its files is damaged, the error names the file.
    """
    default = default_pipeline.NAME
    if name is None or (name == default and not Path(name).exists()):
        default_pipeline.check_installed()
        name = default
    name, folder = str(name), Path(name)
    try:
        if is_package(name):
            folder = get_package_path(name)
        return spacy.load(name)
    except Exception as error:
        # spaCy and its readers raise a dozen kinds of error, most without a file name
        if isinstance(error, ValueError) and str(error).startswith(str(folder)):
            raise
        _check_files(folder)
        if isinstance(error, OSError):
            raise ValueError(
                f"There is no pipeline at {name or repr(name)} that spaCy can load ({error}). Name a "
                "folder that training wrote, such as training/sample/model-best, or an "
                "installed pipeline package."
            ) from error
        raise ValueError(
            f"The pipeline {name} cannot be loaded ({reason(error)}). Check that its "
            f"{folder / 'config.cfg'} is as it was saved, and load it with the "
            "packages and versions that its meta.json names."
        ) from error


def _check_files(folder: Path) -> None:
    """Raise ValueError for the first file of a pipeline that cannot be read."""
    if not any((folder / name).exists() for name in ("config.cfg", "meta.json")):
        return  # not a pipeline: its content, maybe a whole disk, is not the cause
    for path in sorted(folder.rglob("*")):
        read = READERS.get(path.name)
        if read is not None and path.is_file():
            with reading(path, REMEDY):
                read(path)


def _read_config(path: Path) -> None:
    if "nlp" not in Config().from_disk(path, interpolate=False):
        raise ValueError("it has no section [nlp]")


def _read_json(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf8"))


def _read_json_object(path: Path) -> None:
    _check_mapping(_read_json(path))


def _read_msgpack(path: Path) -> Dict[str, Any]:
    content: Dict[str, Any] = srsly.read_msgpack(path)
    _check_mapping(content)
    return content


def _read_tokenizer(path: Path) -> None:
    # tokenizers that write other settings read them in their own way
    if "prefix_search" in _read_msgpack(path):
        Tokenizer(Vocab()).from_disk(path)


def _check_mapping(content: Any) -> None:
    if not isinstance(content, dict):
        raise ValueError("it does not hold what it should")


def _read_meta(path: Path) -> None:
    meta = _read_json(path)
    _check_mapping(meta)
    if not meta.get("name"):
        raise ValueError("it has no name")


def _read_vectors_config(path: Path) -> None:
    settings = _read_json(path)
    _check_mapping(settings)
    Mode(settings.get("mode", Mode.default))


def _read_vectors(path: Path) -> None:
    # numpy.load would suggest reading a foreign file as a pickle
    np.lib.format.open_memmap(path, mode="r")


READERS: Dict[str, Callable[[Path], Any]] = {
    "config.cfg": _read_config,
    "meta.json": _read_meta,
    "cfg": _read_json_object,
    "strings.json": _read_json,
    "vectors.cfg": _read_vectors_config,
    "vectors": _read_vectors,
    "key2row": _read_msgpack,
    "lookups.bin": _read_msgpack,
    "tokenizer": _read_tokenizer,
    "model": _read_msgpack,
}
