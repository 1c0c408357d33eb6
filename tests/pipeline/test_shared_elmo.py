"""ELMo in a component of its own: what those that listen make of it is what they make of
an ELMo of their own."""

from pathlib import Path
from typing import Any, Dict, List, cast

import numpy as np
import pytest
import spacy
from spacy.language import Language
from spacy.tokens import Doc, DocBin
from spacy.training import Example
from spacy.util import load_config
from thinc.api import SGD, Config, fix_random_seed

from spacy_elmo_ner.bilm.weight_files import write_safetensors
from spacy_elmo_ner.elmo.cache_loader import use_elmo_cache
from spacy_elmo_ner.elmo.loader import elmo_nodes, elmo_weights_of
from spacy_elmo_ner.elmo.network import ElmoNetwork
from spacy_elmo_ner.pipeline.default_pipeline import NAME, load_default_pipeline
from spacy_elmo_ner.pipeline.shared_elmo import share_elmo
from spacy_elmo_ner.training.loop import train
from tests.pipeline.small_model import SMALL_MODEL, TEXTS, examples_of

TINY_ELMO = {
    "@architectures": "spacy_elmo_ner.Elmo.v1",
    "lstm_width": 24,
    "projection_width": 12,
    "filters": [[1, 8], [2, 8], [3, 16]],
}
LISTENER = {"@architectures": "spacy.Tok2VecListener.v1", "width": 24}
TEXT = "My name is John! \n I work at the University of Vienna."


def own_elmo(**settings: Any) -> Language:
    """A pipeline with a small `elmo_ner`, its ELMo beside other features."""
    fix_random_seed(0)
    joined = {
        "@architectures": "spacy_elmo_ner.JoinedTok2Vec.v1",
        "tok2vecs": {
            "characters": SMALL_MODEL["tok2vec"],
            "elmo": {**TINY_ELMO, **settings},
        },
    }
    nlp = spacy.blank("en")
    nlp.add_pipe("elmo_ner", config={"model": {**SMALL_MODEL, "tok2vec": joined}})
    examples = examples_of(nlp)
    nlp.initialize(lambda: examples)
    return nlp


def scores(nlp: Language, doc: Doc) -> np.ndarray:
    """Of each token and tag, as `elmo_ner` sees the Doc."""
    if "tok2vec" in nlp.pipe_names:
        nlp.get_pipe("tok2vec")(doc)
    emissions, *_ = nlp.get_pipe("elmo_ner").model.predict([doc])
    return cast(np.ndarray, emissions.numpy())


def parameters(nlp: Language) -> Dict[str, np.ndarray]:
    """All that the torch modules have learnt, wherever in the pipeline they are."""
    return {
        f"{node.name} {name}": parameter.detach().numpy().copy()
        for _, pipe in nlp.pipeline
        for node in pipe.model.walk()
        for shim in node.shims
        for name, parameter in shim.module.named_parameters()
    }


def test_the_default_pipeline_says_the_same_with_a_shared_elmo(tmp_path: Path) -> None:
    own, shared = load_default_pipeline(), share_elmo(load_default_pipeline())
    assert shared.pipe_names == ["tok2vec", "elmo_ner"]
    assert not elmo_nodes(shared.get_pipe("elmo_ner").model)
    shared.to_disk(tmp_path)
    again = spacy.load(tmp_path)
    replaced = spacy.load(tmp_path)
    replaced.replace_listeners("tok2vec", "elmo_ner", ["model.tok2vec.elmo"])
    replaced.remove_pipe("tok2vec")
    wanted = [(ent.text, ent.label_) for ent in own(TEXT).ents]
    assert wanted == [("John", "PER"), ("University of Vienna", "ORG")]
    for nlp in (shared, again, replaced):
        assert [(ent.text, ent.label_) for ent in nlp(TEXT).ents] == wanted
        ours, theirs = (scores(one, one.make_doc(TEXT)) for one in (own, nlp))
        assert np.abs(ours - theirs).max() <= 1e-6


def test_its_vectors_are_where_spacy_looks_for_them() -> None:
    own, shared = load_default_pipeline(), share_elmo(load_default_pipeline())
    (elmo,) = elmo_nodes(own)
    doc = shared(TEXT)
    (vectors,) = elmo.predict([own.make_doc(TEXT)])
    assert np.array_equal(doc.tensor, vectors)
    found: List[Any] = [doc[3].vector, doc[9:12].vector, doc.vector]
    rows = [vectors[3], vectors[9:12].mean(axis=0), vectors.mean(axis=0)]
    assert all(map(np.allclose, found, rows))


@pytest.mark.parametrize("frozen", [True, False])
def test_it_learns_as_one_of_its_own_does(frozen: bool, tmp_path: Path) -> None:
    own, shared = own_elmo(frozen=frozen), share_elmo(own_elmo(frozen=frozen))
    before = parameters(own)
    assert {*parameters(shared)} == {*before}
    for nlp in (own, shared):
        # which, unlike Adam, makes no more of a rounding error than it is
        optimizer = SGD(0.5, L2=0.0, grad_clip=0.0, use_averages=False)
        for _ in range(5):
            # as `spacy train` does it; with sgd=optimizer, spaCy lets what is listened to
            # learn an update later
            nlp.update(examples_of(nlp), sgd=False)  # type: ignore[arg-type]
            for _, pipe in nlp.pipeline:
                pipe.finish_update(optimizer)
    ours, theirs = parameters(own), parameters(shared)
    moved = {name for name in before if np.abs(before[name] - ours[name]).max() > 1e-5}
    assert {"elmo mix.gamma", "elmo mix.weights"} <= moved
    assert any("encoder" in name for name in moved) is not frozen
    for name in before:
        assert np.abs(ours[name] - theirs[name]).max() <= 1e-6, name
    shared.to_disk(tmp_path)
    for text, _ in TEXTS:
        doc = own.make_doc(text)
        wanted = scores(own, doc)
        for nlp in (shared, spacy.load(tmp_path)):
            assert np.abs(scores(nlp, nlp.make_doc(text)) - wanted).max() <= 1e-5


def test_another_component_learns_beside_it_and_changes_no_entity() -> None:
    nlp = share_elmo(load_default_pipeline())
    texts = [text for text, _ in TEXTS]
    before = [[str(ent) for ent in doc.ents] for doc in nlp.pipe(texts)]
    model = {
        "@architectures": "spacy.Tagger.v2",
        "tok2vec": {**LISTENER, "width": nlp("One").tensor.shape[1]},
    }
    shared: Any = nlp.get_pipe("tok2vec")
    tagger: Any = nlp.add_pipe("tagger", config={"model": model})
    docs = [nlp.make_doc(text) for text in texts]
    examples = [
        Example.from_dict(doc, {"tags": [token.shape_ for token in doc]})
        for doc in docs
    ]
    tagger.initialize(lambda: examples, nlp=nlp)
    # as old versions of spaCy do only when all is initialized
    shared.find_listeners(tagger)
    optimizer = nlp.create_optimizer()
    elmo = parameters(nlp)
    for _ in range(30):
        nlp.update(
            examples,
            sgd=optimizer,
            exclude=["tok2vec", "elmo_ner"],
            annotates=["tok2vec"],
        )
    after = list(nlp.pipe(texts))
    assert [[token.tag_ for token in doc] for doc in after] == [
        [token.shape_ for token in doc] for doc in after
    ]
    assert [[str(ent) for ent in doc.ents] for doc in after] == before
    for name, values in parameters(nlp).items():
        assert np.array_equal(values, elmo[name])


def test_a_long_doc_in_parts_listens_too() -> None:
    own, shared = own_elmo(), share_elmo(own_elmo())
    for nlp in (own, shared):
        optimizer = nlp.create_optimizer()
        optimizer.learn_rate = 0.01
        for _ in range(40):
            nlp.update(examples_of(nlp), sgd=optimizer)
    text = " ".join(["I like London and Berlin ."] * 1200)
    ours, theirs = (
        [(ent.start, ent.end) for ent in nlp(text).ents] for nlp in (own, shared)
    )
    assert len(ours) > 1000
    assert ours == theirs


def test_a_shared_elmo_reads_its_layers_from_the_cache(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    nlp = share_elmo(own_elmo())
    use_elmo_cache(nlp, folder=tmp_path, max_gigabytes=0.1)
    optimizer = nlp.create_optimizer()
    nlp.update(examples_of(nlp), sgd=optimizer)

    def encode(*_: object) -> None:
        raise AssertionError("a sentence was encoded again")

    monkeypatch.setattr(ElmoNetwork, "_encode", encode)
    losses = nlp.update(examples_of(nlp), sgd=optimizer)
    assert losses["elmo_ner"] > 0


def test_a_default_model_that_listens_is_not_filled_with_that_of_the_package() -> None:
    nlp = spacy.blank("en")
    elmo: Dict[str, Any] = load_default_pipeline().get_pipe_config("elmo_ner")["model"]
    nlp.add_pipe("tok2vec", config={"model": {**TINY_ELMO}})
    elmo["tok2vec"] = {**elmo["tok2vec"], "elmo": LISTENER}
    nlp.add_pipe("elmo_ner", config={"model": elmo})
    with pytest.warns(UserWarning, match="has learnt nothing yet"):
        nlp.initialize()
    assert nlp(TEXT).tensor.shape[1] == 24


@pytest.mark.parametrize(
    "component, said",
    [
        ("ner", "no component 'ner'.* it has tok2vec, elmo_ner"),
        ("elmo_ner", "already has a component 'tok2vec'"),
    ],
)
def test_what_cannot_be_shared(component: str, said: str) -> None:
    nlp = share_elmo(own_elmo())
    with pytest.raises(ValueError, match=said):
        share_elmo(nlp, component)


def test_a_component_without_elmo(nlp: Language) -> None:
    with pytest.raises(ValueError, match="'elmo_ner' has 0 spacy_elmo_ner.Elmo.v1"):
        share_elmo(nlp)


def tagged(nlp: Language) -> List[Doc]:
    docs = [example.reference for example in examples_of(nlp)]
    for doc in docs:
        for token in doc:
            token.tag_ = token.shape_
    return docs


@pytest.mark.slow
@pytest.mark.parametrize("name", ["shared_elmo", "spacy_ner_elmo"])
def test_configs_train(name: str, repository: Path, tmp_path: Path) -> None:
    default = load_default_pipeline()
    write_safetensors(elmo_weights_of(default, NAME), tmp_path / "elmo.safetensors")
    DocBin(docs=tagged(spacy.blank("en"))).to_disk(tmp_path / "docs.spacy")
    docs = str(tmp_path / "docs.spacy")
    overrides: Dict[str, Any] = {
        "paths.train": docs,
        "paths.dev": docs,
        "paths.elmo": str(tmp_path / "elmo.safetensors"),
        "paths.elmo_cache": str(tmp_path / "cache"),
        "training.max_steps": 40,
        "training.eval_frequency": 20,
        "training.dropout": 0.0,
        "training.optimizer.use_averages": False,
        "training.optimizer.learn_rate.initial_rate": 0.01,
    }
    if name == "spacy_ner_elmo":
        vectors = spacy.blank("en")
        row: Any = np.ones(50, dtype="f")
        vectors.vocab.set_vector("london", row)
        vectors.to_disk(tmp_path / "vectors")
        overrides["paths.vectors"] = str(tmp_path / "vectors")
    config: Config = load_config(
        repository / "configs" / f"{name}.cfg", overrides=overrides
    )
    train(config, tmp_path / "out", use_gpu=-1, force=False, say=print)
    nlp = spacy.load(tmp_path / "out" / "model-best")
    doc = nlp(TEXTS[1][0])
    assert [ent.text for ent in doc.ents] == ["London", "Berlin"]
    if name == "shared_elmo":
        assert [token.tag_ for token in doc] == [token.shape_ for token in doc]
        assert len(elmo_nodes(nlp)) == 1
