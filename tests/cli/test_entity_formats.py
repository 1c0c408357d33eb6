"""What `entities` reads and writes, read and written by other libraries."""

import csv
import gzip
import html.parser
import io
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any, Dict, List

import pytest
import spacy
from hypothesis import given
from hypothesis import strategies as st
from spacy.language import Language
from spacy.tokens import Doc, Span
from typer.testing import CliRunner

from spacy_elmo_ner.cli.app import app
from spacy_elmo_ner.cli.entity_formats import WRITERS, Format, Layout, Level
from spacy_elmo_ner.cli.texts import Text
from spacy_elmo_ner.corpus.conll import read_conll
from spacy_elmo_ner.tables.levels import COLUMNS, LEVELS, rows

TEXTS = ["Anna flew to Lima. Anna left.", "=Anna <script>alert(1)</script>", "nobody"]


def make_pipeline() -> Language:
    nlp = spacy.blank("en")
    patterns = [
        {"label": "PER", "pattern": [{"TEXT": {"REGEX": "^=?Anna$"}}]},
        {"label": "LOC", "pattern": "Lima"},
    ]
    nlp.add_pipe("entity_ruler").add_patterns(patterns)
    return nlp


NLP = make_pipeline()


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("formats") / "pipeline"
    NLP.to_disk(folder)
    return str(folder)


def run(model: str, *arguments: Any, **options: Any) -> Any:
    words = ["entities", "-m", model, *map(str, arguments)]
    return CliRunner().invoke(app, words, **options)


def expected(level: str, texts: List[str] = TEXTS) -> List[Dict[str, Any]]:
    return [
        {"source": f"text:{number}", **row}
        for number, text in enumerate(texts, start=1)
        for row in rows(NLP(text), level)
    ]


def test_levels_are_those_of_tables() -> None:
    assert tuple(level.value for level in Level) == LEVELS
    assert set(WRITERS) == set(Format)


@pytest.mark.parametrize("level", LEVELS)
def test_jsonl_and_csv_have_the_rows(model: str, level: str, tmp_path: Path) -> None:
    options = ["--level", level, "--format"]
    lines = run(model, *TEXTS, *options, "jsonl").stdout.splitlines()
    assert [json.loads(line) for line in lines] == expected(level)
    output = tmp_path / "a" / "entities.csv"
    assert run(model, *TEXTS, *options, "csv", "-o", output).stdout == ""
    with output.open(encoding="utf8", newline="") as file:
        found = list(csv.DictReader(file))
    for row, own in zip(found, expected(level), strict=True):
        assert tuple(row) == ("source", *COLUMNS[level])
        for name, value in own.items():
            in_cell = json.dumps(value) if isinstance(value, list) else value
            cell = "" if in_cell is None else str(in_cell)
            assert row[name] == (f"'{cell}" if cell.startswith("=") else cell)


def test_a_table_of_another_level(model: str) -> None:
    found = run(model, "Anna  Lima", "--level", "token").stdout.splitlines()
    assert found[0].split("\t")[:5] == ["0", "0", "Anna", "B-PER", "PER"]
    assert [line.split("\t")[-1] for line in found] == ["text:1"] * 2


@given(st.text(st.characters(blacklist_categories=["Cs"])))
def test_no_cell_is_a_formula_and_no_character_moves_the_cursor(text: str) -> None:
    doc = Doc(NLP.vocab, words=[text or "x"], spaces=[False])
    doc.ents = [Span(doc, 0, 1, text or "x")]
    layout = Layout("chunk", False, False, "")
    written = "".join(WRITERS[Format.csv]([(doc, Text(text, text))], layout))
    (row,) = list(csv.DictReader(io.StringIO(written, newline="")))
    for name, value in (("source", text), ("text", doc.text), ("label", doc.text)):
        assert row[name][:1] not in ("=", "+", "-", "@", "\t", "\r")
        value = value.replace("\0", r"\x00")
        assert row[name] in (value, f"'{value}")
    (line,) = WRITERS[Format.jsonl]([(doc, Text(text, text))], layout)
    assert not {"\x1b", "\x9b", "\t", "\r"} & {*line}
    assert len(line.splitlines()) == 1
    assert json.loads(line)["text"] == doc.text


def test_conll_is_read_back_with_its_sentences(model: str, tmp_path: Path) -> None:
    file = tmp_path / "out.conll"
    done = run(model, *TEXTS, "--format", "conll", "--output", file)
    assert done.exit_code == 0, done.output
    documents = read_conll(file).documents
    assert len(documents) == len(TEXTS)
    first = [[" ".join(sentence.words) for sentence in one] for one in documents][0]
    assert first == ["Anna flew to Lima .", "Anna left ."]
    labels = [
        [entity.label for sentence in one for entity in sentence.entities]
        for one in documents
    ]
    assert labels == [[ent.label_ for ent in NLP(text).ents] for text in TEXTS]


def test_conll_of_a_parsed_doc_with_an_entity_over_a_sentence_s_end() -> None:
    doc = Doc(NLP.vocab, words=["a", "b", "c"], heads=[0, 1, 1], deps=["ROOT"] * 3)
    doc.ents = [Span(doc, 0, 2, "X")]
    assert len(list(doc.sents)) == 2
    written = WRITERS[Format.conll](
        [(doc, Text("", ""))], Layout("chunk", False, False, "")
    )
    assert "".join(written).split("\n")[2:5] == [
        "a -X- -X- B-X",
        "b -X- -X- I-X",
        "c -X- -X- O",
    ]


class Reader(html.parser.HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: List[str] = []
        self.words: List[str] = []

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.tags.append(tag)

    def handle_data(self, data: str) -> None:
        self.words.append(data)


def test_html_keeps_text_text(model: str, tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    text = "<script>alert(1)</script> Anna <b onclick=x> & &amp;"
    assert run(model, text, "--format", "html", "-o", page).exit_code == 0
    parser = Reader()
    parser.feed(page.read_text("utf8"))
    tags, words = parser.tags, parser.words
    assert "mark" in tags
    assert "script" not in tags and "b" not in tags
    assert "<script>alert(1)</script>" in "".join(words)
    assert "& &amp;" in "".join(words)


def test_files_of_each_kind_and_folders(model: str, tmp_path: Path) -> None:
    with (tmp_path / "a.csv").open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file, delimiter=";")
        writer.writerows(
            [["id", "text"], [1, 'Anna, "or"\nLima'], [2, ""], [3, "Lima"]]
        )
    records: List[Any] = [{"text": "Anna"}, {"text": None}, "Lima", {"text": "no"}]
    lines = "\n".join(map(json.dumps, records)).encode("utf8")
    (tmp_path / "b.jsonl.gz").write_bytes(gzip.compress(lines))
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "c.txt").write_text("no one\nAnna", "utf8")
    for ignored in (".hidden.txt", "picture.png"):
        (tmp_path / ignored).write_text("Anna", "utf8")
    found = [
        line.split("\t") for line in run(model, "-f", tmp_path).stdout.splitlines()
    ]
    assert [(row[0], Path(row[4]).name) for row in found] == [
        ("Anna", "a.csv:3"),
        ("Lima", "a.csv:3"),
        ("Lima", "a.csv:5"),
        ("Anna", "b.jsonl.gz:1"),
        ("Lima", "b.jsonl.gz:3"),
        ("Anna", "c.txt:2"),
    ]


def test_standard_input_and_columns_by_name(model: str) -> None:
    options = ["-", "--read-as", "csv", "--text-column", "body"]
    found = run(model, *options, input="body,n\nAnna,1\n").stdout
    assert found == "Anna\tPER\t0\t4\t-:2\n"
    options = ["-", "--read-as", "jsonl", "--text-column", "body"]
    found = run(model, *options, input='{"body": "in Lima"}\n').stdout
    assert found == "Lima\tLOC\t3\t7\t-:1\n"


@pytest.mark.parametrize(
    "name, content, message",
    [
        (
            "a.csv",
            "id,body\n1,Anna\n",
            "a.csv:1: there is no column 'text'.*'id', 'body'",
        ),
        ("a.csv", "text,text\n1,Anna\n", "more than one"),
        ("a.csv", 'text\n"Anna\n', "not CSV.*quotes"),
        ("a.csv", "", "no column 'text'"),
        (
            "a.jsonl",
            '{"text": "x"}\n{"body": "x"}',
            "a.jsonl:2: there is no key 'text'",
        ),
        ("a.jsonl", "[1]", "no key"),
        ("a.jsonl", "{", "a.jsonl:1: this is not JSON"),
        ("a.jsonl", "[" * 10**5, "a.jsonl:1: this is not JSON"),
        ("a.jsonl", '{"text": 3}', "the text is 3"),
        ("a.jsonl", r'{"text": "\ud800"}', "lone surrogate"),
        ("a.csv", f"text\n{'x' * (10**6 + 1)}", "1,000,001 characters"),
    ],
)
def test_what_is_wrong_in_a_file_is_said(
    model: str, tmp_path: Path, name: str, content: str, message: str
) -> None:
    file = tmp_path / name
    file.write_text(content, "utf8")
    output = tmp_path / "out.csv"
    output.write_text("before", "utf8")
    done = run(model, "-f", file, "--format", "csv", "-o", output)
    assert done.exit_code == 1
    said = " ".join(done.output.split())
    assert re.search(message, said), said
    assert output.read_text("utf8") == "before"
    assert sorted(one.name for one in tmp_path.iterdir()) == sorted([name, "out.csv"])


def test_wrong_options_and_outputs(model: str, tmp_path: Path) -> None:
    assert run(model, "Anna", "--format", "xml").exit_code == 2
    assert run(model, "Anna", "--level", "word").exit_code == 2
    assert run(model, "Anna", "--format", "html", "--level", "token").exit_code == 2
    file = tmp_path / "a.txt"
    file.write_text("Anna", "utf8")
    assert run(model, "-f", file, "-o", file).exit_code == 1
    assert file.read_text("utf8") == "Anna"
    assert run(model, "Anna", "-o", tmp_path).exit_code == 1
    (tmp_path / "empty").mkdir()
    assert "no files whose names" in run(model, "-f", tmp_path / "empty").output


def test_a_pipeline_without_entities_is_refused(tmp_path: Path) -> None:
    nlp = spacy.blank("en")
    nlp.add_pipe("sentencizer")
    nlp.to_disk(tmp_path)
    done = run(str(tmp_path), "Anna")
    assert done.exit_code == 1
    assert "finds no entities; its components are: sentencizer" in done.output


@pytest.mark.parametrize("format", ["table", "jsonl", "csv", "conll"])
def test_an_endless_input_ends_with_its_reader(model: str, format: str) -> None:
    command = f'yes "Anna flew" | "{sys.executable}" -m spacy_elmo_ner entities -m '
    command += f'"{model}" --format {format} - | head -n 5; echo "${{PIPESTATUS[1]}}"'
    done = subprocess.run(
        ["bash", "-c", command], capture_output=True, text=True, timeout=120
    )
    assert len(done.stdout.splitlines()) == 6
    assert done.stdout.splitlines()[-1] == "141"
    assert done.stderr == ""


def test_columns_that_are_kept_stand_beside_what_is_found(
    model: str, tmp_path: Path
) -> None:
    table, lines = tmp_path / "in.csv", tmp_path / "in.jsonl"
    table.write_text("id,label,text\n7,=x,Anna left.\n8,,Lima\n", encoding="utf8")
    records = [{"id": [7], "text": "Anna left."}, {"text": "Lima", "label": None}]
    lines.write_text("\n".join(map(json.dumps, records)), encoding="utf8")
    keep = ("--keep", "id", "--keep", "label")

    done = run(model, "--file", table, "--format", "csv", *keep)
    rows = list(csv.DictReader(io.StringIO(done.stdout)))
    assert [(row["id"], row["label_input"], row["label"]) for row in rows] == [
        ("7", "'=x", "PER"),
        ("8", "", "LOC"),
    ]
    done = run(model, "Lima", "--file", lines, "--format", "jsonl", *keep)
    kept = [
        (row["id"], row["label_input"])
        for row in map(json.loads, done.stdout.splitlines())
    ]
    assert kept == [(None, None), ([7], None), (None, None)]
    done = run(model, "--file", table, *keep)
    assert done.stdout.splitlines()[0].split("\t")[-2:] == ["7", "=x"]


def test_columns_that_are_not_there_are_told(model: str, tmp_path: Path) -> None:
    table, text = tmp_path / "in.csv", tmp_path / "in.txt"
    table.write_text("text\nAnna\n", encoding="utf8")
    text.write_text("Anna\n", encoding="utf8")
    for file, message in ((table, "no column 'id'"), (text, "has no columns")):
        done = run(model, "--file", file, "--keep", "id")
        assert done.exit_code == 1 and message in done.output


def test_a_line_of_standard_input_is_no_formula(model: str) -> None:
    done = run(model, "-", "--format", "csv", input="Anna left.\n")
    assert done.stdout.splitlines()[1].startswith("-:1,")
