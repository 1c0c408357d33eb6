"""Fewer word vectors."""

import numpy as np
from spacy.vectors import Mode, Vectors
from thinc.api import Model, get_array_module

from .static_vectors import VECTORS


def prune_vectors(model: Model, n_rows: int) -> None:
    """Keep the first rows of the vectors of a StaticVectors.v1, and those that it has
    fine-tuned; published tables begin with their most frequent words.

    Raises ValueError as `keep_rows`.
    """
    vectors = model.attrs[VECTORS]
    kept = np.arange(len(vectors.data)) < n_rows
    if "differences" in model.attrs:
        kept |= model.attrs["differences"] >= 0
        model.attrs["differences"] = model.attrs["differences"][kept]
    model.attrs[VECTORS] = keep_rows(vectors, kept)


def keep_rows(vectors: Vectors, kept: np.ndarray) -> Vectors:
    """A table with some of the rows.

    kept: (rows,) bool.

    Raises ValueError if the table composes its vectors, so that no row is a word's.
    """
    if not isinstance(vectors, Vectors) or vectors.mode != Mode.default:
        raise ValueError(
            "The pipeline's vectors are composed of several rows each, so that none "
            "can be left out. Only tables with a row for each word can be pruned."
        )
    new_rows = np.cumsum(kept) - 1
    xp = get_array_module(vectors.data)
    smaller = Vectors(data=vectors.data[xp.asarray(kept)], name=vectors.name)
    for key, row in vectors.key2row.items():
        if kept[row]:
            smaller.add(key, row=int(new_rows[row]))
    return smaller
