"""Byte ids → word vector (Kim et al. 2016, arXiv:1508.06615, section 2.2–2.3)."""

from typing import Optional

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..products import steady_product
from .char_ids import MASK, PADDING
from .options import MAX_CHARACTERS, N_CHARACTER_VECTORS, ElmoOptions
from .prepared import Prepared
from .prepared_products import PreparedProduct, prepare_product
from .side_by_side import in_halves

# Words that `CharCnn` works on at a time: bounds memory, about 0.2 MB a word.
WORDS_PER_STEP = 128
# Up to so many are halved between the two threads that compute the LSTMs next: torch's
# threads would hardly be faster, and then spin beside those.
FEW_WORDS = 32


class CharCnn(nn.Module):
    """Character vectors, convolutions, max over time, highways and projection.

    Every parameter has the shape of its dataset in the published HDF5.
    """

    def __init__(self, options: ElmoOptions) -> None:
        super().__init__()
        width, joined = options.char_embedding_width, options.n_filters
        self.activation = torch.relu if options.activation == "relu" else torch.tanh
        self.char_embed = nn.Parameter(torch.randn(N_CHARACTER_VECTORS, width))
        self.convolutions = nn.ModuleList(
            Convolution(width, length, count) for length, count in options.filters
        )
        self.highways = nn.ModuleList(Highway(joined) for _ in range(options.n_highway))
        self.projection = Affine(joined, options.projection_width)

    def forward(self, char_ids: Tensor) -> Tensor:
        """Character ids (n_words, 50) → vectors (n_words, projection_width)."""
        if len(char_ids) <= FEW_WORDS:
            return in_halves(self._vectors_in_steps, char_ids)
        return self._vectors_in_steps(char_ids)

    def _vectors_in_steps(self, char_ids: Tensor) -> Tensor:
        """What `forward` returns."""
        lengths = (char_ids != PADDING).sum(1)
        order = torch.argsort(lengths)
        # words of like length together, so that a short one pays for few windows
        vectors = torch.cat(
            [
                self._vectors(char_ids[rows], int(lengths[rows[-1]]))
                for rows in order.split(WORDS_PER_STEP)
            ]
        )
        return vectors.index_select(0, torch.argsort(order))

    def _vectors(self, char_ids: Tensor, longest: int) -> Tensor:
        """(n, projection_width) of words of at most `longest` ids."""
        vectors = self.activation(self._pool(char_ids, longest))
        for highway in self.highways:
            vectors = highway(vectors)
        return self.projection(vectors)

    def _pool(self, char_ids: Tensor, longest: int) -> Tensor:
        """Convolution maxima, (n, n_filters)."""
        vectors = F.embedding(char_ids - MASK, self.char_embed)
        return torch.cat([conv(vectors, longest) for conv in self.convolutions], 1)


class Convolution(nn.Module):
    """`count` filters over `length` character vectors."""

    def __init__(self, width: int, length: int, count: int) -> None:
        super().__init__()
        self.length = length
        self.W_cnn = nn.Parameter(torch.empty(1, length, width, count))
        self.b_cnn = nn.Parameter(torch.zeros(count))
        nn.init.uniform_(self.W_cnn, -0.05, 0.05)
        self._prepared: Prepared[PreparedProduct] = Prepared()

    def forward(self, vectors: Tensor, longest: int) -> Tensor:
        """Maxima over time: character vectors (n, 50, width) → (n, count).

        longest: from this place on, all words are padding.

        Windows that begin in the padding are all equal, so the first of them stands
        for the rest in the maximum. A plain product of the windows, not torch's
        convolution, whose rounding depends on the batch and which drops to 10-bit
        mantissas on newer GPUs. The bias may wait until after the maximum: adding it
        keeps the order of values.
        """
        end = min(longest + self.length, MAX_CHARACTERS)
        # torch puts the window last: (n, places, length, width) after transposing
        windows = vectors[:, :end].unfold(1, self.length, 1).transpose(2, 3)
        n, places = windows.shape[:2]
        filters = self.W_cnn.flatten(0, 2)
        values = _product(
            windows.reshape(n * places, -1), filters, None, self._prepared
        )
        return values.view(n, places, -1).amax(1) + self.b_cnn


class Highway(nn.Module):
    """y = g · relu(x W_t + b_t) + (1 - g) · x, g = σ(x W_c + b_c).

    Srivastava et al. 2015, arXiv:1505.00387, equation 3. Published ELMo calls the gate
    of the transformed part `carry`.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.transform = Affine(width, width)
        self.carry = Affine(width, width)
        # begin by handing the input on
        nn.init.constant_(self.carry.b, -2.0)

    def forward(self, x: Tensor) -> Tensor:
        """(n, width) → (n, width)."""
        # under autocast the products are of another type
        gate = torch.sigmoid(self.carry(x)).to(x.dtype)
        return torch.lerp(x, torch.relu(self.transform(x)).to(x.dtype), gate)


class Affine(nn.Module):
    """x W + b with W of shape (inputs, outputs), the published files' way round."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.W = nn.Parameter(torch.empty(inputs, outputs))
        self.b = nn.Parameter(torch.zeros(outputs))
        nn.init.normal_(self.W, std=inputs**-0.5)
        self._prepared: Prepared[PreparedProduct] = Prepared()

    def forward(self, x: Tensor) -> Tensor:
        """(n, inputs) → (n, outputs)."""
        return _product(x, self.W, self.b, self._prepared)


def _product(
    x: Tensor,
    W: Tensor,
    b: Optional[Tensor],
    prepared: Prepared[PreparedProduct],
) -> Tensor:
    """x W + b, on a CPU with weights that are kept ready where nothing is learnt."""
    if torch.is_grad_enabled():
        prepared.forget()
    elif W.device.type == "cpu" and W.dtype == torch.float32:
        weights = [W] if b is None else [W, b]
        return prepared.get(lambda: prepare_product(W, b), weights)(x)
    return steady_product(x, W, b)
