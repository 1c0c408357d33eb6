"""The config for labels of one's own: what it is, and that it trains as it stands."""

from pathlib import Path
from typing import Any, Tuple

import pytest
import spacy
from spacy.cli._util import app as spacy_app
from spacy.tokens import DocBin, Span
from thinc.api import Config
from typer.testing import CliRunner

from spacy_elmo_ner.cli.app import app
from spacy_elmo_ner.pipeline.default_pipeline import default_labels
from tests.pipeline.small_model import SMALL_MODEL


def run(*arguments: object) -> Tuple[int, str]:
    result = CliRunner().invoke(app, list(map(str, arguments)))
    return result.exit_code, result.output


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    """Gold with a label that the default pipeline has, and one that it has not."""
    nlp = spacy.blank("en")
    doc = nlp("The kinase controls apoptosis, John says.")
    doc.ents = [Span(doc, 1, 2, label="GENE"), Span(doc, 5, 6, label="PER")]
    DocBin(docs=[doc] * 5).to_disk(tmp_path / "corpus.spacy")
    return tmp_path / "corpus.spacy"


@pytest.fixture
def config(corpus: Path, tmp_path: Path) -> Path:
    path = tmp_path / "config.cfg"
    code, said = run("init-config", path, "--train", corpus, "--dev", corpus)
    assert code == 0, said
    assert f"train {path} --output FOLDER\n" in said
    return path


def test_it_trains_as_it_stands(config: Path, corpus: Path, tmp_path: Path) -> None:
    steps = ["--training.max_steps", "12", "--training.eval_frequency", "12"]
    code, said = run("train", config, "-o", tmp_path / "mine", *steps)
    assert code == 0, said
    nlp = spacy.load(tmp_path / "mine" / "model-last")
    assert {*nlp.get_pipe("elmo_ner").labels} == {"GENE", "PER"} != {*default_labels()}
    gold, *_ = DocBin().from_disk(corpus).get_docs(nlp.vocab)
    found = [(ent.text, ent.label_) for ent in nlp(gold.text).ents]
    assert found == [("kinase", "GENE"), ("John", "PER")]


def test_spacy_trains_it(config: Path, tmp_path: Path) -> None:
    small: Any = Config().from_disk(config, interpolate=False)
    small["components"]["elmo_ner"]["model"] = SMALL_MODEL
    small.to_disk(config)
    steps = ["--training.max_steps", "2", "--training.eval_frequency", "1"]
    arguments = ["train", str(config), "-o", str(tmp_path / "mine"), *steps]
    result = CliRunner().invoke(spacy_app, arguments)
    assert result.exit_code == 0, result.output
    assert spacy.load(tmp_path / "mine" / "model-best").pipe_names == ["elmo_ner"]


def test_spacy_has_nothing_to_fill_in(config: Path, tmp_path: Path) -> None:
    filled = tmp_path / "filled.cfg"
    arguments = ["init", "fill-config", str(config), str(filled)]
    result = CliRunner().invoke(spacy_app, arguments)
    assert result.exit_code == 0, result.output
    assert Config().from_disk(filled) == Config().from_disk(config)


def test_standard_output_is_the_config_alone() -> None:
    code, printed = run("init-config", "-", "--lang", "de")
    config = Config().from_str(printed)
    assert code == 0 and config["nlp"]["lang"] == "de"
    assert config["paths"]["train"] is config["paths"]["dev"] is None


def test_what_it_lacks_is_named(corpus: Path, tmp_path: Path) -> None:
    code, said = run("init-config", tmp_path / "c.cfg", "--train", corpus)
    assert code == 0
    assert said.endswith("--output FOLDER --paths.dev FILE\n")


def test_a_file_stays_unless_forced(config: Path) -> None:
    config.write_text("mine")
    code, said = run("init-config", config)
    assert code == 1 and "already exists" in said and "--force" in said
    assert config.read_text() == "mine"
    assert run("init-config", config, "--force")[0] == 0
    assert "elmo_ner" in config.read_text()


def test_mistakes_are_told_and_nothing_is_written(corpus: Path, tmp_path: Path) -> None:
    output, columns = tmp_path / "c.cfg", tmp_path / "gold.conll"
    columns.write_text("John B-PER\n")
    (tmp_path / "empty").mkdir()
    for options, words in {
        ("--train", columns): "convert",
        ("--train", tmp_path / "missing.spacy"): "missing.spacy",
        ("--dev", tmp_path / "empty"): "holds no .spacy files",
        ("--train", tmp_path / "cost$s.spacy"): "--paths.train to `train`",
        ("--lang", "klingon"): "no tokenizer for the language 'klingon'",
    }.items():
        code, said = run("init-config", output, *options)
        assert code == 1 and words in said
        assert not output.exists()
    code, said = run("init-config", corpus, "--train", corpus, "--force")
    assert code == 1 and "is also an input of this command" in said
