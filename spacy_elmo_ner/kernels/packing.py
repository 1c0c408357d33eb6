"""Sentences of unequal length → rows that no step wastes."""

from typing import List, NamedTuple, Sequence

import numpy as np


class Packing(NamedTuple):
    """Where each token of a batch of B sentences is in N packed rows.

    Sentences are sorted by length, longest first. The first steps[0] rows are the
    first token of each, the next steps[1] rows the second token of those that have
    one, and so on. A backward LSTM reads sentences from the end: it has the same
    steps, only with other tokens in them.

    Attributes:
        order: The sentence at each rank, (B,).
        steps: How many sentences have a token at each step. The numbers never grow.
        forward_tokens: The token in each row, (N,). Tokens are counted sentence by
            sentence, in the order in which the sentences were given.
        backward_tokens: The same for a backward LSTM, (N,).
        forward_rows: The row of each token, (N,).
        backward_rows: The same for a backward LSTM, (N,).
    """

    order: np.ndarray
    steps: List[int]
    forward_tokens: np.ndarray
    backward_tokens: np.ndarray
    forward_rows: np.ndarray
    backward_rows: np.ndarray


def pack(lengths: Sequence[int]) -> Packing:
    """Packing of sentences with these numbers of tokens, each at least 1.

    Tokens are counted across sentences: the second one's first token is lengths[0].
    """
    given = np.asarray(lengths, dtype=np.int64)
    order = np.argsort(-given, kind="stable")
    alive = np.arange(given.max(initial=0))[:, None] < given[order]
    step, rank = np.nonzero(alive)
    end = np.cumsum(given)
    forward_tokens = (end - given)[order][rank] + step
    backward_tokens = end[order][rank] - 1 - step
    return Packing(
        order=order,
        steps=alive.sum(1).tolist(),
        forward_tokens=forward_tokens,
        backward_tokens=backward_tokens,
        forward_rows=_inverse(forward_tokens),
        backward_rows=_inverse(backward_tokens),
    )


def _inverse(permutation: np.ndarray) -> np.ndarray:
    inverse = np.empty_like(permutation)
    inverse[permutation] = np.arange(len(permutation))
    return inverse
