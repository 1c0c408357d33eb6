"""Scores of tags → entities, each with its probability if that is asked for."""

from itertools import islice
from typing import List, NamedTuple, Optional, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from spacy.tokens import Doc

from ..tagger.marginals import Marginals
from ..tagger.potentials import Potentials
from ..tagger.row_parts import row_parts
from ..tagger.sentence_rows import DocRows
from ..tagger.tag_schemes import Span, TagScheme
from ..tagger.viterbi import best_tags
from .constraints import allowed_in


class Entities(NamedTuple):
    """The entities of a Doc, and their probabilities as far as they are computed.

    Attributes:
        spans: Token spans.
        probabilities: The probability of each span, if computed.
        tokens: float32 (tokens, 2), the marginal of each token's tag, and that of the
            tag "O"; NaN for a token that is not a word. None if not computed.
    """

    spans: List[Span]
    probabilities: Optional[List[float]] = None
    tokens: Optional[NDArray[np.float32]] = None


def decode(
    docs: Sequence[Doc],
    potentials: Potentials,
    scheme: TagScheme,
    *,
    addresses: bool,
    temperature: float = 1.0,
    of_spans: bool = False,
    of_tokens: bool = False,
) -> List[Entities]:
    """Find the most probable entities of each Doc that respect what is already set.

    The best path runs through the Doc's entities and around its blocked tokens.
    Probabilities are marginals under the same conditions: the share of all paths on
    which exactly this entity, or this tag, stands there.

    Args:
        docs: The Docs that the potentials were computed for.
        potentials: The model's output for them.
        scheme: The tags.
        addresses: Whether an address may be an entity.
        temperature: Divides the scores before probabilities are computed.
        of_spans: Whether to compute the probabilities of entities.
        of_tokens: Whether to compute those of the tokens' tags.
    """
    rows = potentials.rows
    parameters = potentials.legal_parameters(scheme)
    tempered = potentials.tempered(temperature)
    tempered_parameters = tempered.legal_parameters(scheme)
    mask = allowed_in(docs, rows, scheme, addresses=addresses)
    # for each row, in words of the row
    found: List[List[Span]] = [[] for _ in rows.spans]
    probabilities: List[List[float]] = [[] for _ in rows.spans]
    of_words = np.zeros((len(rows.places), 2), np.float32)
    for places, part in row_parts(rows, len(scheme.tags)):
        emissions = part.pad(potentials.emissions)
        lengths = part.lengths.to(emissions.device)
        allowed = part.pad(mask).to(emissions.device)
        tags = best_tags(emissions, lengths, parameters, allowed)
        for place, (start, end), row in zip(
            places, part.spans, tags.tolist(), strict=True
        ):
            found[place] = scheme.decode(row[: end - start])
        spans_of_part = [found[place] for place in places]
        if not of_tokens and not (of_spans and any(spans_of_part)):
            continue
        marginals = Marginals(
            part.pad(tempered.emissions), lengths, tempered_parameters, allowed
        )
        if of_spans:
            values = _probabilities(spans_of_part, scheme, marginals)
            for place, of_row in zip(places, values, strict=True):
                probabilities[place] = of_row
        if of_tokens:
            every = marginals.of_tags()
            of_tags = every.gather(2, tags.clamp(min=0).unsqueeze(2))
            both = torch.cat([of_tags, every[..., :1]], 2).cpu()
            for (start, end), of_row in zip(part.spans, both.numpy(), strict=True):
                of_words[start:end] = of_row[: end - start]
    entities = _by_doc(rows, found, probabilities if of_spans else None)
    if not of_tokens:
        return entities
    ends = np.cumsum([len(words) for words in rows.words_of_docs])[:-1]
    return [
        of_doc._replace(tokens=_at_words(values, words, len(doc)))
        for of_doc, values, words, doc in zip(
            entities, np.split(of_words, ends), rows.words_of_docs, docs, strict=True
        )
    ]


def no_entities(doc: Doc, *, of_spans: bool, of_tokens: bool) -> Entities:
    """The result for a Doc without words."""
    nothing = np.zeros((0, 2), np.float32), np.zeros(0, np.int64)
    return Entities(
        [],
        [] if of_spans else None,
        _at_words(*nothing, len(doc)) if of_tokens else None,
    )


def _at_words(
    values: NDArray[np.float32], words: NDArray[np.int64], n_tokens: int
) -> NDArray[np.float32]:
    of_tokens = np.full((n_tokens, 2), np.nan, np.float32)
    of_tokens[words] = values
    return of_tokens


def _probabilities(
    found: List[List[Span]], scheme: TagScheme, marginals: Marginals
) -> List[List[float]]:
    """The probability of each entity found in each row."""
    flat = [(row, *span) for row, spans in enumerate(found) for span in spans]
    if not flat:
        return [[] for _ in found]
    longest = max(end - start for _, start, end, _ in flat)
    span_tags = np.full((len(flat), longest), -1, dtype=np.int64)
    for place, (_, start, end, label) in enumerate(flat):
        span_tags[place, : end - start] = scheme.span_tags(end - start, label)
    forbidden = np.stack([scheme.continuation(label) for *_, label in flat])
    device = marginals.device
    log_probabilities = marginals.of_spans(
        torch.tensor([row for row, *_ in flat], device=device),
        torch.tensor([start for _, start, _, _ in flat], device=device),
        torch.from_numpy(span_tags).to(device),
        torch.from_numpy(forbidden).to(device),
    )
    values = iter(log_probabilities.exp().tolist())
    return [list(islice(values, len(spans))) for spans in found]


def _by_doc(
    rows: DocRows,
    found: List[List[Span]],
    probabilities: Optional[List[List[float]]],
) -> List[Entities]:
    """Group by Doc. White space between two words of an entity is part of it."""
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
