"""The picture of how trainings went."""

import re
from pathlib import Path
from typing import Any, Dict, List

import pytest
import srsly
from typer.testing import CliRunner

from spacy_elmo_ner.cli.app import app

SCORES: List[Dict[str, Any]] = [
    {"step": step, "score": score} for step, score in ((0, 0.0), (9, 0.5), (18, 0.7))
]
PERPLEXITIES: List[Dict[str, Any]] = [
    {"words": n, "perplexity_forward": 900 / n, "perplexity_backward": 800 / n}
    for n in (1, 2, 3)
]


def draw(folder: Path, history: List[Dict[str, Any]]) -> str:
    training = folder / "mine"
    training.mkdir(parents=True)
    srsly.write_jsonl(training / "history.jsonl", history)
    arguments = ["learning-curve", str(folder / "curve.svg"), str(training)]
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 0, result.output
    return (folder / "curve.svg").read_text("utf8")


def test_scores_of_a_training(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    # matplotlib writes each text as a comment beside its letters' outlines
    picture = draw(tmp_path, SCORES)
    assert "<!-- F1 on the development corpus -->" in picture
    assert "<!-- mine -->" in picture


def test_perplexities_of_a_pretraining(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    picture = draw(tmp_path, PERPLEXITIES)
    assert "<!-- perplexity on held-out text -->" in picture
    assert "<!-- mine, forward -->" in picture
    assert "<!-- mine, backward -->" in picture


@pytest.mark.parametrize("first, is_drawn", [(90_000, False), (2_000, True)])
def test_a_softmax_that_knows_nothing_does_not_flatten_the_rest(
    tmp_path: Path, first: float, is_drawn: bool
) -> None:
    pytest.importorskip("matplotlib")
    start = {"words": 0, "perplexity_forward": first, "perplexity_backward": first}
    # axes for numbers above those of all later evaluations
    assert ("10^{3}" in draw(tmp_path, [start, *PERPLEXITIES])) == is_drawn


def test_a_folder_without_a_training(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    result = CliRunner().invoke(app, ["learning-curve", "x.svg", str(tmp_path)])
    assert result.exit_code == 1
    assert "There is no history.jsonl" in result.output


@pytest.mark.parametrize("name", ["_x", "__", "a$b$c", "$", "日本"])
@pytest.mark.filterwarnings("ignore:Glyph")
def test_a_folder_of_any_name_is_named(tmp_path: Path, name: str) -> None:
    pytest.importorskip("matplotlib")
    training = tmp_path / name
    training.mkdir()
    for history, label in ((SCORES, name), (PERPLEXITIES, f"{name}, backward")):
        srsly.write_jsonl(training / "history.jsonl", history)
        # the folder for the picture is not there either
        picture = tmp_path / "new" / label[-8:] / "curve.svg"
        arguments = ["learning-curve", str(picture), str(training)]
        result = CliRunner().invoke(app, arguments)
        assert result.exit_code == 0, result.output
        assert f"<!-- {label} -->" in picture.read_text("utf8")


def test_a_single_evaluation_is_drawn(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    assert draw(tmp_path, SCORES[:1]).count("<use ") > draw(
        tmp_path / "none", [SCORES[0], {"step": 9, "score": None}]
    ).count("<use ")


BAD = {
    "empty": ("", "history.jsonl is empty"),
    "cut": ('{"step": 1, "score": 0.5}\n{"step"', "history.jsonl, line 2, is damaged"),
    "list": ("[1]\n", "history.jsonl, line 1, is damaged"),
    "binary": ("\0\ufffd", "history.jsonl, line 1, is damaged"),
    "other": ('{"a": 1}\n', "history.jsonl in .* is not what training writes"),
    "words": ('{"step": 1, "score": "x"}\n', "is not what training writes"),
}


@pytest.mark.parametrize("text, message", BAD.values(), ids=BAD)
def test_damaged_histories_are_named(tmp_path: Path, text: str, message: str) -> None:
    pytest.importorskip("matplotlib")
    (tmp_path / "history.jsonl").write_text(text, "utf8")
    picture = tmp_path / "new" / "x.svg"
    arguments = ["learning-curve", str(picture), str(tmp_path)]
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 1
    assert re.search(message, result.output.replace("\n", ""))
    assert not picture.parent.exists()


def test_a_name_that_is_of_no_picture(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    arguments = ["learning-curve", str(tmp_path / "curve"), str(tmp_path)]
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 1 and "ending in .png or .svg" in result.output
