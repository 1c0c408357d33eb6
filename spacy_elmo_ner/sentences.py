"""Doc → the sentences that are encoded and tagged on their own."""

from typing import List, Tuple

import numpy as np
from spacy.tokens import Doc

from .line_breaks import BREAK, sentence_breaks
from .sentence_ends import CLOSING, SENTENCE_END
from .words import block_ends, word_places

# the attribute of nodes that cut Docs into sentences by themselves
LINE_IS_SENTENCE = "line_is_sentence"
# of a window, the part at whose end it may be cut short
LAST_PART = 0.75
# after these a long sentence is best cut
PAUSE = frozenset(",;:–—|") | SENTENCE_END


def sentence_words(
    doc: Doc, *, max_length: int, line_is_sentence: bool = False
) -> List[np.ndarray]:
    """The tokens of each sentence that are words, in order, int64; those without any are
    left out. See `sentence_spans`."""
    spans = sentence_spans(
        doc, max_length=max_length, line_is_sentence=line_is_sentence
    )
    words = word_places(doc)
    borders = np.searchsorted(words, [end for _, end in spans])
    return [some for some in np.split(words, borders[:-1]) if len(some)]


def sentence_spans(
    doc: Doc, *, max_length: int, line_is_sentence: bool = False
) -> List[Tuple[int, int]]:
    """Token offsets (start, end) that cover the Doc in order, without gaps.

    A Doc with sentence boundaries (`doc.has_annotation("SENT_START")`) is cut
    there. One without is cut after final punctuation and the quotes and
    brackets that close behind it, after blank lines, and after other line breaks
    where they do not wrap a line (`line_breaks`), or all where a line is a sentence.
    Whatever is longer than `max_length` tokens is then cut into windows of that size at
    most, where a name is hardly cut in two. The cuts depend on the Doc alone, never on
    the batch.
    """
    if doc.has_annotation("SENT_START"):
        starts = [i for i in range(1, len(doc)) if doc[i].is_sent_start]
    else:
        starts = _punctuation_starts(doc, line_is_sentence)
    spans = []
    for start, end in zip([0] + starts, starts + [len(doc)], strict=True):
        while end - start > max_length:
            cut = _place_to_cut(doc, start, max_length)
            spans.append((start, cut))
            start = cut
        if start < end:
            spans.append((start, end))
    return spans


def doc_parts(doc: Doc, max_tokens: int) -> List[Tuple[int, int]]:
    """The Doc in parts of whole sentences, with at most so many tokens, where a sentence
    has no more. No part ends within an entity that is set."""
    if len(doc) <= max_tokens:
        return [(0, len(doc))]
    taken = {i for ent in doc.ents for i in range(ent.start + 1, ent.end)}
    cuts = [0]
    before = 0
    for _, end in sentence_spans(doc, max_length=max_tokens):
        if end in taken:
            continue
        if end - cuts[-1] > max_tokens and before > cuts[-1]:
            cuts.append(before)
        before = end
    return list(zip(cuts, [*cuts[1:], len(doc)], strict=True))


def _punctuation_starts(doc: Doc, line_is_sentence: bool) -> List[int]:
    has_breaks = any(token.is_space and BREAK.search(token.text) for token in doc)
    breaks = sentence_breaks(doc) if has_breaks and not line_is_sentence else set()
    blocks = block_ends(doc)
    starts = []
    ended = False
    for token in doc:
        if ended and token.text not in CLOSING and token.text not in SENTENCE_END:
            if not token.is_space:
                starts.append(token.i)
                ended = False
        if token.text in SENTENCE_END or token.i in breaks or token.i in blocks:
            ended = True
        elif has_breaks and line_is_sentence and BREAK.search(token.text):
            ended = True
    return [start for start in starts if start > 0]


def _place_to_cut(doc: Doc, start: int, max_length: int) -> int:
    """Where to end a window that begins at `start` and could go on: after a pause, or
    else between words that do not look like names, as late as there is such a place."""
    last = start + max_length
    taken = {i for ent in doc.ents for i in range(ent.start + 1, ent.end)}
    first = start + max(1, int(LAST_PART * max_length))
    places = [i for i in range(last, first - 1, -1) if i not in taken]
    for suits in (_is_pause, _is_between_plain_words, _is_beside_a_plain_word):
        for i in places:
            if suits(doc, i):
                return i
    return places[0] if places else last


def _is_pause(doc: Doc, i: int) -> bool:
    return doc[i - 1].text in PAUSE or "\n" in doc[i - 1].text


def _is_between_plain_words(doc: Doc, i: int) -> bool:
    # two on each side, as names have small words in them: Bank of the South
    beside = range(max(0, i - 2), min(i + 2, len(doc)))
    return all(_is_plain(doc, j) for j in beside)


def _is_beside_a_plain_word(doc: Doc, i: int) -> bool:
    return _is_plain(doc, i - 1) or _is_plain(doc, i)


def _is_plain(doc: Doc, i: int) -> bool:
    return doc[i].text.islower()
