import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from random import Random
from typing import Any, Callable, Dict, Tuple

import pytest
import spacy
import srsly
from spacy.tokens import DocBin
from spacy.util import load_config
from spacy.vocab import Vocab
from thinc.api import Config

from spacy_elmo_ner.corpus.conll_export import write_conll
from spacy_elmo_ner.corpus.reader import read_docs
from spacy_elmo_ner.training.checkpoint import Checkpoint
from spacy_elmo_ner.training.loop import train
from tests.conftest import Outputs

WEIGHTS = Path("model-last") / "elmo_ner" / "model"
BEST = Path("model-best") / "elmo_ner" / "model"


def run(config: Path, output: Path) -> subprocess.Popen[str]:
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
        return int(srsly.read_json(progress)["progress"]["history"][-1]["epoch"])
    except (OSError, ValueError):
        return 0  # not there yet, or just being replaced


def test_training_that_was_killed_ends_as_one_that_was_not(
    config_path: Path, tmp_path: Path
) -> None:
    whole = run(config_path, tmp_path / "whole")
    killed = run(config_path, tmp_path / "killed")
    progress = tmp_path / "killed" / "checkpoint" / "progress.json"
    # in the second epoch: the sizes of batches, too, go on where they were
    while not epoch_of(progress):
        assert killed.poll() is None, killed.stdout.read()
        time.sleep(0.01)
    killed.kill()
    killed.wait()
    resumed = run(config_path, tmp_path / "killed")
    messages = resumed.communicate()[0]
    assert resumed.returncode == 0, messages
    assert "Continuing at step" in messages
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


CODE = """
from pathlib import Path
import spacy, torch
from spacy.tokens import DocBin
from spacy.util import load_config
from spacy.vocab import Vocab
from spacy_elmo_ner.training.loop import train

def run(output):
    overrides = {{"training.max_steps": 5, "training.eval_frequency": 2}}
    config = load_config(Path({config!r}), overrides=overrides, interpolate=False)
    train(config, output)

RUNS = {{"train": run}}
"""


@pytest.mark.slow
def test_killed_at_any_moment_it_ends_with_the_same_weights(
    config_path: Path, killed_runs: Callable[[str, int], Outputs]
) -> None:
    outputs = killed_runs(CODE.format(config=str(config_path)), 50)["train"]
    assert len(outputs) == 51
    whole = outputs.pop("whole")
    for files in outputs.values():
        assert set(files) == set(whole)
        for name in (WEIGHTS, BEST, Path("model-best") / "meta.json"):
            assert files[name.as_posix()] == whole[name.as_posix()]


def test_finished_training_says_so_and_changes_nothing(
    config_path: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = short(config_path, max_steps=8)
    train(config, tmp_path / "output")
    before = files(tmp_path / "output")
    capsys.readouterr()
    train(config, tmp_path / "output")
    assert "finished, after step 8" in capsys.readouterr().out
    assert files(tmp_path / "output") == before


@pytest.mark.parametrize(
    "less, more",
    [
        ({"max_steps": 8}, {"max_steps": 19}),
        ({"max_steps": 11}, {"max_steps": 19}),
        ({"max_epochs": 1, "max_steps": 0}, {"max_epochs": 2, "max_steps": 19}),
        ({"max_steps": 19, "patience": 1}, {"max_steps": 19, "patience": 1000}),
    ],
    ids=str,
)
def test_more_goes_on_as_if_it_had_never_stopped(
    config_path: Path, tmp_path: Path, less: Dict[str, int], more: Dict[str, int]
) -> None:
    train(short(config_path, **less), tmp_path / "longer")
    stopped = srsly.read_jsonl(tmp_path / "longer" / "history.jsonl")
    assert max(entry["step"] for entry in stopped) < 19
    train(short(config_path, **more), tmp_path / "longer")
    train(short(config_path, **more), tmp_path / "whole")
    for name in (WEIGHTS, BEST):
        assert (tmp_path / "longer" / name).read_bytes() == (
            tmp_path / "whole" / name
        ).read_bytes()
    longer, whole = (
        [{**line, "seconds": 0} for line in srsly.read_jsonl(path / "history.jsonl")]
        for path in (tmp_path / "longer", tmp_path / "whole")
    )
    assert longer == whole


def short(config_path: Path, **training: Any) -> Config:
    overrides = {f"training.{name}": value for name, value in training.items()}
    return load_config(config_path, overrides=overrides, interpolate=False)


def files(folder: Path) -> Dict[Path, Tuple[bytes, int]]:
    """Content and time of each file."""
    return {
        path: (path.read_bytes(), path.stat().st_mtime_ns)
        for path in folder.rglob("*")
        if path.is_file()
    }


@pytest.mark.parametrize("is_folder", [False, True])
def test_another_corpus_under_the_same_name_is_refused(
    config_path: Path, tmp_path: Path, repository: Path, is_folder: bool
) -> None:
    sample = (repository / "assets" / "sample" / "train.conll").read_text("utf8")
    path, source = tmp_path / "corpus", tmp_path / "source.conll"
    target = path / "train.spacy" if is_folder else path

    def write(text: str) -> None:
        source.write_text(text, "utf8")
        docs = list(read_docs(source, vocab=Vocab(), group_by="sentence"))
        if is_folder:
            path.mkdir(exist_ok=True)
            DocBin(docs=docs).to_disk(target)
        else:
            write_conll(docs, target)

    write(sample)
    config = load_config(
        config_path,
        overrides={"training.max_steps": 1, "paths.train": str(path)},
        interpolate=False,
    )
    if is_folder:
        reader = {"@readers": "spacy.Corpus.v1", "path": str(path)}
        config["corpora"]["train"] = reader
    train(config, tmp_path / "output")
    train(config, tmp_path / "output")
    write(sample.replace("London", "Oslo"))
    before = files(tmp_path / "output")
    with pytest.raises(ValueError, match=f"corpus {path} has changed.*--force"):
        train(config, tmp_path / "output")
    assert files(tmp_path / "output") == before


def test_only_force_trains_anew(config_path: Path, tmp_path: Path) -> None:
    output = tmp_path / "output"
    train(short(config_path, max_steps=2), output)
    shutil.rmtree(output / "checkpoint")
    before = files(output)
    with pytest.raises(ValueError, match="already holds model-last.*--force"):
        train(short(config_path, max_steps=2), output)
    assert files(output) == before
    train(short(config_path, max_steps=2), output, force=True)
    assert (output / "checkpoint").is_dir()
    # and what is whole is trained anew, too
    train(short(config_path, max_steps=1), output, force=True)
    assert Checkpoint(output / "checkpoint").config()["training"]["max_steps"] == 1


@pytest.mark.parametrize("name", ["model-best", "model-last", "checkpoint"])
def test_what_a_user_keeps_there_is_kept(
    config_path: Path, tmp_path: Path, name: str
) -> None:
    for folder in (name, "model-best.old", "model-last.new"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "mine.txt").write_text("mine")
    before = files(tmp_path)
    with pytest.raises(ValueError, match=f"{name} already exists"):
        train(short(config_path, max_steps=1), tmp_path)
    assert files(tmp_path) == before
    shutil.rmtree(tmp_path / name)
    train(short(config_path, max_steps=1), tmp_path)
    for folder in ("model-best.old", "model-last.new"):
        assert (tmp_path / folder / "mine.txt").read_text() == "mine"


def test_damaged_checkpoints_are_named_and_nothing_is_changed(
    config_path: Path, tmp_path: Path
) -> None:
    config = short(config_path, max_steps=2)
    train(config, tmp_path)
    checkpoint = tmp_path / "checkpoint"
    random = Random(0)
    for file in sorted(path for path in checkpoint.rglob("*") if path.is_file()):
        if file.name == "published":
            continue
        whole = file.read_bytes()
        place = random.randrange(len(whole))
        for damaged in (
            b"",
            whole[:place],
            whole[:place] + bytes([whole[place] ^ 255]) + whole[place + 1 :],
        ):
            file.write_bytes(damaged)
            before = files(tmp_path)
            with pytest.raises(ValueError, match=f"{file} is damaged.*--force"):
                train(config, tmp_path)
            assert files(tmp_path) == before
        file.write_bytes(whole)
    train(config, tmp_path)


def test_checkpoint_of_other_settings_is_refused(
    config_path: Path, tmp_path: Path
) -> None:
    config = load_config(config_path, interpolate=False)
    output = tmp_path / "output"
    train(config, output)
    other = load_config(
        config_path, overrides={"training.dropout": 0.5}, interpolate=False
    )
    before = (output / WEIGHTS).read_bytes()
    with pytest.raises(ValueError, match=r"training\.dropout.*another --output"):
        train(other, output)
    assert (output / WEIGHTS).read_bytes() == before


def test_best_pipeline_is_the_one_with_the_best_score(
    config_path: Path, tmp_path: Path
) -> None:
    config = load_config(config_path, interpolate=False)
    train(config, tmp_path)
    best = spacy.load(tmp_path / "model-best")
    last = spacy.load(tmp_path / "model-last")
    from spacy_elmo_ner.corpus.reader import create_conll_corpus_v1

    dev = create_conll_corpus_v1(path=config["paths"]["dev"])
    scores = [nlp.evaluate(list(dev(nlp)))["ents_f"] for nlp in (best, last)]
    assert scores[0] >= scores[1]
    assert best.meta["performance"]["ents_f"] == pytest.approx(scores[0])


def test_corpus_without_examples_is_named(config_path: Path, tmp_path: Path) -> None:
    empty = tmp_path / "empty.conll"
    empty.write_text("", encoding="utf8")
    config = load_config(config_path, interpolate=False)
    config["paths"]["train"] = str(empty)
    labels = {"labels": ["PER"]}
    config["initialize"] = {"components": {"elmo_ner": labels}}
    with pytest.raises(ValueError, match="no examples|E930|empty"):
        train(config, tmp_path / "output")


def test_spacys_own_components_are_trained_too(
    config_path: Path, tmp_path: Path, repository: Path
) -> None:
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
