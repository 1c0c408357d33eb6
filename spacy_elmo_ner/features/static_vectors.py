"""Word vectors, as they are or fine-tuned."""

from typing import Callable, List, Optional, Tuple, cast

import numpy as np
from spacy.strings import get_string_id
from spacy.tokens import Doc
from spacy.vectors import Mode, Vectors
from spacy.vocab import Vocab
from thinc.api import Embed, Model, get_array_module, to_numpy, zero_init
from thinc.types import Floats2d, Ints1d

from ..text.words import visible
from .tables import copy_vectors, is_empty
from .tok2vec import Backprop, Tok2Vec
from .word_types import token_ids

NODE_NAME = "static_vectors"
# the attribute that holds the table
VECTORS = "vectors"
# and the one that says which of its rows training has moved
DIFFERENCES = "differences"


def build_static_vectors_v1(
    *, attr: str = "LOWER", fine_tuned_words: int = 0
) -> Tok2Vec:
    """Build a tok2vec that looks words up in a table of vectors.

    The table is copied from the vocab when the pipe is initialized. From then on it
    belongs to the model and is saved with it: the vocab may change, and the pipe may be
    moved to another pipeline. A word without a vector gets zeros. In floret tables and
    other tables that compose their vectors, only the word's own form is looked up.

    Args:
        attr: A token attribute whose value is a string. It is looked up if the word's
            own form has no vector, as most published tables hold lower-case words only.
        fine_tuned_words: How many words training can move: the first ones with a vector
            that it sees. The table itself does not change. What is learned is a
            difference for each of these words, initially zero and saved with the pipe.

    Returns:
        A model from Docs to vectors, (tokens, nO) each; nO is the width of the table,
        known when the pipe is initialized.

    Raises:
        ValueError: At initialization, if the vocab has no vectors, or if words of a
            table that composes its vectors are to be fine-tuned.
    """
    if fine_tuned_words < 0:
        raise ValueError(
            f"StaticVectors cannot fine-tune {fine_tuned_words} words. Set "
            "fine_tuned_words to 0 to leave the vectors as they are."
        )
    differences: List[Model[Ints1d, Floats2d]] = []
    if fine_tuned_words:
        differences.append(Embed(nV=fine_tuned_words, initializer=zero_init))
    return Model(
        NODE_NAME,
        forward,
        init=init,
        layers=differences,
        dims={"nO": None},
        attrs={"attr": attr, VECTORS: Vectors()},
    )


def init(
    model: Tok2Vec,
    X: Optional[List[Doc]] = None,
    Y: Optional[List[Floats2d]] = None,
) -> None:
    """Copy the vocab's vectors, and create the differences that training learns."""
    if not X:
        return
    take_vectors(model, X[0].vocab)
    vectors = model.attrs[VECTORS]
    if is_empty(vectors):
        raise ValueError(
            "StaticVectors needs word vectors, and the pipeline's vocab has none. "
            "Name a pipeline or folder that holds vectors (made by `spacy init "
            "vectors`) in the config and initialize again:\n\n"
            '[initialize]\nvectors = "path/to/vectors"\n'
        )
    rows, width = vectors.shape
    model.set_dim("nO", width, force=True)
    for differences in model.layers:
        if not _has_rows(vectors):
            raise ValueError(
                "StaticVectors can only fine-tune the words of a table with one row "
                "per word, but the vocab's vectors are composed of several rows each. "
                "Set fine_tuned_words to 0."
            )
        differences.set_dim("nO", width, force=True)
        differences.initialize()
        # the index of the difference of each row's word, or -1
        model.attrs[DIFFERENCES] = np.full(rows, -1, dtype="int32")


def take_vectors(model: Tok2Vec, vocab: Vocab) -> None:
    """Copy the vocab's vectors into the model, if it has any.

    Raises:
        ValueError: If they are of a class that cannot be copied.
    """
    vectors = vocab.vectors
    if not isinstance(vectors, Vectors):
        raise ValueError(
            "StaticVectors keeps a copy of the vectors, but the vocab's are of the "
            f"class {type(vectors).__name__}, which it does not know. Use spaCy's own "
            "Vectors, as `spacy init vectors` makes them."
        )
    if not is_empty(vectors):
        model.attrs[VECTORS] = copy_vectors(vectors)


def forward(
    model: Tok2Vec, docs: List[Doc], is_train: bool
) -> Tuple[List[Floats2d], Backprop]:
    """The Docs' vectors, and the backprop callback into the differences."""
    if not docs:
        return [], lambda d_vectors: []
    vectors = _own_vectors(model, docs[0].vocab)
    keys = _keys(docs, model.attrs["attr"])
    lengths = model.ops.asarray1i([len(doc) for doc in docs])
    backprop_moved: Optional[Callable[[Floats2d], Ints1d]] = None
    if _has_rows(vectors):
        rows = _find_rows(vectors, keys)
        found = model.ops.asarray2f(_read_rows(vectors, rows))
        if model.layers:
            backprop_moved = _add_differences(model, rows, found, is_train)
    elif len(keys):
        words = [visible(token.text) for doc in docs for token in doc]
        found = vectors.get_batch(words)
    else:
        found = model.ops.alloc2f(0, model.get_dim("nO"))

    def backprop(d_vectors: List[Floats2d]) -> List[Doc]:
        if backprop_moved is not None:
            backprop_moved(model.ops.flatten(d_vectors))
        return []

    return model.ops.unflatten(model.ops.asarray2f(found), lengths), backprop


def _keys(docs: List[Doc], attr: str) -> np.ndarray:
    """Ids of the tokens' own forms and of their `attr`: (tokens, 2), uint64."""
    keys = token_ids(docs, ["ORTH", attr])
    strings = docs[0].vocab.strings
    for key in np.unique(keys).tolist():
        text = strings[key]
        if visible(text) != text:
            keys[keys == key] = get_string_id(visible(text))
    return keys


def _own_vectors(model: Tok2Vec, vocab: Vocab) -> Vectors:
    if not model.has_dim("nO"):
        raise ValueError(
            "The model does not know the width of the vectors yet. Call "
            "nlp.initialize() on the pipeline, or load a trained one with "
            "spacy.load()."
        )
    if is_empty(model.attrs[VECTORS]):
        # saved by version 0.1.0, which read the vocab's vectors
        take_vectors(model, vocab)
        width = model.attrs[VECTORS].shape[1]
        if width != model.get_dim("nO"):
            model.attrs[VECTORS] = Vectors()
            here = (
                f"the vectors of this vocab are {width} wide"
                if width
                else "this has none"
            )
            raise ValueError(
                "The model was saved without its word vectors, which were in its "
                f"pipeline's vocab, {model.get_dim('nO')} wide; {here}. Load the whole "
                "pipeline that it was saved with, including the vocab, and save it "
                "again: its vectors are then part of the model."
            )
    own: Vectors = model.attrs[VECTORS]
    return own


def _has_rows(vectors: Vectors) -> bool:
    """Whether the table has a row for each word."""
    return bool(vectors.mode == Mode.default)


def _find_rows(vectors: Vectors, keys: np.ndarray) -> np.ndarray:
    """Row of the first key of each token that has one, or -1: (tokens,)."""
    types, index = np.unique(keys, return_inverse=True)
    rows = to_numpy(vectors.find(keys=types.tolist()))[index].reshape(keys.shape)
    own, other = rows.T
    found: np.ndarray = np.where(own >= 0, own, other)
    return found


def _read_rows(vectors: Vectors, rows: np.ndarray) -> Floats2d:
    """A copy of the rows, (tokens, width), with zeros for words without one."""
    xp = get_array_module(vectors.data)
    found: Floats2d = vectors.data[xp.asarray(rows)]
    found[xp.asarray(rows < 0)] = 0.0
    return found


def _add_differences(
    model: Tok2Vec,
    rows: np.ndarray,
    found: Floats2d,
    is_train: bool,
) -> Callable[[Floats2d], Ints1d]:
    """Add what was learned to the vectors; return the backprop callback."""
    (embed,) = model.layers
    of_row = model.attrs[DIFFERENCES]
    if is_train:
        of_row = _assign_differences(of_row, rows, embed.get_dim("nV"))
        model.attrs[DIFFERENCES] = of_row
    ids = np.where(rows >= 0, of_row[rows], -1)
    moved = model.ops.xp.asarray(ids >= 0)
    differences, backprop_embed = embed(
        model.ops.asarray1i(cast(Ints1d, ids[ids >= 0])), is_train
    )
    found[moved] += differences
    return lambda d_found: backprop_embed(d_found[moved])


def _assign_differences(of_row: np.ndarray, rows: np.ndarray, n: int) -> np.ndarray:
    """Give each new word a difference, as long as some of the n are left."""
    new = np.unique(rows[(rows >= 0) & (of_row[rows] < 0)])
    if len(new):
        # arrays from a saved model are read-only
        of_row = of_row.copy()
        taken = int(of_row.max()) + 1
        new = new[: n - taken]
        of_row[new] = np.arange(taken, taken + len(new))
    return of_row
