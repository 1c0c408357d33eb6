import json
import re
from pathlib import Path
from typing import Callable, List, Tuple, Union

import pytest
import spacy
import typer
from spacy.tokens import Doc, Span
from typer.testing import CliRunner, Result

from spacy_elmo_ner.cli.convert import convert
from spacy_elmo_ner.cli.evaluate import evaluate
from spacy_elmo_ner.evaluation.conlleval import count_phrases
from spacy_elmo_ner.evaluation.raw_report import raw_text
from tests.cli.rulers import save_ruler
from tests.scorer_files import read_scorer_file

GOLD = """Don't B-PER
visit O
New B-LOC
York I-LOC

Rome B-LOC
Paris B-LOC
"""
BLOCK = """processed 6 tokens with 4 phrases; found: 4 phrases; correct: 3.
accuracy:  83.33%; precision:  75.00%; recall:  75.00%; FB1:  75.00
              LOC: precision: 100.00%; recall: 100.00%; FB1: 100.00  3
              ORG: precision:   0.00%; recall:   0.00%; FB1:   0.00  1
              PER: precision:   0.00%; recall:   0.00%; FB1:   0.00  0
"""


def run(*arguments: object, command: Callable[..., None] = evaluate) -> Result:
    app = typer.Typer()
    app.command()(command)
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """A pipeline of rules, one of them wrong."""
    labels = {"Don't": "ORG", "New York": "LOC", "Rome": "LOC", "Paris": "LOC"}
    return save_ruler(tmp_path / "model", labels)


@pytest.fixture
def gold(tmp_path: Path) -> Path:
    path = tmp_path / "gold.conll"
    path.write_text(GOLD)
    return path


@pytest.mark.parametrize("group_by", ["sentence", "document"])
def test_report_json_and_predictions(
    model: Path, gold: Path, tmp_path: Path, group_by: str
) -> None:
    scores, predictions = tmp_path / "new" / "scores.json", tmp_path / "new" / "out.txt"
    result = run(
        *(model, gold, "--output", scores, "--predictions", predictions),
        *("--group-by", group_by),
    )
    assert result.exit_code == 0, result.output
    assert result.output.startswith(BLOCK + "\n")
    assert "weighted avg" in result.output
    numbers = json.loads(scores.read_text())
    assert set(numbers) == {"conlleval", "tags", "text", "spacy"}
    assert numbers["text"] == result.output
    assert numbers["conlleval"]["f1"] == numbers["spacy"]["ents_f"] == 0.75
    assert numbers["spacy"]["ents_per_type"]["LOC"]["f"] == 1.0
    assert numbers["tags"]["B-LOC"]["support"] == 3
    sentences = read_scorer_file(predictions)
    assert [len(sentence.words) for sentence in sentences] == [4, 2]
    counts = count_phrases((s.gold, s.guess) for s in sentences)
    assert counts.to_text() == BLOCK


def test_docbin_gives_the_same(model: Path, gold: Path, tmp_path: Path) -> None:
    run(gold, tmp_path / "gold.spacy", command=convert)
    assert run(model, tmp_path / "gold.spacy").output == run(model, gold).output


def test_nothing_is_written_after_an_error(
    model: Path, gold: Path, tmp_path: Path
) -> None:
    output = tmp_path / "scores.json"
    gold.write_text("a O\nb PER\n")
    result = run(model, gold, "-o", output)
    assert f"{gold}, line 2: The tag 'PER'" in str(result.exception)
    gold.write_text("\n")
    result = run(model, gold, "-o", output)
    assert "nothing in" in str(result.exception)
    assert run(tmp_path / "absent", gold, "-o", output).exit_code != 0
    assert not output.exists()


def test_json_and_columns_give_the_same(
    model: Path, gold: Path, tmp_path: Path
) -> None:
    wanted = run(model, gold).output
    table = tmp_path / "gold.csv"
    lines = gold.read_text().split("\n")
    pairs = [line.split() for line in lines]
    table.write_text("\n".join(f"{p[1]};x;{p[0]}" if p else "" for p in pairs))
    columns = ("--word-column", 3, "--tag-column", 1, "--delimiter", ";")
    assert run(model, table, *columns).output == wanted
    path = tmp_path / "gold.jsonl"
    texts = {
        "Don't visit New York": [[12, 20, "LOC"]],
        "Rome , Paris": [[0, 4, "LOC"], [7, 12, "LOC"]],
    }
    records = [{"text": text, "label": spans} for text, spans in texts.items()]
    path.write_text("\n".join(map(json.dumps, records)))
    assert "3 phrases; correct: 3" in run(model, path).output


def test_the_old_name_of_read_scheme(model: Path, gold: Path) -> None:
    for name in "--scheme", "--read-scheme":
        result = run(model, gold, name, "io")
        assert "line 1: the tag B-PER is where io requires I-PER" in str(
            result.exception
        )
        assert ("now called --read-scheme" in result.output) == (name == "--scheme")


def test_gold_without_entities_is_named(model: Path, gold: Path) -> None:
    gold.write_text("No O\nnames O\n")
    assert f"there are no entities in {gold}" in run(model, gold).output


def test_predictions_of_labels_with_spaces(tmp_path: Path) -> None:
    nlp = spacy.blank("en")
    patterns = [{"label": "JOB TITLE", "pattern": "Head of Sales"}]
    nlp.add_pipe("entity_ruler").add_patterns(patterns)
    nlp.to_disk(tmp_path / "model")
    gold, predictions = tmp_path / "gold.jsonl", tmp_path / "out.txt"
    record = {"text": "\ufeff Anna, Head of Sales", "label": [[8, 21, "JOB TITLE"]]}
    gold.write_text(json.dumps(record))
    result = run(tmp_path / "model", gold, "--predictions", predictions)
    assert result.exit_code == 0, result.output
    (sentence,) = read_scorer_file(predictions)
    assert sentence.words[0] == "\ufeff"
    assert sentence.gold[-3:] == ["B-JOB_TITLE", "I-JOB_TITLE", "I-JOB_TITLE"]
    counts = count_phrases([(sentence.gold, sentence.guess)])
    block = counts.to_text().replace("JOB_TITLE", "JOB TITLE")
    assert result.output.startswith(block)


RAW_BLOCK = """         raw text: precision: 100.00%; recall:  75.00%; FB1:  85.71  3
              LOC: precision: 100.00%; recall: 100.00%; FB1: 100.00  3
              PER: precision:   0.00%; recall:   0.00%; FB1:   0.00  0
"""


def test_raw_text_is_cut_by_the_pipeline(
    model: Path, gold: Path, tmp_path: Path
) -> None:
    # whose tokenizer makes two tokens of "Don't", so that no rule finds it
    scores = tmp_path / "scores.json"
    result = run(model, gold, "--raw", "--output", scores)
    assert result.exit_code == 0, result.output
    assert result.output == RAW_BLOCK
    assert json.loads(scores.read_text())["recall"] == 0.75
    result = run(model, gold, "--raw", "--predictions", tmp_path / "out.txt")
    assert result.exit_code == 2
    assert not (tmp_path / "out.txt").exists()


def test_raw_text_is_that_of_docs_that_know_theirs() -> None:
    nlp = spacy.blank("en")
    doc = nlp("John lives  in New York.")
    doc.ents = [Span(doc, 0, 1, "PER"), Span(doc, 4, 6, "LOC")]
    assert raw_text(doc) == (doc.text, {(0, 4, "PER"), (15, 23, "LOC")}, [])
    words = ["In", "Rome", "He", "left"]
    starts: List[Union[bool, int, None]] = [True, False, True, False]
    doc = Doc(nlp.vocab, words=words, sent_starts=starts, ents=["O", "B-LOC", "O", "O"])
    doc.has_unknown_spaces = True
    assert raw_text(doc) == ("In Rome\nHe left\n", {(3, 7, "LOC")}, [])
    doc.set_ents(list(doc.ents), missing=[doc[2:3]], default="unmodified")
    assert raw_text(doc).unknown == [(8, 10)]


@pytest.mark.parametrize("raw", [(), ("--raw",)])
def test_labels_that_the_gold_does_not_annotate_are_not_counted(
    gold: Path, tmp_path: Path, raw: Tuple[str, ...]
) -> None:
    # the rules find an ORG, of which this gold says nothing
    model = save_ruler(tmp_path / "rules", {"visit": "ORG", "Rome": "LOC"})
    annotated = ("--label", "LOC", "--label", "PER")
    assert re.search("ORG: precision: +0.00%", run(model, gold, *raw).output)
    result = run(model, gold, *annotated, *raw)
    assert result.exit_code == 0, result.output
    assert "ORG" not in result.output
    assert re.search("LOC: precision: 100.00%", result.output)


@pytest.mark.parametrize("raw", [(), ("--raw",)])
def test_tokens_of_which_the_gold_says_nothing_are_not_counted(
    gold: Path, tmp_path: Path, raw: Tuple[str, ...]
) -> None:
    """As spaCy's own scorer does."""
    model = save_ruler(tmp_path / "rules", {"visit": "ORG", "Rome": "LOC"})
    assert re.search("LOC: precision: 100.00%", run(model, gold, *raw).output)
    result = run(model, gold, "--map-label", "LOC=", *raw)
    assert result.exit_code == 0, result.output
    assert re.search("without annotation, [1-9] in all, are not counted", result.output)
    assert "LOC" not in result.output
    assert re.search("ORG: precision: +0.00%", result.output)
