"""Scores of tags → entities, each with its probability where that is asked for."""

from itertools import islice, takewhile
from typing import Iterable, List, NamedTuple, Optional, Sequence, Set, Tuple

import numpy
import torch
from spacy.tokens import Doc
from torch import Tensor

from ..tagger import crf
from ..tagger.architecture import Potentials
from ..tagger.row_parts import row_parts
from ..tagger.sentence_rows import DocRows
from ..tagger.tag_schemes import Span, TagScheme
from .constraints import allowed_tags


class Entities(NamedTuple):
    """The entities of a Doc: token spans, and their probabilities if computed."""

    spans: List[Span]
    probabilities: Optional[List[float]]


def joined(parts: Sequence[Tuple[int, int]], entities: Sequence[Entities]) -> Entities:
    """The entities of a Doc's parts, in order.

    Where two parts overlap, the first is followed to a seam next to the middle of what
    they have in common, in which no entity of either stands. If there is none, the two
    ends of an entity that both have across the middle are of one entity.
    """
    spans: List[Span] = []
    values: List[float] = []
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
        end_before = end
    has_all = all(part.probabilities is not None for part in entities)
    return Entities(spans, values if has_all else None)


def _seam(start: int, end: int, before: Iterable[Span], after: Iterable[Span]) -> int:
    """The place from start to end, next to their middle, that lies in no span; the middle
    itself if there is none.

    before, after: spans of the two parts, those that are next to the seam first.
    """
    taken: Set[int] = set()
    for span in takewhile(lambda span: span[1] > start, before):
        taken.update(range(span[0] + 1, span[1]))
    for span in takewhile(lambda span: span[0] < end, after):
        taken.update(range(span[0] + 1, span[1]))
    middle = (start + max(start, end)) // 2
    by_distance = sorted(range(start, end + 1), key=lambda i: abs(i - middle))
    return next((i for i in by_distance if i not in taken), middle)


def restricted_scores(potentials: Potentials, scheme: TagScheme) -> crf.Scores:
    """The CRF's parameters with what the tag scheme forbids put out of reach."""
    device = potentials.transitions.device
    return crf.restrict(
        crf.Scores(potentials.transitions, potentials.start, potentials.end),
        torch.from_numpy(scheme.legal_transitions).to(device),
        torch.from_numpy(scheme.legal_start).to(device),
        torch.from_numpy(scheme.legal_end).to(device),
    )


def decode(
    docs: Sequence[Doc],
    potentials: Potentials,
    rows: DocRows,
    scheme: TagScheme,
    *,
    with_probabilities: bool,
    addresses: bool,
) -> List[Entities]:
    """The most probable entities of each Doc that respect what is already set.

    The best path runs through the Doc's entities and around its blocked tokens.
    Probabilities are marginals under the same conditions: the share of all paths on
    which exactly this entity stands there.
    """
    scores = restricted_scores(potentials, scheme)
    sentences: List[List[numpy.ndarray]] = [[] for _ in docs]
    for words, number in zip(rows.words, rows.docs, strict=True):
        sentences[number].append(words)
    masks = [
        allowed_tags(doc, of_doc, scheme, addresses=addresses)
        for doc, of_doc in zip(docs, sentences, strict=True)
        if of_doc
    ]
    mask = torch.from_numpy(numpy.concatenate(masks))
    # of each row, in words of the row
    found: List[List[Span]] = [[] for _ in rows.spans]
    probabilities: List[List[float]] = [[] for _ in rows.spans]
    for places, part in row_parts(rows, len(scheme.tags)):
        emissions = part.pad(potentials.emissions)
        lengths = part.lengths.to(emissions.device)
        allowed = part.pad(mask).to(emissions.device)
        tags = crf.viterbi(emissions, lengths, scores, allowed)[1].tolist()
        for place, (start, end), row in zip(places, part.spans, tags, strict=True):
            found[place] = scheme.decode(row[: end - start])
        if with_probabilities:
            spans_of_part = [found[place] for place in places]
            values = _probabilities(
                spans_of_part, scheme, emissions, lengths, scores, allowed
            )
            for place, of_row in zip(places, values, strict=True):
                probabilities[place] = of_row
    return _by_doc(docs, rows, found, probabilities if with_probabilities else None)


def _probabilities(
    found: List[List[Span]],
    scheme: TagScheme,
    emissions: Tensor,
    lengths: Tensor,
    scores: crf.Scores,
    allowed: Tensor,
) -> List[List[float]]:
    """Of each found entity of each row."""
    flat = [(row, *span) for row, spans in enumerate(found) for span in spans]
    if not flat:
        return [[] for _ in found]
    longest = max(end - start for _, start, end, _ in flat)
    span_tags = numpy.full((len(flat), longest), -1, dtype="int64")
    for place, (_, start, end, label) in enumerate(flat):
        span_tags[place, : end - start] = scheme.span_tags(end - start, label)
    forbidden = numpy.stack([scheme.continuation(label) for *_, label in flat])
    device = emissions.device
    log_probabilities = crf.span_log_probability(
        emissions,
        lengths,
        scores,
        torch.tensor([row for row, *_ in flat], device=device),
        torch.tensor([start for _, start, _, _ in flat], device=device),
        torch.from_numpy(span_tags).to(device),
        torch.from_numpy(forbidden).to(device),
        allowed,
    )
    values = iter(log_probabilities.exp().tolist())
    return [list(islice(values, len(spans))) for spans in found]


def _by_doc(
    docs: Sequence[Doc],
    rows: DocRows,
    found: List[List[Span]],
    probabilities: Optional[List[List[float]]],
) -> List[Entities]:
    """White space between two words of an entity is part of it."""
    spans: List[List[Span]] = [[] for _ in docs]
    values: List[List[float]] = [[] for _ in docs]
    for i, (words, number) in enumerate(zip(rows.words, rows.docs, strict=True)):
        spans[number] += [
            (int(words[start]), int(words[end - 1]) + 1, label)
            for start, end, label in found[i]
        ]
        if probabilities is not None:
            values[number] += probabilities[i]
    return [
        Entities(of_doc, None if probabilities is None else of_spans)
        for of_doc, of_spans in zip(spans, values, strict=True)
    ]
