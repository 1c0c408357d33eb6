"""Batches of a corpus's sentences, in an order that depends on the seed alone."""

from typing import Iterator, List

import numpy as np

from ..bilm.encoder import N_BOUNDARIES
from ..kernels.lstm_training import ROWS
from .token_corpus import SentenceStore

# batches whose sentences are sorted together, by length
BATCHES_PER_POOL = 100


def batches(
    lengths: np.ndarray, *, batch_tokens: int, seed: int, epoch: int
) -> Iterator[np.ndarray]:
    """Yield batches of sentences of similar length, each sentence once.

    Args:
        lengths: Tokens of each sentence.
        batch_tokens: The most tokens of a batch, boundaries included. A longer sentence
            is a batch of its own.
        seed: The seed for the order.
        epoch: Each epoch has a different order.

    Yields:
        Indices of a batch's sentences.
    """
    random = np.random.default_rng([seed, epoch])
    order = random.permutation(len(lengths))
    pool_of = np.cumsum(_tokens(lengths[order])) // (BATCHES_PER_POOL * batch_tokens)
    for pool in np.split(order, np.flatnonzero(np.diff(pool_of)) + 1):
        by_length = pool[np.argsort(lengths[pool], kind="stable")]
        of_pool = _cut(by_length, lengths, batch_tokens)
        for i in random.permutation(len(of_pool)):
            yield of_pool[i]


def _cut(order: np.ndarray, lengths: np.ndarray, batch_tokens: int) -> List[np.ndarray]:
    found: List[np.ndarray] = []
    ends = np.cumsum(_tokens(lengths[order]))
    start, before = 0, 0
    while start < len(order):
        fitting = (
            int(np.searchsorted(ends, before + batch_tokens, side="right")) - start
        )
        count = max(fitting, 1)
        if count > ROWS and start + count < len(order):
            # matrix products are prepared for multiples of ROWS
            count -= count % ROWS
        found.append(order[start : start + count])
        start += count
        before = int(ends[start - 1])
    return found


def _tokens(lengths: np.ndarray) -> np.ndarray:
    return lengths.astype(np.int64) + N_BOUNDARIES


def first_batches(
    store: SentenceStore, *, batch_tokens: int, n_tokens: int
) -> Iterator[np.ndarray]:
    """Yield batches in the corpus's own order until they hold `n_tokens` tokens.

    Args:
        store: The sentences.
        batch_tokens: The most tokens of a batch, boundaries included.
        n_tokens: How many tokens to read; the end of a sentence counts as one.

    Yields:
        Indices of a batch's sentences.
    """
    read = 0
    for batch in _cut(np.arange(len(store)), store.lengths, batch_tokens):
        if read >= n_tokens:
            break
        yield batch
        read += int(store.lengths[batch].sum(dtype=np.int64)) + len(batch)
