"""Scores of tags → entities, each with its probability where that is asked for."""

from itertools import islice
from typing import List, NamedTuple, Optional, Sequence, Tuple

import numpy
import torch
from spacy.tokens import Doc
from torch import Tensor

from ..tagger import crf
from ..tagger.architecture import Potentials
from ..tagger.row_parts import row_parts
from ..tagger.sentence_rows import SentenceRows
from ..tagger.tag_schemes import Span, TagScheme, trim_spaces
from .constraints import allowed_tags


class Entities(NamedTuple):
    """The entities of a Doc: token spans, and their probabilities if computed."""

    spans: List[Span]
    probabilities: Optional[List[float]]


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
    rows: SentenceRows,
    scheme: TagScheme,
    *,
    with_probabilities: bool,
) -> List[Entities]:
    """The most probable entities of each Doc that respect what is already set.

    The best path runs through the Doc's entities and around its blocked tokens.
    Probabilities are marginals under the same conditions: the share of all paths on
    which exactly this entity stands there.
    """
    scores = restricted_scores(potentials, scheme)
    masks = [
        allowed_tags(doc, sentences, scheme)
        for doc, sentences in zip(docs, _sentences(docs, rows), strict=True)
    ]
    mask = torch.from_numpy(numpy.concatenate(masks))
    spaces = [token.is_space for doc in docs for token in doc]
    # of each row, in tokens of the row
    found: List[List[Span]] = [[] for _ in rows.spans]
    probabilities: List[List[float]] = [[] for _ in rows.spans]
    for places, part in row_parts(rows, len(scheme.tags)):
        emissions = part.pad(potentials.emissions)
        lengths = part.lengths.to(emissions.device)
        allowed = part.pad(mask).to(emissions.device)
        tags = crf.viterbi(emissions, lengths, scores, allowed)[1].tolist()
        for place, (start, end), row in zip(places, part.spans, tags, strict=True):
            spans = scheme.decode(row[: end - start])
            found[place] = trim_spaces(spans, spaces[start:end]) if spans else spans
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


def _sentences(docs: Sequence[Doc], rows: SentenceRows) -> List[List[Tuple[int, int]]]:
    """The rows of each Doc, in tokens of the Doc."""
    spans = iter(rows.spans)
    sentences = []
    offset = 0
    for doc in docs:
        of_doc: List[Tuple[int, int]] = []
        while (of_doc[-1][1] if of_doc else 0) < len(doc):
            start, end = next(spans)
            of_doc.append((start - offset, end - offset))
        sentences.append(of_doc)
        offset += len(doc)
    return sentences


def _by_doc(
    docs: Sequence[Doc],
    rows: SentenceRows,
    found: List[List[Span]],
    probabilities: Optional[List[List[float]]],
) -> List[Entities]:
    of_rows = iter(found)
    values = iter(probabilities or [])
    entities = []
    for sentences in _sentences(docs, rows):
        spans = [
            (start + shift, end + shift, label)
            for shift, _ in sentences
            for start, end, label in next(of_rows)
        ]
        of_doc = None
        if probabilities is not None:
            of_doc = [value for _ in sentences for value in next(values)]
        entities.append(Entities(spans, of_doc))
    return entities
