"""The temperature that calibrates probabilities (Guo et al. 2017, section 4.2)."""

import math
from typing import Callable, Sequence

from .calibration import log_loss
from .guesses import Guess

# the range of the search, and how close it comes to the best, in its logarithm
COLDEST, HOTTEST, NEAR = 0.5, 4.0, 0.01
GOLDEN = (math.sqrt(5) - 1) / 2


def fit_temperature(guess: Callable[[float], Sequence[Guess]]) -> float:
    """Find the temperature with the least log loss of "this entity is right".

    That is what an entity's probability stands for. The likelihood of all gold tags
    would be dominated by the words outside entities, which are many and easy.

    Args:
        guess: What is predicted at a temperature: the same entities at each.

    Raises:
        ValueError: If nothing is found, or all of it is right, or all wrong.
    """

    def loss(log_temperature: float) -> float:
        found = guess(math.exp(log_temperature))
        return log_loss(
            [one.probability for one in found], [one.is_right for one in found]
        )

    right = [one.is_right for one in guess(1.0)]
    if len(set(right)) < 2:
        raise ValueError(
            f"{len(right)} entities are found in the data, {sum(right)} of them right. "
            "A temperature can only be found if some are right and some are wrong. "
            "Give more data that the pipeline was not trained on."
        )
    return round(math.exp(_minimum(loss, math.log(COLDEST), math.log(HOTTEST))), 3)


def _minimum(function: Callable[[float], float], low: float, high: float) -> float:
    """Where a unimodal function is lowest: golden-section search (Kiefer 1953)."""
    left, right = high - GOLDEN * (high - low), low + GOLDEN * (high - low)
    of_left, of_right = function(left), function(right)
    while high - low > 2 * NEAR:
        if of_left <= of_right:
            high, right, of_right = right, left, of_left
            left = high - GOLDEN * (high - low)
            of_left = function(left)
        else:
            low, left, of_left = left, right, of_right
            right = low + GOLDEN * (high - low)
            of_right = function(right)
    return (low + high) / 2
