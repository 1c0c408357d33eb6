"""Training and scoring on gold that annotates some labels alone."""

import itertools
import math
from typing import Any, Dict, Iterator, List, Tuple

import pytest
import spacy
import torch
from spacy.language import Language
from spacy.tokens import Doc, Span
from spacy.training import Example

from spacy_elmo_ner.pipeline.loss import likelihood_loss
from spacy_elmo_ner.text.annotated_labels import set_annotated_labels
from tests.pipeline.small_model import SMALL_MODEL, train

WORDS = ["Anna", "met", "Bo", "there"]
Ents = Tuple[Tuple[int, int, str], ...]


def gold(doc: Doc, ents: Ents, labels: Any = None) -> Example:
    reference = doc.copy()
    reference.ents = [Span(reference, *ent) for ent in ents]
    set_annotated_labels(reference, labels)
    return Example(doc, reference)


def sets_of_places(start: int, end: int) -> Iterator[Ents]:
    """All sets of LOC entities that do not overlap, within these tokens."""
    if start >= end:
        yield ()
        return
    yield from sets_of_places(start + 1, end)
    for stop in range(start + 1, end + 1):
        for others in sets_of_places(stop, end):
            yield ((start, stop, "LOC"), *others)


@pytest.mark.parametrize("scheme", ["BILUO", "BIO"])
def test_its_likelihood_is_the_sum_over_all_that_may_be(scheme: str) -> None:
    nlp = spacy.blank("en")
    ner: Any = nlp.add_pipe(
        "elmo_ner", config={"model": SMALL_MODEL, "tag_scheme": scheme}
    )
    doc = Doc(nlp.vocab, words=WORDS)
    full = ((0, 1, "PERSON"), (2, 3, "LOC"))
    nlp.initialize(lambda: [gold(doc, full)])
    torch.manual_seed(0)
    potentials = ner.model.predict([doc]).map(torch.randn_like)

    def likelihood(example: Example) -> float:
        loss, _ = likelihood_loss(
            [example], potentials, ner.scheme, incorrect_spans_key=None
        )
        return math.exp(-loss * len(WORDS))

    for persons, free in (((), [(0, 4)]), (((0, 1, "PERSON"),), [(1, 4)])):
        (places,) = [sets_of_places(*one) for one in free]
        expected = sum(likelihood(gold(doc, (*persons, *some))) for some in places)
        found = likelihood(gold(doc, persons, ["PERSON"]))
        assert math.isclose(found, expected, rel_tol=1e-4)
    # nothing is annotated: everything may be
    assert math.isclose(likelihood(gold(doc, (), [])), 1, rel_tol=1e-4)


NAMES = ["Anna", "Boris", "Clara", "David"]
TOWNS = ["Lima", "Oslo", "Bonn", "Rome"]


def corpora(nlp: Language, *, partial: bool) -> List[Example]:
    """Sentences that have names and towns, of which one half annotates the names and
    the other the towns."""
    examples = []
    for i, (name, town) in enumerate(itertools.product(NAMES, TOWNS)):
        doc = Doc(nlp.vocab, words=[name, "lives", "in", town, "."])
        ent = (0, 1, "PERSON") if (i + i // 4) % 2 else (3, 4, "LOC")
        examples.append(gold(doc, (ent,), [ent[2]] if partial else None))
    return examples


def test_two_corpora_that_know_one_label_each() -> None:
    found: Dict[bool, List[str]] = {}
    for partial in (True, False):
        nlp = spacy.blank("en")
        nlp.add_pipe("elmo_ner", config={"model": SMALL_MODEL})
        train(nlp, corpora(nlp, partial=partial), steps=40)
        docs = [
            nlp(f"{name} lives in {town} .")
            for name, town in zip(NAMES, TOWNS, strict=True)
        ]
        found[partial] = [ent.label_ for doc in docs for ent in doc.ents]
    assert found[True] == ["PERSON", "LOC"] * 4
    # taken at its word, each corpus denies what the other says
    assert found[False] != found[True]


def test_entities_that_the_gold_cannot_judge_are_not_counted() -> None:
    nlp = spacy.blank("en")
    ner: Any = nlp.add_pipe("elmo_ner", config={"model": SMALL_MODEL})
    train(nlp, corpora(nlp, partial=True), steps=40)
    words = ["Anna", "lives", "in", "Lima", "."]
    for labels, precision in ((["PERSON"], 1.0), (None, 0.5)):
        example = gold(Doc(nlp.vocab, words=words), ((0, 1, "PERSON"),), labels)
        scores = nlp.evaluate([example])
        assert scores["ents_p"] == precision and scores["ents_r"] == 1.0
    predicted = nlp(Doc(nlp.vocab, words=words))
    ner.score([Example(predicted, example.reference)])
    assert len(predicted.ents) == 2
