import json
from pathlib import Path
from typing import List, Tuple

import pytest
import typer
from spacy.tokens import Doc, DocBin, Span
from spacy.vocab import Vocab
from typer.testing import CliRunner, Result

from spacy_elmo_ner.cli.convert import convert
from spacy_elmo_ner.text.annotated_labels import annotated_labels

IOB1 = """-DOCSTART- O

Rome I-LOC
Paris B-LOC
and O
John I-PER
Smith I-PER

He O

-DOCSTART- O

Oslo I-LOC

"""
COUNTS = "2 Docs, 3 sentences, 7 tokens, 4 entities (LOC 3, PER 1)"


def run(*arguments: object) -> Result:
    app = typer.Typer()
    app.command()(convert)
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


@pytest.fixture
def iob1(tmp_path: Path) -> Path:
    path = tmp_path / "iob1.conll"
    path.write_text(IOB1)
    return path


def test_there_and_back(iob1: Path, tmp_path: Path) -> None:
    docbin, biluo, back = (
        tmp_path / "new" / name for name in ("a.spacy", "biluo.txt", "back.conll")
    )
    for arguments in (
        (iob1, docbin),
        (docbin, biluo, "--write-scheme", "biluo", "--tabs"),
        (biluo, back, "--write-scheme", "iob1", "--columns", 2),
    ):
        result = run(*arguments)
        assert result.exit_code == 0, result.output
        assert result.output == f"{arguments[1]}: {COUNTS}\n"
    assert "Smith\t-X-\t-X-\tL-PER\n" in biluo.read_text()
    assert back.read_text() == IOB1


def test_parts_of_speech_of_a_column_that_is_named(tmp_path: Path) -> None:
    source, docbin = tmp_path / "in.conll", tmp_path / "out.spacy"
    source.write_text("Rome NNP I-NP I-LOC\nfell VBD I-VP O\n")
    assert run(source, docbin, "--pos-column", 2).exit_code == 0
    (doc,) = DocBin().from_disk(docbin).get_docs(Vocab())
    assert [token.tag_ for token in doc] == ["NNP", "VBD"]
    assert [ent.text for ent in doc.ents] == ["Rome"]


def test_one_doc_for_each_sentence(iob1: Path, tmp_path: Path) -> None:
    docbin, back = tmp_path / "a.spacy", tmp_path / "back.conll"
    assert run(iob1, docbin, "--group-by", "sentence").exit_code == 0
    docs = list(DocBin().from_disk(docbin).get_docs(Vocab()))
    assert [len(doc) for doc in docs] == [5, 1, 1]
    options = ("--write-scheme", "iob1", "--columns", 2, "--no-docstart")
    assert run(docbin, back, *options).exit_code == 0
    assert back.read_text() == IOB1.replace("-DOCSTART- O\n\n", "")


def test_errors_leave_no_file(iob1: Path, tmp_path: Path) -> None:
    iob1.write_text("a O\n\nb\n")
    result = run(iob1, tmp_path / "a.spacy")
    assert isinstance(result.exception, ValueError)
    assert f"{iob1}, line 3" in str(result.exception)
    iob1.write_text("")
    result = run(iob1, tmp_path / "a.spacy")
    assert "nothing in" in str(result.exception)
    iob1.write_text("-DOCSTART- O\n\n-DOCSTART- O\n")
    result = run(iob1, tmp_path / "a.spacy")
    assert "no words in" in str(result.exception)
    assert list(tmp_path.iterdir()) == [iob1]


def entities(path: Path) -> List[List[Tuple[str, str]]]:
    docs = DocBin().from_disk(path).get_docs(Vocab())
    return [[(ent.text.strip(), ent.label_) for ent in doc.ents] for doc in docs]


def test_columns_by_options_and_by_recognition(tmp_path: Path) -> None:
    source, output = tmp_path / "x.tsv", tmp_path / "x.spacy"
    source.write_text("1\tAnna\tB-PER\tO\n2\tUni\tB-ORG\tO\n3\tBonn\tI-ORG\tB-LOC\n")
    outer, inner = [[("Anna", "PER"), ("Uni Bonn", "ORG")]], [[("Bonn", "LOC")]]
    result = run(source, output)
    assert entities(output) == outer
    assert "words in column 2 and the tags in column 3 of 4" in result.output
    result = run(source, output, "--word-column", 2, "--tag-column", 3)
    assert entities(output) == outer
    assert "Note" not in result.output
    run(source, output, "--tag-column", -1)
    assert entities(output) == inner
    source.write_text("Anna,B-PER\n")
    run(source, output, "--delimiter", ",")
    assert entities(output) == [[("Anna", "PER")]]


def test_auto_groups_as_the_file_does(iob1: Path, tmp_path: Path) -> None:
    output = tmp_path / "x.spacy"
    for text, count in (IOB1, 2), (IOB1.replace("-DOCSTART- O\n\n", ""), 3):
        iob1.write_text(text)
        run(iob1, output)
        assert len(entities(output)) == count
    run(iob1, output, "--group-by", "document")
    assert len(entities(output)) == 1
    result = run(iob1, output, "--group-by", "page")
    assert "group_by is 'page'" in str(result.exception)


def test_the_old_name_of_write_scheme(iob1: Path, tmp_path: Path) -> None:
    old, new = tmp_path / "old", tmp_path / "new"
    result = run(iob1, old, "--scheme", "bmes")
    assert "Note: --scheme is now called --write-scheme." in result.output
    run(iob1, new, "--write-scheme", "bmes")
    assert old.read_text() == new.read_text()
    assert "Smith -X- -X- E-PER" in new.read_text()


@pytest.fixture
def jsonl(tmp_path: Path) -> Path:
    path = tmp_path / "gold.jsonl"
    texts = {"Anna lives in Bad Ems.": [[0, 4, "PER"], [14, 21, "LOC"]], "He": []}
    records = [{"text": text, "label": label} for text, label in texts.items()]
    path.write_text("".join(json.dumps(record) + "\n" for record in records))
    return path


def test_json_of_annotation_tools(jsonl: Path, tmp_path: Path) -> None:
    output = tmp_path / "x.spacy"
    result = run(jsonl, output, "--lang", "de")
    assert "Note" not in result.output
    assert entities(output) == [[("Anna", "PER"), ("Bad Ems", "LOC")], []]
    conll = tmp_path / "x.conll"
    run(jsonl, conll, "--columns", 2, "--no-docstart")
    assert conll.read_text().startswith(
        "Anna B-PER\nlives O\nin O\nBad B-LOC\nEms I-LOC"
    )
    result = run(jsonl, output, "--lang", "xy")
    assert "no tokenizer for the language 'xy'" in str(result.exception)


def test_unknown_tokens_and_conll(jsonl: Path, tmp_path: Path) -> None:
    jsonl.write_text(jsonl.read_text().replace("21,", "20,"))
    conll = tmp_path / "x.conll"
    result = run(jsonl, conll)
    assert "no entity annotation" in str(result.exception)
    assert not conll.exists()
    assert run(jsonl, conll, "--alignment-mode", "expand").exit_code == 0
    assert "Ems -X- -X- I-LOC" in conll.read_text()


def test_json_is_not_written(jsonl: Path, tmp_path: Path) -> None:
    result = run(jsonl, tmp_path / "x.jsonl")
    assert "x.jsonl cannot be written" in str(result.exception)


def test_a_corpus_without_entities_is_named(iob1: Path, tmp_path: Path) -> None:
    iob1.write_text("No O\nnames O\n")
    result = run(iob1, tmp_path / "x.spacy")
    assert f"Note: there are no entities in {iob1}" in result.output


@pytest.mark.parametrize("options", [[], ["--tabs"]])
def test_what_convert_writes_it_reads(tmp_path: Path, options: List[str]) -> None:
    doc = Doc(Vocab(), words=["\ufeffJohn", "is", "Head", "of", "Sales"])
    label = "JOB TITLE" if options else "JOB"
    doc.set_ents([Span(doc, 0, 1, "PER"), Span(doc, 2, 5, label)])
    first, text, again = (tmp_path / name for name in ("a.spacy", "b.conll", "c.spacy"))
    DocBin(docs=[doc]).to_disk(first)
    result = run(first, text, "--no-docstart", "--columns", 2, *options)
    assert result.exit_code == 0, result.output
    run(text, again)
    assert entities(again) == [[("\ufeffJohn", "PER"), ("Head of Sales", label)]]


def test_what_a_file_annotates(iob1: Path, tmp_path: Path) -> None:
    docbin, conll = tmp_path / "a.spacy", tmp_path / "a.conll"
    options = ("--label", "PLACE", "--map-label", "LOC=PLACE", "--map-label", "PER=")
    result = run(iob1, docbin, *options)
    assert result.exit_code == 0, result.output
    for doc in DocBin().from_disk(docbin).get_docs(Vocab()):
        assert annotated_labels(doc) == {"PLACE"}
        assert {ent.label_ for ent in doc.ents} == {"PLACE"}
    # a second conversion keeps it
    assert run(docbin, tmp_path / "b.spacy").exit_code == 0
    first, _ = DocBin().from_disk(tmp_path / "b.spacy").get_docs(Vocab())
    assert annotated_labels(first) == {"PLACE"}
    both = ("--label", "LOC", "--label", "PER")
    run(iob1, docbin, *both)
    for result in (run(iob1, conll, *both), run(docbin, conll)):
        assert result.exit_code == 0 and "does not say which labels" in result.output


@pytest.mark.parametrize(
    "option, value, message",
    [
        ("--label", "PER", "which is not among those"),
        ("--map-label", "PER", "names no label"),
        ("--map-label", "=PER", "names no label"),
        ("--map-label", "PER= ", "which is not a label"),
    ],
)
def test_wrong_labels(
    iob1: Path, tmp_path: Path, option: str, value: str, message: str
) -> None:
    result = run(iob1, tmp_path / "a.spacy", option, value)
    assert result.exit_code != 0
    assert message in result.output or message in str(result.exception)
    assert not (tmp_path / "a.spacy").exists()


def test_a_label_to_map_that_is_not_there_or_there_twice(
    iob1: Path, tmp_path: Path
) -> None:
    output = tmp_path / "a.spacy"
    result = run(iob1, output, "--map-label", "LOC=PLACE", "--map-label", "PRE=PERSON")
    assert result.exit_code == 0
    assert "no entity in" in result.output and "rename: PRE." in result.output
    result = run(iob1, output, "--map-label", "LOC=A", "--map-label", "LOC=B")
    assert result.exit_code == 2 and "'LOC' two names" in result.output
