"""Products of a few usual numbers of rows, whatever the number that is asked for."""

from bisect import bisect_left
from typing import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

# Rows that oneDNN lays the weights out for; it takes any other number as well.
USUAL_ROWS = 32
# oneDNN writes code for each number of rows that it meets, and keeps it. So that this
# is soon over, and memory stays level, rows are filled up to one of these numbers.
ROWS = (
    *(1, 2, 4, 6, 8),
    *range(12, 32, 4),
    *range(32, 64, 8),
    *range(64, 128, 16),
    *range(128, 256, 32),
    *(256, 320, 384),
)


def in_usual_rows(
    multiply: Callable[[Tensor], Tensor], x: Tensor, least_rows: int = 1
) -> Tensor:
    """multiply(x), of which it gets usual numbers of rows only, least_rows or more."""
    n = x.shape[0]
    if n > ROWS[-1]:
        parts = x.split(ROWS[-1])
        return torch.cat([in_usual_rows(multiply, part, least_rows) for part in parts])
    missing = usual_rows(n, least_rows) - n
    if missing:
        return multiply(F.pad(x, (0, 0, 0, missing)))[:n]
    return multiply(x)


def usual_rows(n: int, least_rows: int) -> int:
    """The number of rows with which at most ROWS[-1] of them are multiplied."""
    return max(ROWS[bisect_left(ROWS, n)], least_rows) if n else 0
