import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path
from typing import Dict, Optional, Set

import numpy as np
import pytest
from typer.testing import CliRunner, Result

from spacy_elmo_ner.bilm.weight_files import read_weights
from spacy_elmo_ner.cli.app import app
from spacy_elmo_ner.pretraining.settings import TextSettings
from spacy_elmo_ner.pretraining.text_origin import check_origin, describe_origin
from spacy_elmo_ner.pretraining.token_corpus import (
    HELD_OUT,
    TRAIN,
    Encoded,
    write_corpus,
)

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
    assert "is finished. Raise training.epochs" in again.output
    assert files(output) == before and files(tmp_path / "tokens") == tokens


@pytest.mark.parametrize(
    "name, changes",
    [
        ("other text", {"text.paths": '["other.txt"]'}),
        ("another language", {"text.lang": "de"}),
        ("another share", {"text.held_out": 0.3}),
        ("a missing file", {"text.paths": '["missing.txt"]'}),
        ("a changed file", {}),
    ],
)
def test_tokens_of_other_text_are_not_trained_on(
    repository: Path,
    tmp_path: Path,
    text: Path,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    changes: Dict[str, object],
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "other.txt").write_text(text.read_text("utf8").upper(), "utf8")
    origin = TextSettings(paths=["text.txt"], lang="en", tokens="tokens", held_out=0.2)
    encoded = Encoded(["a"], np.zeros(5, dtype=np.uint32), np.array([2, 3]))
    write_corpus(
        [(TRAIN, encoded), (HELD_OUT, encoded)],
        tmp_path / "tokens",
        origin=describe_origin(origin),
    )
    # its time alone makes no other text of it
    os.utime(text, (1, 1))
    check_origin(tmp_path / "tokens", origin)
    if name == "a changed file":
        text.write_text(text.read_text("utf8").replace("cats", "dogs"), "utf8")
    before = files(tmp_path)
    options = {"text.paths": '["text.txt"]', **changes}
    result = run(repository, tmp_path, *(f"--{k}={v}" for k, v in options.items()))
    assert result.exit_code == 1
    if name == "a missing file":
        assert "no text at missing.txt" in result.output
    else:
        assert "are from other text (text.txt; en; held_out 0.2)" in result.output
        assert "another --paths.tokens, or delete the folder" in result.output
    assert files(tmp_path) == before
    assert not (tmp_path / "new").exists()


BAD_TEXT = {
    "one document": (b"Anna has a cat.\nBob has none!\n", "few documents|no words"),
    "binary": (bytes(range(256)) * 20, "is not UTF-8 text"),
    "empty": (b"", "no words to train on"),
    "blank": (b"\n \n\n", "no words to train on"),
}


@pytest.mark.parametrize("data, message", BAD_TEXT.values(), ids=BAD_TEXT)
def test_text_that_nothing_can_be_learnt_from_leaves_nothing(
    repository: Path, tmp_path: Path, data: bytes, message: str
) -> None:
    text = tmp_path / "text.txt"
    text.write_bytes(data)
    result = run(repository, tmp_path, f'--text.paths=["{text}"]')
    assert result.exit_code == 1
    assert re.search(message, result.output)
    assert list(tmp_path.iterdir()) == [text]


def test_text_is_not_removed_for_tokens(
    repository: Path, tmp_path: Path, text: Path
) -> None:
    folder = tmp_path / "corpus"
    folder.mkdir()
    text = text.rename(folder / "text.txt")
    for tokens in (folder, folder / "tokens"):
        result = run(
            repository,
            tmp_path,
            f'--text.paths=["{folder}"]',
            f"--paths.tokens={tokens}",
        )
        assert result.exit_code == 1
        assert "corpus already exists" in result.output or (
            "is inside the text" in result.output
        )
        assert [path for path in tmp_path.rglob("*")] == [folder, text]


@pytest.mark.parametrize("output", ["corpus", "corpus/new/elmo", "link"])
def test_the_output_does_not_go_into_the_text(
    repository: Path, tmp_path: Path, text: Path, output: str
) -> None:
    folder = tmp_path / "corpus"
    folder.mkdir()
    text.rename(folder / "text.txt")
    (tmp_path / "link").symlink_to(folder)
    before = sorted(tmp_path.rglob("*"))
    result = run(
        repository, tmp_path, f'--text.paths=["{folder}"]', "-o", tmp_path / output
    )
    assert result.exit_code == 1
    said = " ".join(result.output.split())
    assert "is inside the text" in said and "choose another --output" in said
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="looks into /proc")
def test_the_processes_that_tokenise_end_with_a_killed_one(
    repository: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "text"
    folder.mkdir()
    text = "\n\n".join(f"Anna has {i} cats." for i in range(50_000))
    for i in range(20):
        (folder / f"{i}.txt").write_text(text, "utf8")
    command = [sys.executable, "-m", "spacy_elmo_ner", "pretrain"]
    command += [str(repository / "configs" / "pretrain.cfg"), "-o", str(tmp_path / "o")]
    command += [f'--text.paths=["{folder}"]', f"--paths.tokens={tmp_path / 'tokens'}"]
    process = subprocess.Popen(command, cwd=repository)
    workers: Set[int] = set()
    while len(workers) < 2:  # the tracker of resources, and one that tokenises
        assert process.poll() is None
        workers = {pid for pid in processes() if parent_of(pid) == process.pid}
        time.sleep(0.05)
    process.kill()
    process.wait()
    deadline = time.monotonic() + 60
    while workers & processes():
        assert time.monotonic() < deadline, "they live on"
        time.sleep(0.1)


def processes() -> Set[int]:
    return {int(path.name) for path in Path("/proc").iterdir() if path.name.isdigit()}


def parent_of(pid: int) -> Optional[int]:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return None
    return int(stat.rpartition(")")[2].split()[1])


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
