"""Vectors that the original TensorFlow code computed, with its state carried."""

import json
from pathlib import Path

import h5py
import numpy as np
import pytest
import torch

from spacy_elmo_ner.bilm.char_ids import boundary_ids, encode_words, index_types
from spacy_elmo_ner.bilm.encoder import ElmoEncoder
from spacy_elmo_ner.bilm.weight_files import read_weights, write_safetensors
from tests.encoders import to_encoder

SENTENCE_FILES = {
    "allennlp": "sentences.json",
    "bilm-tf": "lm_embeddings_sentences.json",
}


@pytest.fixture(params=SENTENCE_FILES)
def family(request: pytest.FixtureRequest, shared_data: Path) -> Path:
    folder: Path = shared_data / "elmo_fixtures" / request.param
    return folder


@pytest.fixture(params=["hdf5", "safetensors"])
def encoder(
    request: pytest.FixtureRequest, family: Path, tmp_path: Path
) -> ElmoEncoder:
    weights = read_weights(family / "lm_weights.hdf5", family / "options.json")
    if request.param == "safetensors":
        write_safetensors(weights, tmp_path / "weights.safetensors")
        weights = read_weights(tmp_path / "weights.safetensors")
    return to_encoder(weights, str(family))


def test_all_batches_with_state_carried(family: Path, encoder: ElmoEncoder) -> None:
    lists = json.loads((family / SENTENCE_FILES[family.name]).read_text())
    expected = []
    for k in range(len(lists)):
        with h5py.File(family / f"lm_embeddings_{k}.hdf5") as file:
            expected.append([file[str(i)][...] for i in range(len(lists[k]))])
    compared, state = 0, None
    for i in range(10):
        batch = [sentences[i].split() for sentences in lists]
        types, indexed = index_types(batch)
        with torch.no_grad():
            layers, state = encoder(
                torch.from_numpy(encode_words(types)), indexed, state=state
            )
        tops = layers[-1].split([len(sentence) for sentence in batch])
        for k, top in enumerate(tops):
            both_directions = np.concatenate(list(expected[k][i]), axis=-1)
            np.testing.assert_allclose(top, both_directions, rtol=0, atol=1e-5)
            compared += 1
    assert compared == 30


def test_word_vectors(shared_data: Path) -> None:
    family = shared_data / "elmo_fixtures" / "allennlp"
    weights = read_weights(family / "lm_weights.hdf5", family / "options.json")
    encoder = to_encoder(weights, str(family))
    words = (family / "vocab_test.txt").read_text().split("\n")
    with h5py.File(family / "elmo_token_embeddings.hdf5") as file:
        expected = file["embedding"][...]
    ids = encode_words(words)
    # the one difference of ours: these two are boundaries only to the published code
    ids[words.index("<S>")], ids[words.index("</S>")] = boundary_ids()
    with torch.no_grad():
        vectors = encoder.char_cnn(torch.from_numpy(ids))
    np.testing.assert_allclose(vectors, expected, rtol=0, atol=1e-5)
