"""Text as people write it: what is found, whatever stands between the words."""

import html
import unicodedata
from typing import List, Optional, Tuple

import pytest
import spacy
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from spacy.language import Language
from spacy.tokens import Doc, Span

from spacy_elmo_ner.pipeline.default_pipeline import load_default_pipeline
from spacy_elmo_ner.pipeline.tokenizer import AT_START, MARKUP, UNSEEN_AT_END
from spacy_elmo_ner.text.words import visible, word_places

TEXT = "Angela Merkel met Barack Obama in New York on Monday ."
EXPECTED = [("Angela Merkel", "PER"), ("Barack Obama", "PER"), ("New York", "LOC")]


@pytest.fixture(scope="module")
def nlp() -> Language:
    return load_default_pipeline()


def found(nlp: Language, text: str) -> List[Tuple[str, str]]:
    """Entities with single spaces, and nothing invisible."""
    return [(" ".join(visible(ent.text).split()), ent.label_) for ent in nlp(text).ents]


@pytest.mark.parametrize(
    "space",
    ["  ", "\t", "\u00a0", " \u00a0", "\u2009", "\u3000", " \t \u00a0"],
    ids=ascii,
)
def test_any_white_space_stands_between_words(nlp: Language, space: str) -> None:
    assert found(nlp, TEXT.replace(" ", space)) == EXPECTED


@pytest.mark.parametrize("mark", "\u00ad\u200b\u200d\u2060\ufeff\u200e", ids=ascii)
def test_names_are_found_with_an_invisible_mark_in_them(
    nlp: Language, mark: str
) -> None:
    for name in ("Merkel", "Obama", "York"):
        text = TEXT.replace(name, name[:2] + mark + name[2:])
        assert found(nlp, text) == EXPECTED
    assert found(nlp, f"{mark} {TEXT} {mark}") == EXPECTED


@pytest.mark.parametrize("mark", "\u00ad\u200b\u200d\u2060\ufeff\u200e\x00", ids=ascii)
def test_no_entity_begins_or_ends_with_an_invisible_mark(
    nlp: Language, mark: str
) -> None:
    text = TEXT.replace(" .", ".")
    for name in (*(name for name, _ in EXPECTED), "Monday"):
        text = text.replace(name, mark + name + mark)
    assert [(ent.text, ent.label_) for ent in nlp(text).ents] == EXPECTED


def test_the_tokenizer_cuts_controls_and_formats_from_the_ends_of_a_word(
    nlp: Language,
) -> None:
    for mark in map(chr, range(0xFFFE)):
        if unicodedata.category(mark) not in ("Cc", "Cf") or visible(f"A{mark}") != "A":
            continue
        assert [token.text for token in nlp.make_doc(f"{mark}Anna{mark}.")] == [
            mark,
            "Anna",
            mark,
            ".",
        ], ascii(mark)


@pytest.mark.parametrize("text", ["می\u200cخواهم", "क्\u200dष", "\u2764\ufe0f"])
def test_the_tokenizer_leaves_what_joins_or_changes_a_letter(text: str) -> None:
    plain = spacy.blank("en").make_doc(f"Anna {text} Anna")
    own = load_default_pipeline().make_doc(plain.text)
    assert [token.text for token in own] == [token.text for token in plain]


def test_the_pipeline_has_the_rules_of_the_code(nlp: Language) -> None:
    # spaCy's own rules differ from version to version
    prefixes = nlp.tokenizer.prefix_search.__self__.pattern
    suffixes = nlp.tokenizer.suffix_search.__self__.pattern
    infixes = nlp.tokenizer.infix_finditer.__self__.pattern
    assert prefixes.startswith("|".join(f"^{rule}" for rule in AT_START))
    assert suffixes.startswith("|".join(f"{rule}$" for rule in UNSEEN_AT_END))
    assert infixes.endswith("|".join(MARKUP))


def test_decomposed_letters_are_letters(nlp: Language) -> None:
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
def test_entities_have_no_markup_and_no_addresses(nlp: Language, text: str) -> None:
    assert found(nlp, text) == EXPECTED
    assert [ent.text for ent in nlp(text).ents] == [name for name, _ in EXPECTED]


WRAPPED = """The talks between the two heads of government, Angela
Merkel and Barack Obama, were held in the city of New
York on Monday, and they went on there until midnight."""


@pytest.mark.parametrize("margin", ["> ", ">> ", "# ", "// ", " * "])
def test_names_go_over_the_lines_of_a_mail_or_comment(
    nlp: Language, margin: str
) -> None:
    text = margin + WRAPPED.replace("\n", "\n" + margin)
    if "*" in margin:
        text = f"/**\n{text}\n */"
    names = [ent.text for ent in nlp(text).ents]
    assert names == [f"Angela\n{margin}Merkel", "Barack Obama", f"New\n{margin}York"]


@pytest.mark.parametrize("line_break", ["\n", "\r\n", " \n  "])
def test_hyphenated_names_are_whole(nlp: Language, line_break: str) -> None:
    text = "The Chancellor, Angela Mer-\nkel, met the director Jean-\nLuc Godard."
    text = text.replace("\n", line_break)
    doc = nlp(text)
    assert [ent.text for ent in doc.ents] == [
        f"Angela Mer-{line_break}kel",
        f"Jean-{line_break}Luc Godard",
    ]
    assert doc.text == text
    read = [visible(token.text) for token in doc]
    assert "Merkel" in read and "Jean-Luc" in read


@pytest.mark.parametrize("mark", ["**", "__", "~~", "`", "*", "_"])
@pytest.mark.parametrize("own_tokenizer", [True, False])
def test_no_entity_begins_or_ends_with_marks(
    nlp: Language, mark: str, own_tokenizer: bool
) -> None:
    text = TEXT
    for name, _ in EXPECTED:
        text = text.replace(name, f"{mark}{name}{mark}")
    make_doc = nlp.make_doc if own_tokenizer else spacy.blank("en").make_doc
    names = [ent.text for ent in nlp(Doc.from_docs([make_doc(text)])).ents]
    if own_tokenizer:
        assert names == [name for name, _ in EXPECTED]
    assert not any(mark[0] in name for name in names)


def test_a_tag_between_two_words_of_a_name_stands_in_it(nlp: Language) -> None:
    text = "Angela <b>Merkel</b> met <i>Barack</i> <i>Obama</i> in New <u>York</u> ."
    assert [ent.text for ent in nlp(text).ents] == [
        "Angela <b>Merkel",
        "Barack</i> <i>Obama",
        "New <u>York",
    ]


@pytest.mark.parametrize(
    "text",
    [
        "Angela Merkel\tNew York\nBarack Obama\tNew York",
        "Angela Merkel    New York\nBarack Obama     New York",
        "Angela Merkel;New York\nBarack Obama;New York",
        "| Angela Merkel | New York |\n| Barack Obama | New York |",
        '[{"name":"Angela Merkel","city":"New York"},'
        '{"name":"Barack Obama","city":"New York"}]',
        "\\textbf{Angela Merkel} met in \\emph{New York} with \\textbf{Barack Obama} in "
        "{New York}.",
        "See /home/john/Berlin.txt, C:\\Users\\Paris, ../London/x.py for Angela Merkel in "
        "New York, and [Barack\nObama](https://x.org/London) in [New\nYork][1] .",
        "Angela Merkel😀 was in New York🎉 and 👩\u200d🚀Barack Obama came to New York🇺🇸",
        "Angela&nbsp;Merkel in New&#160;York &amp; &quot;Barack Obama&quot; in New York.",
        "print('Angela Merkel was in New York\\nBarack Obama was in New York')",
        "Angela Merkel -> New York\u2028\u2028Barack Obama->New York",
        "The guests are:\n- Angela Merkel, who lives in New\n  York\n- Barack Obama, from New"
        "\n  York",
    ],
)
def test_names_in_other_kinds_of_text(nlp: Language, text: str) -> None:
    names = [" ".join(html.unescape(ent.text).split()) for ent in nlp(text).ents]
    assert names == ["Angela Merkel", "New York", "Barack Obama", "New York"]


@pytest.mark.parametrize(
    "written",
    ["AT&amp;T", "AT&T", "Procter &amp; Gamble", "M&uuml;ller", "Caf&eacute;"],
)
def test_names_of_html_are_what_they_stand_for(written: str) -> None:
    doc = load_default_pipeline().make_doc(written)
    read = " ".join(visible(doc[i].text) for i in word_places(doc).tolist())
    assert read.removesuffix(" ;") == html.unescape(written)


def test_a_name_at_the_border_of_a_window(nlp: Language) -> None:
    for before in range(500, 516):
        text = "word " * before + "said Angela Merkel in New York" + " and so on" * 20
        assert found(nlp, text) == [("Angela Merkel", "PER"), ("New York", "LOC")]


@pytest.mark.parametrize("mark", "\ufeff\u200b\u00ad\u2060\n\t ", ids=ascii)
def test_nothing_visible_is_no_entity(nlp: Language, mark: str) -> None:
    assert not nlp(mark * 3).ents
    assert not nlp(f"{mark} {mark}{mark}").ents


@pytest.mark.parametrize("label", ["PER", "UNKNOWN", None])
def test_what_is_set_on_white_space_parts_a_name_and_loses_none(
    nlp: Language, label: Optional[str]
) -> None:
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


def test_blocks_of_markup_end_sentences(nlp: Language) -> None:
    text = "Angela Merkel<br>Barack Obama<br/>New York"
    assert found(nlp, text) == EXPECTED


FILLERS = "\0\x07\x1b\x7f\ufe0f\u3164\u115f\u2800\u034f\U000e0001\ufffb\U000e0100"


def test_no_kind_of_filler_is_seen(nlp: Language) -> None:
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
    st.text(st.characters(blacklist_categories=["Cs"]), max_size=40),
    st.lists(odd, max_size=25).map("".join),
    st.lists(odd, max_size=25).map(" ".join),
)


@settings(
    deadline=None,
    max_examples=150,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(st.lists(texts, min_size=1, max_size=4))
def test_any_text_is_read_and_entities_end_with_words(
    trained: Language, some: List[str]
) -> None:
    for text, doc in zip(some, trained.pipe(some), strict=True):
        assert doc.text == text
        for ent in doc.ents:
            for token in (ent[0], ent[-1]):
                assert visible(token.text).strip()
