"""Byte ids → word vector (Kim et al. 2016, arXiv:1508.06615, section 2.2–2.3)."""

import torch
from torch import Tensor, nn

from ..kernels.derived import Prepared
from ..kernels.packed_products import Product, prepare_product
from ..kernels.steady_product import steady_product
from ..kernels.threads import rows_in_parallel
from .char_convolution import Convolution, ConvolutionTable
from .char_ids import PADDING
from .options import N_CHARACTER_VECTORS, ElmoOptions

# Words that `CharCnn` works on at a time, which limits memory. Fewer would read the
# highways' weights more often; with more, gradients take longer.
WORDS_PER_STEP = 256
# A GPU wants more at a time, and has the memory.
WORDS_PER_STEP_ON_GPU = 1024


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
        self._table: Prepared[ConvolutionTable] = Prepared()

    def forward(self, char_ids: Tensor) -> Tensor:
        """Character ids (n_words, 50) → vectors (n_words, projection_width)."""
        # words of similar length together, so that a short one pays for few windows
        order = torch.argsort((char_ids != PADDING).sum(1))
        on_cpu = char_ids.device.type == "cpu"
        size = WORDS_PER_STEP if on_cpu else WORDS_PER_STEP_ON_GPU
        vectors = torch.cat(
            [
                rows_in_parallel(self._vectors, char_ids.index_select(0, rows))
                for rows in order.split(size)
            ]
        )
        return vectors.index_select(0, torch.argsort(order))

    def maxima(self, char_ids: Tensor) -> Tensor:
        """Maxima of the convolutions over time: (n_words, 50) → (n_words, n_filters)."""
        if torch.is_grad_enabled():
            self._table.forget()
            return self._make_table().maxima(char_ids)
        return self._table.get(self._make_table, self).maxima(char_ids)

    def _make_table(self) -> ConvolutionTable:
        return ConvolutionTable(
            self.char_embed,
            self.convolutions,  # type: ignore[arg-type]
        )

    def _vectors(self, char_ids: Tensor) -> Tensor:
        """What `forward` returns."""
        vectors: Tensor = self.activation(self.maxima(char_ids))
        for highway in self.highways:
            vectors = highway(vectors)
        vectors = self.projection(vectors)
        return vectors


class Highway(nn.Module):
    """y = g · relu(x W_t + b_t) + (1 - g) · x, g = σ(x W_c + b_c).

    Srivastava et al. 2015, arXiv:1505.00387, equation 3. Published ELMo calls the gate
    of the transformed part `carry`.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.transform = Affine(width, width)
        self.carry = Affine(width, width)
        # start by passing the input on
        nn.init.constant_(self.carry.b, -2.0)

    def forward(self, x: Tensor) -> Tensor:
        """(n, width) → (n, width)."""
        gate = torch.sigmoid(self.carry(x))
        transformed = torch.relu(self.transform(x))
        # under autocast the products are of another type
        return torch.lerp(x, transformed.to(x.dtype), gate.to(x.dtype))


class Affine(nn.Module):
    """x W + b with W of shape (inputs, outputs), as in the published files."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.W = nn.Parameter(torch.empty(inputs, outputs))
        self.b = nn.Parameter(torch.zeros(outputs))
        nn.init.normal_(self.W, std=inputs**-0.5)
        self._prepared: Prepared[Product] = Prepared()

    def forward(self, x: Tensor) -> Tensor:
        """(n, inputs) → (n, outputs)."""
        W, b = self.W, self.b
        if torch.is_grad_enabled():
            self._prepared.forget()
            return steady_product(x, W, b)
        # nothing is learnt: the prepared weights are kept
        product: Tensor = self._prepared.get(lambda: prepare_product(W, b), self)(x)
        return product
