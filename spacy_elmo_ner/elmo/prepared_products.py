"""Products with weights that are laid out once for the CPU at hand.

x W + b as `products.steady_product`, for prediction: nothing is recorded for autograd.
Here too a row of the result does not depend on the other rows.
"""

import warnings
from bisect import bisect_left
from typing import Optional, Union

import torch
import torch.nn.functional as F
from torch import Tensor

from ..products import steady_product

PRECISIONS = ("float32", "bfloat16", "int8")

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

INT8_BLOCK = 32


class PlainProduct:
    """Public operations on the weights as they are."""

    def __init__(self, W: Tensor, b: Optional[Tensor]) -> None:
        self.W, self.b = W, b

    def __call__(self, x: Tensor) -> Tensor:
        """(n, inputs) → (n, outputs)."""
        return steady_product(x, self.W, self.b)

    def plus(self, other: Tensor, x: Tensor) -> Tensor:
        """other + x W, which may be written over other; the bias is left out."""
        return other.add_(steady_product(x, self.W))


class OneDnnProduct:
    """Weights in oneDNN's own layout: two to three times as fast where torch's BLAS
    was written for another maker's CPUs, and not slower elsewhere.

    torch has these operations for its compiler and documents them nowhere;
    `prepare_product` is the only way to them.
    """

    def __init__(self, W: Tensor, b: Optional[Tensor], dtype: torch.dtype) -> None:
        self.dtype, self.b = dtype, b
        self.W = torch.ops.mkldnn._reorder_linear_weight(
            W.t().to(dtype).contiguous(), USUAL_ROWS
        )
        self._multiply = torch.ops.mkldnn._linear_pointwise.default
        self._multiply_and_add = torch.ops.mkldnn._linear_pointwise.binary
        # For some shapes a single row goes to another kernel, which sums in another
        # order; then it is given company.
        self.least_rows = 1
        probe = torch.arange(2.0 * len(W)).sin().view(2, -1)
        if not torch.equal(self(probe[:1]), self(probe)[:1]):
            self.least_rows = 2

    def __call__(self, x: Tensor) -> Tensor:
        """See `PlainProduct.__call__`."""
        return self._product(x, self.b)

    def plus(self, other: Tensor, x: Tensor) -> Tensor:
        """See `PlainProduct.plus`."""
        n = x.shape[0]
        if self.dtype == torch.float32 and n <= ROWS[-1] and n == self._filled(n):
            return self._multiply_and_add(x, other, self.W, None, "add")
        return other.add_(self._product(x, None))

    def _product(self, x: Tensor, b: Optional[Tensor]) -> Tensor:
        n = x.shape[0]
        if n > ROWS[-1]:
            return torch.cat([self._product(part, b) for part in x.split(ROWS[-1])])
        missing = self._filled(n) - n
        if missing:
            return self._product(F.pad(x, (0, 0, 0, missing)), b)[:n]
        if self.dtype == torch.float32:
            return self._multiply(x, self.W, b, "none", [], "")
        product = self._multiply(x.to(self.dtype), self.W, None, "none", [], "").float()
        return product if b is None else product.add_(b)

    def _filled(self, n: int) -> int:
        """The number of rows with which at most ROWS[-1] of them are multiplied."""
        return max(ROWS[bisect_left(ROWS, n)], self.least_rows) if n else 0


class Int8Product:
    """Weights in whole numbers from -127 to 127 and a scale for each output; inputs and
    the product are rounded to bfloat16, sums are float32.

    A single row takes half as long as in bfloat16, since half as much is read from
    memory; from about ten rows on, OneDnnProduct is faster.

    torch has this operation for its quantised models and documents it nowhere. It
    reads past the end where inputs or outputs are no multiple of INT8_BLOCK, so weights
    are filled up with zeros.
    """

    def __init__(self, W: Tensor, b: Optional[Tensor]) -> None:
        self.b = b
        inputs, self.outputs = W.shape
        self.missing_inputs = -inputs % INT8_BLOCK
        W = F.pad(W, (0, -self.outputs % INT8_BLOCK, 0, self.missing_inputs))
        scales = W.abs().amax(0).clamp(min=torch.finfo(torch.float32).tiny) / 127
        self.W = (W / scales).round().to(torch.int8).t().contiguous()
        self.scales = scales.bfloat16()
        self._multiply = torch.ops.aten._weight_int8pack_mm

    def __call__(self, x: Tensor) -> Tensor:
        """See `PlainProduct.__call__`."""
        product = self._product(x).float()
        return product if self.b is None else product.add_(self.b)

    def plus(self, other: Tensor, x: Tensor) -> Tensor:
        """See `PlainProduct.plus`."""
        return other.add_(self._product(x))

    def _product(self, x: Tensor) -> Tensor:
        x = x.bfloat16()
        if self.missing_inputs:
            x = F.pad(x, (0, self.missing_inputs))
        return self._multiply(x, self.W, self.scales)[:, : self.outputs]


PreparedProduct = Union[PlainProduct, OneDnnProduct, Int8Product]


def prepare_product(
    W: Tensor, b: Optional[Tensor] = None, *, dtype: torch.dtype = torch.float32
) -> PreparedProduct:
    """W (inputs, outputs) and b (outputs,), float32 on the CPU, ready to multiply.

    dtype: of the weights, see `usable_dtype`; sums are float32.
    """
    W = W.detach()
    if dtype == torch.int8:
        return Int8Product(W, b)
    if not has_onednn():
        return PlainProduct(W, b)
    return OneDnnProduct(W, b, dtype)


def usable_dtype(precision: str) -> torch.dtype:
    """The type of the weights for one of PRECISIONS.

    Where it is not fast, it warns and returns float32.
    """
    is_fast = {"float32": True, "bfloat16": has_bfloat16(), "int8": has_int8()}
    if not is_fast[precision]:
        warnings.warn(
            f"ELMo's precision is set to {precision}, which this machine's torch cannot "
            "multiply fast; it goes on in float32: slower, with the exact vectors.",
            stacklevel=2,
        )
        return torch.float32
    return {
        "float32": torch.float32,
        "bfloat16": torch.bfloat16,
        "int8": torch.int8,
    }[precision]


def has_onednn() -> bool:
    """Whether this torch has the operations of OneDnnProduct on this machine."""
    return torch.backends.mkldnn.is_available() and all(
        hasattr(torch.ops.mkldnn, name)
        for name in ("_linear_pointwise", "_reorder_linear_weight")
    )


def has_bfloat16() -> bool:
    """Whether they are fast in bfloat16."""
    return has_onednn() and torch.ops.mkldnn._is_mkldnn_bf16_supported()


def has_int8() -> bool:
    """Whether this torch has the operation of Int8Product, and bfloat16 beside it."""
    return has_bfloat16() and hasattr(torch.ops.aten, "_weight_int8pack_mm")
