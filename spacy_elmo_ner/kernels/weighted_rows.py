"""The product of a single row."""

from typing import Final, Optional

import torch
from torch import Tensor, nn

# Weights that a CPU keeps in its cache, 4 MB. With more of them all kernels wait for the
# memory, and a second copy would be dear.
MOST_WEIGHTS = 2**20
# outputs that are summed together, so that torch's threads can share the others
OUTPUTS = 64


class WeightedRows(nn.Module):
    """x W + b of one row x, as the sum of W's rows, each weighted by its input.

    An embedding bag is just that: its kernel reads ahead, and has the result two to three
    times as soon as one that is made for many rows.
    """

    b: Optional[Tensor]
    # torch's number for sums
    mode: Final[int] = 0

    def __init__(self, W: Tensor, b: Optional[Tensor]) -> None:
        super().__init__()
        self.b = b
        inputs, outputs = W.shape
        # bags of as many rows as there are inputs, all of the first outputs first
        self.rows = torch.arange(W.numel() // OUTPUTS, dtype=torch.int32)
        self.first_rows = self.rows[::inputs].clone()
        self.table = W.reshape(inputs, -1, OUTPUTS).transpose(0, 1).reshape(-1, OUTPUTS)

    def forward(self, x: Tensor) -> Tensor:
        """(1, inputs) → (1, outputs)."""
        weights = x.expand(self.first_rows.shape[0], -1).reshape(-1)
        # what torch.nn.functional.embedding_bag calls, after checks that take a fifth of
        # the time
        sums = torch.embedding_bag(
            self.table,
            self.rows,
            self.first_rows,
            False,
            self.mode,
            False,
            weights,
            False,
        )[0]
        product, b = sums.view(1, -1), self.b
        return product if b is None else product.add_(b)


def can_be_weighted(W: Tensor) -> bool:
    """Whether WeightedRows takes W, (inputs, outputs), and is worth it."""
    return (
        hasattr(torch, "embedding_bag")
        and W.numel() <= MOST_WEIGHTS
        and W.shape[1] % OUTPUTS == 0
    )
