"""A pipeline with fewer word vectors."""

from typing import List, Set

import numpy as np
from spacy.language import Language
from spacy.vectors import Mode, Vectors
from thinc.api import Model, get_array_module

from .static_vectors import NODE_NAME


def prune_vectors(nlp: Language, n_rows: int) -> Set[str]:
    """Keep the first rows of the vocab's vectors, and those that StaticVectors.v1 has
    fine-tuned; published tables begin with their most frequent words.

    Returns the words that have no vector any more. Raises ValueError if the table
    composes its vectors, so that no row is a word's.
    """
    vectors = nlp.vocab.vectors
    if not isinstance(vectors, Vectors) or vectors.mode != Mode.default:
        raise ValueError(
            "The pipeline's vectors are composed of several rows each, so that none "
            "can be left out. Only tables with a row for each word can be pruned."
        )
    kept = np.arange(len(vectors.data)) < n_rows
    nodes = _fine_tuned(nlp)
    for node in nodes:
        kept |= node.attrs["differences"] >= 0
    new_rows = np.cumsum(kept) - 1
    xp = get_array_module(vectors.data)
    smaller = Vectors(data=vectors.data[xp.asarray(kept)], name=vectors.name)
    dropped: Set[str] = set()
    for key, row in vectors.key2row.items():
        if kept[row]:
            smaller.add(key, row=int(new_rows[row]))
        elif key in nlp.vocab.strings:
            dropped.add(nlp.vocab.strings[key])
    nlp.vocab.vectors = smaller
    for node in nodes:
        node.attrs["differences"] = node.attrs["differences"][kept]
    return dropped


def _fine_tuned(nlp: Language) -> List[Model]:
    models = [getattr(pipe, "model", None) for _, pipe in nlp.components]
    return [
        node
        for model in models
        if isinstance(model, Model)
        for node in model.walk()
        if node.name == NODE_NAME and "differences" in node.attrs
    ]
