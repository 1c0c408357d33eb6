"""The pipeline that a command works with."""

import json
from pathlib import Path
from typing import Any, Callable, Dict, Optional

import numpy as np
import spacy
import srsly
import typer
from spacy.language import Language
from spacy.tokenizer import Tokenizer
from spacy.util import get_package_path, is_package
from spacy.vectors import Mode
from spacy.vocab import Vocab
from thinc.api import Config

from ..files.reading import reading, reason
from ..pipeline import default_pipeline
from ..pipeline.elmo_ner import ElmoNer

MODEL = typer.Option(
    None,
    "--model",
    "-m",
    help="Pipeline (folder or package); en_elmo_ner_sm if left out",
)
REMEDY = "get the pipeline again, or train it again"


def load_pipeline(model: Optional[str]) -> Language:
    """The named pipeline, or the default one.

    Raises ValueError if spaCy cannot load it, or the default one is not installed; where
    a file of it is damaged, the error names the file.
    """
    default = default_pipeline.NAME
    if model is None or (model == default and not Path(model).exists()):
        default_pipeline.check_installed()
        model = default
    folder = Path(model)
    try:
        if is_package(model):
            folder = get_package_path(model)
        return spacy.load(model)
    except Exception as error:
        # spaCy and what it reads with raise a dozen kinds, most without a file's name
        if isinstance(error, ValueError) and str(error).startswith(str(folder)):
            raise
        _check_files(folder)
        if isinstance(error, OSError):
            raise ValueError(
                f"There is no pipeline at {model} that spaCy can load ({error}). Name a "
                "folder that training wrote, such as training/sample/model-best, or an "
                "installed pipeline package."
            ) from error
        raise ValueError(
            f"The pipeline {model} cannot be loaded ({reason(error)}). See that its "
            f"{folder / 'config.cfg'} is as it was saved, and load it with the packages "
            "and versions that its meta.json names."
        ) from error


def ner_of(nlp: Language) -> ElmoNer:
    """The pipeline's component `elmo_ner`, whatever its name.

    Raises:
        ValueError: If it has none, or several.
    """
    found = [pipe for _, pipe in nlp.pipeline if isinstance(pipe, ElmoNer)]
    if len(found) != 1:
        raise ValueError(
            f"The pipeline has {len(found)} components elmo_ner among its components "
            f"({', '.join(nlp.pipe_names) or 'none'}), but it needs one. Name another."
        )
    return found[0]


def _check_files(folder: Path) -> None:
    """Raise ValueError for the first file of a pipeline that cannot be read."""
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
    # those that write other settings read them in their own way
    if "prefix_search" in _read_msgpack(path):
        Tokenizer(Vocab()).from_disk(path)


def _check_mapping(content: Any) -> None:
    if not isinstance(content, dict):
        raise ValueError("it holds something else than it should")


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
    # numpy.load would propose to read a foreign file as a pickle
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
