"""Pruning: a smaller pipeline that loads faster, at the cost of a little F1."""

from typing import Callable, List, Set, Tuple

import numpy as np
from spacy.language import Language
from spacy.lookups import Table
from spacy.strings import StringStore
from spacy.vectors import Mode, Vectors
from thinc.api import Model, get_array_module

from ..nodes import AnyModel
from .lexeme_features import CLUSTER_TABLE, TABLES
from .static_vectors import DIFFERENCES, NODE_NAME, VECTORS
from .tables import is_empty

FORMS: Tuple[Callable[[str], str], ...] = (
    str.lower,
    str.capitalize,
    str.title,
    str.upper,
)


def prune_pipeline(nlp: Language, n_rows: int) -> Set[str]:
    """Prune the vectors and the Brown clusters of a pipeline.

    StaticVectors.v1 keeps its first rows and those that training has moved;
    LexemeFeatures.v1 keeps the clusters of words that have a vector. The vocab's own
    vectors and tables are removed if no component reads them, as our models have their
    own; otherwise the vocab's vectors keep their first rows, too.

    Args:
        nlp: The pipeline; it is changed in place.
        n_rows: How many rows of vectors to keep.

    Returns:
        The words that the vocab no longer needs.

    Raises:
        ValueError: If there is nothing to prune.
    """
    nodes = _nodes(nlp)
    ours = [node for node in nodes if _is_ours(node)]
    vocab = nlp.vocab
    if not ours and is_empty(vocab.vectors):
        raise ValueError(
            "The pipeline has no word vectors, so there is nothing to prune."
        )
    for node in ours:
        prune_vectors(node, n_rows)
        for other in nodes:
            if other.attrs.get(CLUSTER_TABLE):
                other.attrs[CLUSTER_TABLE] = prune_clusters(
                    other.attrs[CLUSTER_TABLE], node.attrs[VECTORS], vocab.strings
                )
    others_read = any(node.name == NODE_NAME and not _is_ours(node) for node in nodes)
    known = set(vocab.vectors.key2row)
    if ours and not others_read:
        for name in TABLES:
            if vocab.lookups.has_table(name):
                known.update(vocab.lookups.get_table(name))
                vocab.lookups.remove_table(name)
        vocab.vectors = Vectors()
    elif not is_empty(vocab.vectors):
        kept = np.arange(len(vocab.vectors.data)) < n_rows
        vocab.vectors = keep_rows(vocab.vectors, kept)
    if len(nlp.components) > 1:
        # another component may need any string
        return set()
    labels = {label for some in nlp.pipe_labels.values() for label in some}
    dropped = known.difference(vocab.vectors.key2row)
    return {vocab.strings[key] for key in dropped if key in vocab.strings} - labels


def prune_vectors(model: AnyModel, n_rows: int) -> None:
    """Keep the first rows of a StaticVectors.v1, and those that it has fine-tuned.

    Published tables start with their most frequent words.

    Args:
        model: The StaticVectors.v1; it is changed in place.
        n_rows: How many rows to keep.

    Raises:
        ValueError: See `keep_rows`.
    """
    vectors = model.attrs[VECTORS]
    kept = np.arange(len(vectors.data)) < n_rows
    if DIFFERENCES in model.attrs:
        kept |= model.attrs[DIFFERENCES] >= 0
        model.attrs[DIFFERENCES] = model.attrs[DIFFERENCES][kept]
    model.attrs[VECTORS] = keep_rows(vectors, kept)


def keep_rows(vectors: Vectors, kept: np.ndarray) -> Vectors:
    """Make a table with some of the rows.

    Args:
        vectors: The whole table.
        kept: Which rows to keep, (rows,) bool.

    Raises:
        ValueError: If the table composes its vectors, so that no row belongs to one
            word.
    """
    if not isinstance(vectors, Vectors) or vectors.mode != Mode.default:
        raise ValueError(
            "The pipeline's vectors are composed of several rows each, so none can be "
            "left out. Only tables with a row for each word can be pruned."
        )
    new_rows = np.cumsum(kept) - 1
    xp = get_array_module(vectors.data)
    smaller = Vectors(data=vectors.data[xp.asarray(kept)], name=vectors.name)
    for key, row in vectors.key2row.items():
        if kept[row]:
            smaller.add(key, row=int(new_rows[row]))
    return smaller


def prune_clusters(table: Table, vectors: Vectors, strings: StringStore) -> Table:
    """Keep the clusters of words that have a vector.

    The same words in lower case, capitalized and in capitals are kept, too, if their
    cluster is not the lower-case word's. For LexemeFeatures.v1 nothing changes for
    these, as it falls back to the lower-case word. Words without a vector, and other
    mixed-case words, are left out; they fall back likewise. Entries whose word is
    unknown stay.

    Args:
        table: The table of clusters.
        vectors: The table of vectors.
        strings: The words of both tables' keys.
    """
    words = {strings[key] for key in vectors.key2row if key in strings}
    forms: Set[str] = words.union(*(set(map(form, words)) for form in FORMS))

    def says_something(key: int, cluster: int) -> bool:
        if key not in strings:  # type: ignore[operator]
            return True
        word = strings[key]
        lower = word.lower()
        return word in forms and (word == lower or cluster != table.get(lower, 0))

    kept = {key: value for key, value in table.items() if says_something(key, value)}
    return Table(name=table.name, data=kept)


def _nodes(nlp: Language) -> List[AnyModel]:
    models = [getattr(pipe, "model", None) for _, pipe in nlp.components]
    return [
        node for model in models if isinstance(model, Model) for node in model.walk()
    ]


def _is_ours(node: AnyModel) -> bool:
    # spaCy's own layer has the same name, and reads the vocab
    return node.name == NODE_NAME and VECTORS in node.attrs
