import json
import re
from pathlib import Path
from typing import Dict

import pytest
from typer.testing import CliRunner, Result

from spacy_elmo_ner.cli.app import app
from spacy_elmo_ner.elmo.weight_files import read_weights

SMALL = {
    "model.filters": "[[1,8],[2,8]]",
    "model.lstm_width": 16,
    "model.projection_width": 8,
    "softmax.candidates": 8,
    "training.batch_tokens": 100,
    "training.eval_frequency": 5,
    "training.precision": "float32",
    "text.held_out": 0.2,
}


@pytest.fixture
def text(tmp_path: Path) -> Path:
    file = tmp_path / "text.txt"
    documents = (f"Anna has {i} cats.\nBob has {i + 1}!" for i in range(60))
    file.write_text("\n\n".join(documents), "utf8")
    return file


def run(repository: Path, tmp_path: Path, *more: object) -> Result:
    options: Dict[str, object] = {**SMALL, "paths.tokens": tmp_path / "tokens"}
    overrides = [f"--{name}={value}" for name, value in options.items()]
    config = repository / "configs" / "pretrain.cfg"
    arguments = ["pretrain", config, "-o", tmp_path / "new" / "elmo", *overrides, *more]
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def files(folder: Path) -> Dict[Path, bytes]:
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_text_becomes_weights_and_a_second_start_ends_at_once(
    repository: Path, tmp_path: Path, text: Path
) -> None:
    paths = f'--text.paths=["{text}"]'
    result = run(repository, tmp_path, paths)
    assert result.exit_code == 0, result.output
    output = tmp_path / "new" / "elmo"
    weights = read_weights(output / "elmo.safetensors")
    assert (weights.options.lstm_width, weights.options.n_filters) == (16, 16)
    lines = (output / "history.jsonl").read_text("utf8").splitlines()
    entries = [json.loads(line) for line in lines]
    assert entries[0]["step"] == 5 and len(entries) > 1
    assert entries[-1]["perplexity_forward"] < entries[0]["perplexity_forward"]
    tokens = files(tmp_path / "tokens")
    words = json.loads((tmp_path / "tokens" / "vocabulary.json").read_text("utf8"))
    assert {"Anna", "cats", "Bob", "has", "59", "60", "."} <= set(words)

    before = files(output)
    text.unlink()
    again = run(repository, tmp_path, paths)
    assert again.exit_code == 0, again.output
    assert "perplexity" not in again.output
    assert files(output) == before and files(tmp_path / "tokens") == tokens


def test_errors_say_what_to_do_and_leave_no_tokens(
    repository: Path, tmp_path: Path
) -> None:
    nowhere = f'--text.paths=["{tmp_path / "nowhere"}"]'
    for arguments, message in (
        (["--text.paths=[]"], "names no paths; give files"),
        ([], "no text at assets.lm"),
        ([nowhere], "no text at .*nowhere"),
        (["--training.optimizer=sgd"], "optimizer = 'sgd'; set it to one of"),
    ):
        result = run(repository, tmp_path, *arguments)
        assert result.exit_code == 1
        assert re.search(message, result.output)
    assert not (tmp_path / "tokens").exists()
