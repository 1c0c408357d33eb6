"""The distinct words of a batch, so that each is looked up once."""

from typing import List, Sequence, Tuple, Union

import numpy as np
from spacy.tokens import Doc

from ..text.words import visible


def token_ids(docs: List[Doc], attrs: Sequence[str]) -> np.ndarray:
    """Ids of the tokens' attributes: (tokens of all Docs, attributes), uint64."""
    names: List[Union[int, str]] = list(attrs)
    rows = [doc.to_array(names).reshape(len(doc), len(attrs)) for doc in docs]
    rows.append(np.zeros((0, len(attrs)), dtype="uint64"))
    return np.concatenate(rows).astype("uint64", copy=False)


def word_types(docs: List[Doc]) -> Tuple[List[str], np.ndarray]:
    """Find the distinct words of all Docs.

    Returns:
        The words as they look; two ids may look alike. Then the index of each token's
        word, (tokens,), int64.
    """
    ids, index = np.unique(token_ids(docs, ["ORTH"])[:, 0], return_inverse=True)
    if not len(ids):
        return [], index
    strings = docs[0].vocab.strings
    return [visible(strings[key]) for key in ids.tolist()], index
