import sys
import unicodedata

import pytest
import spacy
from hypothesis import given
from hypothesis import strategies as st

from spacy_elmo_ner.text.invisible import INVISIBLE
from spacy_elmo_ner.text.words import is_no_name, visible, word_places

NLP = spacy.blank("en")
WITH_MARKUP = {"nlp": {"tokenizer": {"@tokenizers": "spacy_elmo_ner.Tokenizer.v1"}}}


@pytest.mark.parametrize("mark", "\u00ad\u200b\u200c\u200d\u2060\ufeff\u200e\u202a")
def test_nobody_sees_a_mark_in_a_name(mark: str) -> None:
    assert visible(f"Mer{mark}kel") == "Merkel"
    assert visible(mark) == ""
    assert len(word_places(NLP.make_doc(f"{mark} Angela {mark}\n Merkel{mark}"))) == 2


# Unicode's Prepended_Concatenation_Mark: formats that are seen
PREPENDED = {*range(0x600, 0x606), 0x6DD, 0x70F, 0x890, 0x891, 0x8E2, 0x110BD, 0x110CD}


def test_controls_and_formats_are_not_seen_and_letters_are() -> None:
    seen, unseen = set(), set()
    for letter in map(chr, {*range(sys.maxunicode + 1)} - PREPENDED):
        category = unicodedata.category(letter)
        if letter.isspace() or letter in "\u200c\u200d":
            continue
        if category in ("Cc", "Cf"):
            unseen.add(letter)
        elif category[0] in "LNPS":
            seen.add(letter)
    assert all(INVISIBLE.match(letter) for letter in unseen)
    # fillers of Korean, and a Braille pattern without dots
    fillers = set("\u115f\u1160\u2800\u3164\uffa0")
    assert {letter for letter in seen if INVISIBLE.match(letter)} == fillers
    assert not any(INVISIBLE.match(chr(sign)) for sign in PREPENDED)


def test_joiners_are_letters_of_other_scripts_and_of_emoji() -> None:
    for text in ("می\u200cخواهم", "क्\u200dष", "👩\u200d🚀"):
        assert visible(text) == text


def test_letters_are_composed() -> None:
    assert visible(unicodedata.normalize("NFD", "José Müller")) == "José Müller"


@given(st.text(st.characters(blacklist_categories=["Cs"])))
def test_what_is_visible_stays(text: str) -> None:
    once = visible(text)
    assert visible(once) == once
    assert unicodedata.is_normalized("NFC", once) or text.isascii()


@pytest.mark.parametrize(
    "text",
    [
        "https://example.com/John_Smith",
        "www.berlin.de",
        "anna.smith@firma.de",
        "Johnson](https://x.com",
        "Doe</b",
        'href="x">New',
        "/home/john/Berlin.txt",
        "C:\\Users\\Paris",
        "src/Paris.py",
        "**Anna",
        "Smith__",
    ],
)
def test_addresses_and_markup_are_no_names(text: str) -> None:
    assert is_no_name(text)


@pytest.mark.parametrize(
    "text",
    ["Amazon.com", "AT&T", "@john", "O'Neill", "C++", "U.S.", "AC/DC", "U.S./U.K."],
)
def test_names_may_look_odd(text: str) -> None:
    assert not is_no_name(text)


@pytest.mark.parametrize(
    "text, words",
    [
        ("<b>John Doe</b> left", "John Doe left"),
        ('See <a href="x.html">New York</a><br/>.', "See New York ."),
        ("[Boris Johnson](https://x.com) met him", "Boris Johnson met him"),
        ("<persName>John Doe</persName><br>", "John Doe"),
        ('[A B][1]&nbsp;and [C](u "D")<!-- E -->', "A B and C"),
        # what looks like markup only
        ("if a < b and c > d", "if a < b and c > d"),
        ("<John Smith> [sic] (twice)", "< John Smith > [ sic ] ( twice )"),
    ],
)
def test_markup_is_not_read(text: str, words: str) -> None:
    nlp = spacy.blank("en", config=WITH_MARKUP)
    doc = nlp(text)
    assert " ".join(doc[int(i)].text for i in word_places(doc)) == words
