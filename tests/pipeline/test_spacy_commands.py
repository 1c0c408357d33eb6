"""spaCy's own commands, run on the component."""

import json
from pathlib import Path

import pytest
import spacy
from spacy.cli._util import app
from spacy.language import Language
from spacy.tokens import DocBin
from thinc.api import Config
from typer.testing import CliRunner

from tests.pipeline.small_model import SMALL_MODEL

AT_LEAST_3_5 = tuple(map(int, spacy.__version__.split(".")[:2])) >= (3, 5)
since_3_5 = pytest.mark.skipif(not AT_LEAST_3_5, reason="This command came in 3.5.")


def run(*arguments: object) -> str:
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    assert result.exit_code == 0, (result.output, result.exception)
    return result.output


@pytest.fixture
def corpus(trained: Language, tmp_path: Path) -> Path:
    path = tmp_path / "corpus.spacy"
    docs = [trained(text) for text in ("I like London.", "Who is Shaka Khan?")]
    DocBin(docs=docs).to_disk(path)
    return path


@pytest.fixture
def config(corpus: Path, tmp_path: Path) -> Path:
    """What `init config` writes, with the small model and a corpus."""
    path = tmp_path / "config.cfg"
    run("init", "config", path, "--lang", "en", "--pipeline", "elmo_ner")
    config = Config().from_disk(path, interpolate=False)
    assert config["components"]["elmo_ner"]["factory"] == "elmo_ner"
    config["components"]["elmo_ner"]["model"] = SMALL_MODEL
    config["paths"]["train"] = config["paths"]["dev"] = str(corpus)
    config.to_disk(path)
    return path


@pytest.fixture
def saved(trained: Language, tmp_path: Path) -> Path:
    trained.get_pipe("elmo_ner").cfg["scores_key"] = "found"
    trained.to_disk(tmp_path / "saved")
    return tmp_path / "saved"


def test_init_config_writes_the_default_model(tmp_path: Path) -> None:
    run("init", "config", tmp_path / "c.cfg", "--lang", "en", "--pipeline", "elmo_ner")
    model = Config().from_disk(tmp_path / "c.cfg")["components"]["elmo_ner"]["model"]
    assert model["@architectures"] == "spacy_elmo_ner.CrfTagger.v2"
    tok2vec = model["tok2vec"]["@architectures"]
    assert tok2vec == "spacy_elmo_ner.ElmoWithWordFeatures.v1"


def test_init_labels(config: Path, tmp_path: Path) -> None:
    run("init", "labels", config, tmp_path / "labels")
    labels = json.loads((tmp_path / "labels" / "elmo_ner.json").read_text())
    assert labels == ["LOC", "PERSON"]


def test_debug_config_and_model(config: Path) -> None:
    run("debug", "config", config)
    output = run("debug", "model", config, "elmo_ner", "-P3")
    assert "ended analysis" in output


def test_train_command(config: Path, tmp_path: Path) -> None:
    options = ["--training.max_steps", "2", "--training.eval_frequency", "1"]
    run("train", config, "--output", tmp_path / "out", *options)
    assert spacy.load(tmp_path / "out" / "model-last").pipe_names == ["elmo_ner"]


def test_config_key_that_does_not_exist_is_named(config: Path) -> None:
    result = CliRunner().invoke(
        app, ["debug", "config", str(config), "--components.elmo_ner.tresholt", "1"]
    )
    assert result.exit_code != 0
    assert "tresholt" in result.output


def test_evaluate_command(saved: Path, corpus: Path, tmp_path: Path) -> None:
    run("evaluate", saved, corpus, "--output", tmp_path / "scores.json")
    assert json.loads((tmp_path / "scores.json").read_text())["ents_f"] == 1.0


@since_3_5
def test_find_threshold(saved: Path, corpus: Path) -> None:
    output = run("find-threshold", saved, corpus, "elmo_ner", "threshold", "ents_f")
    assert "Best threshold" in output


@since_3_5
def test_benchmark_speed(saved: Path, corpus: Path) -> None:
    options = ["--batches", "30", "--warmup", "1", "--batch-size", "1"]
    assert "Mean" in run("benchmark", "speed", saved, corpus, *options)


def test_assemble(config: Path, trained: Language, tmp_path: Path) -> None:
    trained.to_disk(tmp_path / "source")
    settings = Config().from_disk(config, interpolate=False)
    settings["components"]["elmo_ner"] = {"source": str(tmp_path / "source")}
    settings.to_disk(config)
    run("assemble", config, tmp_path / "assembled")
    doc = spacy.load(tmp_path / "assembled")("I like London.")
    assert [ent.text for ent in doc.ents] == ["London"]


def test_package(saved: Path, tmp_path: Path) -> None:
    run("package", saved, tmp_path, "--name", "small", "--build", "none")
    meta = json.loads((tmp_path / "en_small-0.0.0" / "meta.json").read_text())
    assert meta["labels"]["elmo_ner"] == ["LOC", "PERSON"]
    requirement = [r for r in meta["requirements"] if r.startswith("spacy-elmo-ner")]
    assert requirement
