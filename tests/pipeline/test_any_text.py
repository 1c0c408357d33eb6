"""Text as people write it: what is found, whatever stands between the words."""

import unicodedata

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from spacy.tokens import Span

from spacy_elmo_ner.pipeline.packaged import load_packaged
from spacy_elmo_ner.words import visible

TEXT = "Angela Merkel met Barack Obama in New York on Monday ."
EXPECTED = [("Angela Merkel", "PER"), ("Barack Obama", "PER"), ("New York", "LOC")]


@pytest.fixture(scope="module")
def nlp():
    return load_packaged()


def found(nlp, text):
    """Entities with single spaces, and nothing invisible."""
    return [(" ".join(visible(ent.text).split()), ent.label_) for ent in nlp(text).ents]


@pytest.mark.parametrize(
    "space",
    ["  ", "\t", "\u00a0", " \u00a0", "\u2009", "\u3000", " \t \u00a0"],
    ids=ascii,
)
def test_any_white_space_stands_between_words(nlp, space):
    assert found(nlp, TEXT.replace(" ", space)) == EXPECTED


@pytest.mark.parametrize("mark", "\u00ad\u200b\u200d\u2060\ufeff\u200e", ids=ascii)
def test_names_are_found_with_an_invisible_mark_in_them(nlp, mark):
    for name in ("Merkel", "Obama", "York"):
        text = TEXT.replace(name, name[:2] + mark + name[2:])
        assert found(nlp, text) == EXPECTED
    assert found(nlp, f"{mark} {TEXT} {mark}") == EXPECTED


def test_decomposed_letters_are_letters(nlp):
    text = "José García met Jürgen Müller in São Paulo ."
    assert found(nlp, unicodedata.normalize("NFD", text)) == found(nlp, text)


@pytest.mark.parametrize(
    "text",
    [
        "[Angela Merkel](https://x.com) met **Barack Obama** in <b>New York</b> .",
        '<a href="https://x.com/John">Angela Merkel</a> met <i>Barack Obama</i> in '
        "<span class='x'>New York</span> .",
        "Angela Merkel (angela@merkel.de) met Barack Obama in New York , see "
        "https://www.example.com/John_Smith .",
    ],
)
def test_entities_have_no_markup_and_no_addresses(nlp, text):
    assert found(nlp, text) == EXPECTED
    assert [ent.text for ent in nlp(text).ents] == [name for name, _ in EXPECTED]


def test_a_name_at_the_border_of_a_window(nlp):
    for before in range(500, 516):
        text = "word " * before + "said Angela Merkel in New York" + " and so on" * 20
        assert found(nlp, text) == [("Angela Merkel", "PER"), ("New York", "LOC")]


@pytest.mark.parametrize("mark", "\ufeff\u200b\u00ad\u2060\n\t ", ids=ascii)
def test_nothing_visible_is_no_entity(nlp, mark):
    assert not nlp(mark * 3).ents
    assert not nlp(f"{mark} {mark}{mark}").ents


@pytest.mark.parametrize("label", ["PER", "UNKNOWN", None])
def test_what_is_set_on_white_space_parts_a_name_and_loses_none(nlp, label):
    doc = nlp.make_doc("Angela  Merkel met Barack Obama .")
    if label is None:
        doc.set_ents([], blocked=[doc[1:2]], default="missing")
    else:
        doc.ents = [Span(doc, 1, 2, label)]
    doc = nlp.get_pipe("elmo_ner")(doc)
    names = [ent.text for ent in doc.ents if ent.start != 1]
    assert names == ["Angela", "Merkel", "Barack Obama"]
    assert doc[1].ent_type_ == (label or "")
    assert doc[1].ent_iob_ == "B"


def test_blocks_of_markup_end_sentences(nlp):
    text = "Angela Merkel<br>Barack Obama<br/>New York"
    assert found(nlp, text) == EXPECTED


FILLERS = "\0\x07\x1b\x7f\ufe0f\u3164\u115f\u2800\u034f\U000e0001\ufffb\U000e0100"


def test_no_kind_of_filler_is_seen(nlp):
    for mark in FILLERS:
        assert found(nlp, f"Anna {mark} lives in Oslo .") == [
            ("Anna", "PER"),
            ("Oslo", "LOC"),
        ]


odd = st.sampled_from(
    [
        "John",
        "London",
        "Acme Corp",
        "\n",
        "\r\n\n",
        "\u00a0",
        "\ufeff",
        "\u00ad",
        ".",
        ",",
    ]
    + [
        "<b>",
        "</b>",
        "](",
        "[",
        "https://x.y/z",
        "a@b.co",
        "\u202e",
        "日本",
        "👩\u200d🚀",
        "\0",
    ]
)
texts = st.one_of(
    st.text(st.characters(blacklist_categories=("Cs",)), max_size=40),
    st.lists(odd, max_size=25).map("".join),
    st.lists(odd, max_size=25).map(" ".join),
)


@settings(
    deadline=None,
    max_examples=150,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(st.lists(texts, min_size=1, max_size=4))
def test_any_text_is_read_and_entities_end_with_words(trained, some):
    for text, doc in zip(some, trained.pipe(some), strict=True):
        assert doc.text == text
        for ent in doc.ents:
            for token in (ent[0], ent[-1]):
                assert visible(token.text).strip()
