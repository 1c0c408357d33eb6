"""What the decoder may choose, given what a Doc already says of its entities."""

from typing import List, Sequence

import numpy
from spacy.attrs import ENT_IOB, ENT_TYPE
from spacy.tokens import Doc

from ..tagger.tag_schemes import TagScheme
from ..words import no_names

BEGIN = 3  # spaCy's ENT_IOB of "B"


def blocked_tokens(doc: Doc) -> List[int]:
    """The tokens kept out of entities: spaCy marks them "B" without a type."""
    if not doc.has_annotation("ENT_IOB"):
        # the usual case, and an array takes its time
        return []
    iob, types = doc.to_array([ENT_IOB, ENT_TYPE]).reshape(-1, 2).T
    return numpy.flatnonzero((iob == BEGIN) & (types == 0)).tolist()


def allowed_tags(
    doc: Doc, sentences: Sequence[numpy.ndarray], scheme: TagScheme, *, addresses: bool
) -> numpy.ndarray:
    """bool (words, tags): the tags each word may take, sentence after sentence.

    sentences: the words of each, as places among the Doc's tokens.
    addresses: whether an address may be an entity.

    Entities of the Doc stay as they are, and blocked tokens stay outside. An entity that
    is set across the border of two sentences cannot be written as tags; its words are
    kept free for it.
    """
    entities = [(ent.start, ent.end, ent.label_) for ent in doc.ents]
    blocked = set(blocked_tokens(doc))
    if not addresses:
        blocked.update(no_names(doc))
    if not entities and not blocked:
        return scheme.unrestricted(sum(map(len, sentences)))
    masks = []
    for words in sentences:
        inside, free = [], [
            (i, i + 1) for i, word in enumerate(words) if word in blocked
        ]
        for start, end, label in entities:
            first, last = numpy.searchsorted(words, [start, end]).tolist()
            if first == last:
                continue
            if last - first == _n_words(sentences, start, end):
                inside.append((first, last, label))
            else:
                free.append((first, last))
        masks.append(scheme.decoding_mask(len(words), entities=inside, blocked=free))
    return numpy.concatenate(masks)


def _n_words(sentences: Sequence[numpy.ndarray], start: int, end: int) -> int:
    """How many words there are from one token of the Doc to another."""
    bounds = [numpy.searchsorted(words, [start, end]) for words in sentences]
    return int(sum(last - first for first, last in bounds))
