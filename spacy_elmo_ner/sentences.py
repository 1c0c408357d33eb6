"""Doc → the spans of tokens that are encoded and tagged on their own."""

from typing import List, Tuple

from spacy.tokens import Doc

SENTENCE_END = frozenset(".!?…。！？")
# what may still belong to a sentence after its final punctuation
CLOSING = frozenset("\"'”’»)]}")


def sentence_spans(doc: Doc, *, max_length: int) -> List[Tuple[int, int]]:
    """Token offsets (start, end) that cover the Doc in order, without gaps.

    A Doc with sentence boundaries (`doc.has_annotation("SENT_START")`) is cut
    there. One without is cut after final punctuation and the quotes and
    brackets that close behind it, and after a line break. Whatever is longer
    than `max_length` tokens is then cut into windows of that size. The cuts
    depend on the Doc alone, never on the batch.
    """
    if doc.has_annotation("SENT_START"):
        starts = [i for i in range(1, len(doc)) if doc[i].is_sent_start]
    else:
        starts = _punctuation_starts(doc)
    spans = []
    for start, end in zip([0] + starts, starts + [len(doc)], strict=True):
        for left in range(start, end, max_length):
            spans.append((left, min(left + max_length, end)))
    return spans


def _punctuation_starts(doc: Doc) -> List[int]:
    starts = []
    ended = False
    for token in doc:
        if ended and token.text not in CLOSING and token.text not in SENTENCE_END:
            if not token.is_space:
                starts.append(token.i)
                ended = False
        if token.text in SENTENCE_END or "\n" in token.text:
            ended = True
    return [start for start in starts if start > 0]
