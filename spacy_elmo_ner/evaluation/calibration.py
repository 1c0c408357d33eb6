"""How far the probabilities of predicted entities can be trusted.

Each predicted entity has a probability and is right or wrong: `probabilities` float (N,)
and `right` bool (N,). An entity is right if the gold has it with the same boundaries
and label.
"""

from typing import List, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

# A probability of 0 or 1, whose log could be infinite, is kept this far from it.
LEAST = 1e-6


class Bin(NamedTuple):
    """Predicted entities of similar probability: how many there are, the mean of their
    probabilities, and the share that is right."""

    size: int
    probability: float
    right: float


def bins_of(
    probabilities: ArrayLike, right: ArrayLike, n_bins: int, *, equal_mass: bool = False
) -> List[Bin]:
    """The bins that have any entities, from the least probable up.

    Args:
        probabilities: One for each entity.
        right: Whether it is right.
        n_bins: How many bins there are.
        equal_mass: Whether all bins have equally many entities, instead of equal width.
    """
    values, hits = np.asarray(probabilities, float), np.asarray(right, float)
    order = np.argsort(values, kind="stable")
    if equal_mass:
        groups = np.array_split(order, n_bins)
    else:
        edges = np.arange(1, n_bins) / n_bins
        groups = np.split(order, np.searchsorted(values[order], edges))
    return [
        Bin(len(group), float(values[group].mean()), float(hits[group].mean()))
        for group in groups
        if len(group)
    ]


def expected_calibration_error(bins: List[Bin]) -> float:
    """How far the probabilities are from the share that is right, as a mean over the
    entities (Naeini et al. 2015; Guo et al. 2017, eq. 3); 0 without any."""
    total = sum(one.size for one in bins)
    errors = sum(one.size * abs(one.probability - one.right) for one in bins)
    return errors / total if total else 0.0


def risk_coverage_area(probabilities: ArrayLike, right: ArrayLike) -> float:
    """The area under the risk-coverage curve: the share of wrong ones among the k most
    probable entities, as a mean over k (Geifman and El-Yaniv 2017); lower is better."""
    order = np.argsort(-np.asarray(probabilities, float), kind="stable")
    wrong = 1 - np.asarray(right, float)[order]
    risks: NDArray[np.float64] = np.cumsum(wrong) / np.arange(1, len(wrong) + 1)
    return float(risks.mean()) if len(risks) else 0.0


def log_loss(probabilities: ArrayLike, right: ArrayLike) -> float:
    """The mean -log probability of what turned out true."""
    values = np.clip(np.asarray(probabilities, float), LEAST, 1 - LEAST)
    return float(-np.log(np.where(np.asarray(right), values, 1 - values)).mean())
