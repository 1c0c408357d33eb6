"""The default model, and the pipeline that has its weights."""

import os
import shutil
import subprocess
import sys
import zipfile
from functools import partial
from pathlib import Path
from typing import Any, List, Tuple

import numpy as np
import pytest
import spacy
import torch
from spacy.language import Language
from spacy.training import Example
from spacy.util import load_config, load_model_from_config
from spacy.vectors import Vectors
from thinc.api import Config

from spacy_elmo_ner.bilm.options import ElmoOptions
from spacy_elmo_ner.bilm.weight_files import read_weights, write_safetensors
from spacy_elmo_ner.bilm.weights import to_weights
from spacy_elmo_ner.elmo.loader import elmo_nodes, load_elmo_weights
from spacy_elmo_ner.elmo.network import ElmoNetwork
from spacy_elmo_ner.pipeline.default_pipeline import NAME, load_default_pipeline
from spacy_elmo_ner.pipeline.elmo_ner import DEFAULT_CONFIG
from spacy_elmo_ner.text.sentences import MAX_LENGTH
from spacy_elmo_ner.torch_shim import LazyTorchShim
from tests.pipeline.small_model import SMALL_MODEL, TEXTS, examples_of, train

TEXT = "My name is John! I work at the University of Vienna."


def pipeline(**config: object) -> Language:
    nlp = spacy.blank("en")
    nlp.add_pipe("elmo_ner", config=config)
    return nlp


def entities(nlp: Language) -> List[Tuple[str, str]]:
    return [(str(ent), ent.label_) for ent in nlp(TEXT).ents]


def vectors_of(nlp: Language) -> Vectors:
    (node,) = (
        node
        for node in nlp.get_pipe("elmo_ner").model.walk()
        if node.name == "static_vectors"
    )
    return node.attrs["vectors"]


def network_of(nlp: Language) -> ElmoNetwork:
    (node,) = elmo_nodes(nlp)
    module: ElmoNetwork = node.shims[0].module
    return module


def test_initialized_without_examples_it_works() -> None:
    nlp = pipeline()
    nlp.initialize()
    doc = nlp("My name is John!")
    assert [(ent.text, ent.label_) for ent in doc.ents] == [("John", "PER")]
    assert set(nlp.get_pipe("elmo_ner").labels) == {"LOC", "MISC", "ORG", "PER"}


def test_settings_of_the_component_stay() -> None:
    nlp = pipeline(scores_key="found")
    nlp.initialize()
    assert nlp("My name is John!").spans["found"].attrs["scores"][0] > 0.5


def test_default_pipeline_says_the_same() -> None:
    nlp = pipeline()
    nlp.initialize()
    ours, theirs = nlp(TEXT).ents, load_default_pipeline()(TEXT).ents
    assert [str(ent) for ent in ours] == [str(ent) for ent in theirs]


def test_default_pipeline_learns_a_new_label_and_new_words() -> None:
    nlp = load_default_pipeline()
    text = "The kinase controls apoptosis, John says."
    found = {"entities": [(4, 10, "GENE"), (31, 35, "PER")]}
    nlp.get_pipe("elmo_ner").add_label("GENE")
    before = [(ent.text, ent.label_) for ent in nlp(TEXT).ents]
    optimizer = nlp.resume_training()
    old = nlp.make_doc("Anna Smith works for Siemens in Munich.")
    for _ in range(10):
        nlp.update([Example.from_dict(nlp.make_doc(text), found)], sgd=optimizer)
        nlp.rehearse([Example(old, old)], sgd=optimizer)
    entities = [(ent.text, ent.label_) for ent in nlp(text).ents]
    assert entities == [("kinase", "GENE"), ("John", "PER")]
    assert [(ent.text, ent.label_) for ent in nlp(TEXT).ents] == before


def test_other_models_start_without_labels() -> None:
    nlp = pipeline(model=SMALL_MODEL)
    nlp.initialize()
    assert nlp.get_pipe("elmo_ner").labels == ()
    assert nlp("My name is John!").ents == ()


def test_labels_of_ones_own_start_from_the_default_tagger() -> None:
    nlp, default = pipeline(), load_default_pipeline()
    docs = [nlp.make_doc(TEXT)]
    examples = [
        Example.from_dict(docs[0], {"entities": [(11, 15, label)]})
        for label in ("GENE", "ORG", "PER")
    ]
    # a second time as the first
    for _ in range(2):
        nlp.initialize(lambda: examples)
    ours, theirs = nlp.get_pipe("elmo_ner"), default.get_pipe("elmo_ner")
    assert ours.labels == ("GENE", "ORG", "PER")
    assert ours.cfg["temperature"] != theirs.cfg["temperature"]
    found, before = (one.model.predict(docs) for one in (ours, theirs))
    tags, old = ours.scheme.tags, theirs.scheme.tags
    for tag in ("O", "B-ORG", "L-PER", "U-PER"):
        assert torch.allclose(
            found.emissions[:, tags.index(tag)],
            before.emissions[:, old.index(tag)],
            atol=1e-5,
        )
    of_all = [old.index(f"U-{label}") for label in theirs.labels]
    assert torch.allclose(
        found.emissions[:, tags.index("U-GENE")],
        before.emissions[:, of_all].mean(1),
        atol=1e-5,
    )
    # ten updates are enough for the example of the README
    optimizer = nlp.resume_training()
    for _ in range(10):
        nlp.update(examples[:1], sgd=optimizer)
    assert entities(nlp) == [("John", "GENE")]


def test_the_tagger_learns_from_scratch_where_that_is_asked_for() -> None:
    nlp, default = pipeline(), load_default_pipeline()
    nlp.config["initialize"]["components"]["elmo_ner"] = {"trained_tagger": False}
    train(nlp, examples_of(nlp), steps=1)
    assert nlp.get_pipe("elmo_ner").labels == ("LOC", "PERSON")
    ours = network_of(nlp).encoder.state_dict()
    for name, theirs in network_of(default).encoder.state_dict().items():
        assert torch.equal(ours[name], theirs)
    # what the default tagger made of the layers is learnt anew
    assert network_of(nlp).mix.gamma.item() == pytest.approx(1, abs=0.05)
    assert network_of(default).mix.gamma.item() < 0.9
    ours, theirs = (vectors_of(one) for one in (nlp, default))
    assert np.array_equal(ours.data, theirs.data)


def test_vectors_and_weights_that_are_there_stay(tmp_path: Path) -> None:
    weights = to_weights(network_of(load_default_pipeline()).encoder)
    for array in weights.arrays.values():
        array *= 0.5
    write_safetensors(weights, tmp_path / "half.safetensors")
    nlp = pipeline()
    data = np.ones((1, 7), dtype="f")
    nlp.vocab.vectors = Vectors(data=data, keys=["london"], name="mine")
    load_elmo_weights(nlp, weights=tmp_path / "half.safetensors")
    train(nlp, examples_of(nlp), steps=1)
    kept = to_weights(network_of(nlp).encoder).arrays
    for name, array in read_weights(tmp_path / "half.safetensors").arrays.items():
        assert torch.equal(kept[name], array)
    assert vectors_of(nlp).shape == nlp.vocab.vectors.shape == (1, 7)


def test_a_vocab_with_other_vectors_stays_as_it_is() -> None:
    nlp = pipeline()
    data = np.ones((1, 7), dtype="f")
    nlp.vocab.vectors = Vectors(data=data, keys=["london"], name="mine")
    nlp.initialize()
    assert entities(nlp) == entities(load_default_pipeline())
    assert nlp.vocab.vectors.shape == (1, 7)
    assert not nlp.vocab.lookups.has_table("lexeme_cluster")


def test_initialized_twice_it_is_what_it_was() -> None:
    nlp = pipeline()
    nlp.initialize()
    before = nlp.get_pipe("elmo_ner").to_bytes()
    nlp.initialize()
    assert nlp.get_pipe("elmo_ner").to_bytes() == before


@pytest.mark.parametrize("precision", ["int8", "bfloat16"])
@pytest.mark.filterwarnings("ignore:ELMo's precision")
def test_precision_is_a_setting_of_any_pipeline(precision: str) -> None:
    config = {"model": {"tok2vec": {"precision": precision}}}
    nlp = spacy.blank("en")
    nlp.add_pipe(
        "elmo_ner",
        config=Config(DEFAULT_CONFIG).merge(config),
    )
    nlp.initialize()
    name = "components.elmo_ner.model.tok2vec.precision"
    loaded = spacy.load(NAME, config={name: precision})
    for one in (nlp, loaded):
        assert network_of(one).encoder.precision == precision
        assert entities(one) == entities(load_default_pipeline())


@pytest.mark.parametrize("labels", [["GENE"], None])
def test_the_length_of_sentences_is_a_setting_of_any_pipeline(labels: Any) -> None:
    nlp = spacy.blank("en")
    config = Config(DEFAULT_CONFIG).merge({"model": {"max_sentence_length": 64}})
    ner = nlp.add_pipe("elmo_ner", config=config)
    ner.initialize(nlp=nlp, labels=labels)
    name = "components.elmo_ner.model.max_sentence_length"
    loaded = spacy.load(NAME, config={name: 64}).get_pipe("elmo_ner")
    for model in (ner.model, loaded.model):
        assert model.attrs[MAX_LENGTH] == 64


def test_a_tagger_of_another_size_starts_from_the_default_elmo() -> None:
    nlp = spacy.blank("en")
    config = Config(DEFAULT_CONFIG).merge({"model": {"hidden_width": 32}})
    nlp.add_pipe("elmo_ner", config=config)
    with pytest.warns(UserWarning, match="its tagger has learnt nothing"):
        nlp.initialize()
    train(nlp, examples_of(nlp), steps=1)
    theirs = network_of(load_default_pipeline()).encoder.state_dict()
    for name, ours in network_of(nlp).encoder.state_dict().items():
        assert torch.equal(ours, theirs[name])
    assert len(vectors_of(nlp).data) == len(vectors_of(load_default_pipeline()).data)


def test_labels_added_before_initialization_are_said_to_be_unlearnt() -> None:
    nlp = pipeline()
    nlp.get_pipe("elmo_ner").add_label("GENE")
    with pytest.warns(UserWarning, match="examples of its labels .GENE."):
        nlp.initialize()
    assert entities(nlp) == []
    known = pipeline()
    known.get_pipe("elmo_ner").add_label("PER")
    known.initialize()
    assert entities(known) == entities(load_default_pipeline())


def test_wheel_of_it_works_where_it_is_installed(
    tmp_path: Path, repository: Path
) -> None:
    def run(*arguments: object) -> str:
        done = subprocess.run(
            [sys.executable, "-m", *map(str, arguments)],
            env={
                **os.environ,
                "PIP_NO_INDEX": "1",
                "PYTHONPATH": os.pathsep.join([str(tmp_path), str(repository)]),
            },
            cwd=tmp_path,
            capture_output=True,
            encoding="utf8",
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    # it would be built where its source is
    ignored = shutil.ignore_patterns("build", "*.egg-info")
    source = repository / "assets" / NAME
    shutil.copytree(source, tmp_path / "source", ignore=ignored)
    options = ["--quiet", "--no-deps", "--no-build-isolation"]
    run("pip", "wheel", *options, "--wheel-dir", tmp_path, tmp_path / "source")
    (wheel,) = tmp_path.glob("en_elmo_ner_sm-*.whl")
    assert wheel.stat().st_size < 60e6
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        (metadata,) = (name for name in names if name.endswith(".dist-info/METADATA"))
        said = archive.read(metadata).decode("utf8")
    for file in ("LICENSE", "LICENSES_SOURCES"):
        assert any(".dist-info/" in name and Path(name).name == file for name in names)
    assert "Requires-Dist: spacy-elmo-ner" in said
    assert "perplexity is 74.8 forward" in said  # the model card
    run("pip", "install", "--no-deps", "--target", tmp_path, wheel)
    found = run("spacy_elmo_ner", "entities", "Anna met John!")
    assert [line.split("\t")[:2] for line in found.splitlines()] == [
        ["Anna", "PER"],
        ["John", "PER"],
    ]


@pytest.mark.parametrize("examples", [[], TEXTS])
def test_initialized_without_its_pipeline_it_says_so(examples: List[Any]) -> None:
    nlp = spacy.blank("en")
    pipe = nlp.add_pipe("elmo_ner")
    get_examples = partial(examples_of, nlp, examples) if examples else None
    with pytest.raises(ValueError, match=r"was not given the pipeline.*nlp=nlp"):
        pipe.initialize(get_examples)
    pipe.initialize(get_examples, nlp=nlp)
    assert pipe.labels


def test_what_version_0_1_0_left_in_its_vocab_is_asked_for() -> None:
    nlp = load_default_pipeline()
    for node in nlp.get_pipe("elmo_ner").model.walk():
        for name in {"lexeme_cluster", "vectors"} & {*node.attrs}:
            kept, node.attrs[name] = node.attrs[name], type(node.attrs[name])()
            with pytest.raises(
                ValueError, match="whole pipeline .* saved with, including the vocab"
            ):
                nlp(TEXT)
            node.attrs[name] = kept
    assert nlp(TEXT).ents


def test_initialized_again_without_examples_it_takes_the_default_weights() -> None:
    nlp = pipeline()
    nlp.initialize(lambda: examples_of(nlp, [("Nothing is here.", {"entities": []})]))
    assert not nlp.get_pipe("elmo_ner").labels
    nlp.initialize()
    assert entities(nlp) == entities(load_default_pipeline())


def test_labels_are_a_list() -> None:
    nlp = pipeline(model=SMALL_MODEL)
    with pytest.raises(ValueError, match="'PER'; give a list"):
        nlp.get_pipe("elmo_ner").initialize(nlp=nlp, labels="PER")


def test_a_component_of_another_name_is_initialized() -> None:
    nlp = pipeline()
    nlp.rename_pipe("elmo_ner", "names")
    nlp.initialize()
    assert entities(nlp) == entities(load_default_pipeline())
    moved = spacy.blank("en")
    moved.add_pipe("names", source=nlp, name="people")
    moved.initialize()
    assert entities(moved) == entities(nlp)


# The default model has one place, pipeline/default_model.py, and these copies


def component_config(nlp: Language) -> Config:
    config: Config = nlp.config["components"]["elmo_ner"]
    return config


def test_the_default_pipeline_s_config_is_the_default_one() -> None:
    ours, saved = component_config(pipeline()), component_config(
        load_default_pipeline()
    )
    assert saved == ours


def test_the_config_it_was_trained_with_takes_the_default_model(
    repository: Path,
) -> None:
    config = load_config(repository / "configs" / "conll_elmo.cfg")
    assert "model" not in config["components"]["elmo_ner"]
    # which spaCy fills in
    config["initialize"].update(before_init=None, after_init=None)
    nlp = load_model_from_config(config, auto_fill=True)
    assert component_config(nlp) == component_config(pipeline())


def test_pretraining_makes_an_elmo_of_the_default_size(repository: Path) -> None:
    sizes = load_config(repository / "configs" / "pretrain.cfg")["model"]
    (node,) = elmo_nodes(pipeline())
    shim = node.shims[0]
    assert isinstance(shim, LazyTorchShim)
    assert shim.build().encoder.options == ElmoOptions(**sizes)
