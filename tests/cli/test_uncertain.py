import gzip
import json
from pathlib import Path
from typing import Any

import pytest
import spacy
from spacy.language import Language
from typer.testing import CliRunner

from spacy_elmo_ner.cli.app import app
from spacy_elmo_ner.corpus.annotation_json import read_annotations
from spacy_elmo_ner.pipeline.default_pipeline import load_default_pipeline
from spacy_elmo_ner.pipeline.shared_elmo import share_elmo
from tests.pipeline.small_model import SMALL_MODEL, examples_of, train

LINES = ["I like London.", "Nothing is said here.", "Was Shaka 😀 Berlin there?", "  "]


@pytest.fixture(scope="module")
def pipeline(tmp_path_factory: pytest.TempPathFactory) -> Path:
    nlp = spacy.blank("en")
    nlp.add_pipe("elmo_ner", config={"model": SMALL_MODEL})
    train(nlp, examples_of(nlp), steps=30)
    folder = tmp_path_factory.mktemp("pipeline")
    nlp.to_disk(folder)
    return folder


@pytest.fixture
def texts(tmp_path: Path) -> Path:
    folder = tmp_path / "texts"
    folder.mkdir()
    (folder / "one.txt").write_text("\n".join(LINES), encoding="utf8")
    (folder / "two.txt").write_text("Berlin Shaka", encoding="utf8")
    return folder


def run(*arguments: object) -> Any:
    return CliRunner().invoke(app, ["uncertain", *map(str, arguments)])


def expected(nlp: Language, text: str) -> float:
    """1 less the share of the best reading, by the readings' own probabilities."""
    (readings,) = nlp.get_pipe("elmo_ner").k_best([nlp.make_doc(text)], 500)
    total = sum(reading.probability for reading in readings)
    return float(1 - readings[0].probability / max(total, 1.0))


@pytest.mark.parametrize("format", ["prodigy", "doccano"])
def test_the_least_certain_come_first(
    pipeline: Path, texts: Path, tmp_path: Path, format: str
) -> None:
    output = tmp_path / "out.jsonl"
    done = run(texts, "-o", output, "-m", pipeline, "--format", format)
    assert done.exit_code == 0, done.output
    nlp = spacy.load(pipeline)
    records = [json.loads(line) for line in output.read_text("utf8").splitlines()]
    values = [{**one, **one.get("meta", {})}["uncertainty"] for one in records]
    assert len(values) == 4 and values == sorted(values, reverse=True)
    for record, value in zip(records, values, strict=True):
        assert value == pytest.approx(expected(nlp, record["text"]), abs=1e-3)
    # what the tool exports when nothing is corrected
    read = read_annotations(output)
    assert not read.left_out
    for text in read.texts:
        ents = [(e.start_char, e.end_char, e.label_) for e in nlp(text.text).ents]
        assert [tuple(span) for span in text.spans] == ents
    few = run(texts, "-o", output, "-m", pipeline, "--format", format, "-n", 2)
    assert few.exit_code == 0
    again = [json.loads(line) for line in output.read_text("utf8").splitlines()]
    assert again == records[:2]


def test_an_elmo_that_is_shared_is_as_certain(texts: Path, tmp_path: Path) -> None:
    own, shared = load_default_pipeline(), share_elmo(load_default_pipeline())
    written = []
    for number, nlp in enumerate((own, shared)):
        folder, output = tmp_path / str(number), tmp_path / f"{number}.jsonl"
        nlp.to_disk(folder)
        assert run(texts, "-o", output, "-m", folder).exit_code == 0
        written.append(output.read_text("utf8"))
    assert written[0] == written[1]


def test_label_studio_gets_predictions(
    pipeline: Path, texts: Path, tmp_path: Path
) -> None:
    output = tmp_path / "out.json"
    run(texts, "-o", output, "-m", pipeline, "--format", "label-studio")
    tasks = json.loads(output.read_text("utf8"))
    # nobody has annotated them yet
    assert len(read_annotations(output).left_out) == len(tasks) == 4
    # with each prediction accepted
    for task in tasks:
        task["annotations"] = task.pop("predictions")
    output.write_text(json.dumps(tasks), encoding="utf8")
    nlp = spacy.load(pipeline)
    found = read_annotations(output).texts
    assert any(text.spans for text in found)
    for text in found:
        assert len(text.spans) == len(nlp(text.text).ents)


def test_it_reads_the_files_that_entities_reads(pipeline: Path, tmp_path: Path) -> None:
    folder = tmp_path / "texts"
    (folder / ".hidden").mkdir(parents=True)
    (folder / ".hidden" / "no.txt").write_text("Hidden.", encoding="utf8")
    (folder / "a.jsonl").write_text('{"id": 1, "body": "I like London."}\n', "utf8")
    (folder / "b.csv").write_text('id,body\n2,"Berlin, it is."\n', encoding="utf8")
    (folder / "c.txt.gz").write_bytes(gzip.compress(b"Was Shaka there?"))
    output = tmp_path / "out.jsonl"
    done = run(folder, "-o", output, "-m", pipeline, "--text-column", "body")
    assert done.exit_code == 0, done.output
    records = [json.loads(line) for line in output.read_text("utf8").splitlines()]
    assert {(one["text"], one["meta"]["source"]) for one in records} == {
        ("I like London.", f"{folder}/a.jsonl:1"),
        ("Berlin, it is.", f"{folder}/b.csv:2"),
        ("Was Shaka there?", f"{folder}/c.txt.gz:1"),
    }


def test_wrong_use(pipeline: Path, texts: Path, tmp_path: Path) -> None:
    output = tmp_path / "out.jsonl"
    (tmp_path / "empty").mkdir()
    spacy.blank("en").to_disk(tmp_path / "blank")
    for arguments, code, words in (
        ((texts, "-o", output, "--format", "brat"), 2, "no format 'brat'"),
        ((tmp_path / "empty", "-o", output), 1, "no files whose names end in"),
        ((texts / "no.txt", "-o", output), 1, "There is no file"),
        ((texts / "one.txt", "-o", texts / "one.txt"), 1, "an input"),
        ((texts, "-o", output, "--read-as", "csv"), 1, "no column 'text'"),
        ((texts, "-o", output, "-m", tmp_path / "blank"), 1, "0 elmo_ner components"),
    ):
        done = run(*arguments)
        assert done.exit_code == code
        assert words in " ".join(done.output.split())
    assert not output.exists()
