"""What of a prediction the gold can judge."""

from typing import Iterable, Iterator

from spacy.training import Example

from ..text.annotated_labels import annotated_labels, leave_out_unjudged


def judged(examples: Iterable[Example]) -> Iterator[Example]:
    """The examples, without predicted entities whose labels the gold does not annotate."""
    for example in examples:
        if annotated_labels(example.reference) is not None:
            predicted = example.predicted.copy()
            leave_out_unjudged(predicted, example.reference)
            example = Example(predicted, example.reference)
        yield example
