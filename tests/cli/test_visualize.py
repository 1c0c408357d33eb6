import inspect
from html.parser import HTMLParser
from pathlib import Path
from typing import Any, Dict, List, Optional, Tuple

import pytest
import spacy
import typer
from spacy.language import Language
from spacy.tokens import Doc, DocBin

from spacy_elmo_ner.cli.gold_options import GoldOptions
from spacy_elmo_ner.cli.visualize import visualize
from spacy_elmo_ner.pipeline.colors import COLORS

# the options that say how gold is read, as they are if left out
READ: Dict[str, Any] = {
    name: option.default.default
    for name, option in inspect.signature(GoldOptions).parameters.items()
}
Attributes = List[Tuple[str, Optional[str]]]
PATTERNS = [
    {"label": "PER", "pattern": "John"},
    {"label": "LOC", "pattern": "Oslo"},
    {"label": "<I>", "pattern": "odd"},
    {"label": "PER", "pattern": "فاطمة"},
]
CONLL = """-DOCSTART- O

John B-PER
left O
Oslo B-ORG
. O

He O
ran O
. O

-DOCSTART- O

No O
names O
"""


class Page(HTMLParser):
    """What a browser would see: texts, marks and their colours, in order."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: List[str] = []
        self.open: List[str] = []
        self.texts: List[str] = []
        self.marks: List[Dict[str, str]] = []
        self.directions: List[str] = []
        self.seen = ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: Attributes) -> None:
        style = dict(attrs).get("style") or ""
        self.tags.append(tag)
        if tag == "br":
            self.texts[-1] += "\n"
        elif tag != "meta":
            self.open.append(tag)
        if tag == "div" and ("class", "entities") in attrs:
            self.texts.append("")
            self.directions.append("rtl" if "direction: rtl" in style else "ltr")
        if tag == "mark":
            colour = style.split("background:")[1].split(";")[0].strip()
            self.marks.append({"colour": colour, "text": "", "label": ""})

    def handle_endtag(self, tag: str) -> None:
        if tag == "br":  # spaCy 3.3 writes </br>, which browsers take for <br>
            return self.handle_starttag(tag, [])
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.seen += data
        if "mark" in self.open:
            key = "label" if "span" in self.open else "text"
            self.marks[-1][key] += data.strip()
        if self.open and self.open[-1] in ("div", "mark"):
            # line breaks between tags are no more than spaces to a browser
            self.texts[-1] += data.replace("\n", " ")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A pipeline whose entities are known without a trained model."""
    nlp = spacy.blank("en")
    nlp.add_pipe("entity_ruler").add_patterns(PATTERNS)
    path = tmp_path_factory.mktemp("ruler") / "pipeline"
    nlp.to_disk(path)
    return str(path)


@pytest.fixture(scope="module")
def nlp(folder: str) -> Language:
    return spacy.load(folder)


def show(
    tmp_path: Path,
    model: str,
    *,
    text: Optional[List[str]] = None,
    file: Optional[List[Path]] = None,
    limit: int = 0,
    title: str = "Names",
) -> Page:
    output = tmp_path / "new" / "page.html"
    visualize(
        output=output,
        file=file or [],
        text=text or [],
        model=model,
        limit=limit,
        title=title,
        **READ,
    )
    assert [path.name for path in output.parent.iterdir()] == ["page.html"]
    markup = output.read_text(encoding="utf8")
    assert markup.startswith("<!DOCTYPE html>")
    page = Page(markup)
    assert page.open == []  # every element that was opened is closed
    return page


def marks_of(doc: Doc) -> List[Tuple[str, str]]:
    return [(ent.text, ent.label_) for ent in doc.ents]


def solid(text: str) -> str:
    """Without white space, of which displaCy's marks add some."""
    return "".join(text.split())


def pairs(page: Page) -> List[Tuple[str, str]]:
    return [(mark["text"], mark["label"]) for mark in page.marks]


def test_page_shows_what_the_pipeline_finds(
    tmp_path: Path, folder: str, nlp: Language
) -> None:
    texts = ["John\nsaw Oslo, and John.", "an odd one", "nothing"]
    page = show(tmp_path, folder, text=texts)
    legend, docs = pairs(page)[:3], pairs(page)[3:]
    assert legend == [("2", "PER"), ("1", "LOC"), ("1", "<I>")]
    assert docs == [mark for text in texts for mark in marks_of(nlp(text))]
    assert [solid(text) for text in page.texts[1:]] == [solid(t) for t in texts]
    assert "no entities" in page.seen
    for mark in page.marks:
        if mark["label"] in COLORS:
            assert mark["colour"] == COLORS[mark["label"]]


def test_text_and_title_are_escaped(tmp_path: Path, folder: str) -> None:
    text = "<script>alert(' John ')</script> & \"Oslo\" <b>"
    page = show(tmp_path, folder, text=[text], title="</title><script>")
    assert "script" not in page.tags
    assert "b" not in page.tags
    assert solid(page.texts[1]) == solid(text)
    assert pairs(page)[2:] == [("John", "PER"), ("Oslo", "LOC")]
    assert "</title><script>" in page.seen


def test_direction_is_the_text_s_own(tmp_path: Path, folder: str) -> None:
    page = show(tmp_path, folder, text=["هذه فاطمة في Oslo", "1. John فاطمة"])
    assert page.directions == ["ltr", "rtl", "ltr"]


def test_gold_stands_beside_predicted(tmp_path: Path, folder: str) -> None:
    conll = tmp_path / "gold.conll"
    conll.write_text(CONLL, encoding="utf8")
    page = show(tmp_path, folder, file=[conll])
    gold = [("John", "PER"), ("Oslo", "ORG")]
    predicted = [("John", "PER"), ("Oslo", "LOC")]
    assert pairs(page) == [("1", "PER"), ("1", "LOC")] + gold + predicted
    assert "2 gold, 2 predicted, 1 agree" in page.seen
    assert f"{conll}, text 2 · no entities" in page.seen
    # each sentence on its own line
    assert page.texts[1].split("\n")[1].split() == ["He", "ran", "."]


def test_docbin_and_limit(tmp_path: Path, folder: str, nlp: Language) -> None:
    docs = [nlp(f"John number {i}") for i in range(5)]
    path = tmp_path / "gold.spacy"
    DocBin(docs=docs).to_disk(path)
    page = show(tmp_path, folder, file=[path], limit=3)
    assert len(pairs(page)) == 1 + 3 * 2
    assert "text 3" in page.seen
    assert "text 4" not in page.seen


@pytest.mark.parametrize("name", ["notes.md", "notes.text", "notes.log", "notes"])
def test_what_has_no_tags_is_plain_text(name: str, tmp_path: Path, folder: str) -> None:
    file = tmp_path / name
    file.write_text("# John\n\n- saw Oslo, which he liked\n- Type O\n", "utf8")
    page = show(tmp_path, folder, file=[file])
    assert pairs(page)[2:] == [("John", "PER"), ("Oslo", "LOC")]
    assert f"{file}:3" in page.seen


@pytest.mark.parametrize("name", ["eng.testa", "gold.txt", "gold", "gold.conll"])
def test_columns_with_tags_are_gold(name: str, tmp_path: Path, folder: str) -> None:
    file = tmp_path / name
    file.write_text(CONLL, encoding="utf8")
    page = show(tmp_path, folder, file=[file])
    assert "2 gold, 2 predicted, 1 agree" in page.seen


def test_error_says_what_a_file_was_taken_for(tmp_path: Path, folder: str) -> None:
    columns, text = tmp_path / "gold", tmp_path / "text"
    columns.write_text("John B-PER\nleft\nOslo B-LOC\n", "utf8")
    text.write_bytes(b"John was here\n\xff\n")
    with pytest.raises(ValueError, match=r"line 2.*gold was read as an annotated corp"):
        show(tmp_path, folder, file=[columns])
    with pytest.raises(ValueError, match=r"line 2.*text was read as plain text"):
        show(tmp_path, folder, file=[text])


def test_names_and_titles_that_are_no_utf8(tmp_path: Path, folder: str) -> None:
    with pytest.raises(ValueError, match="title 'a.udcff' holds half a character"):
        show(tmp_path, folder, text=["John"], title="a\udcff")
    file = tmp_path / "a\udcff.txt"
    file.write_text("John", "utf8")
    assert r"a\udcff.txt:1" in show(tmp_path, folder, file=[file]).seen


def test_files_are_read_as_elsewhere(
    tmp_path: Path, folder: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted = [("John", "PER"), ("Oslo", "ORG"), ("John", "PER"), ("Oslo", "LOC")]
    jsonl, table = tmp_path / "gold.jsonl", tmp_path / "gold.csv"
    jsonl.write_text(
        '{"text": "John saw Oslo.", "spans": ['
        '{"start": 0, "end": 4, "label": "PER"}, '
        '{"start": 9, "end": 13, "label": "ORG"}]}'
    )
    assert pairs(show(tmp_path, folder, file=[jsonl]))[2:] == wanted
    table.write_text("B-PER;John\nO;saw\nB-ORG;Oslo\n\nO;No\n")
    for key, value in ("word_column", 2), ("tag_column", 1), ("delimiter", ";"):
        monkeypatch.setitem(READ, key, value)
    page = show(tmp_path, folder, file=[table])
    assert pairs(page)[2:] == wanted
    # no documents are marked, so each sentence is a text
    assert f"{table}, text 2" in page.seen


def test_page_without_entities_says_so(tmp_path: Path, folder: str) -> None:
    page = show(tmp_path, folder, text=["nothing"])
    assert "No entities were found." in page.seen
    assert page.marks == []


def test_bad_input_leaves_the_old_page(tmp_path: Path, folder: str) -> None:
    show(tmp_path, folder, text=["John"])
    output = tmp_path / "new" / "page.html"
    before = output.read_bytes()
    bad = tmp_path / "bad.conll"
    bad.write_text("John X-PER-\n\n", encoding="utf8")
    with pytest.raises(ValueError, match="bad.conll, line 1"):
        show(tmp_path, folder, text=["Oslo"], file=[bad])
    with pytest.raises(ValueError, match="no file .*missing"):
        show(tmp_path, folder, file=[tmp_path / "missing.spacy"])
    with pytest.raises(typer.BadParameter, match="nothing to show"):
        show(tmp_path, folder)
    assert output.read_bytes() == before
    assert [path.name for path in output.parent.iterdir()] == ["page.html"]


def relative_luminance(colour: str) -> float:
    """WCAG 2.1, section 1.4.3: the luminance of an sRGB colour."""
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [
        c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels
    ]
    return sum(w * c for w, c in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def test_dark_text_is_readable_on_every_colour() -> None:
    assert set(COLORS) == {"PER", "LOC", "ORG", "MISC"}
    assert len(set(COLORS.values())) == 4
    dark = relative_luminance("#111111")
    for colour in COLORS.values():
        contrast = (relative_luminance(colour) + 0.05) / (dark + 0.05)
        assert contrast >= 7  # WCAG's stricter level, AAA
