from typing import Any, List, Union

import pytest
import spacy
from hypothesis import given
from hypothesis import strategies as st
from spacy.tokens import Doc

from spacy_elmo_ner.text.sentences import sentence_spans, sentence_words

NLP = spacy.blank("en")
PIECES = ["word", "Mr.", ".", "!", '"', ")", "(", " ", "\n", "\n\n", "…", "a"]


def texts(doc: Doc, **settings: Any) -> List[str]:
    return [doc[a:b].text for a, b in sentence_spans(doc, **settings)]


def sentences(text: str, **settings: Any) -> List[str]:
    """The words of each sentence of a text, with single spaces between them."""
    doc = NLP.make_doc(text)
    return [
        " ".join(doc[i].text for i in words.tolist())
        for words in sentence_words(doc, max_length=100, **settings)
    ]


def test_annotated_sentences_are_taken() -> None:
    starts: List[Union[bool, int, None]] = [True, False, True, False, False]
    doc = Doc(NLP.vocab, words=list("abcde"), sent_starts=starts)
    assert sentence_spans(doc) == [(0, 2), (2, 5)]
    windows = sentence_words(doc, max_length=2)
    assert [words.tolist() for words in windows] == [[0, 1], [2, 3], [4]]


def test_punctuation_and_line_breaks_end_sentences() -> None:
    doc = NLP('He said "Hi there." (Yes!) Then\n\nwe left. ...')
    assert texts(doc) == [
        'He said "Hi there."',
        "(Yes!)",
        "Then\n\n",
        "we left.",
        "...",
    ]


def test_spacys_sentencizer_agrees_on_plain_text() -> None:
    text = "This is one. Is this two? It is! The fourth has no end"
    nlp = spacy.blank("en")
    nlp.add_pipe("sentencizer")
    assert texts(NLP(text)) == [sent.text for sent in nlp(text).sents]


@given(st.lists(st.sampled_from(PIECES), max_size=40))
def test_spans_cover_the_doc_in_order(words: List[str]) -> None:
    doc = Doc(NLP.vocab, words=words)
    spans = sentence_spans(doc)
    assert [i for a, b in spans for i in range(a, b)] == list(range(len(doc)))
    assert all(a < b for a, b in spans)


@given(st.lists(st.sampled_from(PIECES), max_size=40), st.integers(1, 9))
def test_windows_are_the_words_of_so_many_tokens(
    words: List[str], max_length: int
) -> None:
    doc = Doc(NLP.vocab, words=words)
    expected = [
        [i for i in range(first, min(first + max_length, end)) if not doc[i].is_space]
        for start, end in sentence_spans(doc)
        for first in range(start, end, max_length)
    ]
    windows = sentence_words(doc, max_length=max_length)
    assert [some.tolist() for some in windows] == [some for some in expected if some]


WRAPPED = """The talks between the two heads of government, Angela
Merkel and Barack Obama, were held in the north of New
York on Monday. They went on until midnight, and
Merkel left."""


@pytest.mark.parametrize("line_break", ["\n", "\r\n", "\r", " \n", "\n  "])
def test_a_break_that_wraps_a_line_ends_no_sentence(line_break: str) -> None:
    plain = sentences(WRAPPED.replace("\n", " "))
    assert len(plain) == 2
    assert sentences(WRAPPED.replace("\n", line_break)) == plain


def test_short_lines_go_on_where_punctuation_ends_them() -> None:
    text = "The talks between Angela\nMerkel and Barack\nObama were held in New\nYork."
    assert len(sentences(text)) == 1
    assert len(sentences(text, line_is_sentence=True)) == 4


def test_short_lines_without_punctuation_stand_alone() -> None:
    assert sentences("Angela Merkel\nBarack Obama\nNew York") == [
        "Angela Merkel",
        "Barack Obama",
        "New York",
    ]
    table = "Leeds 1 Chelsea 2\nArsenal 0 Everton 1\n"
    assert len(sentences(table)) == 2


def test_blank_lines_bullets_and_headlines_end_sentences() -> None:
    assert len(sentences("Angela\n\nMerkel came.")) == 2
    assert len(sentences("Angela\n \t\nMerkel came.")) == 2
    assert len(sentences("Angela\n", line_is_sentence=True)) == 1
    assert len(sentences("We met\n- Angela Merkel\n- Barack Obama.")) == 3
    assert sentences("TALKS IN NEW YORK\n" + WRAPPED)[0] == "TALKS IN NEW YORK"


def test_names_in_lines_of_their_own_stand_alone() -> None:
    text = "Present:\nAngela Merkel\nBarack Obama\nThe meeting began at nine."
    assert len(sentences(text)) == 4
    assert len(sentences("angela merkel\nbarack obama\nnew york")) == 3
    assert len(sentences("Anna: I was in New York\nBob: Me too\nAnna: Cool.")) == 3


def test_lines_that_nobody_wrapped_are_sentences() -> None:
    long = " ".join(["The government said so on Monday"] * 5)
    assert len(sentences(f"{long}\n{long}\nLONDON 1996-08-30\n{long}")) == 4


MARGINS = ["> ", ">> ", "> > ", "# ", "// ", "; ", "-- "]


@pytest.mark.parametrize("margin", MARGINS)
def test_a_margin_is_not_read(margin: str) -> None:
    quoted = margin + WRAPPED.replace("\n", "\n" + margin)
    assert sentences(quoted) == sentences(WRAPPED)
    # a blank line and another margin end a sentence
    assert len(sentences(f"{margin}Angela\n{margin}\n{margin}Merkel left.")) == 2
    assert len(sentences(f"I met Angela\n{quoted}\nMerkel left.")) == 4


def test_a_comment_in_code_is_read_without_its_stars() -> None:
    comment = "/*\n * " + WRAPPED.replace("\n", "\n * ") + "\n */"
    assert sentences(comment) == sentences(WRAPPED)
    assert len(sentences("* Angela Merkel left\n* Barack Obama came")) == 2


@pytest.mark.parametrize("line_break", ["\x85", "\u2028"], ids=ascii)
def test_line_breaks_of_unicode_are_line_breaks(line_break: str) -> None:
    plain = WRAPPED.replace("\n", " ")
    assert sentences(WRAPPED.replace("\n", line_break)) == sentences(plain)
    assert len(sentences(f"Angela{line_break}{line_break}Merkel left.")) == 2
    assert len(sentences("Angela\u2029Merkel left.")) == 2


def test_a_hyphen_at_the_end_of_a_line_ends_no_sentence() -> None:
    text = "The Chancellor of Germany\nis Angela Mer-\nkel\n\nJean-\nLuc Godard"
    assert len(sentences(text)) == 2


@pytest.mark.parametrize("gap", ["\t", "    "])
def test_columns_of_a_table_stand_alone(gap: str) -> None:
    rows = [["Angela Merkel", "Berlin", "CDU"], ["Barack Obama", "Hawaii", "DP"]]
    table = "\n".join(
        gap.join(cell.ljust(0 if gap == "\t" else 15) for cell in row) for row in rows
    )
    assert sentences(table) == [cell for row in rows for cell in row]
    assert sentences(f"In a table:\n{table}\n")[1:] == [c for r in rows for c in r]
    names = table.replace(" M", "M").replace(" O", "O")
    assert len(sentences(names)) == 6


def test_tabs_between_words_are_white_space() -> None:
    assert len(sentences("Angela\tMerkel met Barack\tObama\nin New York\tCity.")) == 1
    text = "A man came in\nThe woman left\nThey met in New York on Monday"
    for space in ("\t", "  "):
        assert sentences(text.replace(" ", space)) == sentences(text)
