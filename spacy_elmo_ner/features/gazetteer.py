"""Which words are in the user's lists of names: `Gazetteer.v1`."""

from typing import List, Optional, Sequence, Tuple, cast

import numpy as np
from spacy.tokens import Doc
from thinc.api import Model
from thinc.types import Floats2d

from .term_files import check_types
from .terms import Match, TermLists
from .tok2vec import Backprop, Tok2Vec

NODE_NAME = "gazetteer"
# the attribute that holds the lists
TERMS = "terms"
# where in a term a token may be, with one value of the vector each
BEGIN, INSIDE, END, SINGLE = range(4)
N_PLACES = 4


def build_gazetteer_v1(
    *,
    types: List[str],
    fold_case: bool = False,
    fold_diacritics: bool = False,
    dropout: float = 0.3,
) -> Tok2Vec:
    """Build a tok2vec that looks names up in lists, one list for each type.

    A token has four values for each type: 1 where it is the first, an inner, the last or
    the only token of a term, and 0 elsewhere. Terms of one type do not overlap: the
    first one counts, and of two that start together the longer. It does not matter how
    a tokenizer splits a term, nor which white space is in it.

    The terms are loaded by `GazetteerTerms.v1`. From then on they belong to the model
    and are saved with it.

    Args:
        types: Names of the lists. They need not be labels of entities.
        fold_case: Whether "london" and "LONDON" are in a list that has "London".
        fold_diacritics: Whether "Zurich" is in a list that has "Zürich", or vice versa.
        dropout: Share of the terms found that training does not see, so that the model
            also learns the context of names that are in no list.

    Returns:
        A model from Docs to vectors, (tokens, nO) each; nO is four times the types.

    Raises:
        ValueError: If there are no types, or two alike, or one that no file can be named
            after, or dropout is not a share below 1; at initialization, without terms.
    """
    check_types(types)
    if not 0 <= dropout < 1:
        raise ValueError(
            f"Gazetteer cannot drop a share of {dropout} of the terms. Set dropout to at "
            "least 0 and below 1."
        )
    return Model(
        NODE_NAME,
        forward,
        init=init,
        dims={"nO": N_PLACES * len(types)},
        attrs={
            "types": list(types),
            "fold_case": fold_case,
            "fold_diacritics": fold_diacritics,
            "dropout": dropout,
            TERMS: TermLists(),
        },
    )


def init(
    model: Tok2Vec,
    X: Optional[List[Doc]] = None,
    Y: Optional[List[Floats2d]] = None,
) -> None:
    """Check that there are terms."""
    if X:
        _own_terms(model)


def forward(
    model: Tok2Vec, docs: List[Doc], is_train: bool
) -> Tuple[List[Floats2d], Backprop]:
    """The Docs' vectors, with nothing to learn."""
    terms = _own_terms(model)
    vectors: List[Floats2d] = []
    for doc in docs:
        matches: Sequence[Match] = terms.matches(
            doc,
            case=model.attrs["fold_case"],
            diacritics=model.attrs["fold_diacritics"],
        )
        if is_train:
            # from the generator that Thinc's seed sets, as for other dropout
            kept = np.random.random(len(matches)) >= model.attrs["dropout"]
            matches = [
                one for one, is_kept in zip(matches, kept, strict=True) if is_kept
            ]
        places = _places(matches, len(doc), terms.n_types)
        vectors.append(model.ops.asarray2f(cast(Floats2d, places)))
    return vectors, lambda d_vectors: []


def _places(matches: Sequence[Match], n_tokens: int, n_types: int) -> np.ndarray:
    places = np.zeros((n_tokens, n_types, N_PLACES), dtype="float32")
    for type_, first, last in matches:
        if first == last:
            places[first, type_, SINGLE] = 1
        else:
            places[first, type_, BEGIN] = 1
            places[first + 1 : last, type_, INSIDE] = 1
            places[last, type_, END] = 1
    return places.reshape(n_tokens, n_types * N_PLACES)


def _own_terms(model: Tok2Vec) -> TermLists:
    terms: TermLists = model.attrs[TERMS]
    if terms.n_types != len(model.attrs["types"]):
        raise ValueError(
            "Gazetteer has no terms of its types yet. Name the folder of its lists in the "
            "config and initialize the pipeline again:\n\n"
            '[initialize.before_init]\n@callbacks = "spacy_elmo_ner.GazetteerTerms.v1"\n'
            'folder = "path/to/lists"\n\n'
            "or call spacy_elmo_ner.features.gazetteer_terms.load_gazetteer_terms."
        )
    return terms
