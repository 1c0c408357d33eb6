"""Entities and their probabilities → the Doc."""

from typing import Any, Dict, List, Optional, Sequence, Set

import numpy as np
from numpy.typing import NDArray
from spacy.tokens import Doc, SpanGroup
from spacy.tokens import Span as DocSpan

from ..tagger.tag_schemes import Span
from .constraints import blocked_tokens
from .decoding import Entities
from .selection import is_kept


def annotate(doc: Doc, entities: Entities, cfg: Dict[str, Any]) -> None:
    """Write the entities that the settings keep to `doc.ents`, next to those already
    there, and what is known about their probabilities to `._.probability`."""
    spans, probabilities, of_tokens = entities
    values = [1.0] * len(spans) if probabilities is None else probabilities
    places = {
        place
        for place, ((_, _, label), value) in enumerate(zip(spans, values, strict=True))
        if is_kept(cfg, label, value)
    }
    taken = set_tokens(doc)
    new, scores = [], []
    for place, (start, end, label) in enumerate(spans):
        if place in places and taken.isdisjoint(range(start, end)):
            new.append(DocSpan(doc, start, end, label=label))
            scores.append(values[place])
    add_entities(doc, new)
    if probabilities is not None:
        for ent, score in zip(new, scores, strict=True):
            ent._.probability = score
    if of_tokens is not None:
        dropped = [span for place, span in enumerate(spans) if place not in places]
        _annotate_tokens(doc, of_tokens, dropped, taken)
    if cfg["scores_key"] is not None:
        doc.spans[cfg["scores_key"]] = SpanGroup(
            doc, name=cfg["scores_key"], spans=new, attrs={"scores": scores}
        )


def set_tokens(doc: Doc) -> Set[int]:
    """The tokens that are in an entity or blocked before anything is added."""
    return {token.i for ent in doc.ents for token in ent}.union(blocked_tokens(doc))


def add_entities(doc: Doc, new: Sequence[DocSpan]) -> None:
    """Add entities to those already there. All other tokens are then outside."""
    blocked = [doc[i : i + 1] for i in blocked_tokens(doc)]
    doc.set_ents([*doc.ents, *new], blocked=blocked, default="outside")


def _annotate_tokens(
    doc: Doc, of_tokens: NDArray[np.float32], dropped: List[Span], taken: Set[int]
) -> None:
    """Set the probability of each token's final tag: "O" where an entity was dropped.
    Tokens that were set before get none."""
    outside = {i for start, end, _ in dropped for i in range(start, end)}
    for token, (of_tag, of_outside) in zip(doc, of_tokens.tolist(), strict=True):
        value: Optional[float] = of_outside if token.i in outside else of_tag
        if value == value and token.i not in taken:
            token._.probability = value
