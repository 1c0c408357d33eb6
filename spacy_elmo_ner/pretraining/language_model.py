"""The biLM and its softmax: Peters et al. 2018, section 3.1."""

from typing import List, NamedTuple, Optional, Sequence, Tuple

import numpy as np
import torch
from torch import Tensor, nn

from ..bilm.char_ids import encode_words
from ..bilm.encoder import BEGIN, END, N_BOUNDARIES, ElmoEncoder, with_boundaries
from ..bilm.options import ElmoOptions
from .softmax import Candidates, Softmax

# the softmax's special words, which come before those of the text
END_OF_SENTENCE, BEGIN_OF_SENTENCE, UNKNOWN = range(3)
N_SPECIAL = 3


class LmBatch(NamedTuple):
    """B sentences as the language model reads them, N tokens including the boundaries.

    Attributes:
        type_ids: Character ids of the distinct words, (n_types, 50).
        tokens: The row of each token's type; rows 0 and 1 are the boundaries, (N,).
        lengths: Tokens of each sentence, boundaries included.
        before: Rows of the tokens whose next token is predicted, (N - B,).
        after: Rows of the tokens whose previous token is predicted, (N - B,).
        next_words: The targets after `before`, words of the softmax, (N - B,).
        previous_words: The targets before `after`, words of the softmax, (N - B,).
    """

    type_ids: Tensor
    tokens: Tensor
    lengths: List[int]
    before: Tensor
    after: Tensor
    next_words: Tensor
    previous_words: Tensor

    def to(self, device: torch.device) -> "LmBatch":
        """Copy the tensors to a device."""
        return LmBatch(
            *(x.to(device) if isinstance(x, Tensor) else x for x in self)  # type: ignore[arg-type]
        )


def make_batch(
    sentences: Sequence[np.ndarray], words: Sequence[str], n_softmax: int
) -> LmBatch:
    """Make a batch of sentences.

    Args:
        sentences: Indices into `words`.
        words: The vocabulary, the most frequent words first.
        n_softmax: How many words the softmax knows, the special ones included.
    """
    present, tokens = np.unique(with_boundaries(sentences), return_inverse=True)
    types = present[N_BOUNDARIES:] - N_BOUNDARIES
    known = np.where(types < n_softmax - N_SPECIAL, types + N_SPECIAL, UNKNOWN)
    # rows 0 and 1 are the boundaries, as every sentence has both
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
    """The biLM's last layer at the tokens whose neighbours are predicted."""

    def __init__(self, options: ElmoOptions, start_state: str) -> None:
        super().__init__()
        self.encoder = ElmoEncoder(options, start_state=start_state)

    def forward(self, batch: LmBatch) -> Tuple[Tensor, Tensor]:
        """Contexts that predict the next words and the previous ones: (N - B,
        projected).
        """
        types = self.encoder.word_vectors(batch.type_ids)
        state = self.encoder.start()
        layers, _ = self.encoder.bilm(types, batch.tokens, batch.lengths, state=state)
        forward, backward = layers[-1].chunk(2, 1)
        return forward[batch.before], backward[batch.after]


class LanguageModel(nn.Module):
    """The biLM with a softmax over the words of the text.

    Args:
        options: The biLM's sizes.
        n_softmax: How many words the softmax knows, the special ones included.
        start_state: Every sentence's start state, see `encoder.START_STATES`.
    """

    def __init__(
        self, options: ElmoOptions, n_softmax: int, *, start_state: str = "zeros"
    ) -> None:
        super().__init__()
        self.contexts = Contexts(options, start_state)
        self.softmax = Softmax(n_softmax, options.projection_width)

    @property
    def encoder(self) -> ElmoEncoder:
        """The biLM."""
        return self.contexts.encoder

    def sampled_losses(
        self,
        batch: LmBatch,
        candidates: Candidates,
        contexts: Optional[nn.Module] = None,
    ) -> Tuple[Tensor, Tensor]:
        """Training losses: -log p among sampled words, summed over the tokens.

        Args:
            batch: The sentences.
            candidates: The sampled words.
            contexts: What to call instead of `self.contexts`, if that is wrapped.

        Returns:
            The forward and the backward loss.
        """
        forward, backward = (contexts or self.contexts)(batch)
        return (
            self.softmax.sampled_loss(forward, batch.next_words, candidates),
            self.softmax.sampled_loss(backward, batch.previous_words, candidates),
        )

    @torch.no_grad()
    def full_losses(self, batch: LmBatch) -> Tuple[Tensor, Tensor]:
        """Exact losses: -log p among all words, summed over the tokens, without
        gradients.

        Returns:
            The forward and the backward loss.
        """
        forward, backward = self.contexts(batch)
        return (
            self.softmax.full_loss(forward, batch.next_words),
            self.softmax.full_loss(backward, batch.previous_words),
        )
