"""Matrix products whose rows do not depend on how many rows there are."""

from typing import Optional

import torch
import torch.nn.functional as F
from torch import Tensor

# A multiple of the rows that the kernels of common BLAS libraries take at once.
TILE = 8


def steady_product(
    x: Tensor, W: Tensor, b: Optional[Tensor] = None, tile: int = TILE
) -> Tensor:
    """x W + b: (n, inputs), (inputs, outputs), (outputs,) → (n, outputs).

    BLAS gives the rows that are left over from a multiple of its tile to another
    kernel, which sums in another order: the same word would differ by rounding with
    the batch size, and an LSTM can amplify that. So n is padded to a multiple of
    `tile`, which makes the products little slower. (With several threads, torch 1.12's
    BLAS still lets some shapes differ by rounding.)
    """
    n = len(x)
    missing = -n % tile
    if missing:
        x = F.pad(x, (0, 0, 0, missing))
    product = x @ W if b is None else torch.addmm(b, x, W)
    return product[:n]
