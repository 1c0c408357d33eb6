"""What is told about an entity: its place, its label and how sure the pipeline is."""

from typing import List, Optional, TypedDict

from spacy.tokens import Doc


class Found(TypedDict):
    """An entity; start and end are character offsets."""

    text: str
    label: str
    start: int
    end: int
    probability: Optional[float]


def entities(doc: Doc) -> List[Found]:
    """The entities of a Doc.

    Args:
        doc: A Doc from a pipeline that `pipeline.components.with_probabilities`
            returned.

    Returns:
        The entities in the order of the text. The probability of those that another
        component found is None.
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
