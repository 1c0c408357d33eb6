from typing import Any, List

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spacy_elmo_ner.pretraining.batches import BATCHES_PER_POOL, batches, first_batches
from spacy_elmo_ner.pretraining.token_corpus import (
    TRAIN,
    SentenceStore,
    TokenCorpus,
    write_corpus,
)
from tests.pretraining.conftest import Encode

N_BOUNDARIES = 2
some_lengths = st.lists(st.integers(1, 200), max_size=400).map(
    lambda lengths: np.array(lengths, dtype=np.uint16)
)
numbers = st.integers(0, 2**31)


def are_within(found: List[Any], lengths: np.ndarray, batch_tokens: int) -> bool:
    """Whether each batch has at most so many tokens, or a single sentence."""
    return all(
        len(batch) == 1 or lengths[batch].sum() + 2 * len(batch) <= batch_tokens
        for batch in found
    )


def listed(
    lengths: np.ndarray, batch_tokens: int, seed: int, epoch: int
) -> List[List[int]]:
    found = batches(lengths, batch_tokens=batch_tokens, seed=seed, epoch=epoch)
    return [batch.tolist() for batch in found]


@settings(max_examples=150, deadline=None)
@given(some_lengths, st.integers(1, 1000), numbers, st.integers(0, 9))
def test_every_sentence_comes_once_and_batches_keep_their_size(
    lengths: np.ndarray, batch_tokens: int, seed: int, epoch: int
) -> None:
    found = listed(lengths, batch_tokens, seed, epoch)
    assert sorted(i for batch in found for i in batch) == list(range(len(lengths)))
    assert all(found)
    assert are_within(found, lengths, batch_tokens)
    assert found == listed(lengths, batch_tokens, seed, epoch)


@settings(max_examples=30, deadline=None)
@given(numbers, st.integers(0, 9))
def test_another_epoch_or_seed_has_another_order(seed: int, epoch: int) -> None:
    lengths = np.arange(1, 101).astype(np.uint16)
    first = listed(lengths, 50, seed, epoch)
    assert first != listed(lengths, 50, seed, epoch + 1)
    assert first != listed(lengths, 50, seed + 1, epoch)


def test_more_text_than_is_sorted_at_once() -> None:
    random = np.random.default_rng(0)
    # sums that do not fit into the type of the lengths
    lengths = random.integers(1, 200, 5000).astype(np.uint16)
    batch_tokens = 400
    assert lengths.sum(dtype=int) > 3 * BATCHES_PER_POOL * batch_tokens
    found = listed(lengths, batch_tokens, 0, 0)
    assert sorted(i for batch in found for i in batch) == list(range(5000))
    assert are_within(found, lengths, batch_tokens)
    # sentences of a batch are of about one length
    spread = [int(lengths[batch].max()) - int(lengths[batch].min()) for batch in found]
    assert np.mean(spread) < 10
    # and most batches are almost full
    sizes = [lengths[batch].sum() + N_BOUNDARIES * len(batch) for batch in found]
    assert np.mean(sizes) > 0.75 * batch_tokens


def test_a_sentence_too_long_for_a_batch_is_one_by_itself() -> None:
    lengths = np.array([3, 500, 3], dtype=np.uint16)
    found = listed(lengths, 10, 0, 0)
    assert sorted(map(sorted, found)) == [[0, 2], [1]]


@pytest.mark.parametrize("seed", range(3))
def test_no_sentences_make_no_batches(seed: int) -> None:
    assert listed(np.zeros(0, np.uint16), 10, seed, 0) == []


@settings(max_examples=10, deadline=None)
@given(
    lengths=st.lists(st.integers(1, 30), min_size=1, max_size=80),
    batch_tokens=st.integers(1, 200),
)
def test_first_batches_keep_the_order(
    tmp_path_factory: pytest.TempPathFactory,
    encode: Encode,
    lengths: List[int],
    batch_tokens: int,
) -> None:
    folder = tmp_path_factory.mktemp("tokens") / "tokens"
    write_corpus([(TRAIN, encode([["a"] * length for length in lengths]))], folder)
    corpus = TokenCorpus(folder)

    def first(store: SentenceStore, n_tokens: int) -> List[List[int]]:
        found = first_batches(store, batch_tokens=batch_tokens, n_tokens=n_tokens)
        return [batch.tolist() for batch in found]

    whole = first(corpus.train, 10**6)
    assert sum(whole, []) == list(range(len(lengths)))
    assert are_within([np.array(one) for one in whole], np.array(lengths), batch_tokens)
    # the end of a sentence counts as a token
    sizes = [sum(lengths[i] + 1 for i in batch) for batch in whole]
    for n in range(len(whole)):
        assert first(corpus.train, sum(sizes[: n + 1])) == whole[: n + 1]
        assert first(corpus.train, sum(sizes[:n]) + 1) == whole[: n + 1]
    assert first(corpus.held_out, 10) == []
