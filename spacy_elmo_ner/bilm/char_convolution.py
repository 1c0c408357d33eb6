"""A convolution over a word's characters, and its maximum over time, to learn.

Kim et al. 2016, arXiv:1508.06615, equations 2 and 3, without their tanh.
"""

import torch
from torch import Tensor, nn

from ..kernels.steady_product import steady_product
from .char_ids import PADDING
from .options import MAX_CHARACTERS


def n_places(char_ids: Tensor) -> int:
    """In how many places of these words, (n, 50), a window can begin.

    Windows that begin in the padding are all equal, so the first of them stands for the
    rest in the maximum.
    """
    longest = int((char_ids != PADDING).sum(1).max())
    return min(longest + 1, MAX_CHARACTERS)


class Convolution(nn.Module):
    """`count` filters over `length` character vectors."""

    def __init__(self, width: int, length: int, count: int) -> None:
        super().__init__()
        self.length = length
        self.W_cnn = nn.Parameter(torch.empty(1, length, width, count))
        self.b_cnn = nn.Parameter(torch.zeros(count))
        nn.init.uniform_(self.W_cnn, -0.05, 0.05)

    def forward(self, vectors: Tensor, places: int) -> Tensor:
        """Maxima over time: character vectors (n, 50, width) → (n, count).

        places: of windows, see `n_places`; a filter has fewer where they would reach
            beyond the 50.

        A plain product of the windows, not torch's convolution, whose rounding depends
        on the batch and which drops to 10-bit mantissas on newer GPUs. The bias may wait
        until after the maximum: adding it keeps the order of values.
        """
        # torch puts the window last: (n, places, length, width) after transposing
        windows = vectors.unfold(1, self.length, 1)[:, :places].transpose(2, 3)
        filters = self.W_cnn.flatten(0, 2)
        values = steady_product(windows.flatten(0, 1).flatten(1), filters)
        return values.view(*windows.shape[:2], -1).amax(1) + self.b_cnn
