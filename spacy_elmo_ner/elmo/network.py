"""Sentences → one vector per token: encoder and layer mix, in batches that fit."""

from typing import List, Sequence

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .encoder import N_BOUNDARIES, ElmoEncoder
from .layer_mix import LayerMix
from .options import ElmoOptions
from .weights import ElmoWeights, set_weights


class ElmoNetwork(nn.Module):
    """ELMo as a layer of another network.

    options: the biLM's sizes.
    layer: see `layer_mix.depth_of`.
    frozen: whether the biLM keeps its weights; the mix learns either way.
    batch_tokens: how many tokens, padding and boundaries counted, to encode at a time.
    """

    def __init__(
        self, *, options: ElmoOptions, layer: str, frozen: bool, batch_tokens: int
    ) -> None:
        super().__init__()
        self.frozen = frozen
        self.batch_tokens = batch_tokens
        self.width = options.output_width
        self.encoder = ElmoEncoder(options)
        self.encoder.requires_grad_(not frozen)
        self.mix = LayerMix(layer, options.n_layers)

    def set_weights(self, weights: ElmoWeights, source: str) -> None:
        """Put a biLM's weights in place. Raises ValueError when they do not fit."""
        set_weights(self.encoder, weights, source)

    def forward(
        self,
        type_ids: Tensor,
        sentences: Sequence[np.ndarray],
        places: Sequence[np.ndarray],
        n_rows: int,
        *,
        dropout: float = 0.0,
    ) -> Tensor:
        """Vectors (n_rows, width); rows that no token claims are zero.

        type_ids: character ids of the distinct words, (n_types, 50).
        sentences: each token's row in type_ids.
        places: each token's row in the result.
        dropout: rate at which values are dropped while training.
        """
        rows = next(self.parameters()).new_zeros(n_rows, self.width)
        if not sentences:
            return rows
        vectors: List[Tensor] = []
        record = torch.is_grad_enabled() and not self.frozen
        with torch.set_grad_enabled(record):
            words = self.encoder.word_vectors(type_ids)
        batches = sub_batches([len(one) for one in sentences], self.batch_tokens)
        for batch in batches:
            with torch.set_grad_enabled(record):
                layers, _ = self.encoder.layers(
                    words, [sentences[i] for i in batch], depth=self.mix.depth
                )
            vectors.append(self.mix(layers))
        place = np.concatenate([places[i] for batch in batches for i in batch])
        index = torch.from_numpy(place).to(type_ids.device)
        rows = rows.index_copy(0, index, torch.cat(vectors))
        return F.dropout(rows, dropout, self.training)


def sub_batches(lengths: Sequence[int], batch_tokens: int) -> List[List[int]]:
    """Indices of sentences, longest first, cut so that each batch fits.

    A batch's longest sentence, with its boundaries, times its number of sentences is
    at most batch_tokens; a sentence that is too long for that is a batch alone.
    """
    batches: List[List[int]] = []
    longest = 0
    for i in sorted(range(len(lengths)), key=lengths.__getitem__, reverse=True):
        if not batches or (len(batches[-1]) + 1) * longest > batch_tokens:
            batches.append([])
            longest = lengths[i] + N_BOUNDARIES
        batches[-1].append(i)
    return batches
