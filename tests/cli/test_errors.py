import json
from html.parser import HTMLParser
from pathlib import Path
from typing import List, Optional, Tuple

import pytest
from spacy.util import is_package
from typer.testing import CliRunner, Result

from spacy_elmo_ner.cli.app import app
from tests.cli.rulers import save_ruler

GOLD = """Don't B-PER
visit O
New B-LOC
York I-LOC

<script>alert(1)</script> B-LOC
Paris B-LOC
"""


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["errors", *map(str, arguments)])


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """A pipeline of rules, one of them wrong."""
    labels = {"Don't": "ORG", "Paris": "LOC"}
    return save_ruler(tmp_path / "model", labels)


@pytest.fixture
def gold(tmp_path: Path) -> Path:
    path = tmp_path / "gold.conll"
    path.write_text(GOLD)
    return path


class Tags(HTMLParser):
    """The opened tags of a page, and whether they are closed in order."""

    def __init__(self) -> None:
        super().__init__()
        self.found: List[str] = []
        self.open: List[str] = []

    def handle_starttag(self, tag: str, attrs: List[Tuple[str, Optional[str]]]) -> None:
        self.found.append(tag)
        if tag not in ("meta", "br"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_text_json_and_page(model: Path, gold: Path, tmp_path: Path) -> None:
    train = tmp_path / "train.conll"
    train.write_text("Paris B-ORG\n")
    output, page = tmp_path / "new" / "errors.json", tmp_path / "new" / "errors.html"
    result = run(model, gold, "--train", train, "-o", output, "--page", page)
    assert result.exit_code == 0, result.output
    assert "Mistakes (3 of 3)\n  Don't (ORG) is Don't (PER)" in result.output
    assert "seen                  100.00  100.00  100.00     1      1        1" in (
        result.output
    )
    numbers = json.loads(output.read_text())
    assert [one["kind"] for one in numbers["mistakes"]] == ["label", "missed", "missed"]
    assert {"gold": "PER", "predicted": "ORG", "count": 1} in numbers["confusion"]
    tags = Tags()
    tags.feed(page.read_text(encoding="utf8"))
    assert not tags.open
    assert tags.found.count("table") == 3 and tags.found.count("article") == 2
    assert "script" not in tags.found
    run(model, gold, "--page", page, "--limit", 1)
    assert page.read_text(encoding="utf8").count("<article>") == 1


def test_probabilities_of_elmo_ner_are_asked_for(repository: Path) -> None:
    if not is_package("en_elmo_ner_sm"):
        pytest.skip("en_elmo_ner_sm is not installed")
    data = repository / "assets" / "sample" / "dev.conll"
    result = run("en_elmo_ner_sm", data)
    assert result.exit_code == 0, result.output
    shown = result.output.partition("Most confident mistakes")[2].splitlines()[1:]
    numbers = [float(line.split()[0]) for line in shown if line.strip()[0] in "01"]
    assert numbers == sorted(numbers, reverse=True) and numbers[0] > 0.5


def test_wrong_use(model: Path, gold: Path, tmp_path: Path) -> None:
    before = gold.read_text()
    assert "is also an input of this command" in run(model, gold, "-o", gold).output
    assert "another output" in run(model, gold, "-o", "x", "--page", "x").output
    gold.write_text("")
    result = run(model, gold, "-o", tmp_path / "out")
    assert result.exit_code == 1 and "nothing in" in result.output
    assert not (tmp_path / "out").exists()
    gold.write_text(before)
    assert run(model, gold, "--train", tmp_path / "missing").exit_code == 1


def test_labels_that_the_gold_does_not_annotate_are_no_errors(
    model: Path, gold: Path, tmp_path: Path
) -> None:
    train = tmp_path / "train.conll"
    train.write_text("Paris B-ORG\n")
    annotated = ("--label", "LOC", "--label", "PER", "--train", train)
    result = run(model, gold, *annotated)
    assert result.exit_code == 0, result.output
    # what was an ORG for a PER is now missed
    assert "Mistakes (3 of 3)" in result.output and "ORG" not in result.output
