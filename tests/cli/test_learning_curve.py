"""The picture of how trainings went."""

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
    training.mkdir()
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
