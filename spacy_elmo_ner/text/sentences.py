"""Doc → the sentences that are encoded and tagged on their own."""

from typing import List, Optional, Tuple

import numpy as np
from spacy.tokens import Doc

from .line_breaks import sentence_breaks
from .lines import BREAK, lines_of
from .sentence_ends import CLOSING, SENTENCE_END
from .table_columns import column_gaps
from .words import block_ends, link_texts, word_places

# the attributes of nodes that cut Docs into sentences by themselves
LINE_IS_SENTENCE = "line_is_sentence"
MAX_LENGTH = "max_sentence_length"


def sentence_words(
    doc: Doc, *, max_length: Optional[int] = None, line_is_sentence: bool = False
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
    doc: Doc, *, max_length: Optional[int] = None, line_is_sentence: bool = False
) -> List[Tuple[int, int]]:
    """Token offsets (start, end) that cover the Doc in order, without gaps.

    A Doc with sentence boundaries (`doc.has_annotation("SENT_START")`) is cut
    there. One without is cut after final punctuation and the quotes and
    brackets that close behind it, after blank lines, between the columns of a table
    (`table_columns`), and after other line breaks where they do not wrap a line
    (`line_breaks`), or all where a line is a sentence. The cuts depend on the Doc alone,
    never on the batch.

    max_length: longer sentences are cut into windows of so many tokens.
    """
    if doc.has_annotation("SENT_START"):
        starts = [i for i in range(1, len(doc)) if doc[i].is_sent_start]
    else:
        starts = _punctuation_starts(doc, line_is_sentence)
    spans = []
    for start, end in zip([0] + starts, starts + [len(doc)], strict=True):
        windows = range(start, end, max_length or max(1, end - start))
        spans += [(one, min(one + windows.step, end)) for one in windows]
    return spans


def _punctuation_starts(doc: Doc, line_is_sentence: bool) -> List[int]:
    ends = block_ends(doc)
    if any(token.is_space and BREAK.search(token.text) for token in doc):
        lines = lines_of(doc)
        ends |= column_gaps(doc, lines)
        if line_is_sentence:
            ends.update(line.break_at for line in lines)
        else:
            ends |= sentence_breaks(doc, lines) - link_texts(doc)
    starts = []
    ended = False
    for token in doc:
        if ended and token.text not in CLOSING and token.text not in SENTENCE_END:
            if not token.is_space:
                starts.append(token.i)
                ended = False
        if token.text in SENTENCE_END or token.i in ends:
            ended = True
    return [start for start in starts if start > 0]
