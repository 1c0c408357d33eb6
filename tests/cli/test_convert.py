from pathlib import Path

import pytest
import typer
from spacy.tokens import DocBin
from spacy.vocab import Vocab
from typer.testing import CliRunner, Result

from spacy_elmo_ner.cli.convert import convert

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
    assert list(tmp_path.iterdir()) == [iob1]
