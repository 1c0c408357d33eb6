"""Types and sentences → the biLM's layers per token: char-CNN and LSTMs together."""

from typing import List, Optional, Sequence, Tuple

import numpy as np
import torch
from numpy.typing import ArrayLike
from torch import Tensor, nn

from .bilm import BiLM, BiLMState
from .char_cnn import CharCnn
from .char_ids import boundary_ids, encode_words
from .options import ElmoOptions
from .prepared import Prepared

BEGIN, END = 0, 1
N_BOUNDARIES = 2
START_STATES = ("zeros", "warm")
# What has been read when a sentence starts warm: this word as a sentence of its own, so
# many times. It says nothing, in any language that the biLM may know.
WARM_UP_WORD, WARM_UP_TIMES = ".", 3


class ElmoEncoder(nn.Module):
    """The whole biLM of Peters et al. 2018, section 3, up to its layers.

    precision: of the LSTMs' prediction on a CPU, see `prepared_products.PRECISIONS`.
    start_state: what every sentence starts from that is given no state, one of
        START_STATES.
    """

    def __init__(
        self,
        options: ElmoOptions,
        *,
        precision: str = "float32",
        start_state: str = "zeros",
    ) -> None:
        super().__init__()
        self.options, self.precision = options, precision
        self.start_state = start_state
        self._warm: Prepared[BiLMState] = Prepared()
        self.char_cnn = CharCnn(options)
        self.bilm = BiLM(options, precision)

    def forward(
        self,
        type_ids: Tensor,
        sentences: Sequence[np.ndarray],
        *,
        state: Optional[BiLMState] = None,
        depth: Optional[int] = None,
    ) -> Tuple[List[Tensor], BiLMState]:
        """Layers of all tokens of all sentences, in the order given.

        type_ids: character ids of the distinct words, (n_types, 50).
        sentences: each token's row in type_ids, without boundaries; at least one
            sentence, which may be empty.
        state: see `BiLM.forward`; the start state if left out.
        depth: see `BiLM.forward`.

        Returns depth + 1 tensors (n_tokens, 2 · projection_width): the word vector
        twice, then each LSTM layer, all without the boundaries; and the end state.
        """
        return self.layers(
            self.word_vectors(type_ids), sentences, state=state, depth=depth
        )

    def word_vectors(self, type_ids: Tensor) -> Tensor:
        """Vectors of the two boundaries and of all types: (2 + n_types, projected)."""
        boundaries = torch.from_numpy(boundary_ids()).to(type_ids.device)
        return self.char_cnn(torch.cat([boundaries, type_ids]))

    def layers(
        self,
        word_vectors: Tensor,
        sentences: Sequence[np.ndarray],
        *,
        state: Optional[BiLMState] = None,
        depth: Optional[int] = None,
    ) -> Tuple[List[Tensor], BiLMState]:
        """As `forward`, from what `word_vectors` returned."""
        if state is None and self.start_state == "warm":
            state = _repeat(self._warm_state(), len(sentences))
        lengths = [len(sentence) + N_BOUNDARIES for sentence in sentences]
        tokens = with_boundaries(sentences)
        is_word = torch.from_numpy(tokens >= N_BOUNDARIES).to(word_vectors.device)
        # only the types of these sentences, when the vectors are those of many more
        present, tokens = np.unique(tokens, return_inverse=True)
        types = word_vectors[torch.from_numpy(present).to(word_vectors.device)]
        token_types = torch.from_numpy(tokens).to(word_vectors.device)
        lstm_layers, end = self.bilm(
            types, token_types, lengths, state=state, depth=depth
        )
        twice = torch.cat([types, types], 1)[token_types]
        return [layer[is_word] for layer in [twice, *lstm_layers]], end

    def _warm_state(self) -> BiLMState:
        """The state after the warm-up, of one sentence; it is no way for gradients."""
        if torch.is_grad_enabled():
            # the weights are about to change, and Prepared would not see it
            self._warm.forget()
            return self._warm_up()
        return self._warm.get(self._warm_up, self.parameters())

    def _warm_up(self) -> BiLMState:
        word = torch.from_numpy(encode_words([WARM_UP_WORD]))
        word = word.to(next(self.parameters()).device)
        sentence = [np.zeros(1, np.int64)]
        vectors = self.word_vectors(word)
        state = self.bilm.zeros(vectors, self.options.n_layers, 1)
        for _ in range(WARM_UP_TIMES):
            _, state = self.layers(vectors, sentence, state=state)
        return BiLMState(*(part.detach() for part in state))


def _repeat(state: BiLMState, n: int) -> BiLMState:
    return BiLMState(*(part.expand(-1, -1, n, -1) for part in state))


def with_boundaries(sentences: Sequence[np.ndarray]) -> np.ndarray:
    """Words as rows behind those of the boundaries, each sentence between BEGIN and
    END, one after another: (n_tokens,), int64."""
    parts: List[ArrayLike] = []
    for sentence in sentences:
        parts += [[BEGIN], sentence + N_BOUNDARIES, [END]]
    return np.concatenate(parts).astype(np.int64)
