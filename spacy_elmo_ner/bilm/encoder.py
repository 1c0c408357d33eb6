"""Types and sentences → the biLM's layers per token: char-CNN and LSTMs together."""

from functools import partial
from typing import List, Optional, Sequence, Tuple

import numpy as np
import torch
from numpy.typing import ArrayLike
from torch import Tensor, nn

from ..kernels.derived import Prepared
from ..kernels.uploads import on_device
from .char_cnn import CharCnn
from .char_ids import boundary_ids, encode_words
from .lstm import BiLM, BiLMState
from .options import ElmoOptions

BEGIN, END = 0, 1
N_BOUNDARIES = 2
START_STATES = ("zeros", "warm", "trained")
# What has been read when a sentence starts warm: this word as a sentence of its own,
# this many times. It says nothing, in any language that the biLM may know.
WARM_UP_WORD, WARM_UP_TIMES = ".", 3


class ElmoEncoder(nn.Module):
    """The whole biLM of Peters et al. 2018, section 3, without its softmax.

    Args:
        options: Its sizes.
        precision: Of the LSTMs' prediction on a CPU, see `packed_products.PRECISIONS`.
        start_state: What every sentence without a given state starts from, one of
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
        self._after_first_boundary: Prepared[BiLMState] = Prepared()
        self.char_cnn = CharCnn(options)
        self.bilm = BiLM(options, precision)
        if start_state == "trained":
            zeros = self.bilm.zeros(torch.empty(0), options.n_layers, 1)
            self.start_hidden = nn.Parameter(zeros.hidden)
            self.start_cell = nn.Parameter(zeros.cell)

    def forward(
        self,
        type_ids: Tensor,
        sentences: Sequence[np.ndarray],
        *,
        state: Optional[BiLMState] = None,
        depth: Optional[int] = None,
    ) -> Tuple[List[Tensor], BiLMState]:
        """Read sentences, each of which starts from the state.

        Args:
            type_ids: Character ids of the distinct words, (n_types, 50).
            sentences: Each token's row in type_ids, without boundaries; at least one
                sentence, which may be empty.
            state: See `BiLM.forward`; the start state if left out.
            depth: See `BiLM.forward`.

        Returns:
            The layers of all tokens of all sentences, in the given order, and the end
            state. The layers are depth + 1 tensors (n_tokens, 2 · projection_width):
            the word vector twice, then each LSTM layer, all without the boundaries.
        """
        word_vectors = self.word_vectors(type_ids)
        tokens = torch.from_numpy(with_boundaries(sentences)).to(type_ids.device)
        if state is None:
            state = self.start()
        lengths = [len(sentence) + N_BOUNDARIES for sentence in sentences]
        lstm_layers, end = self.bilm(
            word_vectors, tokens, lengths, state=state, depth=depth
        )
        is_word = tokens >= N_BOUNDARIES
        twice = torch.cat([word_vectors, word_vectors], 1).index_select(0, tokens)
        return [layer[is_word] for layer in [twice, *lstm_layers]], end

    def word_vectors(self, type_ids: Tensor) -> Tensor:
        """Vectors of the two boundaries and of all types: (2 + n_types, projected)."""
        boundaries = torch.from_numpy(boundary_ids()).to(type_ids.device)
        vectors: Tensor = self.char_cnn(torch.cat([boundaries, type_ids]))
        return vectors

    def layers(
        self,
        word_vectors: Tensor,
        sentences: Sequence[np.ndarray],
        *,
        depth: Optional[int] = None,
    ) -> List[Tensor]:
        """Compute the layers that `forward` returns from the start state, but faster.

        The boundaries are not read again for each sentence: the state after the first
        is the same for all, and nothing comes after the last.

        Args:
            word_vectors: What `word_vectors` returned.
            sentences: As for `forward`, each with at least one word.
            depth: See `BiLM.forward`.
        """
        # only the types of these sentences: the vectors may be those of many more
        present, tokens = np.unique(np.concatenate(sentences), return_inverse=True)
        rows = on_device(present + N_BOUNDARIES, word_vectors.device)
        types = word_vectors.index_select(0, rows)
        token_types = on_device(tokens, word_vectors.device)
        lengths = [len(sentence) for sentence in sentences]
        lstm_layers, _ = self.bilm(
            types,
            token_types,
            lengths,
            state=self._after_boundary(word_vectors),
            depth=depth,
        )
        twice = torch.cat([types, types], 1).index_select(0, token_types)
        return [twice, *lstm_layers]

    def _after_boundary(self, word_vectors: Tensor) -> BiLMState:
        """The state of one sentence after each direction has read the boundary that it
        meets first."""
        if torch.is_grad_enabled():
            # the weights are about to change, and Prepared would not see it
            self._after_first_boundary.forget()
            return self._read_boundary(word_vectors)
        return self._after_first_boundary.get(
            partial(self._read_boundary, word_vectors), self
        )

    def _read_boundary(self, word_vectors: Tensor) -> BiLMState:
        before = self.start()
        only = torch.zeros(1, dtype=torch.int64, device=word_vectors.device)
        after = [
            self.bilm(word_vectors[[boundary]], only, [1], state=before)[1]
            for boundary in (BEGIN, END)
        ]
        return BiLMState(
            hidden=torch.stack([after[BEGIN].hidden[0], after[END].hidden[1]]),
            cell=torch.stack([after[BEGIN].cell[0], after[END].cell[1]]),
        )

    def start(self) -> BiLMState:
        """The start state of a sentence. Gradients go through a trained one only."""
        if self.start_state == "trained":
            return BiLMState(self.start_hidden, self.start_cell)
        weight = next(self.parameters())
        state = self.bilm.zeros(weight, self.options.n_layers, 1)
        if self.start_state == "warm":
            word = torch.from_numpy(encode_words([WARM_UP_WORD])).to(weight.device)
            for _ in range(WARM_UP_TIMES):
                _, state = self(word, [np.zeros(1, np.int64)], state=state)
        return BiLMState(*(part.detach() for part in state))


def with_boundaries(sentences: Sequence[np.ndarray]) -> np.ndarray:
    """Put each sentence between BEGIN and END.

    Returns:
        The words of all sentences, one after another, as rows after those of the
        boundaries: (n_tokens,), int64.
    """
    parts: List[ArrayLike] = []
    for sentence in sentences:
        parts += [[BEGIN], sentence + N_BOUNDARIES, [END]]
    return np.concatenate(parts).astype(np.int64)
