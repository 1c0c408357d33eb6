"""Several taggers as one, whose scores are the mean of theirs."""

from typing import Callable, List, Sequence, Tuple

import torch
from spacy.tokens import Doc
from thinc.api import Model

from ..text.sentences import LINE_IS_SENTENCE
from .potentials import Potentials, Tagger

ORDERS, TEMPERATURES = "orders", "temperatures"


def build_ensemble(
    taggers: Sequence[Tagger],
    *,
    orders: Sequence[Sequence[int]],
    temperatures: Sequence[float],
) -> Tagger:
    """Build a tagger that predicts the mean of others' scores.

    The mean of scores is the normalized geometric mean of their distributions over
    paths. The tagger does not learn.

    Args:
        taggers: At least one.
        orders: For each tagger, the places of the ensemble's tags among its own.
        temperatures: What to divide each tagger's scores by.

    Returns:
        Docs → Potentials.
    """
    return Model(
        "ensemble",
        _forward,
        layers=list(taggers),
        dims={"nO": len(orders[0])},
        attrs={
            ORDERS: [list(order) for order in orders],
            TEMPERATURES: list(temperatures),
            LINE_IS_SENTENCE: False,
        },
    )


def _forward(
    model: Tagger, docs: List[Doc], is_train: bool
) -> Tuple[Potentials, Callable[[Potentials], List[Doc]]]:
    found = [
        _reordered(tagger.predict(docs).tempered(temperature), order)
        for tagger, order, temperature in zip(
            model.layers, model.attrs[ORDERS], model.attrs[TEMPERATURES], strict=True
        )
    ]
    means = [torch.stack(scores).mean(0) for scores in zip(*found, strict=True)]
    emissions, transitions, start, end = means
    return Potentials(emissions, transitions, start, end, found[0].rows), _backprop


def _reordered(potentials: Potentials, order: List[int]) -> Potentials:
    emissions, transitions, start, end = potentials
    places = torch.tensor(order, device=emissions.device)
    return Potentials(
        emissions[:, places],
        transitions[places][:, places],
        start[places],
        end[places],
        potentials.rows,
    )


def _backprop(gradients: Potentials) -> List[Doc]:
    raise ValueError("An ensemble does not learn; train its taggers.")
