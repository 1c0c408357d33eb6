"""What the decoder may choose, given what a Doc already says of its entities."""

from typing import List, Sequence, Tuple

import numpy
from spacy.attrs import ENT_IOB, ENT_TYPE
from spacy.tokens import Doc

from ..tagger.tag_schemes import Span, TagScheme
from ..text.words import no_names

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

    Entities of the Doc stay as they are, and blocked tokens stay outside. Where they are
    no words, white space say, the entities that are found end before and begin after
    them. An entity that is set across the border of two sentences cannot be written as
    tags; its words are kept free for it.
    """
    blocked = set(blocked_tokens(doc))
    gaps = blocked.copy()
    if not addresses:
        blocked.update(no_names(doc))
    if not doc.ents and not blocked:
        return scheme.unrestricted(sum(map(len, sentences)))
    inside: List[List[Span]] = [[] for _ in sentences]
    free: List[List[Tuple[int, int]]] = [[] for _ in sentences]
    words = numpy.concatenate(sentences)
    ends = numpy.cumsum([len(one) for one in sentences])
    starts = ends - [len(one) for one in sentences]
    for ent in doc.ents:
        first, last = numpy.searchsorted(words, [ent.start, ent.end]).tolist()
        if first == last:
            gaps.add(ent.start)
            continue
        # the sentences of its first word and of its last one
        begin, end = numpy.searchsorted(ends, [first, last - 1], side="right").tolist()
        for i in range(begin, end + 1):
            left = max(first, int(starts[i])) - int(starts[i])
            right = min(last, int(ends[i])) - int(starts[i])
            if begin == end:
                inside[i].append((left, right, ent.label_))
            else:
                free[i].append((left, right))
    for place in numpy.flatnonzero(numpy.isin(words, list(blocked))).tolist():
        i = int(numpy.searchsorted(ends, place, side="right"))
        free[i].append((place - int(starts[i]), place - int(starts[i]) + 1))
    mask = numpy.concatenate(
        [
            scheme.decoding_mask(len(one), entities=of_one, blocked=free_of_one)
            for one, of_one, free_of_one in zip(sentences, inside, free, strict=True)
        ]
    )
    for place in gaps.difference(words.tolist()):
        after = int(numpy.searchsorted(words, place))
        mask[:after][-1:] &= scheme.legal_end
        mask[after : after + 1] &= scheme.legal_start
    return mask
