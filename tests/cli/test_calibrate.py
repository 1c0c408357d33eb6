import re
from pathlib import Path
from typing import Any, List

import pytest
import spacy
from spacy.language import Language
from spacy.tokens import DocBin
from thinc.api import fix_random_seed
from typer.testing import CliRunner

from spacy_elmo_ner.cli.app import app
from tests.pipeline.small_model import SMALL_MODEL, TEXTS, examples_of, train

# one name in four has another label than the pipeline learnt
GOLD: List[Any] = [TEXTS[1]] * 3 + [(TEXTS[1][0], {"entities": [(7, 13, "LOC")]})]


def run(*arguments: object) -> Any:
    return CliRunner().invoke(app, ["calibrate", *map(str, arguments)])


@pytest.fixture(scope="module")
def trained() -> Language:
    fix_random_seed(0)
    nlp = spacy.blank("en")
    nlp.add_pipe("elmo_ner", config={"model": SMALL_MODEL})
    train(nlp, examples_of(nlp))
    return nlp


@pytest.fixture
def saved(trained: Language, tmp_path: Path) -> Path:
    trained.to_disk(tmp_path / "saved")
    return tmp_path / "saved"


def write(nlp: Language, path: Path, texts: List[Any]) -> Path:
    DocBin(docs=[one.reference for one in examples_of(nlp, texts)]).to_disk(path)
    return path


def test_the_temperature_is_saved_and_nothing_else_changes(
    trained: Language, saved: Path, tmp_path: Path
) -> None:
    data = write(trained, tmp_path / "dev.spacy", GOLD)
    done = run(saved, data, "--output", tmp_path / "calibrated", "--precision", 0.9)
    assert done.exit_code == 0, done.output
    nlp = spacy.load(tmp_path / "calibrated")
    cfg = nlp.get_pipe("elmo_ner").cfg
    # it was too sure of Berlin
    assert cfg["temperature"] > 1 and f"temperature {cfg['temperature']}" in done.output
    before, after = map(float, re.findall(r"([\d.]+) (?:before|after)", done.output))
    assert after < before
    # 7 of 8 are right
    assert cfg["threshold"]["LOC"] > 0
    nlp.get_pipe("elmo_ner").cfg["threshold"] = 0.0
    for text, _ in TEXTS:
        assert [str(ent) for ent in nlp(text).ents] == [
            str(ent) for ent in trained(text).ents
        ]


def test_data_that_say_nothing_are_refused(
    trained: Language, saved: Path, tmp_path: Path
) -> None:
    data = write(trained, tmp_path / "easy.spacy", TEXTS)
    done = run(saved, data, "--output", tmp_path / "calibrated")
    assert done.exit_code == 1 and "Give more data" in done.output.replace("\n", " ")
    assert not (tmp_path / "calibrated").exists()
