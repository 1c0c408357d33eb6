"""What the decoder may choose, against every path that there is."""

from itertools import pairwise, product
from typing import Iterator, Optional, Tuple

import numpy as np
import pytest
from spacy.tokens import Doc, Span
from spacy.vocab import Vocab

from spacy_elmo_ner.pipeline.constraints import allowed_tags
from spacy_elmo_ner.tagger.tag_schemes import TagScheme

WORDS = ["Angela", " ", "Merkel", "came"]
PLACES = np.array([0, 2, 3])


def readings(
    scheme: TagScheme, mask: np.ndarray
) -> Iterator[Tuple[Tuple[int, int, str], ...]]:
    """The spans of every legal path, in words."""
    last = scheme.legal_end
    for path in product(range(len(scheme.tags)), repeat=len(mask)):
        is_legal = scheme.legal_start[path[0]] and last[path[-1]]
        for tag, following in pairwise(path):
            is_legal = is_legal and scheme.legal_transitions[tag, following]
        if is_legal and all(row[tag] for row, tag in zip(mask, path, strict=True)):
            yield tuple(scheme.decode(path))


@pytest.mark.parametrize("name", ["BIO", "BILUO"])
@pytest.mark.parametrize("label", ["A", "UNKNOWN", None])
def test_no_entity_goes_over_what_is_set_between_words(
    name: str, label: Optional[str]
) -> None:
    scheme = TagScheme(name, ("A", "B"))
    doc = Doc(Vocab(), words=WORDS, spaces=[False] * 4)
    if label is None:
        doc.set_ents([], blocked=[doc[1:2]], default="missing")
    else:
        doc.ents = [Span(doc, 1, 2, label)]
    mask = allowed_tags(doc, [PLACES], scheme, addresses=False)
    every = {*readings(scheme, scheme.unrestricted(3))}
    expected = {
        spans for spans in every if not any(start < 1 < end for start, end, _ in spans)
    }
    assert {*readings(scheme, mask)} == expected != every
