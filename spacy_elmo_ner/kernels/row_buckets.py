"""Products with one of a few numbers of rows, or only one, for any number of rows."""

from typing import Final

import torch
from torch import Tensor, nn

# Rows that oneDNN lays the weights out for; it takes any other number, too.
USUAL_ROWS = 32


class InUsualRows(nn.Module):
    """multiply(x), which only gets usual numbers of rows, least_rows or more.

    oneDNN generates code for each number of rows that it sees, and keeps it. So that
    this is soon over, and memory stays level, rows are padded to one of thirty numbers.
    """

    most_rows: Final[int] = 384

    def __init__(self, multiply: nn.Module, least_rows: int = 1) -> None:
        super().__init__()
        self.multiply = multiply
        self.least_rows = least_rows

    def forward(self, x: Tensor) -> Tensor:
        """(n, inputs) → (n, outputs)."""
        if x.shape[0] > self.most_rows:
            parts = x.split(self.most_rows)
            return torch.cat([self._fill_and_multiply(part) for part in parts])
        return self._fill_and_multiply(x)

    def is_usual(self, n: int) -> bool:
        """Whether `multiply` gets n rows as they are."""
        return n <= self.most_rows and n == self._usual(n)

    def _usual(self, n: int) -> int:
        """n up to 8, and then rounded up: to 16 in steps of 2, to 32 of 4, and so on."""
        step = 1
        while n > 8 * step:
            step *= 2
        return max((n + step - 1) // step * step, self.least_rows)

    def _fill_and_multiply(self, x: Tensor) -> Tensor:
        n = x.shape[0]
        missing = self._usual(n) - n
        if missing > 0:
            x = torch.constant_pad_nd(x, [0, 0, 0, missing])
        product: Tensor = self.multiply(x)
        return product if missing == 0 else product[:n]


class InBlocksOfRows(nn.Module):
    """multiply(x), which always gets USUAL_ROWS rows at a time.

    So one kernel sees every row, and its result depends on nothing else. A single row
    takes as long as a block.
    """

    rows: Final[int] = USUAL_ROWS

    def __init__(self, multiply: nn.Module) -> None:
        super().__init__()
        self.multiply = multiply

    def forward(self, x: Tensor) -> Tensor:
        """(n, inputs) → (n, outputs)."""
        n = x.shape[0]
        filled = torch.constant_pad_nd(x, [0, 0, 0, -n % self.rows])
        blocks = [self.multiply(block) for block in filled.split(self.rows)]
        return torch.cat(blocks)[:n]
