"""Scores of tags → entities, each with its probability where that is asked for."""

from itertools import islice
from typing import List, NamedTuple, Optional, Sequence

import numpy as np
import torch
from spacy.tokens import Doc
from torch import Tensor

from ..tagger import crf
from ..tagger.parameters import CrfParameters
from ..tagger.potentials import Potentials
from ..tagger.row_parts import row_parts
from ..tagger.sentence_rows import DocRows
from ..tagger.tag_schemes import Span, TagScheme
from ..tagger.viterbi import best_tags
from .constraints import allowed_tags


class Entities(NamedTuple):
    """The entities of a Doc: token spans, and their probabilities if computed."""

    spans: List[Span]
    probabilities: Optional[List[float]]


def decode(
    docs: Sequence[Doc],
    potentials: Potentials,
    scheme: TagScheme,
    *,
    with_probabilities: bool,
    addresses: bool,
) -> List[Entities]:
    """The most probable entities of each Doc that respect what is already set.

    docs: those of which the model made the potentials.

    The best path runs through the Doc's entities and around its blocked tokens.
    Probabilities are marginals under the same conditions: the share of all paths on
    which exactly this entity stands there.
    """
    rows = potentials.rows
    parameters = potentials.legal_parameters(scheme)
    masks = [
        allowed_tags(doc, sentences, scheme, addresses=addresses)
        for doc, sentences in zip(docs, rows.of_docs, strict=True)
    ]
    mask = torch.from_numpy(np.concatenate(masks))
    # of each row, in words of the row
    found: List[List[Span]] = [[] for _ in rows.spans]
    probabilities: List[List[float]] = [[] for _ in rows.spans]
    for places, part in row_parts(rows, len(scheme.tags)):
        emissions = part.pad(potentials.emissions)
        lengths = part.lengths.to(emissions.device)
        allowed = part.pad(mask).to(emissions.device)
        tags = best_tags(emissions, lengths, parameters, allowed).tolist()
        for place, (start, end), row in zip(places, part.spans, tags, strict=True):
            found[place] = scheme.decode(row[: end - start])
        if with_probabilities:
            spans_of_part = [found[place] for place in places]
            values = _probabilities(
                spans_of_part, scheme, emissions, lengths, parameters, allowed
            )
            for place, of_row in zip(places, values, strict=True):
                probabilities[place] = of_row
    return _by_doc(rows, found, probabilities if with_probabilities else None)


def _probabilities(
    found: List[List[Span]],
    scheme: TagScheme,
    emissions: Tensor,
    lengths: Tensor,
    parameters: CrfParameters,
    allowed: Tensor,
) -> List[List[float]]:
    """Of each found entity of each row."""
    flat = [(row, *span) for row, spans in enumerate(found) for span in spans]
    if not flat:
        return [[] for _ in found]
    longest = max(end - start for _, start, end, _ in flat)
    span_tags = np.full((len(flat), longest), -1, dtype=np.int64)
    for place, (_, start, end, label) in enumerate(flat):
        span_tags[place, : end - start] = scheme.span_tags(end - start, label)
    forbidden = np.stack([scheme.continuation(label) for *_, label in flat])
    device = emissions.device
    log_probabilities = crf.span_log_probability(
        emissions,
        lengths,
        parameters,
        torch.tensor([row for row, *_ in flat], device=device),
        torch.tensor([start for _, start, _, _ in flat], device=device),
        torch.from_numpy(span_tags).to(device),
        torch.from_numpy(forbidden).to(device),
        allowed,
    )
    values = iter(log_probabilities.exp().tolist())
    return [list(islice(values, len(spans))) for spans in found]


def _by_doc(
    rows: DocRows,
    found: List[List[Span]],
    probabilities: Optional[List[List[float]]],
) -> List[Entities]:
    """White space between two words of an entity is part of it."""
    spans_of_rows = iter(found)
    values_of_rows = None if probabilities is None else iter(probabilities)
    entities = []
    for of_doc in rows.of_docs:
        spans = [
            (int(words[start]), int(words[end - 1]) + 1, label)
            for words in of_doc
            for start, end, label in next(spans_of_rows)
        ]
        values = None
        if values_of_rows is not None:
            values = [value for _ in of_doc for value in next(values_of_rows)]
        entities.append(Entities(spans, values))
    return entities
