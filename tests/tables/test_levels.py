"""Rows against what the Doc itself says."""

from typing import Any, Dict, List

import pytest
import spacy
from hypothesis import given
from hypothesis import strategies as st
from spacy.tokens import Doc, Span, Token
from spacy.tokens.underscore import Underscore
from spacy.training import offsets_to_biluo_tags
from spacy.training.iob_utils import biluo_to_iob

from spacy_elmo_ner.tables.levels import COLUMNS, LEVELS, rows

NLP = spacy.blank("en")
NLP.add_pipe("entity_ruler").add_patterns(
    [
        {"label": "PER", "pattern": [{"TEXT": "Anna"}, {"TEXT": "Smith", "OP": "?"}]},
        {"label": "LOC", "pattern": "Lima"},
        {
            "label": "LOC",
            "pattern": [{"TEXT": "New"}, {"IS_SPACE": True}, {"ORTH": "York"}],
        },
    ]
)
PIECES = [
    "Anna",
    "Anna Smith",
    "Lima",
    "flew",
    ".",
    "!",
    "New\n York",
    " ",
    "\n\n",
    "😀",
]


def table(doc: Doc, level: str) -> List[Dict[str, Any]]:
    return list(rows(doc, level))


@given(st.lists(st.sampled_from(PIECES)), st.booleans())
def test_levels_agree_with_the_doc_and_with_each_other(
    pieces: List[str], has_sentences: bool
) -> None:
    doc = NLP(" ".join(pieces))
    if has_sentences:
        NLP.create_pipe("sentencizer")(doc)
    for level in LEVELS:
        for row in rows(doc, level):
            assert tuple(row) == COLUMNS[level]
            assert doc.text[row["start"] : row["end"]] == row["text"]
    (document,) = rows(doc, "document")
    chunks, sentences = table(doc, "chunk"), table(doc, "sentence")
    assert [row["text"] for row in chunks] == [ent.text for ent in doc.ents]
    assert document["entities"] == [row["text"] for row in chunks]
    assert document["labels"] == [row["label"] for row in chunks]
    assert sum((row["entities"] for row in sentences), []) == document["entities"]
    by_number = {row["sentence"]: row for row in sentences}
    for row in chunks:
        sentence = by_number[row["sentence"]]
        assert sentence["start"] <= row["start"] < sentence["end"]
    if has_sentences:
        texts = [sent.text.strip() for sent in doc.sents]
        assert [row["text"] for row in sentences] == [text for text in texts if text]


@given(st.lists(st.sampled_from([one for one in PIECES if "\n" not in one])))
def test_tags_are_those_of_spacy(pieces: List[str]) -> None:
    doc = NLP(" ".join(pieces))
    offsets = [(ent.start_char, ent.end_char, ent.label_) for ent in doc.ents]
    tags = biluo_to_iob(offsets_to_biluo_tags(doc, offsets))
    expected = [(token.i, tags[token.i]) for token in doc if not token.is_space]
    assert [(row["token"], row["tag"]) for row in rows(doc, "token")] == expected


def test_an_entity_closes_over_white_space() -> None:
    found = table(NLP("in New\n York"), "token")
    assert [row["tag"] for row in found] == ["O", "B-LOC", "I-LOC"]
    assert [row["chunk"] for row in found] == [None, 0, 0]


def test_sentences_of_a_doc_without_boundaries_are_the_component_s() -> None:
    doc = NLP("Anna left. Lima\nis far")
    assert [row["text"] for row in rows(doc, "sentence")] == [
        "Anna left.",
        "Lima\nis far",
    ]
    by_line = rows(doc, "sentence", line_is_sentence=True)
    assert [row["text"] for row in by_line] == ["Anna left.", "Lima", "is far"]


def test_probabilities_are_shown_where_they_are_set(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(Underscore, "span_extensions", {})
    monkeypatch.setattr(Underscore, "token_extensions", {})
    doc = NLP("Anna Smith left")
    assert table(doc, "chunk")[0]["probability"] is None
    Span.set_extension("probability", default=None)
    Token.set_extension("probability", default=None)
    assert table(doc, "chunk")[0]["probability"] is None
    doc.ents[0]._.probability = 0.5
    doc[1]._.probability = 0.25
    assert table(doc, "chunk")[0]["probability"] == 0.5
    assert table(doc, "document")[0]["probabilities"] == [0.5]
    tokens = table(doc, "token")
    assert [row["probability"] for row in tokens] == [None, 0.25, None]
    assert [row["chunk_probability"] for row in tokens] == [0.5, 0.5, None]


def test_an_unknown_level_is_refused_at_once() -> None:
    with pytest.raises(ValueError, match="document, sentence, chunk, token"):
        rows(NLP("Anna"), "word")
