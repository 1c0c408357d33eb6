"""A long Doc in parts that are read separately."""

from typing import Any, Iterator, List, Set, Tuple

from spacy.attrs import (
    ENT_IOB,
    ENT_TYPE,
    IOB_STRINGS,
    LEMMA,
    MORPH,
    NORM,
    POS,
    SENT_START,
    TAG,
)
from spacy.tokens import Doc

from .sentences import sentence_spans

# token attributes that may be a feature, or a condition
ATTRS = [NORM, TAG, POS, MORPH, LEMMA, ENT_IOB, ENT_TYPE]


def doc_parts(
    doc: Doc, *, most: int, longest: int, line_is_sentence: bool = False
) -> List[Tuple[int, int]]:
    """The Doc in parts that are read separately, and overlap where they cut a sentence.

    Parts of one sentence share a quarter of `longest` with the next part. No part begins or
    ends within an entity that is set, unless the entity is longer than what they share.

    Args:
        doc: The Doc.
        most: The most tokens of a part of whole sentences.
        longest: The most tokens of a sentence read at once; longer ones are split.
        line_is_sentence: See `sentence_spans`.

    Returns:
        The first token of each part, and the token after its last.
    """
    if len(doc) <= min(most, longest):
        return [(0, len(doc))]
    longest = min(most, longest)
    taken = {i for ent in doc.ents for i in range(ent.start + 1, ent.end)}
    parts: List[Tuple[int, int]] = []
    is_open = False
    spans = sentence_spans(doc, line_is_sentence=line_is_sentence)
    for start, end in _uncut(spans, taken):
        if end - start > longest:
            parts += _windows(start, end, longest, taken)
            is_open = False
        elif is_open and end - parts[-1][0] <= most:
            parts[-1] = (parts[-1][0], end)
        else:
            parts.append((start, end))
            is_open = True
    return parts


def _uncut(spans: List[Tuple[int, int]], taken: Set[int]) -> Iterator[Tuple[int, int]]:
    """The sentences; those that a preset entity spans are joined."""
    start = 0
    for _, end in spans:
        if end not in taken:
            yield start, end
            start = end


def _windows(
    start: int, end: int, longest: int, taken: Set[int]
) -> Iterator[Tuple[int, int]]:
    overlap = longest // 4
    while end - start > longest:
        stop = _last_free(start + longest, overlap, taken)
        yield start, stop
        start = _last_free(stop - overlap, overlap, taken)
    yield start, end


def _last_free(place: int, most: int, taken: Set[int]) -> int:
    """The last of the `most` places up to this one that cuts no entity, or this one."""
    free = (i for i in range(place, place - most, -1) if i not in taken)
    return next(free, place)


def part_of(doc: Doc, start: int, end: int) -> Doc:
    """Some tokens as a Doc, like `Span.as_doc`, whose time grows with the length of the
    whole Doc."""
    span = doc[start:end]
    part = Doc(
        doc.vocab,
        words=[token.text for token in span],
        spaces=[bool(token.whitespace_) for token in span],
    )
    attrs = [*ATTRS]
    if doc.has_annotation("SENT_START"):
        attrs.append(SENT_START)
    values: Any = span.to_array(attrs)  # type: ignore[attr-defined]
    # an entity that began before the part begins with it
    iob = attrs.index(ENT_IOB)
    if values[0, iob] == IOB_STRINGS.index("I"):
        values[0, iob] = IOB_STRINGS.index("B")
    part.from_array([*attrs], values)
    if doc.tensor.size:
        part.tensor = doc.tensor[start:end]
    return part
