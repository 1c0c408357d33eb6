import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import spacy
import srsly
from spacy.util import load_config

from spacy_elmo_ner.training.checkpoint import Checkpoint
from spacy_elmo_ner.training.loop import train

WEIGHTS = Path("model-last") / "elmo_ner" / "model"
BEST = Path("model-best") / "elmo_ner" / "model"


def run(config: Path, output: Path) -> subprocess.Popen:
    command = [sys.executable, "-m", "spacy_elmo_ner", "train", str(config)]
    return subprocess.Popen(
        command + ["--output", str(output)],
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def epoch_of(progress: Path) -> int:
    try:
        return srsly.read_json(progress)["progress"]["history"][-1]["epoch"]
    except (OSError, ValueError):
        return 0  # not there yet, or just being replaced


def test_training_that_was_killed_ends_as_one_that_was_not(config_path, tmp_path):
    whole = run(config_path, tmp_path / "whole")
    killed = run(config_path, tmp_path / "killed")
    progress = tmp_path / "killed" / "checkpoint" / "progress.json"
    # in the second epoch: the sizes of batches, too, go on where they were
    while not epoch_of(progress):
        assert killed.poll() is None, killed.stdout.read()
        time.sleep(0.01)
    killed.send_signal(signal.SIGKILL)
    killed.wait()
    resumed = run(config_path, tmp_path / "killed")
    messages = resumed.communicate()[0]
    assert resumed.returncode == 0, messages
    assert "Going on at step" in messages
    assert whole.wait() == 0, whole.stdout.read()
    for name in (WEIGHTS, BEST):
        assert (tmp_path / "killed" / name).read_bytes() == (
            tmp_path / "whole" / name
        ).read_bytes()
    left = sorted(path.name for path in (tmp_path / "killed").iterdir())
    assert left == ["checkpoint", "history.jsonl", "model-best", "model-last"]
    histories = [
        [(entry["step"], entry["score"]) for entry in srsly.read_jsonl(path)]
        for path in tmp_path.glob("*/history.jsonl")
    ]
    assert len(histories[0]) == 6 and histories[0] == histories[1]


def test_checkpoint_of_other_settings_is_refused(config_path, tmp_path):
    config = load_config(config_path, interpolate=False)
    output = tmp_path / "output"
    nlp = train(config, output)
    optimizer = nlp.create_optimizer()
    Checkpoint(output / "checkpoint").save(nlp, optimizer, progress())
    other = load_config(
        config_path, overrides={"training.dropout": 0.5}, interpolate=False
    )
    before = (output / WEIGHTS).read_bytes()
    with pytest.raises(ValueError, match=r"training\.dropout.*another --output"):
        train(other, output)
    assert (output / WEIGHTS).read_bytes() == before


def progress():
    from spacy_elmo_ner.training.checkpoint import Progress

    return Progress(step=1, history=[{"score": 0.1, "step": 0}])


def test_best_pipeline_is_the_one_with_the_best_score(config_path, tmp_path):
    config = load_config(config_path, interpolate=False)
    train(config, tmp_path)
    best = spacy.load(tmp_path / "model-best")
    last = spacy.load(tmp_path / "model-last")
    from spacy_elmo_ner.corpus.reader import create_conll_corpus_v1

    dev = create_conll_corpus_v1(path=config["paths"]["dev"])
    scores = [nlp.evaluate(list(dev(nlp)))["ents_f"] for nlp in (best, last)]
    assert scores[0] >= scores[1]
    assert best.meta["performance"]["ents_f"] == pytest.approx(scores[0])


def test_corpus_without_examples_is_named(config_path, tmp_path):
    empty = tmp_path / "empty.conll"
    empty.write_text("", encoding="utf8")
    config = load_config(config_path, interpolate=False)
    config["paths"]["train"] = str(empty)
    labels = {"labels": ["PER"]}
    config["initialize"] = {"components": {"elmo_ner": labels}}
    with pytest.raises(ValueError, match="no examples|E930|empty"):
        train(config, tmp_path / "output")


def test_spacys_own_components_are_trained_too(config_path, tmp_path, repository):
    """Theirs report losses as numpy's numbers."""
    config = load_config(repository / "configs" / "spacy_ner.cfg")
    config["components"]["tok2vec"]["model"]["embed"]["include_static_vectors"] = False
    config["components"]["tok2vec"]["model"]["encode"].update(width=8, depth=1)
    config["paths"] = load_config(config_path)["paths"]
    config["corpora"] = load_config(config_path)["corpora"]
    config["training"].update(max_steps=2, eval_frequency=1)
    config["initialize"]["vectors"] = None
    train(config.interpolate(), tmp_path / "output")
    for line in srsly.read_jsonl(tmp_path / "output" / "history.jsonl"):
        assert line["losses"]["ner"] > 0
