"""Variants of gold Docs, each compared with the text that it was made of."""

import random
from pathlib import Path
from typing import Any, List, Optional, Tuple

import pytest
import spacy
from hypothesis import given, settings
from hypothesis import strategies as st
from spacy.language import Language
from spacy.tokens import Doc, DocBin, Span
from spacy.training import Example
from spacy.util import load_model_from_config, registry
from thinc.api import Config

from spacy_elmo_ner.corpus.reader import create_docbin_corpus_v1
from spacy_elmo_ner.corpus.text_variants import (
    as_raw_text,
    create_text_variants_v1,
    with_words,
)
from spacy_elmo_ner.text.annotated_labels import annotated_labels, set_annotated_labels

NLP = spacy.blank("en")
WORDS = ["Jean-Luc", "Picard", "'s", "sister", "lives", "in", "St.", "Gallen", "."]
TAGS = ["B-PER", "I-PER", "O", "O", "O", "O", "B-LOC", "I-LOC", "O"]


def gold(
    words: List[str] = WORDS,
    tags: Optional[List[str]] = TAGS,
    spaces: Optional[List[bool]] = None,
) -> Doc:
    return Doc(NLP.vocab, words=words, spaces=spaces, ents=tags)


def entities(doc: Doc) -> List[Tuple[str, str]]:
    return [(ent.text, ent.label_) for ent in doc.ents]


def variants(doc: Doc, **levels: float) -> List[Doc]:
    augmenter = create_text_variants_v1(**levels)
    return [one.reference for one in augmenter(NLP, Example(doc.copy(), doc))]


def test_raw_text_has_the_tokens_of_the_tokenizer() -> None:
    written = as_raw_text(NLP, gold(), written=True)
    assert written.text == "Jean-Luc Picard's sister lives in St. Gallen."
    assert [token.text for token in written] == [
        token.text for token in NLP.make_doc(written.text)
    ]
    spaced = as_raw_text(NLP, gold(), written=False)
    assert spaced.text == " ".join(WORDS)
    for doc in (written, spaced):
        assert entities(doc) == [("Jean-Luc Picard", "PER"), ("St. Gallen", "LOC")]
        assert not doc.has_annotation("SENT_START")


def test_known_spaces_stay_as_they_are() -> None:
    spaces = [True] * 8 + [False]
    raw = as_raw_text(NLP, gold(spaces=spaces), written=True)
    assert raw.text == " ".join(WORDS)


def test_an_entity_of_half_a_token_becomes_unknown() -> None:
    words, tags = ["dis", "United", "fan"], ["O", "B-ORG", "O"]
    raw = as_raw_text(NLP, gold(words, tags, [False, True, False]), written=True)
    assert [token.text for token in raw] == ["disUnited", "fan"]
    assert [token.ent_iob_ for token in raw] == ["", "O"]


def test_what_the_gold_does_not_know_stays_unknown() -> None:
    doc = gold()
    doc.set_ents([doc.ents[0]], missing=[doc[6:8]], default="outside")
    set_annotated_labels(doc, ["PER"])
    for one in variants(doc, raw=1, lower=1, upper=1, title=1):
        assert [ent.label_ for ent in one.ents] == ["PER"]
        unknown = [token.text.lower() for token in one if not token.ent_iob]
        assert "".join(unknown) == "st.gallen"
        assert annotated_labels(one) == {"PER"}


def test_each_variant_comes_once_beside_the_text_itself() -> None:
    random.seed(1)
    texts = [doc.text for doc in variants(gold(), lower=1, upper=1, title=1)]
    assert texts[0] == gold().text
    assert texts[1:3] == [gold().text.lower(), gold().text.upper()]
    assert texts[3].split()[:5] == ["Jean-Luc", "Picard", "'s", "Sister", "Lives"]
    assert len(variants(gold(), raw=1, lower=1, upper=1, title=1)) == 8
    assert len(variants(gold())) == 1


def test_half_of_the_headlines_leave_short_words_alone() -> None:
    found = {variants(gold(), title=1)[1][5].text for _ in range(40)}
    assert found == {"in", "In"}


def test_levels_are_probabilities() -> None:
    n = sum(len(variants(gold(), upper=0.25)) - 1 for _ in range(1000))
    assert 180 < n < 320
    with pytest.raises(ValueError, match="upper = 25, which is not a probability"):
        create_text_variants_v1(upper=25)


@st.composite
def golds(draw: Any) -> Doc:
    words = draw(st.lists(st.sampled_from([*WORDS, '"', "(", "U.S.", "$"]), min_size=1))
    tags, inside = [], ""
    for _ in words:
        label = draw(st.sampled_from(["", "PER", "LOC"]))
        goes_on = bool(inside) and draw(st.booleans())
        tags.append(f"I-{inside}" if goes_on else f"B-{label}" if label else "O")
        inside = inside if goes_on else label
    starts = draw(st.lists(st.booleans(), min_size=len(words), max_size=len(words)))
    doc = gold(words, tags)
    for token, is_start in zip(doc[1:], starts, strict=False):
        token.is_sent_start = is_start
    return doc


@given(golds(), st.booleans())
@settings(deadline=None)
def test_no_entity_is_new_and_none_is_called_outside(doc: Doc, written: bool) -> None:
    raw = as_raw_text(NLP, doc, written=written)
    assert "".join(raw.text.split()) == "".join(token.text for token in doc)
    theirs = [("".join(text.split()), label) for text, label in entities(doc)]
    for text, label in entities(raw):
        assert ("".join(text.split()), label) in theirs
    outside = "".join(token.text for token in raw if token.ent_iob_ == "O")
    assert len("".join(outside.split())) <= sum(
        len(token) for token in doc if token.ent_iob_ == "O"
    )


def test_variants_keep_the_categories_that_a_textcat_learns() -> None:
    doc = gold()
    doc.cats = {"SPORT": 1.0, "NEWS": 0.0}
    for one in variants(doc, raw=1.0, upper=1.0, title=1.0, lower=1.0):
        assert one.cats == doc.cats


def test_variants_keep_the_spans_that_a_spancat_learns() -> None:
    doc = gold()
    spans = [
        Span(doc, 0, 2, "NAME", kb_id="Q1", span_id="first"),
        Span(doc, 1, len(doc), "REST"),
    ]
    doc.spans["sc"] = spans
    doc.spans["none"] = []
    itself, *others = variants(doc, raw=1.0, upper=1.0, title=1.0, lower=1.0)
    assert len(others) == 7
    for one in [itself, *others]:
        assert not one.spans["none"]
        for span, copied in zip(spans, one.spans["sc"], strict=True):
            text = "".join(span.text.split()).lower()
            assert "".join(copied.text.split()).lower() == text
            assert (copied.label, copied.kb_id, copied.id) == (
                span.label,
                span.kb_id,
                span.id,
            )


def test_a_span_of_half_a_token_is_missing_in_raw_text() -> None:
    doc = gold(["Dr", ".", "Who", "left"], ["O"] * 4)
    doc.spans["sc"] = [Span(doc, 0, 1, "TITLE"), Span(doc, 0, 2, "TITLE")]
    raw = as_raw_text(NLP, doc, written=True)
    assert [span.text for span in raw.spans["sc"]] == ["Dr."]


def test_a_changed_doc_keeps_its_sentences_and_spaces() -> None:
    doc = gold(spaces=[True] * 7 + [False] * 2)
    doc[3].is_sent_start = True
    changed = with_words(doc, str.upper)
    assert changed.text == doc.text.upper()
    assert [sent.start for sent in changed.sents] == [0, 3]


def test_a_corpus_reads_them_by_name_in_a_config(tmp_path: Path) -> None:
    doc = gold()
    doc[3].is_sent_start = True
    set_annotated_labels(doc, ["PER", "LOC"])
    path = tmp_path / "gold.spacy"
    DocBin(docs=[doc], store_user_data=True).to_disk(path)
    augmenter = registry.resolve(
        {"it": {"@augmenters": "spacy_elmo_ner.TextVariants.v1", "raw": 1.0}}
    )["it"]
    corpus = create_docbin_corpus_v1(path=path, augmenter=augmenter)
    own, raw = corpus(NLP)
    assert [sent.start for sent in own.predicted.sents] == [0, 3]
    assert not raw.predicted.has_annotation("SENT_START")
    for example in (own, raw):
        assert entities(example.reference) == entities(gold())
        assert annotated_labels(example.reference) == {"PER", "LOC"}
        assert not example.predicted.ents
    # as spaCy's own reader takes them, too
    examples = augmenter(NLP, Example(doc.copy(), doc))
    assert not any(example.predicted.ents for example in examples)


def test_the_pipelines_own_tokenizer_cuts_them() -> None:
    config = Config().from_str('[nlp]\nlang = "en"\npipeline = []\n')
    config["nlp"]["tokenizer"] = {"@tokenizers": "spacy_elmo_ner.Tokenizer.v1"}
    nlp: Language = load_model_from_config(config, auto_fill=True)
    doc = gold(["Anna", "|", "Bonn"], ["B-PER", "O", "B-LOC"], [False] * 3)
    raw = as_raw_text(nlp, doc, written=True)
    assert entities(raw) == [("Anna", "PER"), ("Bonn", "LOC")]
    # blank English makes one token of it, of which nothing is known
    assert [one.ent_iob_ for one in as_raw_text(NLP, doc, written=True)] == [""]
