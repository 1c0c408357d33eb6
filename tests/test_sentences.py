import pytest
import spacy
from hypothesis import given
from hypothesis import strategies as st
from spacy.tokens import Doc, Span

from spacy_elmo_ner.sentences import doc_parts, sentence_spans, sentence_words

NLP = spacy.blank("en")
PIECES = ["word", "Mr.", ".", "!", '"', ")", "(", " ", "\n", "\n\n", "…", "a"]


def texts(doc, max_length=100, **settings):
    spans = sentence_spans(doc, max_length=max_length, **settings)
    return [doc[a:b].text for a, b in spans]


def sentences(text, **settings):
    """The words of each sentence of a text, with single spaces between them."""
    doc = NLP.make_doc(text)
    return [
        " ".join(doc[i].text for i in words.tolist())
        for words in sentence_words(doc, max_length=100, **settings)
    ]


def test_annotated_sentences_are_taken():
    starts = [True, False, True, False, False]
    doc = Doc(NLP.vocab, words=list("abcde"), sent_starts=starts)
    assert sentence_spans(doc, max_length=10) == [(0, 2), (2, 5)]
    assert sentence_spans(doc, max_length=2) == [(0, 2), (2, 4), (4, 5)]


def test_punctuation_and_line_breaks_end_sentences():
    doc = NLP('He said "Hi there." (Yes!) Then\n\nwe left. ...')
    assert texts(doc) == [
        'He said "Hi there."',
        "(Yes!)",
        "Then\n\n",
        "we left.",
        "...",
    ]


def test_spacys_sentencizer_agrees_on_plain_text():
    text = "This is one. Is this two? It is! The fourth has no end"
    nlp = spacy.blank("en")
    nlp.add_pipe("sentencizer")
    assert texts(NLP(text)) == [sent.text for sent in nlp(text).sents]


@given(st.lists(st.sampled_from(PIECES), max_size=40), st.integers(1, 9))
def test_spans_cover_the_doc_in_order(words, max_length):
    doc = Doc(NLP.vocab, words=words)
    spans = sentence_spans(doc, max_length=max_length)
    assert [i for a, b in spans for i in range(a, b)] == list(range(len(doc)))
    assert all(0 < b - a <= max_length for a, b in spans)


WRAPPED = """The talks between the two heads of government, Angela
Merkel and Barack Obama, were held in the north of New
York on Monday. They went on until midnight, and
Merkel left."""


@pytest.mark.parametrize("line_break", ["\n", "\r\n", "\r", " \n", "\n  "])
def test_a_break_that_wraps_a_line_ends_no_sentence(line_break):
    plain = sentences(WRAPPED.replace("\n", " "))
    assert len(plain) == 2
    assert sentences(WRAPPED.replace("\n", line_break)) == plain


def test_short_lines_go_on_where_punctuation_ends_them():
    text = "The talks between Angela\nMerkel and Barack\nObama were held in New\nYork."
    assert len(sentences(text)) == 1
    assert len(sentences(text, line_is_sentence=True)) == 4


def test_short_lines_without_punctuation_stand_alone():
    assert sentences("Angela Merkel\nBarack Obama\nNew York") == [
        "Angela Merkel",
        "Barack Obama",
        "New York",
    ]
    table = "Leeds 1 Chelsea 2\nArsenal 0 Everton 1\n"
    assert len(sentences(table)) == 2


def test_blank_lines_bullets_and_headlines_end_sentences():
    assert len(sentences("Angela\n\nMerkel came.")) == 2
    assert len(sentences("Angela\n \t\nMerkel came.")) == 2
    assert len(sentences("Angela\n", line_is_sentence=True)) == 1
    assert len(sentences("We met\n- Angela Merkel\n- Barack Obama.")) == 3
    assert sentences("TALKS IN NEW YORK\n" + WRAPPED)[0] == "TALKS IN NEW YORK"


def test_names_in_lines_of_their_own_stand_alone():
    text = "Present:\nAngela Merkel\nBarack Obama\nThe meeting began at nine."
    assert len(sentences(text)) == 4
    assert len(sentences("angela merkel\nbarack obama\nnew york")) == 3
    assert len(sentences("Anna: I was in New York\nBob: Me too\nAnna: Cool.")) == 3


def test_lines_that_nobody_wrapped_are_sentences():
    long = " ".join(["The government said so on Monday"] * 5)
    assert len(sentences(f"{long}\n{long}\nLONDON 1996-08-30\n{long}")) == 4


def test_a_long_sentence_is_not_cut_within_a_name():
    for before in range(60, 110):
        words = ["word"] * before + ["Bank", "of", "the", "South"] + ["more"] * 60
        doc = Doc(NLP.vocab, words=words)
        spans = sentence_spans(doc, max_length=100)
        assert all(end - start <= 100 for start, end in spans)
        assert not {end for _, end in spans} & {before + 1, before + 2, before + 3}


def test_a_long_sentence_is_not_cut_within_an_entity_that_is_set():
    doc = Doc(NLP.vocab, words=["Word"] * 150)
    doc.ents = [Span(doc, 90, 110, "X")]
    assert sentence_spans(doc, max_length=100) == [(0, 90), (90, 150)]


def test_a_long_sentence_is_best_cut_after_a_pause():
    words = ["a"] * 80 + [","] + ["a"] * 60
    assert texts(Doc(NLP.vocab, words=words))[0].endswith(",")


@given(st.lists(st.sampled_from(PIECES), max_size=60), st.integers(1, 20))
def test_parts_of_a_doc_have_whole_sentences(words, most):
    doc = Doc(NLP.vocab, words=words)
    parts = doc_parts(doc, most)
    assert [i for a, b in parts for i in range(a, b)] == list(range(len(doc)))
    assert all(end - start <= most for start, end in parts)
    ends = {end for _, end in sentence_spans(doc, max_length=most)}
    assert {end for _, end in parts} <= {*ends, len(doc)}
