"""A text's vectors do not depend on what else is encoded, when, or where."""

from random import Random
from typing import Any, Callable, Iterable, List, Sequence

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from spacy.language import Language
from spacy.tokens import Doc

from spacy_elmo_ner.kernels.packed_products import PRECISIONS

# spaCy's own strings cannot hold lone surrogates; everything else is allowed
anything = st.text(st.characters(blacklist_categories=["Cs"]), max_size=30)
prose = st.lists(
    st.sampled_from(
        ["a", "John", " ", "  ", "\n", ".", "x" * 60, "日本語", "é\0", "“"]
    ),
    max_size=25,
).map(" ".join)
texts = st.lists(st.one_of(anything, prose), min_size=1, max_size=12)

ODD = [
    "",
    " ",
    "My name is John! I live in  Berlin.\n\nAnd you?",
    "x" * 47 + "é" * 10 + " 日本語 \0 \ufeff\u202e \U0001f469\u200d\U0001f680",
    "a " * 100,
    "\n\t",
    "Ein Satz. " * 30,
]


def assert_same(expected: Sequence[Any], docs: Iterable[Doc]) -> None:
    for vectors, doc in zip(expected, docs, strict=True):
        np.testing.assert_allclose(doc.tensor, vectors, rtol=0, atol=1e-6)


@pytest.fixture
def nlp(elmo_pipeline: Callable[..., Language]) -> Language:
    # clips and cells as wide as to let rounding add up
    return elmo_pipeline(lstm_width=64, projection_width=32, batch_tokens=64)


@settings(
    deadline=None,
    max_examples=15,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(texts, st.integers(1, 5), st.randoms(use_true_random=False))
def test_alone_in_any_batch_and_in_any_order(
    nlp: Language, texts: List[str], batch_size: int, random: Random
) -> None:
    alone = [nlp(text).tensor for text in texts]
    assert_same(alone, nlp.pipe(texts))
    assert_same(alone, nlp.pipe(texts, batch_size=batch_size))
    order = list(range(len(texts)))
    random.shuffle(order)
    assert_same([alone[i] for i in order], nlp.pipe([texts[i] for i in order]))


def test_a_call_leaves_nothing_behind(nlp: Language) -> None:
    first = [nlp(text).tensor for text in ODD]
    assert_same(first, [nlp(text) for text in ODD])


@pytest.mark.filterwarnings("ignore:ELMo's precision")
@pytest.mark.parametrize("precision", PRECISIONS)
def test_alone_and_in_a_batch_in_any_precision(
    elmo_pipeline: Callable[..., Language], precision: str
) -> None:
    # products of sizes at which kernels differ
    nlp = elmo_pipeline(lstm_width=768, projection_width=256, precision=precision)
    texts = [f"Sentence {i} has its words . " + "and more " * i for i in range(40)]
    alone = [nlp(text).tensor for text in texts]
    assert_same(alone, nlp.pipe(texts, batch_size=40))
    assert_same(alone[:3], nlp.pipe(texts[:3]))


def test_in_any_number_of_threads(
    elmo_pipeline: Callable[..., Language], threads: int
) -> None:
    """Sentences are divided among more than two; these are enough for that."""
    nlp = elmo_pipeline(lstm_width=64, projection_width=32)
    many = [f"{text} It is number {i}." for i in range(12) for text in ODD]
    assert_same([nlp(text).tensor for text in many], nlp.pipe(many))


def test_in_two_processes(nlp: Language) -> None:
    alone = [nlp(text).tensor for text in ODD]
    assert_same(alone, nlp.pipe(ODD, n_process=2, batch_size=2))
