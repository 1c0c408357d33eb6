"""The same contract as architecture.py, computed by `allennlp.modules.elmo`."""

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, List, Optional, Sequence

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..bilm.char_ids import encode_words
from ..bilm.encoder import ElmoEncoder
from ..bilm.options import ElmoOptions
from ..bilm.weight_files import write_hdf5
from ..bilm.weights import ElmoWeights, check_arrays, check_options, to_weights
from ..kernels.fork_safe_lock import ForkSafeLock
from .architecture import SMALL_FILTERS
from .layer_mix import MIX, depth_of
from .network import sub_batches
from .thinc_node import Elmo, elmo_node

# AllenNLP's own way to leave a layer out: its softmax gives exactly 0.
NEVER = -9e10


def build_allennlp_elmo_v1(
    *,
    lstm_width: int = 1024,
    projection_width: int = 128,
    n_layers: int = 2,
    n_highway: int = 1,
    filters: Sequence[Sequence[int]] = SMALL_FILTERS,
    char_embedding_width: int = 16,
    activation: str = "relu",
    cell_clip: Optional[float] = 3.0,
    projection_clip: Optional[float] = 3.0,
    skip_connections: bool = True,
    layer: str = "elmo",
    frozen: bool = True,
    dropout: float = 0.0,
    batch_tokens: int = 2048,
    max_sentence_length: int = 512,
) -> Elmo:
    """Build ELMo vectors with AllenNLP's modules, for environments that have AllenNLP.

    The arguments, the vectors and the way weights are loaded and saved are those of
    `architecture.build_elmo_v1`, with two differences: AllenNLP cannot do without skip
    connections, and a text's vectors may differ by rounding from batch to batch.
    AllenNLP carries state from batch to batch; here every batch starts from zeros.

    A pipeline saved with it needs AllenNLP to load, and its weights do not fit Elmo.v1.

    Raises:
        ValueError: As `build_elmo_v1`, and if AllenNLP cannot be imported.
    """
    try:
        import allennlp.modules.elmo  # noqa: F401
    except ImportError as error:
        raise ValueError(
            f"spacy_elmo_ner.AllenNLPElmo.v1 cannot import AllenNLP here ({error}). "
            'Install it with `pip install "spacy-elmo-ner[allennlp]"` on Python 3.10, '
            "or use spacy_elmo_ner.Elmo.v1, which gives the same vectors without it."
        ) from error
    if not skip_connections:
        raise ValueError(
            "AllenNLP's ELMo always has skip connections, but skip_connections is "
            "false; use spacy_elmo_ner.Elmo.v1 for these weights."
        )
    options = ElmoOptions(
        char_embedding_width=char_embedding_width,
        filters=filters,  # type: ignore[arg-type]
        n_highway=n_highway,
        activation=activation,
        lstm_width=lstm_width,
        projection_width=projection_width,
        n_layers=n_layers,
        cell_clip=cell_clip,
        projection_clip=projection_clip,
        skip_connections=skip_connections,
    )
    return elmo_node(
        AllenNLPNetwork,
        options=options,
        layer=layer,
        frozen=frozen,
        dropout=dropout,
        batch_tokens=batch_tokens,
        max_sentence_length=max_sentence_length,
    )


class AllenNLPNetwork(nn.Module):
    """AllenNLP's ELMo with the arguments and methods of `network.ElmoNetwork`."""

    def __init__(
        self, *, options: ElmoOptions, layer: str, frozen: bool, batch_tokens: int
    ) -> None:
        super().__init__()
        self.options = options
        self.layer = layer
        self.frozen = frozen
        self.batch_tokens = batch_tokens
        self.elmo = self._read(to_weights(ElmoEncoder(options)))
        # AllenNLP's module carries its state from call to call
        self._lock = ForkSafeLock()

    def set_weights(self, weights: ElmoWeights, source: str) -> None:
        """Set a biLM's weights.

        Raises:
            ValueError: If they do not fit.
        """
        check_options(self.options, weights.options, source)
        check_arrays(weights, source)
        bilm = self._read(weights)._elmo_lstm
        self.elmo._elmo_lstm.load_state_dict(bilm.state_dict())

    def reset_mix(self) -> None:
        """See `ElmoNetwork.reset_mix`."""
        if self.layer == MIX:
            for mix in self.elmo._scalar_mixes:
                for share in mix.scalar_parameters:
                    nn.init.zeros_(share)
                nn.init.ones_(mix.gamma)

    def forward(
        self,
        types: Sequence[str],
        sentences: Sequence[np.ndarray],
        places: Sequence[np.ndarray],
        n_rows: int,
        *,
        dropout: float = 0.0,
    ) -> Tensor:
        """See `ElmoNetwork.forward`."""
        width = self.options.output_width
        rows = next(self.parameters()).new_zeros(n_rows, width)
        if not sentences:
            return rows
        type_ids = torch.from_numpy(encode_words(types)).to(rows.device)
        vectors: List[Tensor] = []
        batches = sub_batches([len(one) for one in sentences], self.batch_tokens)
        with self._lock:
            for batch in batches:
                vectors += self._encode(type_ids, [sentences[i] for i in batch])
        place = np.concatenate([places[i] for batch in batches for i in batch])
        index = torch.from_numpy(place).to(rows.device)
        rows = rows.index_copy(0, index, torch.cat(vectors))
        return F.dropout(rows, dropout)

    def _encode(self, type_ids: Tensor, sentences: List[np.ndarray]) -> List[Tensor]:
        """Vectors (tokens, width) of each sentence."""
        lengths = [len(sentence) for sentence in sentences]
        # the id 0 masks what lies beyond a sentence's end
        ids = type_ids.new_zeros(len(sentences), max(lengths), type_ids.shape[1])
        for row, sentence in zip(ids, sentences, strict=True):
            index = torch.from_numpy(sentence).to(type_ids.device)
            row[: len(sentence)] = type_ids[index]
        self.elmo._elmo_lstm._elmo_lstm.reset_states()
        (padded,) = self.elmo(ids)["elmo_representations"]
        return [row[:length] for row, length in zip(padded, lengths, strict=True)]

    def _read(self, weights: ElmoWeights) -> Any:
        """AllenNLP's module with these weights, which it only reads from files."""
        from allennlp.modules.elmo import Elmo as AllenNLPElmo

        mix: Optional[List[float]] = None
        if self.layer != MIX:
            mix = [NEVER] * (self.options.n_layers + 1)
            mix[depth_of(self.layer, self.options.n_layers)] = 1.0
        with TemporaryDirectory() as folder:
            arrays, sizes = Path(folder) / "weights.hdf5", Path(folder) / "options.json"
            write_hdf5(weights, arrays, sizes)
            return AllenNLPElmo(
                str(sizes),
                str(arrays),
                num_output_representations=1,
                requires_grad=not self.frozen,
                dropout=0.0,
                scalar_mix_parameters=mix,
            )
