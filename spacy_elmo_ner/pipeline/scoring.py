"""The part of a prediction that the gold can judge."""

from typing import Iterable, Iterator

from spacy.training import Example

from ..text.annotated_labels import judged


def judged_examples(examples: Iterable[Example]) -> Iterator[Example]:
    """The examples, without predicted entities whose labels the gold does not annotate.
    spaCy's scorer itself leaves out those where a token has no annotation."""
    for example in examples:
        predicted = judged(example.predicted, example.reference)
        if predicted is not example.predicted:
            example = Example(predicted, example.reference)
        yield example
