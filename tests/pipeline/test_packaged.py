"""The default model and the weights that come with it."""

import os
import subprocess
import sys
import zipfile
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import spacy
import torch
from tests.pipeline.small_model import SMALL_MODEL, TEXTS, examples_of, train
from spacy.language import Language
from spacy.training import Example
from spacy.vectors import Vectors
from thinc.api import Config

from spacy_elmo_ner.bilm.weight_files import read_weights, write_safetensors
from spacy_elmo_ner.bilm.weights import to_weights
from spacy_elmo_ner.elmo.loader import elmo_nodes, load_elmo_weights
from spacy_elmo_ner.elmo.network import ElmoNetwork
from spacy_elmo_ner.pipeline.elmo_ner import DEFAULT_CONFIG
from spacy_elmo_ner.pipeline.packaged import FOLDER, load_packaged

TEXT = "My name is John! I work at the University of Vienna."


def pipeline(**config: object) -> Language:
    nlp = spacy.blank("en")
    nlp.add_pipe("elmo_ner", config=config)
    return nlp


def entities(nlp: Language) -> list:
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
    return node.shims[0].module


def test_initialized_without_examples_it_works():
    nlp = pipeline()
    nlp.initialize()
    doc = nlp("My name is John!")
    assert [(ent.text, ent.label_) for ent in doc.ents] == [("John", "PER")]
    assert set(nlp.get_pipe("elmo_ner").labels) == {"LOC", "MISC", "ORG", "PER"}


def test_settings_of_the_component_stay():
    nlp = pipeline(scores_key="found")
    nlp.initialize()
    assert nlp("My name is John!").spans["found"].attrs["scores"][0] > 0.5


def test_packaged_pipeline_says_the_same():
    nlp = pipeline()
    nlp.initialize()
    ours, packaged = nlp(TEXT).ents, load_packaged()(TEXT).ents
    assert [str(ent) for ent in ours] == [str(ent) for ent in packaged]


def test_packaged_pipeline_learns_a_new_label_and_new_words():
    nlp = load_packaged()
    text = "The kinase controls apoptosis, John says."
    found = {"entities": [(4, 10, "GENE"), (31, 35, "PER")]}
    nlp.get_pipe("elmo_ner").add_label("GENE")
    optimizer = nlp.resume_training()
    for _ in range(40):
        nlp.update([Example.from_dict(nlp.make_doc(text), found)], sgd=optimizer)
    entities = [(ent.text, ent.label_) for ent in nlp(text).ents]
    assert entities == [("kinase", "GENE"), ("John", "PER")]


def test_other_models_start_without_labels():
    nlp = pipeline(model=SMALL_MODEL)
    nlp.initialize()
    assert nlp.get_pipe("elmo_ner").labels == ()
    assert nlp("My name is John!").ents == ()


def test_examples_win_over_the_packaged_labels_and_keep_its_elmo():
    nlp, packaged = pipeline(), load_packaged()
    train(nlp, examples_of(nlp), steps=1)
    assert nlp.get_pipe("elmo_ner").labels == ("LOC", "PERSON")
    ours = network_of(nlp).encoder.state_dict()
    for name, theirs in network_of(packaged).encoder.state_dict().items():
        assert torch.equal(ours[name], theirs)
    # but what the packaged tagger made of the layers is learnt anew
    assert network_of(nlp).mix.gamma.item() == pytest.approx(1, abs=0.05)
    assert network_of(packaged).mix.gamma.item() < 0.9
    ours, theirs = (vectors_of(one) for one in (nlp, packaged))
    assert np.array_equal(ours.data, theirs.data)


def test_vectors_and_weights_that_are_there_stay(tmp_path: Path):
    weights = to_weights(network_of(load_packaged()).encoder)
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


def test_a_vocab_with_other_vectors_stays_as_it_is():
    nlp = pipeline()
    data = np.ones((1, 7), dtype="f")
    nlp.vocab.vectors = Vectors(data=data, keys=["london"], name="mine")
    nlp.initialize()
    assert entities(nlp) == entities(load_packaged())
    assert nlp.vocab.vectors.shape == (1, 7)
    assert not nlp.vocab.lookups.has_table("lexeme_cluster")


def test_initialized_twice_it_is_what_it_was():
    nlp = pipeline()
    nlp.initialize()
    before = nlp.get_pipe("elmo_ner").to_bytes()
    nlp.initialize()
    assert nlp.get_pipe("elmo_ner").to_bytes() == before


@pytest.mark.parametrize("precision", ["int8", "bfloat16"])
@pytest.mark.filterwarnings("ignore:ELMo's precision")
def test_precision_is_a_setting_of_any_pipeline(precision):
    config = {"model": {"tok2vec": {"precision": precision}}}
    nlp = spacy.blank("en")
    nlp.add_pipe(
        "elmo_ner",
        config=Config(DEFAULT_CONFIG).merge(config),
    )
    nlp.initialize()
    name = "components.elmo_ner.model.tok2vec.precision"
    loaded = spacy.load(FOLDER, config={name: precision})
    for one in (nlp, loaded):
        assert network_of(one).encoder.precision == precision
        assert entities(one) == entities(load_packaged())


def test_a_tagger_of_another_size_starts_from_the_packaged_elmo():
    nlp = spacy.blank("en")
    config = Config(DEFAULT_CONFIG).merge({"model": {"hidden_width": 32}})
    nlp.add_pipe("elmo_ner", config=config)
    with pytest.warns(UserWarning, match="its tagger has learnt nothing"):
        nlp.initialize()
    train(nlp, examples_of(nlp), steps=1)
    theirs = network_of(load_packaged()).encoder.state_dict()
    for name, ours in network_of(nlp).encoder.state_dict().items():
        assert torch.equal(ours, theirs[name])
    assert len(vectors_of(nlp).data) == len(vectors_of(load_packaged()).data)


def test_labels_added_before_initialization_are_said_to_be_unlearnt():
    nlp = pipeline()
    nlp.get_pipe("elmo_ner").add_label("GENE")
    with pytest.warns(UserWarning, match="examples of its labels .GENE."):
        nlp.initialize()
    known = pipeline()
    known.get_pipe("elmo_ner").add_label("PER")
    known.initialize()
    assert entities(known) == entities(load_packaged())


def test_wheel_of_it_works_where_it_is_installed(tmp_path: Path, repository: Path):
    def run(*arguments: object) -> str:
        done = subprocess.run(
            [sys.executable, "-m", *map(str, arguments)],
            env={
                **os.environ,
                "PIP_NO_INDEX": "1",
                "PYTHONPATH": os.pathsep.join([str(repository), str(tmp_path)]),
            },
            capture_output=True,
            encoding="utf8",
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    run("spacy", "package", FOLDER, tmp_path, "--build", "wheel")
    (wheel,) = tmp_path.glob("*/dist/en_elmo_ner_sm-*.whl")
    assert wheel.stat().st_size < 60e6
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        (metadata,) = (name for name in names if name.endswith(".dist-info/METADATA"))
        said = archive.read(metadata).decode("utf8")
    assert any(name.endswith("/LICENSE") for name in names)
    assert "License: CC-BY-SA-3.0 AND LicenseRef-Research-Data" in said
    assert "perplexity is 74.8 forward" in said  # the model card
    run("pip", "install", "--no-deps", "--target", tmp_path, wheel)
    found = run("spacy_elmo_ner", "entities", "-m", "en_elmo_ner_sm", "Anna met John!")
    assert [line.split("\t")[:2] for line in found.splitlines()] == [
        ["Anna", "PER"],
        ["John", "PER"],
    ]


@pytest.mark.parametrize("examples", [[], TEXTS])
def test_initialized_without_its_pipeline_it_says_so(examples):
    nlp = spacy.blank("en")
    pipe = nlp.add_pipe("elmo_ner")
    get_examples = partial(examples_of, nlp, examples) if examples else None
    with pytest.raises(ValueError, match=r"was not given the pipeline.*nlp=nlp"):
        pipe.initialize(get_examples)
    pipe.initialize(get_examples, nlp=nlp)
    assert pipe.labels


def test_what_version_0_1_0_left_in_its_vocab_is_asked_for():
    nlp = load_packaged()
    for node in nlp.get_pipe("elmo_ner").model.walk():
        for name in {"lexeme_cluster", "vectors"} & {*node.attrs}:
            kept, node.attrs[name] = node.attrs[name], type(node.attrs[name])()
            with pytest.raises(ValueError, match="whole pipeline .* saved with, vocab"):
                nlp(TEXT)
            node.attrs[name] = kept
    assert nlp(TEXT).ents


def test_initialized_again_without_examples_it_takes_the_packaged_weights():
    nlp = pipeline()
    nlp.initialize(lambda: examples_of(nlp, [("Nothing is here.", {"entities": []})]))
    assert not nlp.get_pipe("elmo_ner").labels
    nlp.initialize()
    assert entities(nlp) == entities(load_packaged())


def test_labels_are_a_list():
    nlp = pipeline(model=SMALL_MODEL)
    with pytest.raises(ValueError, match="'PER'; give a list"):
        nlp.get_pipe("elmo_ner").initialize(nlp=nlp, labels="PER")


def test_a_component_of_another_name_is_initialized():
    nlp = pipeline()
    nlp.rename_pipe("elmo_ner", "names")
    nlp.initialize()
    assert entities(nlp) == entities(load_packaged())
    moved = spacy.blank("en")
    moved.add_pipe("names", source=nlp, name="people")
    moved.initialize()
    assert entities(moved) == entities(nlp)
