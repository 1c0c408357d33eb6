"""The biLM against its equations, written out step by step and unbatched."""

import itertools
from typing import Any, Dict, Iterator, List, Optional

import numpy as np
import pytest
import torch
from torch import Tensor

from spacy_elmo_ner.bilm.char_ids import encode_words, index_types
from spacy_elmo_ner.bilm.encoder import ElmoEncoder
from spacy_elmo_ner.bilm.options import ElmoOptions
from spacy_elmo_ner.bilm.weights import to_weights

SENTENCES = [
    ["My", "name", "is", "John", "!"],
    [],
    ["x" * 60, "Größe", "日本語", "\0", "My"],
    ["a"],
    ["z" * 44, "y" * 45, "of", "of"],
]
BEGIN, END = "begin of sentence", "end of sentence"


def sigmoid(x: np.ndarray) -> np.ndarray:
    y: np.ndarray = 1 / (1 + np.exp(-x))
    return y


def clip(x: np.ndarray, bound: Optional[float]) -> np.ndarray:
    return np.clip(x, -bound, bound) if bound else x


class NaiveBiLM:
    """A word, a filter, a step at a time, from arrays with their published names."""

    def __init__(self, options: ElmoOptions, arrays: Dict[str, Tensor]) -> None:
        self.options = options
        self.arrays = {k: v.numpy().astype(np.float64) for k, v in arrays.items()}

    def word_vector(self, word: str) -> np.ndarray:
        letters = list(word.encode("utf8", "ignore")[:48])
        signs = {BEGIN: [256], END: [257]}.get(word, letters)
        ids = [258, *signs, 259]
        ids += [260] * (50 - len(ids))
        characters = [self.arrays["char_embed"][i] for i in ids]
        features = []
        for k, (length, count) in enumerate(self.options.filters):
            W, b = self.arrays[f"CNN/W_cnn_{k}"][0], self.arrays[f"CNN/b_cnn_{k}"]
            for f in range(count):
                values = [
                    sum(characters[t + i] @ W[i, :, f] for i in range(length)) + b[f]
                    for t in range(50 - length + 1)
                ]
                features.append(max(values))
        x = np.array(features)
        x = np.tanh(x) if self.options.activation == "tanh" else np.maximum(x, 0)
        for k in range(self.options.n_highway):
            high = {
                name: self.arrays[f"CNN_high_{k}/{name}"]
                for name in ("W_transform", "b_transform", "W_carry", "b_carry")
            }
            gate = sigmoid(x @ high["W_carry"] + high["b_carry"])
            transformed = np.maximum(x @ high["W_transform"] + high["b_transform"], 0)
            x = gate * transformed + (1 - gate) * x
        W, b = (self.arrays[f"CNN_proj/{name}"] for name in ("W_proj", "b_proj"))
        vector: np.ndarray = x @ W + b
        return vector

    def lstm(
        self, direction: int, layer: int, inputs: List[np.ndarray]
    ) -> List[np.ndarray]:
        group = f"RNN_{direction}/RNN/MultiRNNCell/Cell{layer}/LSTMCell"
        W, B, W_P = (self.arrays[f"{group}/{name}"] for name in ("W_0", "B", "W_P_0"))
        h = np.zeros(self.options.projection_width)
        c = np.zeros(self.options.lstm_width)
        outputs = []
        for x in inputs:
            i, g, f, o = np.split(np.concatenate([x, h]) @ W + B, 4)
            c = sigmoid(f + 1) * c + sigmoid(i) * np.tanh(g)
            c = clip(c, self.options.cell_clip)
            h = clip((sigmoid(o) * np.tanh(c)) @ W_P, self.options.projection_clip)
            outputs.append(h)
        return outputs

    def layers(self, sentence: List[str]) -> np.ndarray:
        """(layers, tokens, 2 directions · width) without boundaries."""
        vectors = [self.word_vector(word) for word in [BEGIN, *sentence, END]]
        directions = []
        for direction in range(2):
            inputs = vectors[::-1] if direction else vectors
            kept = [inputs]
            for layer in range(self.options.n_layers):
                outputs = self.lstm(direction, layer, inputs)
                if layer > 0 and self.options.skip_connections:
                    outputs = [out + x for out, x in zip(outputs, inputs, strict=True)]
                kept.append(outputs)
                inputs = outputs
            directions.append(np.array([k[::-1] if direction else k for k in kept]))
        return np.concatenate(directions, axis=-1)[:, 1:-1]


def all_options() -> Iterator[Dict[str, Any]]:
    switches: Dict[str, List[object]] = {
        "n_highway": [1, 2],
        "skip_connections": [True, False],
        "activation": ["relu", "tanh"],
        "cell_clip": [None, 0.4],
        "projection_clip": [None, 0.3],
    }
    for values in itertools.product(*switches.values()):
        yield dict(zip(switches, values, strict=True))
    yield {"n_layers": 1}
    yield {"n_layers": 3, "n_highway": 0}
    yield {"cell_clip": 0, "projection_clip": 0.0}


@pytest.mark.parametrize("changes", list(all_options()), ids=str)
def test_every_option_does_what_its_equation_says(changes: Dict[str, Any]) -> None:
    sizes: Dict[str, Any] = dict(
        char_embedding_width=3,
        filters=((1, 2), (2, 2), (7, 3)),
        n_highway=1,
        lstm_width=6,
        projection_width=4,
    )
    options = ElmoOptions(**{**sizes, **changes})
    torch.manual_seed(1)
    encoder = ElmoEncoder(options)
    for parameter in encoder.parameters():
        # large enough that the clips bite and gates leave their linear range
        torch.nn.init.normal_(parameter, std=0.7)
    naive = NaiveBiLM(options, to_weights(encoder).arrays)

    types, indexed = index_types(SENTENCES)
    with torch.no_grad():
        layers, _ = encoder(torch.from_numpy(encode_words(types)), indexed)
    lengths = [len(sentence) for sentence in SENTENCES]
    ours = [
        torch.stack(x) for x in zip(*(y.split(lengths) for y in layers), strict=True)
    ]

    for sentence, vectors in zip(SENTENCES, ours, strict=True):
        np.testing.assert_allclose(vectors, naive.layers(sentence), rtol=0, atol=1e-5)


@pytest.mark.parametrize("clip", ["cell_clip", "projection_clip"])
def test_the_clips_of_the_test_above_do_bite(clip: str) -> None:
    options: Dict[str, Any] = dict(
        filters=((1, 4),), n_highway=1, lstm_width=6, projection_width=4, **{clip: None}
    )
    torch.manual_seed(1)
    encoder = ElmoEncoder(ElmoOptions(**options))
    for parameter in encoder.parameters():
        torch.nn.init.normal_(parameter, std=0.7)
    types, indexed = index_types(SENTENCES)
    _, end = encoder(torch.from_numpy(encode_words(types)), indexed)
    unclipped = end.cell if clip == "cell_clip" else end.hidden
    assert unclipped.abs().max() > 0.4
