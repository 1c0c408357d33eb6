"""The trigram model that pre-training is held against."""

import itertools
import json
import math
import re
from collections import Counter
from pathlib import Path
from typing import Callable, Dict, Tuple

import numpy as np
import pytest

from benchmarks.kneser_ney import KneserNey, ngrams_of
from spacy_elmo_ner.pretraining.token_corpus import (
    HELD_OUT,
    TRAIN,
    Encoded,
    write_corpus,
)

Ngram = Tuple[int, ...]


def naive(counts: Dict[Ngram, int], ngram: Ngram, n_words: int) -> float:
    """Chen and Goodman 1999, equations 25 and 26, an n-gram at a time."""
    if not ngram:
        return 1 / n_words
    having = Counter(counts.values())
    n = [having[k] for k in range(5)]
    Y = n[1] / max(n[1] + 2 * n[2], 1)
    discount = [0.0] * 4
    for k in (1, 2, 3):
        if n[k]:
            discount[k] = min(max(k - (k + 1) * Y * n[k + 1] / n[k], 0), k)
    lower = Counter(other[1:] for other in counts)
    rest = naive(lower, ngram[1:], n_words)
    followers = [c for other, c in counts.items() if other[:-1] == ngram[:-1]]
    if not followers:
        return rest
    count = counts.get(ngram, 0)
    left = sum(discount[min(c, 3)] for c in followers)
    return (count - discount[min(count, 3)] + left * rest) / sum(followers)


@pytest.mark.parametrize("n_ngrams", [1, 5, 60, 400])
def test_probabilities_are_those_of_the_equations_and_sum_to_one(n_ngrams: int) -> None:
    random = np.random.default_rng(n_ngrams)
    n_words = 5
    ngrams = random.geometric(0.4, (n_ngrams, 3)).clip(1, n_words) - 1
    model = KneserNey(ngrams, n_words)
    counts = Counter(tuple(ngram) for ngram in ngrams.tolist())
    for context in itertools.product(range(n_words), repeat=2):
        wanted = [(*context, word) for word in range(n_words)]
        found = model.probabilities(np.array(wanted))
        expected = [naive(counts, ngram, n_words) for ngram in wanted]
        np.testing.assert_allclose(found, expected, rtol=1e-9)
        assert math.isclose(found.sum(), 1)


def test_a_sentence_is_read_in_both_directions() -> None:
    sentences = [np.array([0, 1]), np.array([9])]
    # words stand behind the three special ones; 9 is beyond the vocabulary of 2
    forward = ngrams_of(sentences, 5, backward=False)
    assert forward.tolist() == [[0, 0, 3], [0, 3, 4], [3, 4, 1], [0, 0, 2], [0, 2, 1]]
    backward = ngrams_of(sentences, 5, backward=True)
    assert backward.tolist() == [[0, 0, 4], [0, 4, 3], [4, 3, 1], [0, 0, 2], [0, 2, 1]]


def test_table(tmp_path: Path, printed_by: Callable[..., str]) -> None:
    some = Encoded(["a", "b"], np.array([0, 1, 0, 1, 1], np.uint32), np.array([2, 3]))
    write_corpus([(TRAIN, some), (HELD_OUT, some)], tmp_path / "tokens")
    entry = {"words": 5, "perplexity_forward": 1.5, "perplexity_backward": 2.5}
    (tmp_path / "history.jsonl").write_text(json.dumps(entry) + "\n", "utf8")
    printed = printed_by(
        "kneser_ney",
        "--tokens",
        str(tmp_path / "tokens"),
        "--pretraining",
        str(tmp_path),
    )
    assert "| biLM after 5 words | 1.5 | 2.5 |" in printed
    forward, backward = re.findall(r"Kneser-Ney .*\| (\S+) \| (\S+) \|", printed)[0]
    # some of the 5 words there are, but not one of them for certain
    assert 1 < float(forward) < 5 and 1 < float(backward) < 5
