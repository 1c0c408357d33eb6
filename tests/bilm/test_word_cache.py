from typing import List

import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from spacy_elmo_ner.bilm.word_cache import WordCache

BOUNDARIES = torch.tensor([[-1.0, -1.0], [-2.0, -2.0]])
batches = st.lists(
    st.lists(st.sampled_from("abcdefghij"), unique=True, max_size=8), max_size=30
)


def vectors_of(words: List[str]) -> Tensor:
    return torch.tensor([[ord(word), ord(word) ** 2] for word in words]).float()


@given(batches, st.integers(0, 10))
def test_vectors_are_those_that_would_be_computed(
    batches: List[List[str]], size: int
) -> None:
    cache = WordCache(BOUNDARIES, size)
    for words in batches:
        expected = torch.cat([BOUNDARIES, vectors_of(words).reshape(-1, 2)])
        assert torch.equal(cache.vectors(words, vectors_of), expected)


def test_a_word_is_computed_once() -> None:
    computed: List[str] = []

    def compute(words: List[str]) -> Tensor:
        computed.extend(words)
        return vectors_of(words)

    cache = WordCache(BOUNDARIES, 10)
    cache.vectors(["a", "b"], compute)
    cache.vectors(["c", "b", "a"], compute)
    cache.vectors(["c"], compute)
    assert computed == ["a", "b", "c"]


@given(batches, st.integers(0, 10))
def test_it_never_holds_more_than_its_size(batches: List[List[str]], size: int) -> None:
    cache = WordCache(BOUNDARIES, size)
    for words in batches:
        cache.vectors(words, vectors_of)
        assert len(cache._table) <= len(BOUNDARIES) + size
        assert len(cache._rows) <= size
