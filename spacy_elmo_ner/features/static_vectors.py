"""The vectors of the pipeline's vocab as they are: no projection, nothing to train."""

from typing import Callable, List, Optional, Tuple

import numpy as np
from spacy.tokens import Doc
from spacy.vectors import Mode, Vectors
from thinc.api import Model, get_array_module, to_numpy
from thinc.types import Floats2d

from spacy_elmo_ner.features.word_types import token_ids


def build_static_vectors_v1(*, attr: str = "LOWER") -> Model[List[Doc], List[Floats2d]]:
    """A tok2vec that looks words up in `doc.vocab.vectors`.

    A word's own form is tried first, then what `attr` (the name of a token
    attribute whose value is a string) says, as most published tables hold
    lower-case words only. A word without a vector gets zeros. Floret tables and
    other tables that compose their vectors are asked for the word's own form.

    Docs → (tokens, nO) each, where nO is the width of the table, known when the
    pipe is initialized. ValueError when the vocab has no vectors, or in a loaded
    pipe, when they are not as wide as those that it was trained with.
    """
    return Model(
        "static_vectors", forward, init=init, dims={"nO": None}, attrs={"attr": attr}
    )


def init(
    model: Model[List[Doc], List[Floats2d]],
    X: Optional[List[Doc]] = None,
    Y: Optional[List[Floats2d]] = None,
) -> None:
    if X:
        model.set_dim("nO", _vectors_width(X[0]), force=True)


def forward(
    model: Model[List[Doc], List[Floats2d]], docs: List[Doc], is_train: bool
) -> Tuple[List[Floats2d], Callable]:
    def backprop(d_vectors: List[Floats2d]) -> List[Doc]:
        return []

    if not docs:
        return [], backprop
    width = _vectors_width(docs[0])
    if not model.has_dim("nO"):
        raise ValueError(
            "The model does not know the width of the vectors yet. Call "
            "nlp.initialize() on the pipeline, or load a trained one with "
            "spacy.load()."
        )
    if model.get_dim("nO") != width:
        raise ValueError(
            f"The vocab's vectors are {width} wide, but the model was initialized "
            f"with vectors {model.get_dim('nO')} wide. Load the pipeline with its "
            "own vocab, or initialize and train it again with these vectors."
        )
    vectors = docs[0].vocab.vectors
    keys = token_ids(docs, ["ORTH", model.attrs["attr"]])
    if isinstance(vectors, Vectors) and vectors.mode == Mode.default:
        found = _look_up(vectors, keys)
    elif len(keys):
        found = vectors.get_batch(keys[:, 0].tolist())
    else:
        found = model.ops.alloc2f(0, width)
    lengths = model.ops.asarray1i([len(doc) for doc in docs])
    return model.ops.unflatten(model.ops.asarray2f(found), lengths), backprop


def _look_up(vectors: Vectors, keys: np.ndarray) -> Floats2d:
    """Vectors of the first key in each row that has one: (tokens, width)."""
    types, index = np.unique(keys, return_inverse=True)
    rows = to_numpy(vectors.find(keys=types.tolist()))[index].reshape(keys.shape)
    rows = np.where(rows[:, 0] >= 0, rows[:, 0], rows[:, 1])
    xp = get_array_module(vectors.data)
    # a copy: the zeros below must not reach the table
    found = vectors.data[xp.asarray(rows)]
    found[xp.asarray(rows < 0)] = 0.0
    return found


def _vectors_width(doc: Doc) -> int:
    rows, width = doc.vocab.vectors.shape
    if rows == 0 or width == 0:
        raise ValueError(
            "StaticVectors needs word vectors, and the pipeline's vocab has none. "
            "Name a pipeline or folder that holds vectors (made by `spacy init "
            "vectors`) in the config and initialize again:\n\n"
            '[initialize]\nvectors = "path/to/vectors"\n'
        )
    return width
