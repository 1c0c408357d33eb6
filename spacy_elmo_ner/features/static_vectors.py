"""The vectors of the pipeline's vocab, as they are or fine-tuned."""

from typing import Callable, List, Optional, Tuple, cast

import numpy as np
from spacy.tokens import Doc
from spacy.vectors import Mode, Vectors
from thinc.api import Embed, Model, get_array_module, to_numpy, zero_init
from thinc.types import Floats2d, Ints1d

from spacy_elmo_ner.features.word_types import token_ids

NODE_NAME = "static_vectors"


def build_static_vectors_v1(
    *, attr: str = "LOWER", fine_tuned_words: int = 0
) -> Model[List[Doc], List[Floats2d]]:
    """A tok2vec that looks words up in `doc.vocab.vectors`.

    A word's own form is tried first, then what `attr` (the name of a token
    attribute whose value is a string) says, as most published tables hold
    lower-case words only. A word without a vector gets zeros. Floret tables and
    other tables that compose their vectors are asked for the word's own form.

    The first `fine_tuned_words` words with a vector that training meets can be moved by
    it. The table itself stays as it is: what is learnt is a difference for each of these
    words, zero at first and saved with the pipe.

    Docs → (tokens, nO) each, where nO is the width of the table, known when the
    pipe is initialized. ValueError when the vocab has no vectors, when words of a
    table that composes its vectors are to be fine-tuned, or in a loaded pipe, when
    the vectors are not as wide as those that it was trained with.
    """
    if fine_tuned_words < 0:
        raise ValueError(
            f"StaticVectors cannot fine-tune {fine_tuned_words} words. Set "
            "fine_tuned_words to 0 to leave the vectors as they are."
        )
    differences: List[Model] = []
    if fine_tuned_words:
        differences.append(Embed(nV=fine_tuned_words, initializer=zero_init))
    return Model(
        NODE_NAME,
        forward,
        init=init,
        layers=differences,
        dims={"nO": None},
        attrs={"attr": attr},
    )


def init(
    model: Model[List[Doc], List[Floats2d]],
    X: Optional[List[Doc]] = None,
    Y: Optional[List[Floats2d]] = None,
) -> None:
    if not X:
        return
    width = _vectors_width(X[0])
    model.set_dim("nO", width, force=True)
    for differences in model.layers:
        if not _has_rows(X[0]):
            raise ValueError(
                "StaticVectors can fine-tune the words of a table that holds one row "
                "a word, but the vocab's vectors are composed of several rows each. "
                "Set fine_tuned_words to 0."
            )
        differences.set_dim("nO", width, force=True)
        differences.initialize()
        # for each row of the table, which difference is its word's; -1 for none
        n_rows = X[0].vocab.vectors.shape[0]
        model.attrs["differences"] = np.full(n_rows, -1, dtype="int32")


def forward(
    model: Model[List[Doc], List[Floats2d]], docs: List[Doc], is_train: bool
) -> Tuple[List[Floats2d], Callable]:
    if not docs:
        return [], lambda d_vectors: []
    _check_width(model, docs[0])
    vectors = docs[0].vocab.vectors
    keys = token_ids(docs, ["ORTH", model.attrs["attr"]])
    lengths = model.ops.asarray1i([len(doc) for doc in docs])
    backprop_moved: Optional[Callable] = None
    if _has_rows(docs[0]):
        rows = _find_rows(vectors, keys)
        found = _read_rows(vectors, rows)
        if model.layers:
            backprop_moved = _add_differences(model, rows, found, is_train)
    elif len(keys):
        found = vectors.get_batch(keys[:, 0].tolist())
    else:
        found = model.ops.alloc2f(0, model.get_dim("nO"))

    def backprop(d_vectors: List[Floats2d]) -> List[Doc]:
        if backprop_moved is not None:
            backprop_moved(model.ops.flatten(d_vectors))
        return []

    return model.ops.unflatten(model.ops.asarray2f(found), lengths), backprop


def _has_rows(doc: Doc) -> bool:
    """Whether the vocab's table has a row for each word."""
    vectors = doc.vocab.vectors
    return isinstance(vectors, Vectors) and vectors.mode == Mode.default


def _find_rows(vectors: Vectors, keys: np.ndarray) -> np.ndarray:
    """Row of the first key of each token that has one, or -1: (tokens,)."""
    types, index = np.unique(keys, return_inverse=True)
    rows = to_numpy(vectors.find(keys=types.tolist()))[index].reshape(keys.shape)
    return np.where(rows[:, 0] >= 0, rows[:, 0], rows[:, 1])


def _read_rows(vectors: Vectors, rows: np.ndarray) -> Floats2d:
    """(tokens, width), a copy: the zeros must not reach the table."""
    xp = get_array_module(vectors.data)
    found = vectors.data[xp.asarray(rows)]
    found[xp.asarray(rows < 0)] = 0.0
    return found


def _add_differences(
    model: Model[List[Doc], List[Floats2d]],
    rows: np.ndarray,
    found: Floats2d,
    is_train: bool,
) -> Callable[[Floats2d], Ints1d]:
    """Add what was learnt to the vectors, and return the way back to it."""
    (embed,) = model.layers
    of_row = model.attrs["differences"]
    if is_train:
        of_row = _assign_differences(of_row, rows, embed.get_dim("nV"))
        model.attrs["differences"] = of_row
    ids = np.where(rows >= 0, of_row[rows], -1)
    moved = model.ops.xp.asarray(ids >= 0)
    differences, backprop_embed = embed(
        model.ops.asarray1i(cast(Ints1d, ids[ids >= 0])), is_train
    )
    found[moved] += differences
    return lambda d_found: backprop_embed(d_found[moved])


def _assign_differences(of_row: np.ndarray, rows: np.ndarray, n: int) -> np.ndarray:
    """of_row with a difference for each word that is new, while some of the n are left."""
    new = np.unique(rows[(rows >= 0) & (of_row[rows] < 0)])
    if len(new):
        # one that comes from a saved model cannot be written to
        of_row = of_row.copy()
        taken = int(of_row.max()) + 1
        new = new[: n - taken]
        of_row[new] = np.arange(taken, taken + len(new))
    return of_row


def _check_width(model: Model[List[Doc], List[Floats2d]], doc: Doc) -> None:
    width = _vectors_width(doc)
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
