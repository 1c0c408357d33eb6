"""Terms in Docs, against all spans of a Doc tried one by one."""

import re
import unicodedata
from typing import List, Set, Tuple

import pytest
import spacy
from hypothesis import given
from hypothesis import strategies as st
from spacy.tokens import Doc

from spacy_elmo_ner.features.terms import Match, TermLists, fold

VOCAB = spacy.blank("en").vocab
WORDS = ["a", "b", "A", "ä", "Ab", "aB.", "!", "a!b", ".", "\n", " \n"]
FOUND = Tuple[int, int, int]


def lists_of(
    *lists: List[str], case: bool = False, diacritics: bool = False
) -> TermLists:
    return TermLists(
        [
            [fold(one, case=case, diacritics=diacritics) for one in terms]
            for terms in lists
        ]
    )


def compared(text: str, case: bool, diacritics: bool) -> List[str]:
    """A text's words and signs, by other means than the code's."""
    text = unicodedata.normalize("NFD", text)
    if diacritics:
        text = text.replace("\u0308", "")
    text = unicodedata.normalize("NFC", text)
    return re.sub(r"([!.])", r" \1 ", text.lower() if case else text).split()


def by_brute_force(
    doc: Doc, lists: List[List[str]], case: bool, diacritics: bool
) -> Set[FOUND]:
    found: Set[FOUND] = set()
    for i, terms in enumerate(lists):
        wanted = [compared(term, case, diacritics) for term in terms]
        free = 0
        for first in range(len(doc)):
            for last in reversed(range(first, len(doc))):
                span = doc[first : last + 1]
                before = doc.text[: span.start_char][-1:]
                after = doc.text[span.end_char :][:1]
                if (
                    first >= free
                    and not doc[first].is_space
                    and not doc[last].is_space
                    and not (before.isalpha() and span.text[0].isalpha())
                    and not (after.isalpha() and span.text[-1].isalpha())
                    and compared(span.text, case, diacritics) in wanted
                ):
                    found.add((i, first, last))
                    free = last + 1
    return found


@given(
    st.lists(st.tuples(st.sampled_from(WORDS), st.booleans()), max_size=12),
    st.lists(
        st.lists(
            st.lists(st.sampled_from(WORDS[:-2]), min_size=1, max_size=4).map(" ".join),
            max_size=6,
        ),
        max_size=3,
    ),
    st.booleans(),
    st.booleans(),
)
def test_the_terms_are_those_of_all_spans(
    tokens: List[Tuple[str, bool]],
    lists: List[List[str]],
    case: bool,
    diacritics: bool,
) -> None:
    doc = Doc(
        VOCAB, words=[one for one, _ in tokens], spaces=[space for _, space in tokens]
    )
    terms = lists_of(*lists, case=case, diacritics=diacritics)
    found = [tuple(one) for one in terms.matches(doc, case=case, diacritics=diacritics)]
    assert len(found) == len({*found})
    assert {*found} == by_brute_force(doc, lists, case, diacritics)


def texts(terms: TermLists, doc: Doc, **fold: bool) -> List[str]:
    options = {"case": False, "diacritics": False, **fold}
    return [doc[one.first : one.last + 1].text for one in terms.matches(doc, **options)]


@pytest.mark.parametrize(
    "term, text",
    [
        ("Saint-Denis", "left Saint-Denis, then"),
        ("Saint-Denis", "left Saint‑Denis"),
        ("U.S.", "in the U.S. and"),
        ("AT&T", "AT&T's plan"),
        ("O'Neill", "O’Neill came"),
        ("New York", "New \n  York"),
        ("New York", "> New\n> York"),
        ("Anna Smith", "**Anna** Smith"),
        ("Zürich", "Zu\u0308rich"),
        ("Cannot Ltd", "of Cannot Ltd"),
        ("東京", "東京 だ"),
    ],
)
def test_terms_in_raw_text_and_in_single_tokens(term: str, text: str) -> None:
    nlp = spacy.blank("en")
    (found,) = texts(lists_of([term]), nlp(text))
    assert fold("".join(found.split()), case=False, diacritics=False).translate(
        {ord(one): None for one in ">*"}
    ) == "".join(term.split())
    pieces = [one for one in re.findall(r"\w+|[^\w\s]", term)]
    assert len(texts(lists_of([term]), Doc(VOCAB, words=["x", *pieces, "x"]))) == 1


@pytest.mark.parametrize("text", ["to go", "Togoland", "TOGO", "Tôgo"])
def test_what_only_looks_like_a_term(text: str) -> None:
    assert texts(lists_of(["Togo"]), spacy.blank("en")(text)) == []


def test_case_and_diacritics_as_set() -> None:
    doc = Doc(VOCAB, words=["ZÜRICH", "zurich", "Łódź", "lodz", "STRASSE"])
    for case, diacritics, n in ((True, False, 3), (False, True, 1), (True, True, 5)):
        terms = lists_of(["Zürich", "Lodz", "Straße"], case=case, diacritics=diacritics)
        assert len(texts(terms, doc, case=case, diacritics=diacritics)) == n


def test_types_do_not_hide_each_other() -> None:
    doc = Doc(VOCAB, words=["New", "York", "Times"])
    terms = lists_of(["New York"], ["York", "New York Times"], ["York"])
    found = terms.matches(doc, case=False, diacritics=False)
    assert {*found} == {Match(0, 0, 1), Match(1, 0, 2), Match(2, 1, 1)}
