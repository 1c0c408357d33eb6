"""Doc → the sentences that are encoded and tagged separately."""

from typing import List, NamedTuple, Tuple

import numpy as np
from numpy.typing import NDArray
from spacy.tokens import Doc

from .line_breaks import sentence_breaks
from .lines import BREAK, lines_of
from .sentence_ends import CLOSING, SENTENCE_END
from .table_columns import column_gaps
from .words import block_ends, link_texts, word_places

Indices = NDArray[np.int64]

# the attributes of nodes that split Docs into sentences themselves
LINE_IS_SENTENCE = "line_is_sentence"
MAX_LENGTH = "max_sentence_length"


class Sentence(NamedTuple):
    """One sentence of a Doc.

    Attributes:
        start: The first token, whether it is a word or not.
        words: The tokens that are words, in order, int64 (words,). There is at least one.
    """

    start: int
    words: Indices

    def windows(self, max_length: int) -> List[Indices]:
        """The words of its first `max_length` tokens, of the next ones, and so on; windows
        without any words are left out."""
        if self.words[-1] - self.start < max_length:
            return [self.words]
        number = (self.words - self.start) // max_length
        return np.split(self.words, np.flatnonzero(np.diff(number)) + 1)


def doc_sentences(doc: Doc, *, line_is_sentence: bool = False) -> List[Sentence]:
    """The sentences that have words, see `sentence_spans`."""
    words = word_places(doc)
    starts = [
        start for start, _ in sentence_spans(doc, line_is_sentence=line_is_sentence)
    ]
    of_each = np.split(words, np.searchsorted(words, starts[1:]))
    return [
        Sentence(start, some)
        for start, some in zip(starts, of_each, strict=False)
        if len(some)
    ]


def sentence_words(
    doc: Doc, *, max_length: int, line_is_sentence: bool = False
) -> List[Indices]:
    """The words of each sentence, long ones in windows of max_length tokens."""
    sentences = doc_sentences(doc, line_is_sentence=line_is_sentence)
    return [words for sentence in sentences for words in sentence.windows(max_length)]


def sentence_spans(
    doc: Doc, *, line_is_sentence: bool = False
) -> List[Tuple[int, int]]:
    """Token offsets (start, end) that cover the Doc in order, without gaps.

    A Doc with sentence boundaries (`doc.has_annotation("SENT_START")`) is split
    there. One without is split after final punctuation and the closing quotes and
    brackets that follow it, after blank lines, between the columns of a table
    (`table_columns`), and after other line breaks if they do not wrap a line
    (`line_breaks`), or after all of them if a line is a sentence. The boundaries depend
    on the Doc alone, never on the batch.
    """
    if not len(doc):
        return []
    if doc.has_annotation("SENT_START"):
        starts = [i for i in range(1, len(doc)) if doc[i].is_sent_start]
    else:
        starts = _punctuation_starts(doc, line_is_sentence)
    return list(zip([0, *starts], [*starts, len(doc)], strict=True))


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
