"""Brown clusters, probability, norm, shape and casing of words, embedded."""

import re
from typing import Any, Callable, Dict, List, Optional, Sequence, Tuple, cast

import numpy as np
from spacy.lookups import Table
from spacy.tokens import Doc
from spacy.vocab import Vocab
from thinc.api import Embed, HashEmbed, Model, chain, concatenate
from thinc.types import Floats2d, Ints1d, Ints2d

from .tables import copy_table, empty_table
from .tok2vec import Backprop, Tok2Vec
from .word_types import token_ids, word_types

DIGIT = re.compile(r"\d")
CLUSTER_TABLE = "lexeme_cluster"
PROB_TABLE = "lexeme_prob"
TABLES = (CLUSTER_TABLE, PROB_TABLE)
NODE_NAME = "lexeme_features"
# no tree of words is deeper; the English one has 18 levels
LONGEST_PREFIX = 32
# rows of the tables in which each value has its own row
CASING_ROWS = 7
PROB_ROWS = 128
# the English tree has a thousand clusters; in a larger one some share a row
CLUSTER_ROWS = 2000


def build_lexeme_features_v1(
    *,
    cluster_prefixes: Sequence[int] = (4, 6, 10, 20),
    cluster_width: int = 16,
    prob_width: int = 0,
    norm_width: int = 32,
    norm_rows: int = 5000,
    shape_width: int = 16,
    shape_rows: int = 1000,
    casing_width: int = 8,
) -> Tok2Vec:
    """Build a tok2vec that embeds what is known about a word without its sentence.

    Each feature has its own trained table of vectors, and the vectors are concatenated.
    A width of 0 leaves a feature out. Norms and shapes are hashed into their tables, as
    their number is unlimited; the other tables have a row for each value.

    The tables of clusters and probabilities are looked up by the word as it is written;
    if that is unknown, by its lower-case form. They are loaded by [initialize.lookups].
    The model keeps a copy, which is saved with it.

    Args:
        cluster_prefixes: Lengths of prefixes of the word's path in a tree of Brown
            clusters, one feature each (Miller et al. 2004, Turian et al. 2010). They
            need the table `lexeme_cluster` of spacy-lookups-data.
        cluster_width: Width of each prefix's vector.
        prob_width: Width for the word's log probability, in steps of 1. It needs the
            table `lexeme_prob` of spacy-lookups-data.
        norm_width: Width for the token's norm.
        norm_rows: Rows shared by all norms.
        shape_width: Width for the token's shape, such as "Xxxxx" or "dd/dd".
        shape_rows: Rows shared by all shapes.
        casing_width: Width for the casing: all lower, all upper, initial upper, mixed,
            digits, digits with other characters, or none of these (after Collobert et
            al. 2011).

    Returns:
        A model from Docs to vectors, (tokens, nO) each; nO is the sum of the widths.

    Raises:
        ValueError: If no feature is left, or a width or a prefix makes no sense; at
            initialization, if the vocab lacks a table.
    """
    widths = [cluster_width, prob_width, norm_width, shape_width, casing_width]
    if min(widths) < 0:
        raise ValueError(
            "A width of LexemeFeatures is negative. Set it to 0 to leave the feature "
            "out, or to the number of values that its vectors should have."
        )
    if min(norm_rows, shape_rows) < 1:
        raise ValueError(
            "LexemeFeatures needs at least one row in each table: set norm_rows and "
            "shape_rows above 0, or norm_width or shape_width to 0."
        )
    prefixes = list(cluster_prefixes) if cluster_width else []
    for bits in prefixes:
        if not 1 <= bits <= LONGEST_PREFIX:
            raise ValueError(
                f"A cluster prefix of {bits} bits makes no sense. Give lengths "
                f"between 1 and {LONGEST_PREFIX} in cluster_prefixes."
            )
    attrs: Dict[str, int] = {"NORM": norm_width, "SHAPE": shape_width}
    attrs = {name: width for name, width in attrs.items() if width}
    rows = {"NORM": norm_rows, "SHAPE": shape_rows}
    # (width, rows) of every column, in the order of _columns
    hashed = [(width, rows[name]) for name, width in attrs.items()]
    exact = [(casing_width, CASING_ROWS)] if casing_width else []
    exact += [(prob_width, PROB_ROWS)] if prob_width else []
    exact += [(cluster_width, CLUSTER_ROWS)] * len(prefixes)
    if not hashed + exact:
        raise ValueError(
            "LexemeFeatures has no feature left. Set at least one of its widths above "
            "0, or remove it from the config."
        )
    tables = [CLUSTER_TABLE] if prefixes else []
    tables += [PROB_TABLE] if prob_width else []
    embeds: List[Model[Ints2d, Floats2d]] = [
        HashEmbed(width, n_rows, column=i, seed=i + 1)
        for i, (width, n_rows) in enumerate(hashed)
    ]
    embeds += [
        chain(_column_of_rows(i), Embed(width, n_rows))
        for i, (width, n_rows) in enumerate(exact, start=len(hashed))
    ]
    # concatenate needs at least two layers
    embed = concatenate(*embeds) if len(embeds) > 1 else embeds[0]
    return Model(
        NODE_NAME,
        forward,
        init=init,
        layers=[embed],
        dims={"nO": sum(width for width, _ in hashed + exact)},
        attrs={
            "token_attrs": list(attrs),
            "casing": casing_width > 0,
            "prob": prob_width > 0,
            "cluster_prefixes": prefixes,
            # all prefixes of each length, sorted
            "cluster_values": [],
            **{name: empty_table(name) for name in tables},
        },
    )


def init(
    model: Tok2Vec,
    X: Optional[List[Doc]] = None,
    Y: Optional[List[Floats2d]] = None,
) -> None:
    """Copy the vocab's tables, list the clusters' prefixes, and create the vectors."""
    sample = None
    if X:
        take_tables(model, X[0].vocab)
        if model.attrs["cluster_prefixes"]:
            values = list(_own_table(model, CLUSTER_TABLE, X[0].vocab).values())
            clusters = np.unique(np.array([0, *values], dtype="uint64"))
            model.attrs["cluster_values"] = [
                np.unique(cluster_prefix(clusters, bits))
                for bits in model.attrs["cluster_prefixes"]
            ]
        if any(len(doc) for doc in X):
            sample = _columns(model, X)
    model.layers[0].initialize(X=sample)


def take_tables(model: Tok2Vec, vocab: Vocab) -> None:
    """Copy those tables of the vocab that the model uses."""
    for name in TABLES:
        if name in model.attrs and vocab.lookups.has_table(name):
            model.attrs[name] = copy_table(vocab, name)


def forward(
    model: Tok2Vec, docs: List[Doc], is_train: bool
) -> Tuple[List[Floats2d], Backprop]:
    """The Docs' vectors, and the backprop callback into the tables of vectors."""
    lengths = model.ops.asarray1i([len(doc) for doc in docs])
    backprop_embed: Optional[Callable[[Floats2d], Ints2d]] = None
    if lengths.sum() > 0:
        vectors, backprop_embed = model.layers[0](_columns(model, docs), is_train)
    else:
        vectors = model.ops.alloc2f(0, model.get_dim("nO"))

    def backprop(d_vectors: List[Floats2d]) -> List[Doc]:
        if backprop_embed is not None:
            backprop_embed(model.ops.flatten(d_vectors))
        return []

    return model.ops.unflatten(vectors, lengths), backprop


def _columns(model: Tok2Vec, docs: List[Doc]) -> Ints2d:
    """The features' values: (tokens, features), uint64."""
    attrs = model.attrs
    words, index = word_types(docs)
    vocab = docs[0].vocab
    by_word: List[np.ndarray] = []
    if attrs["casing"]:
        by_word.append(np.array([casing(word) for word in words], dtype="uint64"))
    if attrs["prob"]:
        probs = _look_up(_own_table(model, PROB_TABLE, vocab), words)
        by_word.append(np.array([_bucket(prob) for prob in probs], dtype="uint64"))
    if attrs["cluster_prefixes"]:
        found = _look_up(_own_table(model, CLUSTER_TABLE, vocab), words)
        clusters = np.array(found, dtype="uint64")
        by_word += [
            _rows(cluster_prefix(clusters, bits), known)
            for bits, known in zip(
                attrs["cluster_prefixes"], attrs["cluster_values"], strict=True
            )
        ]
    by_token = [token_ids(docs, attrs["token_attrs"])] if attrs["token_attrs"] else []
    columns = np.hstack(by_token + [column[index][:, None] for column in by_word])
    return model.ops.asarray2i(cast(Ints2d, columns), dtype="uint64")


def _column_of_rows(column: int) -> Model[Ints2d, Ints1d]:
    return Model("column_of_rows", _forward_column, attrs={"column": column})


def _forward_column(
    model: Model[Ints2d, Ints1d], columns: Ints2d, is_train: bool
) -> Tuple[Ints1d, Callable[[Ints1d], Ints2d]]:
    rows = columns[:, model.attrs["column"]].astype("int32")
    return cast(Ints1d, rows), lambda d_rows: model.ops.xp.zeros_like(columns)


def _rows(values: np.ndarray, known: np.ndarray) -> np.ndarray:
    """The row of each value in a table of the known ones; unknown values share row 0."""
    places = np.minimum(np.searchsorted(known, values), len(known) - 1)
    rows = np.where(known[places] == values, places % CLUSTER_ROWS, 0)
    return rows.astype("uint64")


def cluster_prefix(clusters: np.ndarray, bits: int) -> np.ndarray:
    """The first bits of clusters' paths, plus 1; 0 for words without a cluster.

    A cluster's integer holds its path from the low bit up, without the path's length. A
    path shorter than `bits` therefore reads as if followed by 0s. No two clusters are
    confused, since a cluster is a leaf of the tree: its path is no other path's prefix.
    The integer 0 stands for words that have no cluster.

    Args:
        clusters: Integers of the table, uint64.
        bits: Length of the prefix.
    """
    mask = np.uint64(2**bits - 1)
    # a prefix of only 0s must differ from "unknown"
    return np.where(clusters == 0, clusters, (clusters & mask) + np.uint64(1))


def casing(word: str) -> int:
    """How a word is written: one of 7 classes, 0 to 6."""
    if word.isdigit():
        return 1
    if DIGIT.search(word):
        return 2
    if word.islower():
        return 3
    if word[:1].isupper() and (len(word) == 1 or word[1:].islower()):
        return 4
    if word.isupper():
        return 5
    return 0 if word.lower() == word else 6


def _bucket(prob: float) -> int:
    """1 for log probabilities in (-1, 0], 2 in (-2, -1], …; 0 if unknown."""
    return min(1 + int(-prob), PROB_ROWS - 1) if prob else 0


def _look_up(table: Table, words: List[str]) -> List[Any]:
    """The words' values, or those of their lower-case forms, or 0."""
    return [table.get(word) or table.get(word.lower(), 0) for word in words]


def _is_trained(model: Tok2Vec) -> bool:
    return any(
        node.has_param(name) for node in model.walk() for name in node.param_names
    )


def _own_table(model: Tok2Vec, name: str, vocab: Vocab) -> Table:
    if not model.attrs[name]:
        # saved by version 0.1.0, which read the vocab's table
        take_tables(model, vocab)
    if not model.attrs[name] and _is_trained(model):
        raise ValueError(
            f"The model was saved without its table '{name}', which was in its "
            "pipeline's vocab, and this vocab does not have it. Load the whole "
            "pipeline that it was saved with, including the vocab, and save it again: "
            "its tables are then part of the model."
        )
    if not model.attrs[name]:
        option = "cluster_width" if name == CLUSTER_TABLE else "prob_width"
        raise ValueError(
            f"LexemeFeatures needs the table '{name}', and the pipeline's vocab does "
            "not have it. Install spacy-lookups-data, add the table's name to the "
            "tables in the config and initialize the pipeline again, or set "
            f"{option} to 0:\n\n"
            '[initialize.lookups]\n@misc = "spacy.LookupsDataLoader.v1"\n'
            'lang = ${nlp.lang}\ntables = ["lexeme_norm", "' + name + '"]\n'
        )
    table: Table = model.attrs[name]
    return table
