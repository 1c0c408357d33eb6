"""Predicted entities with their probabilities, compared with the gold."""

from typing import List, NamedTuple, Sequence, Tuple

from spacy.training import Example

from ..text.annotated_labels import annotated_labels

Entity = Tuple[int, int, str]
"""First token, token after the last, label."""


class Guess(NamedTuple):
    """A predicted entity.

    Attributes:
        doc: The number of its Doc.
        label: Its label.
        probability: Its probability.
        is_right: Whether the gold has it, with the same boundaries and label.
    """

    doc: int
    label: str
    probability: float
    is_right: bool


def compare(
    examples: Sequence[Example],
    predicted: Sequence[Tuple[Sequence[Entity], Sequence[float]]],
) -> List[Guess]:
    """Compare entities of predicted Docs with the gold.

    Args:
        examples: The Docs.
        predicted: The entities found in each, and their probabilities.

    Returns:
        The entities, except those whose tokens or whose label the gold does not
        annotate in full.
    """
    found = []
    for number, (example, (entities, probabilities)) in enumerate(
        zip(examples, predicted, strict=True)
    ):
        gold = {
            (ent.start, ent.end, ent.label_)
            for ent in example.get_aligned_spans_y2x(example.reference.ents)
        }
        tags = example.get_aligned_ner()
        labels = annotated_labels(example.reference)
        for entity, probability in zip(entities, probabilities, strict=True):
            start, end, label = entity
            if None not in tags[start:end] and (labels is None or label in labels):
                found.append(Guess(number, label, probability, entity in gold))
    return found
