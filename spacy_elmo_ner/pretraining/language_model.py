"""The biLM with its softmax: Peters et al. 2018, section 3.1."""

from typing import List, NamedTuple, Optional, Sequence, Tuple

import numpy as np
import torch
from torch import Tensor, nn

from ..bilm.char_ids import encode_words
from ..bilm.encoder import BEGIN, END, N_BOUNDARIES, ElmoEncoder, with_boundaries
from ..bilm.options import ElmoOptions
from .softmax import Candidates, Softmax

# softmax words that stand before those of the text
END_OF_SENTENCE, BEGIN_OF_SENTENCE, UNKNOWN = range(3)
N_SPECIAL = 3


class LmBatch(NamedTuple):
    """B sentences as the language model reads them.

    type_ids: character ids of the distinct words, (n_types, 50).
    tokens: row of each token's type, boundaries included as rows 0 and 1, (N,).
    lengths: tokens of each sentence, boundaries included.
    before, after: rows of tokens whose next one is foretold, and whose one before is,
        (N - B,) each.
    next_words, previous_words: softmax words to be foretold there, (N - B,).
    """

    type_ids: Tensor
    tokens: Tensor
    lengths: List[int]
    before: Tensor
    after: Tensor
    next_words: Tensor
    previous_words: Tensor

    def to(self, device: torch.device) -> "LmBatch":
        return LmBatch(
            *(x.to(device) if isinstance(x, Tensor) else x for x in self)  # type: ignore[arg-type]
        )


def make_batch(
    sentences: Sequence[np.ndarray], words: Sequence[str], n_softmax: int
) -> LmBatch:
    """sentences: indices into words, of which the softmax knows the first ones."""
    present, tokens = np.unique(with_boundaries(sentences), return_inverse=True)
    types = present[N_BOUNDARIES:] - N_BOUNDARIES
    known = np.where(types < n_softmax - N_SPECIAL, types + N_SPECIAL, UNKNOWN)
    # rows 0 and 1 are the boundaries', as every sentence has both
    targets = np.array([BEGIN_OF_SENTENCE, END_OF_SENTENCE, *known])[tokens]
    before, after = np.flatnonzero(tokens != END), np.flatnonzero(tokens != BEGIN)
    return LmBatch(
        type_ids=torch.from_numpy(encode_words([words[i] for i in types])),
        tokens=torch.from_numpy(tokens),
        lengths=[len(sentence) + N_BOUNDARIES for sentence in sentences],
        before=torch.from_numpy(before),
        after=torch.from_numpy(after),
        next_words=torch.from_numpy(targets[before + 1]),
        previous_words=torch.from_numpy(targets[after - 1]),
    )


class Contexts(nn.Module):
    """The biLM's last layer where it foretells a word."""

    def __init__(self, options: ElmoOptions, start_state: str) -> None:
        super().__init__()
        self.encoder = ElmoEncoder(options, start_state=start_state)

    def forward(self, batch: LmBatch) -> Tuple[Tensor, Tensor]:
        """What foretells the next words, and the previous ones: (N - B, projected)."""
        types = self.encoder.word_vectors(batch.type_ids)
        state = self.encoder.start(len(batch.lengths))
        layers, _ = self.encoder.bilm(types, batch.tokens, batch.lengths, state=state)
        forward, backward = layers[-1].chunk(2, 1)
        return forward[batch.before], backward[batch.after]


class LanguageModel(nn.Module):
    """n_softmax: words that the softmax knows, the special ones included.

    start_state: of every sentence, see `encoder.START_STATES`.
    """

    def __init__(
        self, options: ElmoOptions, n_softmax: int, *, start_state: str = "zeros"
    ) -> None:
        super().__init__()
        self.contexts = Contexts(options, start_state)
        self.softmax = Softmax(n_softmax, options.projection_width)

    @property
    def encoder(self) -> ElmoEncoder:
        return self.contexts.encoder

    def sampled_losses(
        self,
        batch: LmBatch,
        candidates: Candidates,
        contexts: Optional[nn.Module] = None,
    ) -> Tuple[Tensor, Tensor]:
        """-log p summed over the tokens, forward and backward, to learn from.

        contexts: what to call for `self.contexts`, if that is wrapped.
        """
        forward, backward = (contexts or self.contexts)(batch)
        return (
            self.softmax.sampled_loss(forward, batch.next_words, candidates),
            self.softmax.sampled_loss(backward, batch.previous_words, candidates),
        )

    @torch.no_grad()
    def full_losses(self, batch: LmBatch) -> Tuple[Tensor, Tensor]:
        """-log p summed over the tokens, forward and backward, exactly."""
        forward, backward = self.contexts(batch)
        return (
            self.softmax.full_loss(forward, batch.next_words),
            self.softmax.full_loss(backward, batch.previous_words),
        )
