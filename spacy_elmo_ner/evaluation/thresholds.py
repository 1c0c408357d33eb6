"""Probability thresholds that make entities as precise as required."""

from typing import Dict, NamedTuple, Sequence

from .guesses import Guess


class Threshold(NamedTuple):
    """The lowest threshold that reaches a precision.

    Attributes:
        value: Entities with a lower probability are dropped; 1 if none reaches it.
        kept: Entities that are left.
        right: Those of them that are right.
    """

    value: float
    kept: int
    right: int


def thresholds_for(guesses: Sequence[Guess], precision: float) -> Dict[str, Threshold]:
    """Find the threshold of each label.

    Args:
        guesses: What was predicted without any threshold.
        precision: The share of the remaining entities that should be right.
    """
    labels = sorted({one.label for one in guesses})
    return {
        label: _lowest([one for one in guesses if one.label == label], precision)
        for label in labels
    }


def _lowest(guesses: Sequence[Guess], precision: float) -> Threshold:
    ordered = sorted(guesses, key=lambda one: -one.probability)
    lowest, right = Threshold(1.0, 0, 0), 0
    for kept, one in enumerate(ordered, 1):
        right += one.is_right
        # a threshold keeps all entities of equal probability
        is_last = kept == len(ordered) or ordered[kept].probability < one.probability
        if is_last and right >= precision * kept:
            lowest = Threshold(one.probability, kept, right)
    return lowest
