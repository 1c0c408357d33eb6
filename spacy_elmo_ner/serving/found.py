"""What is told of an entity: where it stands, its label and how sure the pipeline is."""

from typing import List, Optional, TypedDict

from spacy.language import Language
from spacy.tokens import Doc

from ..pipeline.elmo_ner import ElmoNer

# the key of doc.spans, where a component has none of its own; probabilities of tokens,
# which nobody is told here, would take longer
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
    for _, pipe in nlp.pipeline:
        if isinstance(pipe, ElmoNer) and pipe.cfg["scores_key"] is None:
            pipe.cfg["scores_key"] = SCORES
    return nlp


def entities(doc: Doc) -> List[Found]:
    """The entities of a Doc.

    Args:
        doc: A Doc that a pipeline has read, as `with_probabilities` gave it.

    Returns:
        The entities in the order of the text. The probability of those that another
        component has found is None.
    """
    return [
        Found(
            text=ent.text,
            label=ent.label_,
            start=ent.start_char,
            end=ent.end_char,
            probability=ent._.probability,
        )
        for ent in doc.ents
    ]
