"""Sentences of a corpus → batches, in an order that a seed decides."""

from typing import Iterator, List

import numpy as np

from ..elmo.lstm_gradient import ROWS
from .token_corpus import SentenceStore

# batches whose sentences are sorted by length together
BATCHES_PER_POOL = 100
BOUNDARIES = 2


def batches(
    lengths: np.ndarray, *, batch_tokens: int, seed: int, epoch: int
) -> Iterator[np.ndarray]:
    """Indices of sentences of about one length, each sentence once.

    lengths: of all sentences, in tokens.
    batch_tokens: most tokens of a batch, boundaries counted; a sentence that is longer
        is a batch by itself.
    """
    random = np.random.default_rng([seed, epoch])
    order = random.permutation(len(lengths))
    ends = np.cumsum(lengths[order].astype(np.int64) + BOUNDARIES)
    pools = (
        np.searchsorted(
            ends,
            np.arange(1, ends[-1] // (BATCHES_PER_POOL * batch_tokens) + 1)
            * (BATCHES_PER_POOL * batch_tokens),
        )
        if len(ends)
        else []
    )
    for pool in np.split(order, pools):
        of_pool = _cut(
            pool[np.argsort(lengths[pool], kind="stable")], lengths, batch_tokens
        )
        for i in random.permutation(len(of_pool)):
            yield of_pool[i]


def _cut(order: np.ndarray, lengths: np.ndarray, batch_tokens: int) -> List[np.ndarray]:
    found: List[np.ndarray] = []
    start, tokens = 0, 0
    for end, i in enumerate(order):
        length = int(lengths[i]) + BOUNDARIES
        if end > start and tokens + length > batch_tokens:
            count = end - start
            # see elmo.lstm_gradient.ROWS
            kept = start + (count - count % ROWS if count > ROWS else count)
            found.append(order[start:kept])
            tokens -= int(lengths[found[-1]].astype(np.int64).sum()) + BOUNDARIES * len(
                found[-1]
            )
            start = kept
        tokens += length
    if start < len(order):
        found.append(order[start:])
    return found


def in_order(store: SentenceStore, batch_tokens: int) -> List[np.ndarray]:
    """All sentences as they stand, cut into batches."""
    return _cut(np.arange(len(store)), store.lengths, batch_tokens)
