"""Batches for trainings that a benchmark stops after a number of updates."""

import random
from typing import Iterator, List, Tuple

from spacy.training import Example
from spacy.training.batchers import minibatch_by_words

WORDS = 500


def numbered_batches(examples: List[Example]) -> Iterator[Tuple[int, List[Example]]]:
    """Endless batches, shuffled anew in each epoch, and the number of each from 1."""
    number = 0
    while True:
        random.shuffle(examples)
        for batch in minibatch_by_words(examples, WORDS):
            number += 1
            yield number, batch
