"""Word vectors and tables of words that belong to a model.

What a model's weights were trained with is saved with them and not shared. So the
component can be moved to a pipeline with another vocab. Thinc saves a node's
attributes; this module teaches it to save spaCy's tables.
"""

from typing import Any, Dict

from spacy.lookups import Table
from spacy.vectors import Vectors
from spacy.vocab import Vocab
from thinc.model import deserialize_attr, serialize_attr

from ..nodes import AnyModel


@serialize_attr.register(Vectors)
def _vectors_to_bytes(_: Any, value: Vectors, name: str, model: AnyModel) -> bytes:
    saved: bytes = value.to_bytes(exclude=["strings"])
    return saved


@deserialize_attr.register(Vectors)
def _vectors_from_bytes(_: Any, value: bytes, name: str, model: AnyModel) -> Vectors:
    return Vectors().from_bytes(value, exclude=["strings"])


@serialize_attr.register(Table)
def _table_to_bytes(_: Any, value: Table, name: str, model: AnyModel) -> bytes:
    return value.to_bytes()


@deserialize_attr.register(Table)
def _table_from_bytes(_: Any, value: bytes, name: str, model: AnyModel) -> Table:
    return empty_table(name).from_bytes(value)


def is_empty(vectors: Vectors) -> bool:
    """Whether there are no vectors, or they have no width."""
    return 0 in vectors.shape


def empty_table(name: str) -> Table:
    # without data its Bloom filter would be made for a million words
    """An empty table."""
    return Table(name=name, data={})


def copy_vectors(vectors: Vectors) -> Vectors:
    """A copy of a table of vectors."""
    return _vectors_from_bytes(None, vectors.to_bytes(exclude=["strings"]), "", None)


def copy_table(vocab: Vocab, name: str) -> Table:
    """Copy the entries of the vocab's table that are not 0.

    0 is the value of words that are not in the table, and of four fifths of the English
    clusters.
    """
    entries: Dict[int, Any] = vocab.lookups.get_table(name)
    return Table(
        name=name, data={key: value for key, value in entries.items() if value}
    )
