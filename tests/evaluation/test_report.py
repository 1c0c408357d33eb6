import json
from typing import List, Optional, Union

import pytest
import spacy
from spacy.language import Language
from spacy.tokens import Doc, Span
from spacy.vocab import Vocab

from spacy_elmo_ner.evaluation.errors import find_errors
from spacy_elmo_ner.evaluation.report import report_docs, report_pipeline

VOCAB = Vocab()
WORDS = ["Rome", "and", "New", "York", "John"]


def make_doc(ents: Optional[List[str]], words: Optional[List[str]] = None) -> Doc:
    starts: List[Union[bool, int, None]] = [i in (0, 4) for i in range(5)]
    return Doc(VOCAB, words=words or WORDS, ents=ents, sent_starts=starts)


GOLD = ["B-LOC", "O", "B-LOC", "I-LOC", "B-PER"]


def test_figures_and_sentences() -> None:
    guess = ["B-LOC", "O", "O", "B-LOC", "B-PER"]
    report = report_docs([make_doc(GOLD)], [make_doc(guess)])
    assert [sentence.words for sentence in report.sentences] == [WORDS[:4], WORDS[4:]]
    assert report.sentences[0].guess == guess[:4]
    assert report.to_text().startswith(
        "processed 5 tokens with 3 phrases; found: 3 phrases; correct: 2.\n"
        "accuracy:  60.00%; precision:  66.67%; recall:  66.67%; FB1:  66.67\n"
    )
    numbers = json.loads(json.dumps(report.to_dict()))
    assert numbers["spacy"]["ents_f"] == pytest.approx(2 / 3)
    assert numbers["conlleval"]["f1"] == pytest.approx(2 / 3)
    assert numbers["tags"]["I-LOC"]["support"] == 1


def test_entities_of_the_prediction_may_cross_gold_sentences() -> None:
    predicted = make_doc(["B-LOC", "O", "O", "B-PER", "I-PER"])
    report = report_docs([make_doc(GOLD)], [predicted])
    counts = report.conlleval.types["PER"]
    assert (counts.gold, counts.found, counts.correct) == (1, 2, 1)


def test_no_prediction_is_no_entity() -> None:
    report = report_docs([make_doc(GOLD)], [make_doc(None)])
    assert report.conlleval.total.found == 0


def test_docs_that_cannot_be_compared() -> None:
    gold = make_doc(GOLD)
    with pytest.raises(ValueError, match="1 gold Docs, but 0 predicted"):
        report_docs([gold], [])
    other = make_doc(GOLD, words=["Rome", "or", "New", "York", "John"])
    with pytest.raises(ValueError, match="gold Doc number 2 .* have different words"):
        report_docs([gold, gold], [gold, other])
    with pytest.raises(ValueError, match="have no entity annotation"):
        report_docs([make_doc(None)], [gold])


def test_what_is_predicted_on_unknown_tokens_is_not_counted() -> None:
    """As in spaCy's own scorer; the prediction stays as it is."""
    gold, predicted = make_doc(GOLD), make_doc(
        ["B-LOC", "O", "B-ORG", "I-ORG", "B-LOC"]
    )
    gold.set_ents([gold.ents[0]], missing=[gold[2:5]], default="outside")
    report = report_docs([gold], [predicted])
    total = report.conlleval.total
    assert (total.gold, total.found, total.correct) == (1, 1, 1)
    assert report.spacy["ents_f"] == 1.0
    assert len(predicted.ents) == 3
    assert find_errors([gold], [predicted]).pairs == find_errors([gold], [gold]).pairs


@Language.component("spacy_elmo_ner_test_first_word")
def first_word(doc: Doc) -> Doc:
    """Sets entities without any scorer: the first word of every sentence is a LOC."""
    doc.ents = [
        Span(doc, sent.start, sent.start + 1, label="LOC") for sent in doc.sents
    ]
    return doc


def test_any_pipeline_on_gold_words_and_sentences() -> None:
    nlp = spacy.blank("en")
    nlp.add_pipe("spacy_elmo_ner_test_first_word")
    gold = Doc(nlp.vocab, words=WORDS, ents=GOLD, sent_starts=[1, 0, 0, 0, 1])
    report = report_pipeline(nlp, [gold])
    assert report.sentences[0].guess == ["B-LOC", "O", "O", "O"]
    assert report.sentences[1].guess == ["B-LOC"]
    assert report.spacy["ents_p"] == 0.5
    assert report.spacy["speed"] > 0
    assert "token_acc" in report.spacy
