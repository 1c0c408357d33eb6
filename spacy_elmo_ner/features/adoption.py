"""Models of version 0.1.0, which read the vectors and clusters of their pipeline's
vocab.
"""

from spacy.vocab import Vocab

from ..nodes import AnyModel
from .lexeme_features import NODE_NAME as LEXEME_FEATURES
from .lexeme_features import TABLES, take_tables
from .static_vectors import NODE_NAME as STATIC_VECTORS
from .static_vectors import VECTORS, take_vectors
from .tables import is_empty


def adopt_tables(model: AnyModel, vocab: Vocab) -> None:
    """Copy the tables that a trained model lacks from the vocab of its pipeline.

    This must happen while the model is in the pipeline that it was saved with.

    Args:
        model: The model; it is changed in place.
        vocab: The vocab of the pipeline.
    """
    for node in model.walk():
        if node.name == STATIC_VECTORS and VECTORS in node.attrs:
            if node.has_dim("nO") and is_empty(node.attrs[VECTORS]):
                take_vectors(node, vocab)
        if node.name == LEXEME_FEATURES:
            if any(name in node.attrs and not node.attrs[name] for name in TABLES):
                take_tables(node, vocab)
