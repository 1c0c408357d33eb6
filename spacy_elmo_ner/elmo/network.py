"""Sentences → one vector per token: encoder and layer mix, in batches that fit."""

from typing import Iterator, List, Optional, Sequence, Tuple, cast

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..bilm.char_ids import encode_words
from ..bilm.encoder import N_BOUNDARIES, ElmoEncoder
from ..bilm.options import ElmoOptions
from ..bilm.weights import ElmoWeights, set_weights
from ..bilm.word_cache import WordCache
from ..kernels.derived import Prepared
from ..kernels.packed_products import usable_precision
from .layer_cache import LayerCache, fingerprint, sentence_key
from .layer_mix import LayerMix


class ElmoNetwork(nn.Module):
    """ELMo as a layer of another network.

    Args:
        options: The biLM's sizes.
        layer: See `layer_mix.depth_of`.
        frozen: Whether the biLM keeps its weights; the mix learns either way.
        batch_tokens: How many tokens, padding and boundaries included, to encode at a
            time.
        cached_words: How many words' vectors to keep.
        precision: Of the LSTMs on a CPU, see `packed_products.PRECISIONS`.
        start_state: Every sentence's start state, see `encoder.START_STATES`.
    """

    def __init__(
        self,
        *,
        options: ElmoOptions,
        layer: str,
        frozen: bool,
        batch_tokens: int,
        cached_words: int,
        precision: str,
        start_state: str,
    ) -> None:
        super().__init__()
        self.frozen = frozen
        self.batch_tokens = batch_tokens
        self.cached_words = cached_words
        self.width = options.output_width
        self.encoder = ElmoEncoder(
            options, precision=precision, start_state=start_state
        )
        self.encoder.requires_grad_(not frozen)
        self.mix = LayerMix(layer, options.n_layers)
        self._words: Prepared[WordCache] = Prepared()
        self._name: Prepared[str] = Prepared()

    def set_weights(self, weights: ElmoWeights, source: str) -> None:
        """Set a biLM's weights.

        Raises:
            ValueError: If they do not fit.
        """
        set_weights(self.encoder, weights, source)

    def reset_mix(self) -> None:
        """Forget what the mix of the layers has learnt."""
        self.mix.reset()

    def forward(
        self,
        types: Sequence[str],
        sentences: Sequence[np.ndarray],
        places: Sequence[np.ndarray],
        n_rows: int,
        *,
        dropout: float = 0.0,
        cache: Optional[LayerCache] = None,
    ) -> Tensor:
        """Compute each token's vector.

        Args:
            types: The distinct words.
            sentences: Each token's index in types.
            places: Each token's row in the result.
            n_rows: Rows of the result.
            dropout: Rate at which values are dropped.
            cache: For a frozen biLM, where to look layers up and store them.

        Returns:
            Vectors (n_rows, width); rows without a token are zero.
        """
        rows = next(self.parameters()).new_zeros(n_rows, self.width)
        if not sentences:
            return rows
        if cache is None:
            encoded = self._encode(types, sentences)
        else:
            encoded = self._encode_cached(types, sentences, cache)
        vectors, order = [], []
        for batch, layers in encoded:
            vectors.append(self.mix(layers))
            order += batch
        place = np.concatenate([places[i] for i in order])
        index = torch.from_numpy(place).to(rows.device)
        rows = rows.index_copy(0, index, torch.cat(vectors))
        return F.dropout(rows, dropout)

    def _encode(
        self, types: Sequence[str], sentences: Sequence[np.ndarray]
    ) -> Iterator[Tuple[List[int], List[Tensor]]]:
        """Batches of sentences, and the layers of their tokens, (n_tokens, width)."""
        record = torch.is_grad_enabled() and not self.frozen
        with torch.set_grad_enabled(record):
            words = self._word_vectors(types)

        for batch in self._batches(sentences):
            of_batch = [sentences[i] for i in batch]
            with torch.set_grad_enabled(record):
                layers = self.encoder.layers(words, of_batch, depth=self.mix.depth)
            yield batch, layers

    def _encode_cached(
        self, types: Sequence[str], sentences: Sequence[np.ndarray], cache: LayerCache
    ) -> Iterator[Tuple[List[int], List[Tensor]]]:
        """As `_encode`, in half precision, encoding only what the cache lacks."""
        bilm = self._name.get(self._fingerprint, self.encoder)
        keys = [sentence_key([types[i] for i in sentence]) for sentence in sentences]
        found = cache.read(bilm, keys)
        missing = [i for i, layers in enumerate(found) if layers is None]
        if missing:
            new = {}
            for batch, layers in self._encode(types, [sentences[i] for i in missing]):
                indices = [missing[i] for i in batch]
                kept = self.mix.pack(layers).half().cpu()
                lengths = [len(sentences[i]) for i in indices]
                for i, rows in zip(indices, kept.split(lengths), strict=True):
                    found[i] = new[keys[i]] = rows.numpy()
            cache.write(bilm, new)
        device = next(self.parameters()).device
        for batch in self._batches(sentences):
            halves = np.concatenate([cast(np.ndarray, found[i]) for i in batch])
            yield batch, self.mix.unpack(torch.from_numpy(halves).to(device).float())

    def _batches(self, sentences: Sequence[np.ndarray]) -> List[List[int]]:
        return sub_batches([len(one) for one in sentences], self.batch_tokens)

    def _fingerprint(self) -> str:
        weights = [parameter.detach().cpu() for parameter in self.encoder.parameters()]
        encoder = self.encoder
        precision = usable_precision(encoder.precision)
        settings = (
            f"{encoder.options} {precision} {encoder.start_state} " f"{self.mix.layer}"
        )
        return fingerprint([weight.numpy() for weight in weights], settings)

    def _word_vectors(self, types: Sequence[str]) -> Tensor:
        """Vectors of the boundaries and the words: (2 + n_types, projected)."""
        if torch.is_grad_enabled():
            self._words.forget()
            return self.encoder.word_vectors(self._character_ids(types))
        cache = self._words.get(self._new_cache, self.encoder.char_cnn)
        return cache.vectors(
            types, lambda new: self.encoder.char_cnn(self._character_ids(new))
        )

    def _new_cache(self) -> WordCache:
        boundaries = self.encoder.word_vectors(self._character_ids([]))
        return WordCache(boundaries, self.cached_words)

    def _character_ids(self, words: Sequence[str]) -> Tensor:
        device = next(self.parameters()).device
        return torch.from_numpy(encode_words(words)).to(device)


def sub_batches(lengths: Sequence[int], batch_tokens: int) -> List[List[int]]:
    """Divide sentences into batches that fit, longest first.

    The length of a batch's longest sentence, with its boundaries, times its number of
    sentences is at most batch_tokens; a sentence too long for that is a batch of its
    own.

    Returns:
        The indices of each batch's sentences.
    """
    batches: List[List[int]] = []
    longest = 0
    for i in sorted(range(len(lengths)), key=lengths.__getitem__, reverse=True):
        if not batches or (len(batches[-1]) + 1) * longest > batch_tokens:
            batches.append([])
            longest = lengths[i] + N_BOUNDARIES
        batches[-1].append(i)
    return batches
