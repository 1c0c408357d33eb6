"""Docs that are too long to be read at once: read in parts, and their entities joined."""

from itertools import islice, takewhile
from typing import Callable, Iterable, Iterator, List, Sequence, Set, Tuple, TypeVar

import numpy as np
from spacy.tokens import Doc

from ..kernels.map_in_threads import map_in_threads
from ..tagger.tag_schemes import Span
from ..text.parts import doc_parts, part_of
from .decoding import Entities

Found = TypeVar("Found")


def find_in_parts(
    find: Callable[[List[Doc]], List[Found]],
    join: Callable[[Sequence[Tuple[int, int]], Sequence[Found]], Found],
    docs: Sequence[Doc],
    *,
    most: int,
    longest: int,
    line_is_sentence: bool,
    n_threads: int,
) -> List[Found]:
    """Call `find` on Docs with a bounded number of tokens at a time.

    Args:
        find: Docs → what is in each of them.
        join: The places of a Doc's parts, and what was found in each → what is in the
            Doc.
        docs: The Docs.
        most: How many tokens of whole sentences, of one Doc or several, are read
            together.
        longest: The most tokens of a sentence that is read at once; longer ones are
            read in parts that overlap, see `doc_parts`.
        line_is_sentence: See `doc_parts`.
        n_threads: How many batches are read at a time.
    """
    parts = [
        doc_parts(doc, most=most, longest=longest, line_is_sentence=line_is_sentence)
        for doc in docs
    ]
    read = (
        doc if len(of_doc) == 1 else part_of(doc, start, end)
        for doc, of_doc in zip(docs, parts, strict=True)
        for start, end in of_doc
    )
    batches = map_in_threads(find, _batches(read, most), n_threads)
    found = (entities for _, result in batches for entities in result())
    return [join(of_doc, list(islice(found, len(of_doc)))) for of_doc in parts]


def _batches(docs: Iterable[Doc], most: int) -> Iterator[List[Doc]]:
    batch: List[Doc] = []
    n_tokens = 0
    for doc in docs:
        if batch and n_tokens + len(doc) > most:
            yield batch
            batch, n_tokens = [], 0
        batch.append(doc)
        n_tokens += len(doc)
    if batch:
        yield batch


def joined(parts: Sequence[Tuple[int, int]], entities: Sequence[Entities]) -> Entities:
    """The entities of a Doc's parts, in order.

    Where two parts overlap, the first counts up to a seam near the middle of the
    overlap that is inside no entity of either. If there is none, the two ends of an
    entity that both parts have across the middle belong to one entity.
    """
    spans: List[Span] = []
    values: List[float] = []
    of_tokens = np.full((max(end for _, end in parts), 2), np.nan, np.float32)
    end_before = 0
    for (start, end), part in zip(parts, entities, strict=True):
        moved = [(a + start, b + start, label) for a, b, label in part.spans]
        of_part = part.probabilities or [1.0] * len(moved)
        seam = _seam(start, end_before, reversed(spans), moved)
        while spans and spans[-1][0] >= seam:
            spans.pop()
            values.pop()
        for (a, b, label), value in zip(moved, of_part, strict=True):
            if b <= seam:
                continue
            across = a < seam and bool(spans) and spans[-1][1] > seam
            if across and spans[-1][2] == label:
                spans[-1] = (spans[-1][0], b, label)
                values[-1] = min(values[-1], value)
            elif not spans or spans[-1][1] <= a:
                spans.append((a, b, label))
                values.append(value)
        if part.tokens is not None:
            of_tokens[seam:end] = part.tokens[seam - start :]
        end_before = end
    has_values = all(part.probabilities is not None for part in entities)
    has_tokens = all(part.tokens is not None for part in entities)
    return Entities(
        spans, values if has_values else None, of_tokens if has_tokens else None
    )


def _seam(start: int, end: int, before: Iterable[Span], after: Iterable[Span]) -> int:
    """The place from start to end, nearest to their middle, that is inside no span of
    the parts before and after it; the middle itself if there is none. The spans nearest
    to the seam come first."""
    taken: Set[int] = set()
    for span in takewhile(lambda span: span[1] > start, before):
        taken.update(range(span[0] + 1, span[1]))
    for span in takewhile(lambda span: span[0] < end, after):
        taken.update(range(span[0] + 1, span[1]))
    middle = (start + max(start, end)) // 2
    by_distance = sorted(range(start, end + 1), key=lambda i: abs(i - middle))
    return next((i for i in by_distance if i not in taken), middle)
