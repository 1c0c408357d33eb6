from typing import Any, List, Optional

import pytest
import spacy
from spacy.tokens import Doc, DocBin, Span

from spacy_elmo_ner.text.annotated_labels import (
    annotated_labels,
    map_labels,
    set_annotated_labels,
)

NLP = spacy.blank("en")


def made_doc(*labels: str) -> Doc:
    """A word outside of entities, then one in an entity of each label."""
    doc = Doc(NLP.vocab, words=["x", *labels])
    doc.ents = [Span(doc, i, i + 1, label) for i, label in enumerate(labels, start=1)]
    return doc


def iob(doc: Doc) -> List[str]:
    return [f"{token.ent_iob_}{token.ent_type_}" for token in doc]


def test_a_docbin_keeps_them() -> None:
    doc, other = made_doc("A"), made_doc("A", "B")
    set_annotated_labels(doc, ["B", "A", "A"])
    data = DocBin(docs=[doc, other], store_user_data=True).to_bytes()
    found = [
        annotated_labels(one) for one in DocBin().from_bytes(data).get_docs(NLP.vocab)
    ]
    assert found == [{"A", "B"}, None]


def test_an_entity_of_another_label_is_told() -> None:
    doc = made_doc("A", "B")
    with pytest.raises(ValueError, match="'B', which is not among .*: A, C"):
        set_annotated_labels(doc, ["C", "A"])
    assert annotated_labels(doc) is None


@pytest.mark.parametrize(
    "names, expected, labels",
    [
        ({}, ["O", "BA", "BB"], {"A", "B", "C"}),
        ({"A": "X", "C": "X"}, ["O", "BX", "BB"], {"X", "B"}),
        ({"A": "B", "B": "A"}, ["O", "BB", "BA"], {"A", "B", "C"}),
        ({"A": None}, ["O", "", "BB"], {"B", "C"}),
    ],
)
def test_labels_get_other_names(names: Any, expected: List[str], labels: Any) -> None:
    for annotated in (None, ["A", "B", "C"]):
        doc = made_doc("A", "B")
        set_annotated_labels(doc, annotated)
        map_labels(doc, names)
        assert iob(doc) == expected
        wanted: Optional[Any] = None if annotated is None else labels
        assert annotated_labels(doc) == wanted


def test_what_was_unknown_stays_unknown() -> None:
    doc = made_doc("A")
    doc.set_ents([doc.ents[0]], missing=[doc[0:1]], default="unmodified")
    map_labels(doc, {"A": "B"})
    assert iob(doc) == ["", "BB"]
