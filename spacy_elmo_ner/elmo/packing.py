"""Sentences of unequal length → rows that no step wastes."""

from typing import List, NamedTuple, Sequence

import numpy as np


class Packing(NamedTuple):
    """Where each token of a batch of B sentences stands in N packed rows.

    Sentences are sorted by length, longest first. The first steps[0] rows are the
    first token of each, the next steps[1] rows the second token of those that have
    one, and so on. A backward LSTM reads sentences from the end: it has the same
    steps, only with other tokens in them.

    order: sentence at each rank, (B,).
    steps: sentences alive at each step, a list of ints that never grows.
    forward_tokens, backward_tokens: token in each row, (N,).
    forward_rows, backward_rows: row of each token, sentence after sentence as they
        were given, (N,).
    """

    order: np.ndarray
    steps: List[int]
    forward_tokens: np.ndarray
    backward_tokens: np.ndarray
    forward_rows: np.ndarray
    backward_rows: np.ndarray


def pack(lengths: Sequence[int]) -> Packing:
    """Packing of sentences with these numbers of tokens, each at least 1.

    Tokens are counted through: the second sentence's first token is lengths[0].
    """
    given = np.asarray(lengths, dtype=np.int64)
    order = np.argsort(-given, kind="stable")
    rank = np.empty_like(order)
    rank[order] = np.arange(len(given))
    steps = np.array(
        [np.count_nonzero(given > time) for time in range(given.max())], dtype=np.int64
    )
    first_row = np.cumsum(steps) - steps
    first_token = np.cumsum(given) - given
    n_tokens = int(given.sum())
    time = np.arange(n_tokens) - np.repeat(first_token, given)
    from_end = np.repeat(given, given) - 1 - time
    ranks = np.repeat(rank, given)
    forward_rows = first_row[time] + ranks
    backward_rows = first_row[from_end] + ranks
    return Packing(
        order=order,
        steps=steps.tolist(),
        forward_tokens=_inverse(forward_rows),
        backward_tokens=_inverse(backward_rows),
        forward_rows=forward_rows,
        backward_rows=backward_rows,
    )


def _inverse(permutation: np.ndarray) -> np.ndarray:
    inverse = np.empty_like(permutation)
    inverse[permutation] = np.arange(len(permutation))
    return inverse
