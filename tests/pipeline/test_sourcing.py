"""A trained component is moved to other pipelines, and carries all that it needs."""

import subprocess
import sys
import warnings
from pathlib import Path
from typing import Any, Iterator, List, Tuple, cast

import numpy as np
import pytest
import spacy
from spacy.language import Language
from spacy.training import Example
from spacy.util import load_model_from_config
from thinc.api import Config
from thinc.types import Floats1d

from spacy_elmo_ner.pipeline.default_pipeline import NAME, load_default_pipeline
from tests.pipeline.small_model import SMALL_MODEL

TEXT = "Anna Novak flew from Oslo to the Nato meeting in Paris."
EXPECTED = [
    ("Anna Novak", "PER"),
    ("Oslo", "LOC"),
    ("Nato", "ORG"),
    ("Paris", "LOC"),
]
CONFIG = f"""
[nlp]
lang = "en"
pipeline = ["elmo_ner"]

[components]

[components.elmo_ner]
source = "{NAME}"
"""


@pytest.fixture(autouse=True)
def no_warning_of_vectors() -> Iterator[None]:
    with warnings.catch_warnings():
        # vectors that are not those of the source
        warnings.filterwarnings("error", r".*\[W113\]")
        yield


def entities(nlp: Language, text: str = TEXT) -> List[Tuple[str, str]]:
    return [(ent.text, ent.label_) for ent in nlp(text).ents]


@pytest.fixture
def other() -> Language:
    """A trained pipeline of other components, with vectors of its own."""
    nlp = spacy.blank("en")
    random = np.random.default_rng(0)
    for word in ("oslo", "paris", "the"):
        nlp.vocab.set_vector(word, cast(Floats1d, random.normal(size=7).astype("f")))
    nlp.add_pipe("sentencizer")
    nlp.add_pipe("textcat")
    example = Example.from_dict(nlp.make_doc(TEXT), {"cats": {"a": 1.0, "b": 0.0}})
    optimizer = nlp.initialize(lambda: [example])
    nlp.update([example], sgd=optimizer)
    return nlp


def learn(nlp: Language) -> None:
    """A few updates with a word that becomes an entity."""
    text = "The kinase of Anna controls it."
    gold = {"entities": [(4, 10, "GENE"), (14, 18, "PER")]}
    nlp.get_pipe("elmo_ner").add_label("GENE")
    optimizer = nlp.resume_training()
    names = [name for name in nlp.pipe_names if name != "elmo_ner"]
    with nlp.select_pipes(disable=names):
        for _ in range(40):
            nlp.update([Example.from_dict(nlp.make_doc(text), gold)], sgd=optimizer)
    assert entities(nlp, text) == [("kinase", "GENE"), ("Anna", "PER")]


def assert_saved(nlp: Language, folder: Path, expected: Any) -> None:
    nlp.to_disk(folder)
    assert entities(spacy.load(folder)) == expected


def test_into_a_blank_pipeline(tmp_path: Path) -> None:
    nlp = spacy.blank("en")
    nlp.add_pipe("elmo_ner", source=load_default_pipeline())
    assert entities(nlp) == EXPECTED
    assert_saved(nlp, tmp_path / "saved", EXPECTED)


def test_after_training_in_a_new_pipeline(tmp_path: Path) -> None:
    trained = load_default_pipeline()
    learn(trained)
    nlp = spacy.blank("en")
    nlp.add_pipe("elmo_ner", source=trained)
    expected = entities(trained)
    assert entities(nlp) == expected
    learn(nlp)
    assert_saved(nlp, tmp_path / "saved", entities(nlp))


def test_into_a_trained_pipeline_with_other_vectors(
    other: Language, tmp_path: Path
) -> None:
    cats, shape = other(TEXT).cats, other.vocab.vectors.shape
    with pytest.warns(UserWarning, match="W113"):
        # spaCy sees that the vocabs differ, and cannot know that it does not matter
        other.add_pipe("elmo_ner", source=load_default_pipeline())
    assert entities(other) == EXPECTED
    assert other(TEXT).cats == cats
    assert other.vocab.vectors.shape == shape
    assert_saved(other, tmp_path / "saved", EXPECTED)
    loaded = spacy.load(tmp_path / "saved")
    assert loaded(TEXT).cats == pytest.approx(cats)
    learn(loaded)
    assert_saved(loaded, tmp_path / "again", entities(loaded))


def test_initialized_alone_in_a_trained_pipeline(
    other: Language, tmp_path: Path
) -> None:
    cats, shape = other(TEXT).cats, other.vocab.vectors.shape
    other.add_pipe("elmo_ner").initialize(nlp=other)
    assert entities(other) == EXPECTED
    assert other(TEXT).cats == cats
    assert other.vocab.vectors.shape == shape
    assert_saved(other, tmp_path / "saved", EXPECTED)


def test_by_a_config() -> None:
    nlp = load_model_from_config(Config().from_str(CONFIG), auto_fill=True)
    assert entities(nlp) == EXPECTED
    nlp.initialize()
    assert entities(nlp) != []


def test_assembled(tmp_path: Path) -> None:
    (tmp_path / "config.cfg").write_text(CONFIG)
    arguments = ["assemble", tmp_path / "config.cfg", tmp_path / "out"]
    run = subprocess.run(
        [sys.executable, "-m", "spacy", *map(str, arguments)],
        capture_output=True,
        text=True,
    )
    assert run.returncode == 0, run.stdout + run.stderr
    assert "W113" not in run.stderr
    assert entities(spacy.load(tmp_path / "out")) == EXPECTED


def test_a_component_that_listens(tmp_path: Path) -> None:
    nlp = spacy.blank("en")
    tok2vec = {**SMALL_MODEL["tok2vec"]}
    nlp.add_pipe("tok2vec", config={"model": tok2vec})
    listener = {
        "@architectures": "spacy.Tok2VecListener.v1",
        "width": 36,
        "upstream": "*",
    }
    model = {**SMALL_MODEL, "tok2vec": listener}
    nlp.add_pipe("elmo_ner", config={"model": model})
    gold = {"entities": [(0, 10, "PER"), (21, 25, "LOC")]}
    examples = [Example.from_dict(nlp.make_doc(TEXT), gold)]
    optimizer = nlp.initialize(lambda: examples)
    optimizer.learn_rate = 0.01
    for _ in range(60):
        nlp.update(examples, sgd=optimizer)
    expected = entities(nlp)
    assert expected == [("Anna Novak", "PER"), ("Oslo", "LOC")]
    nlp.replace_listeners("tok2vec", "elmo_ner", ["model.tok2vec"])
    nlp.remove_pipe("tok2vec")
    assert entities(nlp) == expected
    assert_saved(nlp, tmp_path / "saved", expected)
    moved = spacy.blank("en")
    moved.add_pipe("elmo_ner", source=spacy.load(tmp_path / "saved"))
    assert entities(moved) == expected
