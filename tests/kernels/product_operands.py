"""What the tests of products multiply, and what holds for all of them."""

from typing import Any, Tuple

import torch
from torch import Tensor

# the shapes of an LSTM's products in the published small and original models, and others
SHAPES = [
    (128, 4096),
    (1024, 128),
    (512, 16384),
    (4096, 512),
    (768, 256),
    (70, 30),
    (1, 1),
]


def operands(
    inputs: int, outputs: int, rows: int = 500
) -> Tuple[Tensor, Tensor, Tensor, Tensor]:
    generator = torch.Generator().manual_seed(inputs)
    W = torch.randn(inputs, outputs, generator=generator) / inputs**0.5
    b = torch.randn(outputs, generator=generator)
    x = torch.randn(rows, inputs, generator=generator)
    return W, b, x, torch.randn(rows, outputs, generator=generator)


def assert_steady(product: Any, x: Tensor, other: Tensor, *, atol: float = 0.0) -> None:
    """A row of the product, and of its sum with another, is the same in any number of
    rows: to the bit, or within `atol`."""
    all_rows = product(x)
    all_sums = product.plus(other.clone(), x)
    for n in [0, *range(1, 20), 31, 32, 33, 35, 48, 100, 200, 384]:
        rows, sums = product(x[:n]), product.plus(other[:n].clone(), x[:n])
        torch.testing.assert_close(rows, all_rows[:n], rtol=0, atol=atol)
        torch.testing.assert_close(sums, all_sums[:n], rtol=0, atol=atol)
