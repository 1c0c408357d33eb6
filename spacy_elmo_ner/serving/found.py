"""What is told of an entity: where it stands, its label and how sure the pipeline is."""

from typing import Iterator, List, Optional, Tuple, TypedDict

from spacy.language import Language
from spacy.tokens import Doc, Span

from ..pipeline.elmo_ner import ElmoNer

# the key of doc.spans, where a component has none of its own
SCORES = "found_entities"


class Found(TypedDict):
    """An entity; start and end are character offsets."""

    text: str
    label: str
    start: int
    end: int
    probability: Optional[float]


def with_probabilities(nlp: Language) -> Language:
    """The pipeline, whose `elmo_ner` components give each entity its probability from
    now on."""
    for pipe in _elmo_ners(nlp):
        if pipe.cfg["scores_key"] is None:
            pipe.cfg["scores_key"] = SCORES
    return nlp


def entities(nlp: Language, doc: Doc) -> List[Found]:
    """The entities of a Doc that the pipeline has read.

    Args:
        nlp: The pipeline, as `with_probabilities` gave it.
        doc: The Doc.

    Returns:
        The entities in the order of the text. The probability of those that another
        component has found is None.
    """
    probabilities = {
        _place(span): probability for span, probability in _scored(nlp, doc)
    }
    return [
        Found(
            text=ent.text,
            label=ent.label_,
            start=ent.start_char,
            end=ent.end_char,
            probability=probabilities.get(_place(ent)),
        )
        for ent in doc.ents
    ]


def _elmo_ners(nlp: Language) -> List[ElmoNer]:
    return [pipe for _, pipe in nlp.pipeline if isinstance(pipe, ElmoNer)]


def _scored(nlp: Language, doc: Doc) -> Iterator[Tuple[Span, float]]:
    for pipe in _elmo_ners(nlp):
        group = doc.spans[pipe.cfg["scores_key"]]
        yield from zip(group, group.attrs["scores"], strict=True)


def _place(span: Span) -> Tuple[int, int, str]:
    return span.start, span.end, span.label_
