from threading import Event
from typing import Tuple

import pytest
import spacy
from spacy.language import Language
from spacy.tokens import Doc

from spacy_elmo_ner.serving.batches import Batches

GATE, REACHED = Event(), Event()


@Language.component("serving_test_gate")
def gate(doc: Doc) -> Doc:
    """Waits at "wait", and fails at "fail"."""
    if doc.text == "wait":
        REACHED.set()
        assert GATE.wait(30)
    if doc.text == "fail":
        raise RuntimeError("as it should")
    return doc


@pytest.fixture
def nlp() -> Language:
    GATE.clear()
    REACHED.clear()
    nlp = spacy.blank("en")
    nlp.add_pipe("entity_ruler").add_patterns([{"label": "PER", "pattern": "John"}])
    nlp.add_pipe("serving_test_gate")
    return nlp


def test_requests_that_wait_are_read_each_for_itself(nlp: Language) -> None:
    batches = Batches(nlp)
    first = batches.put(["wait"])
    assert REACHED.wait(30)
    # these wait together, and one of them is no longer wanted
    good, bad, empty = (
        batches.put(["John", "a"]),
        batches.put(["fail"]),
        batches.put([]),
    )
    given_up, long = batches.put(["fail"]), batches.put(["John " * 10_000])
    assert given_up.cancel()
    GATE.set()
    assert first.result(30) == [[]]
    (john,), nothing = good.result(30)
    assert john == dict(text="John", label="PER", start=0, end=4, probability=None)
    assert nothing == [] and empty.result(30) == []
    with pytest.raises(RuntimeError, match="as it should"):
        bad.result(30)
    assert len(long.result(30)[0]) == 10_000


@pytest.mark.skipif(
    not hasattr(Language, "memory_zone"), reason="this spaCy has no memory zones"
)
def test_the_vocab_does_not_grow(nlp: Language) -> None:
    batches = Batches(nlp)
    batches.put(["John"]).result(30)
    before = size(nlp)
    for number in range(0, 1_000, 10):
        texts = [f"John{number + i} saw word{number + i}." for i in range(10)]
        batches.put(texts).result(30)
    assert size(nlp) == before


def size(nlp: Language) -> Tuple[int, int]:
    """Its lexemes and strings; len(nlp.vocab) counts those that are gone, too."""
    return sum(1 for _ in nlp.vocab), len(nlp.vocab.strings)
