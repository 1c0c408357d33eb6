"""What bilm_speed compares: each turns batches of sentences into vectors."""

from functools import partial
from pathlib import Path
from typing import Any, Callable, Dict, List, Tuple

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import PackedSequence

from spacy_elmo_ner.bilm.char_ids import index_types
from spacy_elmo_ner.bilm.lstm import BiLM, ProjectedLstm
from spacy_elmo_ner.bilm.weight_files import read_weights
from spacy_elmo_ner.elmo.network import ElmoNetwork
from spacy_elmo_ner.kernels.packed_products import prepare_product
from spacy_elmo_ner.kernels.packing import pack
from spacy_elmo_ner.kernels.scripting import without_gil
from spacy_elmo_ner.kernels.threads import in_parallel, own_threads

from .texts import Sentences

# as Elmo.v1 has them
BATCH_TOKENS, CACHED_WORDS = 2048, 50_000


class Ours:
    """ElmoNetwork, words to mixed vectors, as Elmo.v1 runs it."""

    def __init__(self, folder: Path, precision: str = "float32") -> None:
        weights = read_weights(folder / "weights.hdf5", folder / "options.json")
        self.network = ElmoNetwork(
            options=weights.options,
            layer="elmo",
            frozen=True,
            batch_tokens=BATCH_TOKENS,
            cached_words=CACHED_WORDS,
            precision=precision,
            start_state="zeros",
        ).eval()
        self.network.set_weights(weights, str(folder))

    def forget(self) -> None:
        """Let all words be new again."""
        self.network._words.forget()

    def meet(self, sentences: Sentences) -> None:
        """Let no word of theirs be new."""
        self.network._word_vectors(index_types(sentences)[0])

    def __call__(self, sentences: Sentences) -> np.ndarray:
        types, indexed = index_types(sentences)
        ends = np.cumsum([0] + [len(sentence) for sentence in sentences])
        places = [np.arange(*ends[i : i + 2]) for i in range(len(sentences))]
        with own_threads():
            mixed: Tensor = self.network(types, indexed, places, int(ends[-1]))
        return mixed.numpy()


class AllenNLP:
    """AllenNLP's Elmo module, words to mixed vectors, as its users run it."""

    def __init__(self, folder: Path) -> None:
        from allennlp.modules.elmo import Elmo, batch_to_ids

        files = str(folder / "options.json"), str(folder / "weights.hdf5")
        self.elmo = Elmo(*files, num_output_representations=1, dropout=0.0).eval()
        self.to_ids = batch_to_ids

    def forget(self) -> None:
        """It keeps no words."""

    def __call__(self, sentences: Sentences) -> np.ndarray:
        # every batch from zeros, as ours, so that the vectors can be compared
        self.elmo._elmo_lstm._elmo_lstm.reset_states()
        (padded,) = self.elmo(self.to_ids(sentences))["elmo_representations"]
        lengths = [len(sentence) for sentence in sentences]
        rows = [row[:length] for row, length in zip(padded, lengths, strict=True)]
        return torch.cat(rows).numpy()


class TorchLstm:
    """The LSTMs alone with torch's own layers, which cannot clip."""

    def __init__(self, folder: Path) -> None:
        options = read_weights(folder / "weights.hdf5", folder / "options.json").options
        projected = options.projection_width
        self.words = torch.randn(1, projected)
        self.directions = [
            nn.LSTM(
                projected, options.lstm_width, options.n_layers, proj_size=projected
            )
            for _ in range(2)
        ]

    def forget(self) -> None:
        """It has no words."""

    def __call__(self, sentences: Sentences) -> Any:
        packing = pack([len(sentence) + 2 for sentence in sentences])
        rows = self.words.expand(sum(packing.steps), -1).contiguous()
        steps = torch.tensor(packing.steps)
        return [lstm(PackedSequence(rows, steps)) for lstm in self.directions]


class ProductsAlone:
    """The LSTMs' matrix products for the words and nothing else, both directions side
    by side as in ours: no exact biLM can be faster with these products."""

    def __init__(self, folder: Path) -> None:
        weights = read_weights(folder / "weights.hdf5", folder / "options.json")
        self.options = weights.options
        self.directions = [
            [without_gil(ProductsOfLayer(layer)) for layer in direction.layers]  # type: ignore[union-attr]
            for direction in BiLM(self.options, "float32").directions
        ]

    def forget(self) -> None:
        """It has no words."""

    def __call__(self, sentences: Sentences) -> None:
        steps = pack([len(sentence) for sentence in sentences]).steps
        n_types = len({word for sentence in sentences for word in sentence})
        rows = torch.zeros(sum(steps), self.options.projection_width)

        def multiply(i: int) -> None:
            for depth, layer in enumerate(self.directions[i]):
                layer(rows[:n_types] if depth == 0 else rows, steps, rows)

        with own_threads():
            in_parallel([partial(multiply, 0), partial(multiply, 1)])


class ProductsOfLayer(nn.Module):
    """What a layer of one direction multiplies."""

    def __init__(self, layer: ProjectedLstm) -> None:
        super().__init__()
        projected = layer.projected
        self.width = layer.width
        self.inputs = prepare_product(layer.W_0[:projected])
        self.recurrence = prepare_product(layer.W_0[projected:])
        self.projection = prepare_product(layer.W_P_0)

    def forward(
        self, inputs: Tensor, steps: List[int], hidden: Tensor
    ) -> Tuple[Tensor, Tensor]:
        # each product is made of the one before and some are returned: a compiler would
        # leave out what nobody asks for
        for alive in steps:
            gates = self.recurrence(hidden[:alive])
            hidden = self.projection(gates[:, : self.width])
        return self.inputs(inputs), hidden


SYSTEMS: Dict[str, Callable[[Path], Any]] = {
    "ours": Ours,
    "bfloat16": lambda folder: Ours(folder, "bfloat16"),
    "int8": lambda folder: Ours(folder, "int8"),
    "allennlp": AllenNLP,
    "nn.LSTM": TorchLstm,
    "products": ProductsAlone,
}
