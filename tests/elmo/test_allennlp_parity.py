"""Our modules against AllenNLP's, with the same random weights in published files."""

from dataclasses import replace
from pathlib import Path
from typing import Any, Callable, Dict, List, Tuple

import numpy as np
import pytest
import torch
from spacy.language import Language

from spacy_elmo_ner.bilm.char_ids import encode_words, index_types
from spacy_elmo_ner.bilm.encoder import WARM_UP_TIMES, WARM_UP_WORD, ElmoEncoder
from spacy_elmo_ner.bilm.options import ElmoOptions
from spacy_elmo_ner.bilm.weight_files import read_weights, write_hdf5
from spacy_elmo_ner.bilm.weights import to_weights
from spacy_elmo_ner.elmo.loader import elmo_nodes, load_elmo_weights
from tests.encoders import to_encoder

allennlp_elmo = pytest.importorskip("allennlp.modules.elmo")

OURS, THEIRS = "spacy_elmo_ner.Elmo.v1", "spacy_elmo_ner.AllenNLPElmo.v1"
FILTERS = ((1, 32), (2, 32), (3, 64), (4, 128), (5, 256), (6, 512), (7, 1024))
SMALL = ElmoOptions(filters=FILTERS, n_highway=1, lstm_width=1024, projection_width=128)
# bounds that most cells and outputs of random weights run into
CLIPPED = replace(SMALL, cell_clip=0.1, projection_clip=0.05)
ORIGINAL = ElmoOptions(
    filters=FILTERS, n_highway=2, lstm_width=4096, projection_width=512
)
ODD = [
    "The quick brown fox jumped over the lazy dog , they said .".split(),
    ["a"],
    ["x" * 47 + "é", "é" * 30, "y" * 60, "z" * 45],
    ["日本語", "\0", "\ud800", "", "Größe", "\U0001f469\u200d\U0001f680", "\u202e"],
    ["same", "same", "same"] * 9,
]
TEXTS = [
    "My name is John! I live in  Berlin.\n\nAnd you?",
    "",
    "  ",
    "Literally </S> and <S> , no boundaries.",
    "x" * 47 + "é" * 10 + " 日本語 \0 \u202e",
    "word " * 40,
]


def write_random(
    folder: Path, options: ElmoOptions, *, seed: int = 7
) -> Tuple[Path, Path]:
    torch.manual_seed(seed)
    paths = folder / "weights.hdf5", folder / "options.json"
    write_hdf5(to_weights(ElmoEncoder(options)), *paths)
    return paths


@pytest.mark.parametrize(
    "options,sentences",
    [(SMALL, ODD), (CLIPPED, ODD), (ORIGINAL, ODD[2:4])],
    ids=["small", "clipped", "original"],
)
def test_three_layers_of_the_published_sizes(
    tmp_path: Path, options: ElmoOptions, sentences: List[List[str]]
) -> None:
    arrays, sizes = write_random(tmp_path, options)
    theirs = allennlp_elmo._ElmoBiLm(str(sizes), str(arrays))
    with torch.no_grad():
        expected = theirs(allennlp_elmo.batch_to_ids(sentences))["activations"]
    del theirs
    encoder = to_encoder(read_weights(arrays, sizes), "test")
    types, indexed = index_types(sentences)
    with torch.no_grad():
        layers, _ = encoder(torch.from_numpy(encode_words(types)), indexed)
    lengths = [len(sentence) for sentence in sentences]
    assert len(layers) == len(expected) == 3
    for ours, padded in zip(layers, expected, strict=True):
        for i, vectors in enumerate(ours.split(lengths)):
            # theirs have boundaries
            reference = padded[i, 1 : lengths[i] + 1]
            np.testing.assert_allclose(vectors, reference, rtol=0, atol=1e-5)


def test_a_warm_start_is_the_state_that_allennlp_carries_along(tmp_path: Path) -> None:
    """It keeps the state of a batch for the next one; ours starts every sentence so."""
    arrays, sizes = write_random(tmp_path, SMALL)
    theirs = allennlp_elmo._ElmoBiLm(str(sizes), str(arrays))
    encoder = to_encoder(read_weights(arrays, sizes), "test")
    encoder.start_state = "warm"
    sentence = ODD[0]
    types, indexed = index_types([sentence])
    with torch.no_grad():
        for _ in range(WARM_UP_TIMES):
            theirs(allennlp_elmo.batch_to_ids([[WARM_UP_WORD]]))
        expected = theirs(allennlp_elmo.batch_to_ids([sentence]))["activations"]
        layers, _ = encoder(torch.from_numpy(encode_words(types)), indexed)
    for ours, padded in zip(layers, expected, strict=True):
        np.testing.assert_allclose(ours, padded[0, 1:-1], rtol=0, atol=1e-5)


@pytest.fixture
def pipelines(
    elmo_pipeline: Callable[..., Language], sizes: Dict[str, Any], tmp_path: Path
) -> Callable[..., List[Language]]:
    """Makes a pipeline of each kind, with the same weights from the same files."""

    def make(**arguments: Any) -> List[Language]:
        filters = tuple(map(tuple, sizes["filters"]))
        options = ElmoOptions(**{**sizes, "filters": filters}, n_highway=1)
        arrays, file = write_random(tmp_path, options)
        made = []
        for seed, architecture in enumerate((OURS, THEIRS)):
            name = {"@architectures": architecture}
            nlp = elmo_pipeline(seed=seed, **arguments, **name)
            made.append(load_elmo_weights(nlp, weights=arrays, options=file))
        return made

    return make


@pytest.mark.parametrize(
    "layer", ["elmo", "word_emb", "lstm_outputs1", "lstm_outputs2"]
)
def test_same_vectors_in_a_pipeline(
    pipelines: Callable[..., List[Language]], layer: str
) -> None:
    ours, theirs = pipelines(layer=layer, batch_tokens=40, max_sentence_length=15)
    for one, other in zip(ours.pipe(TEXTS), theirs.pipe(TEXTS), strict=True):
        assert one.tensor.shape == other.tensor.shape
        np.testing.assert_allclose(one.tensor, other.tensor, rtol=0, atol=1e-5)


def test_allennlps_state_is_not_carried(
    pipelines: Callable[..., List[Language]],
) -> None:
    _, nlp = pipelines()
    alone = [nlp(text).tensor for text in TEXTS]
    batches = [list(nlp.pipe(TEXTS)), list(nlp.pipe(TEXTS[::-1]))[::-1]]
    batches.append(list(nlp.pipe(TEXTS, n_process=2, batch_size=2)))
    for docs in batches:
        for doc, vectors in zip(docs, alone, strict=True):
            np.testing.assert_allclose(doc.tensor, vectors, rtol=0, atol=1e-6)


def test_saved_pipeline_needs_no_original_file(
    pipelines: Callable[..., List[Language]],
    elmo_pipeline: Callable[..., Language],
    tmp_path: Path,
) -> None:
    _, nlp = pipelines()
    nlp.to_disk(tmp_path / "saved")
    (tmp_path / "weights.hdf5").unlink()
    (tmp_path / "options.json").unlink()
    other = elmo_pipeline(seed=3, **{"@architectures": THEIRS})
    other.from_disk(tmp_path / "saved")
    for one, two in zip(nlp.pipe(TEXTS), other.pipe(TEXTS), strict=True):
        np.testing.assert_array_equal(one.tensor, two.tensor)


@pytest.mark.parametrize("frozen", [True, False])
def test_same_gradients(pipelines: Callable[..., List[Language]], frozen: bool) -> None:
    names = {
        "mix.gamma": "elmo.scalar_mix_0.gamma",
        "mix.weights": "elmo.scalar_mix_0.scalar_parameters",
        "encoder.char_cnn.projection.b": (
            "elmo._elmo_lstm._token_embedder._projection.bias"
        ),
        "encoder.bilm.directions.1.layers.0.W_P_0": (
            "elmo._elmo_lstm._elmo_lstm.backward_layer_0.state_projection.weight"
        ),
    }
    gradients = []
    for nlp, which in zip(pipelines(frozen=frozen), (0, 1), strict=True):
        (node,) = elmo_nodes(nlp)
        docs = [nlp.make_doc(text) for text in TEXTS]
        vectors, backprop = node.begin_update(docs)
        backprop(
            [np.cos(np.arange(v.size, dtype="f")).reshape(v.shape) for v in vectors]
        )
        parameters = dict(node.shims[0].module.named_parameters())
        found = []
        for pair in names.items():
            matching = [p for n, p in parameters.items() if n.startswith(pair[which])]
            grads = [p.grad for p in matching if p.grad is not None]
            found.append(torch.cat([g.flatten() for g in grads]) if grads else None)
        if not frozen and which == 1:
            # published arrays are the other way round
            found[3] = matching[0].grad.T.flatten()
        gradients.append(found)
    for name, ours, theirs in zip(names, *gradients, strict=True):
        if frozen and not name.startswith("mix"):
            assert ours is None and theirs is None
        else:
            torch.testing.assert_close(ours, theirs, rtol=1e-3, atol=1e-5)


def test_without_skip_connections_it_points_to_ours(
    elmo_pipeline: Callable[..., Language],
) -> None:
    with pytest.raises(ValueError, match="skip connections.*Elmo.v1"):
        elmo_pipeline(skip_connections=False, **{"@architectures": THEIRS})


def test_weights_of_other_sizes_are_refused(
    pipelines: Callable[..., List[Language]],
    elmo_pipeline: Callable[..., Language],
    tmp_path: Path,
) -> None:
    pipelines()
    nlp = elmo_pipeline(lstm_width=12, **{"@architectures": THEIRS})
    with pytest.raises(ValueError, match="lstm_width is 12 instead of 24"):
        load_elmo_weights(
            nlp, weights=tmp_path / "weights.hdf5", options=tmp_path / "options.json"
        )
