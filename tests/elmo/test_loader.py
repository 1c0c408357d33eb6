import json
from pathlib import Path
from typing import Any, Callable, Dict, List, Union

import h5py
import numpy as np
import pytest
import spacy
import torch
from spacy.language import Language
from spacy.tokens import Doc
from spacy.training import Example

from spacy_elmo_ner.bilm.char_ids import encode_words, index_types
from spacy_elmo_ner.bilm.encoder import ElmoEncoder
from spacy_elmo_ner.bilm.options import ElmoOptions
from spacy_elmo_ner.bilm.weight_files import write_hdf5, write_safetensors
from spacy_elmo_ner.bilm.weights import to_weights
from spacy_elmo_ner.elmo.loader import elmo_nodes, load_elmo_weights

FIXTURE_SIZES = {
    "lstm_width": 64,
    "projection_width": 16,
    "n_highway": 2,
    "filters": [[1, 4], [2, 8], [3, 16], [4, 32], [5, 64]],
    "char_embedding_width": 4,
}
TEXT = "My name is John, not  Größe."
TRAIN = [
    ("Who is Shaka Khan?", {"entities": [(7, 17, "PERSON")]}),
    ("I like London and Berlin.", {"entities": [(7, 13, "LOC"), (18, 24, "LOC")]}),
]
GOLD = [["Shaka Khan"], ["London", "Berlin"]]


@pytest.fixture
def weight_files(sizes: Dict[str, Any], tmp_path: Path) -> Path:
    """Files of a biLM of the small sizes: HDF5 with options, and safetensors."""
    filters = tuple(map(tuple, sizes["filters"]))
    options = ElmoOptions(**{**sizes, "filters": filters, "n_highway": 1})
    torch.manual_seed(99)
    weights = to_weights(ElmoEncoder(options))
    for array in weights.arrays.values():
        # vectors that differ enough from word to word to be learnt from
        array.normal_(std=0.5)
    folder = tmp_path / "weights"
    folder.mkdir()
    write_hdf5(weights, folder / "w.hdf5", folder / "o.json")
    write_safetensors(weights, folder / "w.safetensors")
    return folder


def weights_block(folder: Path, kind: str) -> Dict[str, str]:
    block = {"@callbacks": "spacy_elmo_ner.ElmoWeights.v1"}
    if kind == "hdf5":
        return {
            **block,
            "weights": str(folder / "w.hdf5"),
            "options": str(folder / "o.json"),
        }
    return {**block, "weights": str(folder / "w.safetensors")}


def vectors_of(nlp: Language, component: str = "tok2vec") -> Any:
    model = nlp.get_pipe(component).model
    (node,) = elmo_nodes(model)
    return node.predict([nlp.make_doc(TEXT)])[0]


@pytest.mark.parametrize("family", ["allennlp", "bilm-tf"])
def test_published_vectors_come_out_of_the_pipeline(
    shared_data: Path, family: str
) -> None:
    """The first batch, before any state is carried, has zero state, as we do."""
    folder = shared_data / "elmo_fixtures" / family
    nlp = spacy.blank("en")
    elmo = nlp.add_pipe(
        "tok2vec",
        config={
            "model": {
                "@architectures": "spacy_elmo_ner.Elmo.v1",
                **FIXTURE_SIZES,
                "skip_connections": family == "allennlp",
                "layer": "lstm_outputs2",
            }
        },
    )
    load_elmo_weights(
        nlp, weights=folder / "lm_weights.hdf5", options=folder / "options.json"
    )
    nlp.initialize()
    (name,) = folder.glob("*sentences.json")
    lists = json.loads(name.read_text())
    for k, sentences in enumerate(lists):
        words = sentences[0].split()
        starts: List[Union[bool, int, None]] = [i == 0 for i in range(len(words))]
        doc = elmo(Doc(nlp.vocab, words=words, sent_starts=starts))
        with h5py.File(folder / f"lm_embeddings_{k}.hdf5") as file:
            expected = np.concatenate(list(file["0"][...]), axis=-1)
        np.testing.assert_allclose(doc.tensor, expected, rtol=0, atol=1e-5)


@pytest.mark.parametrize("kind", ["hdf5", "safetensors"])
def test_weights_survive_initialize(
    elmo_pipeline: Callable[..., Language], weight_files: Path, kind: str
) -> None:
    nlp = elmo_pipeline()
    random = vectors_of(nlp)
    nlp.config["initialize"]["before_init"] = weights_block(weight_files, kind)
    nlp.initialize()
    loaded = vectors_of(nlp)
    assert abs(loaded - random).max() > 0.01
    (direct,) = elmo_nodes(
        load_elmo_weights(elmo_pipeline(seed=5), weights=weight_files / "w.safetensors")
    )
    np.testing.assert_array_equal(direct.predict([nlp.make_doc(TEXT)])[0], loaded)


def blank(sizes: Dict[str, Any], *, shared: bool, frozen: bool) -> Language:
    """spaCy's own ner over ELMo, in a component of its own or not."""
    elmo = {"@architectures": "spacy_elmo_ner.Elmo.v1", **sizes, "frozen": frozen}
    nlp = spacy.blank("en")
    if shared:
        nlp.add_pipe("tok2vec", config={"model": elmo})
        elmo = {
            "@architectures": "spacy.Tok2VecListener.v1",
            "width": 2 * sizes["projection_width"],
        }
    nlp.add_pipe("ner", config={"model": {"tok2vec": elmo}})
    return nlp


def found(nlp: Language) -> List[List[str]]:
    return [[ent.text for ent in nlp(text).ents] for text, _ in TRAIN]


@pytest.mark.parametrize("shared", [True, False])
@pytest.mark.parametrize("frozen", [True, False])
def test_trains_under_spacys_ner_and_needs_no_file_afterwards(
    sizes: Dict[str, Any],
    weight_files: Path,
    tmp_path: Path,
    shared: bool,
    frozen: bool,
) -> None:
    holder = "tok2vec" if shared else "ner"
    spacy.util.fix_random_seed(0)
    nlp = blank(sizes, shared=shared, frozen=frozen)
    nlp.config["initialize"]["before_init"] = weights_block(weight_files, "hdf5")
    examples = [Example.from_dict(nlp.make_doc(text), gold) for text, gold in TRAIN]
    optimizer = nlp.initialize(lambda: examples)
    optimizer.learn_rate = 0.01
    (node,) = elmo_nodes(nlp)
    before = {
        name: value.clone() for name, value in node.shims[0].module.state_dict().items()
    }
    for _ in range(300):
        nlp.update(examples, sgd=optimizer)
        if found(nlp) == GOLD:
            break
    assert found(nlp) == GOLD
    after = node.shims[0].module.state_dict()
    changed = {name for name in before if not torch.equal(before[name], after[name])}
    assert "mix.weights" in changed
    assert ("encoder.char_cnn.char_embed" in changed) != frozen

    vectors = vectors_of(nlp, holder)
    nlp.to_disk(tmp_path / "saved")
    for path in weight_files.iterdir():
        path.unlink()
    from_disk = spacy.load(tmp_path / "saved")
    from_bytes = blank(sizes, shared=shared, frozen=frozen).from_bytes(nlp.to_bytes())
    for other in (from_disk, from_bytes):
        np.testing.assert_array_equal(vectors_of(other, holder), vectors)
        for text, _ in TRAIN:
            assert [e.text for e in other(text).ents] == [
                e.text for e in nlp(text).ents
            ]


def test_every_component_is_found_even_a_disabled_one(
    sizes: Dict[str, Any], weight_files: Path
) -> None:
    nlp = blank(sizes, shared=False, frozen=True)
    model = {"@architectures": "spacy_elmo_ner.Elmo.v1", **sizes}
    nlp.add_pipe("tok2vec", config={"model": model})
    nlp.disable_pipe("tok2vec")
    load_elmo_weights(nlp, weights=weight_files / "w.safetensors")
    first, second = elmo_nodes(nlp)
    doc = nlp.make_doc("My name is John")
    np.testing.assert_array_equal(first.predict([doc])[0], second.predict([doc])[0])


def test_sizes_that_differ_are_named_and_the_error_holds_a_config_that_fits(
    elmo_pipeline: Callable[..., Language], sizes: Dict[str, Any], weight_files: Path
) -> None:
    nlp = elmo_pipeline(lstm_width=12, skip_connections=False)
    with pytest.raises(ValueError) as error:
        load_elmo_weights(nlp, weights=weight_files / "w.safetensors")
    message = str(error.value)
    assert "lstm_width is 12 instead of 24" in message
    assert "skip_connections is false instead of true" in message
    block = "[elmo]\n" + message.split("\n\n")[-1]
    arguments = spacy.util.load_config_from_str(block)["elmo"]
    fitting = elmo_pipeline(**arguments)
    load_elmo_weights(fitting, weights=weight_files / "w.safetensors")


def test_clip_of_zero_and_none_are_the_same(
    elmo_pipeline: Callable[..., Language], sizes: Dict[str, Any], tmp_path: Path
) -> None:
    filters = tuple(map(tuple, sizes["filters"]))
    options = ElmoOptions(
        **{**sizes, "filters": filters}, n_highway=1, cell_clip=0, projection_clip=None
    )
    write_safetensors(to_weights(ElmoEncoder(options)), tmp_path / "w.safetensors")
    nlp = elmo_pipeline(cell_clip=None, projection_clip=0.0)
    before = vectors_of(nlp)
    load_elmo_weights(nlp, weights=tmp_path / "w.safetensors")
    assert not np.array_equal(vectors_of(nlp), before)


def test_a_trained_start_comes_with_the_weights(
    elmo_pipeline: Callable[..., Language], sizes: Dict[str, Any], tmp_path: Path
) -> None:
    options = ElmoOptions(
        **{**sizes, "filters": tuple(map(tuple, sizes["filters"])), "n_highway": 1}
    )
    encoder = ElmoEncoder(options, start_state="trained")
    torch.nn.init.normal_(encoder.start_cell)
    path = tmp_path / "w.safetensors"
    write_safetensors(to_weights(encoder), path)
    with pytest.raises(ValueError, match='start_state = "trained"'):
        load_elmo_weights(elmo_pipeline(), weights=path)
    nlp = elmo_pipeline(start_state="trained", layer="lstm_outputs2")
    untrained = vectors_of(nlp)
    load_elmo_weights(nlp, weights=path)
    loaded = vectors_of(nlp)
    assert abs(loaded - untrained).max() > 0.01
    nlp.to_disk(tmp_path / "saved")
    np.testing.assert_array_equal(vectors_of(spacy.load(tmp_path / "saved")), loaded)
    types, indexed = index_types(["My name is John , not Größe .".split()])
    with torch.no_grad():
        layers, _ = encoder(torch.from_numpy(encode_words(types)), indexed)
    words = [not token.is_space for token in nlp.make_doc(TEXT)]
    np.testing.assert_allclose(loaded[words], layers[-1], rtol=0, atol=1e-6)


def test_pipeline_without_elmo_is_told_so(weight_files: Path) -> None:
    with pytest.raises(ValueError, match="no ELMo.*spacy_elmo_ner.Elmo.v1"):
        load_elmo_weights(spacy.blank("en"), weights=weight_files / "w.safetensors")


def test_missing_file_stops_initialize(
    elmo_pipeline: Callable[..., Language], tmp_path: Path
) -> None:
    nlp = elmo_pipeline()
    nlp.config["initialize"]["before_init"] = weights_block(tmp_path, "safetensors")
    with pytest.raises(ValueError, match="no ELMo weight file"):
        nlp.initialize()


def test_saved_weights_that_do_not_fit_the_config_are_an_error(
    elmo_pipeline: Callable[..., Language],
) -> None:
    saved = elmo_pipeline().get_pipe("tok2vec").to_bytes()
    other = elmo_pipeline(lstm_width=12).get_pipe("tok2vec")
    with pytest.raises(ValueError, match="do not fit the model that the config"):
        other.from_bytes(saved)
