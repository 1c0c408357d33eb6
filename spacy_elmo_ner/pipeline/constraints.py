"""The constraints that a Doc puts on its tags: what is already known of its entities.

Further constraints of a Doc belong here: each is a function that takes tags away from
words, and a line in `allowed_tags`. What holds in every Doc (which tag may follow
which, and which may begin or end a sentence) is part of the tag scheme:
`legal_transitions`, `legal_start` and `legal_end` in tagger/tag_schemes.py. The best
path obeys both, and so do probabilities.
"""

from typing import List, Sequence, Tuple

import numpy as np
import torch
from numpy.typing import NDArray
from spacy.attrs import ENT_IOB, ENT_TYPE, IOB_STRINGS
from spacy.tokens import Doc, Span
from torch import Tensor

from ..tagger.sentence_rows import DocRows
from ..tagger.tag_schemes import TagMask, TagScheme
from ..text.words import no_names

Indices = NDArray[np.int64]


def blocked_tokens(doc: Doc) -> List[int]:
    """The tokens kept out of entities: spaCy marks them "B" without a type."""
    if not doc.has_annotation("ENT_IOB"):
        # the usual case, and making an array takes time
        return []
    iob, types = doc.to_array([ENT_IOB, ENT_TYPE]).reshape(-1, 2).T
    is_blocked = (iob == IOB_STRINGS.index("B")) & (types == 0)
    return [int(i) for i in np.flatnonzero(is_blocked)]


def allowed_in(
    docs: Sequence[Doc], rows: DocRows, scheme: TagScheme, *, addresses: bool
) -> Tensor:
    """bool (N, tags): the tags that each word of the rows may take."""
    masks = [
        allowed_tags(doc, sentences, scheme, addresses=addresses)
        for doc, sentences in zip(docs, rows.of_docs, strict=True)
    ]
    return torch.from_numpy(np.concatenate(masks))


def allowed_tags(
    doc: Doc, sentences: Sequence[Indices], scheme: TagScheme, *, addresses: bool
) -> TagMask:
    """Find the tags that each word may take.

    Args:
        doc: The Doc.
        sentences: The words of each sentence, as indices of tokens in the Doc.
        scheme: The tags.
        addresses: Whether an address may be an entity.

    Returns:
        bool (words, tags), sentence after sentence.
    """
    allowed = scheme.unrestricted(sum(map(len, sentences)))
    blocked = blocked_tokens(doc)
    nameless = blocked if addresses else [*blocked, *no_names(doc)]
    if not len(allowed) or not (doc.ents or nameless):
        return allowed
    words = np.concatenate(sentences)
    _keep_outside(allowed, words, nameless, scheme)
    _keep_entities(allowed, words, sentences, doc.ents, scheme)
    _end_entities_at(allowed, words, blocked, doc.ents, scheme)
    return allowed


def _keep_outside(
    allowed: TagMask, words: Indices, tokens: List[int], scheme: TagScheme
) -> None:
    """Keep some tokens outside of entities."""
    allowed[np.isin(words, tokens)] = scheme.outside


def _keep_entities(
    allowed: TagMask,
    words: Indices,
    sentences: Sequence[Indices],
    ents: Sequence[Span],
    scheme: TagScheme,
) -> None:
    """Keep entities that are set as they are. One that crosses a sentence boundary, or
    whose label the scheme lacks, cannot be written as tags: its words are kept free.
    """
    borders = np.cumsum([0, *map(len, sentences)])
    for ent in ents:
        first, end = _word_range(words, ent)
        if first == end:
            continue
        i = int(np.searchsorted(borders, first, side="right")) - 1
        left, right = int(borders[i]), int(borders[i + 1])
        if end <= right and scheme.has_label(ent.label_):
            allowed[left:right] = scheme.entity_mask(
                allowed[left:right], first - left, end - left, ent.label_
            )
        else:
            allowed[first:end] = scheme.outside


def _end_entities_at(
    allowed: TagMask,
    words: Indices,
    blocked: List[int],
    ents: Sequence[Span],
    scheme: TagScheme,
) -> None:
    """End and begin entities at what is set between two words, as on white space."""
    wordless = [ent.start for ent in ents if np.diff(_word_range(words, ent)) == 0]
    for token in {*blocked, *wordless}.difference(words.tolist()):
        after = int(np.searchsorted(words, token))
        allowed[:after][-1:] &= scheme.legal_end
        allowed[after : after + 1] &= scheme.legal_start


def _word_range(words: Indices, ent: Span) -> Tuple[int, int]:
    """The entity's words: the index of the first, and of the word after the last."""
    first, end = np.searchsorted(words, [ent.start, ent.end])
    return int(first), int(end)
