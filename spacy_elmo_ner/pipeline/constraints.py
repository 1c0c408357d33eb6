"""What the decoder may choose, given what a Doc already says of its entities."""

from typing import List, Sequence, Tuple

import numpy
from spacy.attrs import ENT_IOB, ENT_TYPE
from spacy.tokens import Doc

from ..tagger.tag_schemes import TagScheme

BEGIN = 3  # spaCy's ENT_IOB of "B"


def blocked_tokens(doc: Doc) -> List[int]:
    """The tokens kept out of entities: spaCy marks them "B" without a type."""
    if not doc.has_annotation("ENT_IOB"):
        # the usual case, and an array takes its time
        return []
    iob, types = doc.to_array([ENT_IOB, ENT_TYPE]).reshape(-1, 2).T
    return numpy.flatnonzero((iob == BEGIN) & (types == 0)).tolist()


def allowed_tags(
    doc: Doc, sentences: Sequence[Tuple[int, int]], scheme: TagScheme
) -> numpy.ndarray:
    """bool (tokens, tags): the tags each token may take.

    Entities of the Doc stay as they are, blocked tokens stay outside, and no entity
    begins or ends with white space. An entity that is set across the border of two
    sentences cannot be written as tags; its tokens are kept free for it.
    """
    entities = [(ent.start, ent.end, ent.label_) for ent in doc.ents]
    blocked = blocked_tokens(doc)
    spaces = [token.is_space for token in doc]
    if not entities and not blocked and not any(spaces):
        return scheme.unrestricted(len(doc))
    masks = []
    for start, end in sentences:
        inside = [(a, b, label) for a, b, label in entities if start <= a and b <= end]
        across = [
            (max(a, start), min(b, end))
            for a, b, _ in entities
            if a < end and b > start and not (start <= a and b <= end)
        ]
        masks.append(
            scheme.decoding_mask(
                end - start,
                entities=[(a - start, b - start, label) for a, b, label in inside],
                blocked=[(a - start, b - start) for a, b in across]
                + [(i - start, i - start + 1) for i in blocked if start <= i < end],
                spaces=spaces[start:end],
            )
        )
    return numpy.concatenate(masks)
