"""A component with many labels, and batches that go through the CRF in parts."""

from pathlib import Path
from typing import Any, Dict, List, Tuple

import pytest
import spacy
import torch
from spacy.language import Language
from spacy.tokens import Span
from spacy.training import Example
from thinc.api import fix_random_seed

from spacy_elmo_ner.pipeline.loss import rehearsal_loss
from spacy_elmo_ner.tagger import row_parts
from spacy_elmo_ner.tagger.potentials import Potentials
from spacy_elmo_ner.tagger.sentence_rows import DocRows
from tests.pipeline.small_model import SMALL_MODEL, examples_of, train

TEXTS: List[Tuple[str, Dict[str, Any]]] = [
    ("Who is Shaka Khan?", {"entities": [(7, 17, "L7")]}),
    ("I like London and Berlin.", {"entities": [(7, 13, "L78"), (18, 24, "L78")]}),
    ("Ann Lee Wu met Bo.", {"entities": [(0, 10, "L40"), (15, 17, "L7")]}),
    ("Nothing is said here.", {"entities": []}),
]
LABELS = [f"L{i}" for i in range(80)]


def pipeline(tag_scheme: str, **config: Any) -> Language:
    fix_random_seed(0)
    nlp = spacy.blank("en")
    component = nlp.add_pipe(
        "elmo_ner", config={"model": SMALL_MODEL, "tag_scheme": tag_scheme, **config}
    )
    for label in LABELS:
        component.add_label(label)
    return nlp


def entities(doc: Any) -> List[Any]:
    return [(ent.text, ent.label_) for ent in doc.ents]


@pytest.fixture(scope="module", params=["BIO", "BILUO"])
def taught(request: Any) -> Language:
    """It has learnt the texts, with 80 labels."""
    nlp = pipeline(request.param, scores_key="sure", incorrect_spans_key="wrong")
    examples = examples_of(nlp, TEXTS)
    assert train(nlp, examples, steps=250)["elmo_ner"] < 0.1
    return nlp


def test_many_labels_are_learnt_and_survive_saving(
    taught: Language, tmp_path: Path
) -> None:
    taught.to_disk(tmp_path)
    again = spacy.load(tmp_path)
    for text, gold in TEXTS:
        expected = [(text[a:b], label) for a, b, label in gold["entities"]]
        assert entities(taught(text)) == entities(again(text)) == expected
        first, second = (
            nlp(text).spans["sure"].attrs["scores"] for nlp in (taught, again)
        )
        assert first == second and all(0.5 < score <= 1 for score in first)
    component = again.get_pipe("elmo_ner")
    n_tags = len(component.scheme.tags)
    potentials = component.model.predict([again.make_doc("A word")])
    assert potentials.transitions.shape == (n_tags, n_tags)


def mixed_examples(nlp: Language) -> List[Example]:
    """Sentences of many lengths, one of them with unknown tokens, one with a span that
    is known to be wrong."""
    examples = examples_of(nlp, [*TEXTS, ("Go", {"entities": []}), *TEXTS[:2]])
    long = nlp.make_doc(" ".join(["Ann Lee saw London ."] * 5))
    examples.append(Example(long.copy(), long))
    wrong = examples[3].reference
    wrong.spans["wrong"] = [Span(wrong, 1, 3, label="L7")]
    return examples


def results(component: Any, examples: List[Example]) -> Any:
    """Losses, gradients and entities."""
    docs = [example.predicted for example in examples]
    potentials = component.model.predict(docs)
    loss, gradients = component.get_loss(examples, potentials)
    # a teacher that has one label less, and sees something else in the words
    n = len(component.scheme.tags) - len(component.scheme.tags) // len(LABELS)
    teacher = Potentials(
        potentials.emissions.flip(0)[:, :n],
        potentials.transitions[:n, :n],
        potentials.start[:n],
        potentials.end[:n],
        potentials.rows,
    )
    drift = rehearsal_loss(potentials, teacher, component.scheme)
    found = component.predict([doc.copy() for doc in docs])
    return (loss, drift[0]), (*gradients, *drift[1]), found


def test_parts_change_neither_losses_nor_gradients_nor_entities(
    taught: Language, monkeypatch: Any
) -> None:
    component: Any = taught.get_pipe("elmo_ner")
    examples = mixed_examples(taught)
    docs = [example.predicted for example in examples]
    rows = DocRows(docs)
    width = len(component.scheme.tags)
    assert len(list(row_parts.row_parts(rows, width))) == 1
    losses, gradients, found = results(component, examples)
    monkeypatch.setattr(row_parts, "MOST_NUMBERS", 12 * width)
    parts = [places for places, _ in row_parts.row_parts(rows, width)]
    assert len(parts) > 2 and max(map(len, parts)) > 1
    losses_of_parts, gradients_of_parts, found_in_parts = results(component, examples)
    assert losses_of_parts == pytest.approx(losses, rel=1e-5)
    for one, other in zip(gradients, gradients_of_parts, strict=True):
        assert torch.allclose(one, other, rtol=1e-4, atol=1e-6)
    assert any(entities.spans for entities in found)
    for whole, part in zip(found, found_in_parts, strict=True):
        assert whole.spans == part.spans
        assert whole.probabilities == pytest.approx(part.probabilities, abs=1e-5)
