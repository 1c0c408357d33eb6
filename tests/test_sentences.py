import spacy
from hypothesis import given
from hypothesis import strategies as st
from spacy.tokens import Doc

from spacy_elmo_ner.sentences import sentence_spans

NLP = spacy.blank("en")
PIECES = ["word", "Mr.", ".", "!", '"', ")", "(", " ", "\n", "\n\n", "…", "a"]


def texts(doc, max_length=100):
    return [doc[a:b].text for a, b in sentence_spans(doc, max_length=max_length)]


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
