"""Products with weights that are laid out once for the CPU at hand.

x W + b as `products.steady_product`, for prediction: nothing is recorded for autograd.
Here too a row of the result does not depend on the other rows.
"""

import warnings
from typing import Optional, Union

import torch
from torch import Tensor

from ..cpu import cpu_has_bfloat16
from ..products import steady_product
from .int8_products import FbgemmKernel, Int8Product, VnniKernel, has_int8, has_vnni
from .usual_rows import ROWS, USUAL_ROWS, in_usual_rows, usual_rows

PRECISIONS = ("float32", "bfloat16", "int8")


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
        if (
            self.dtype == torch.float32
            and n <= ROWS[-1]
            and n == usual_rows(n, self.least_rows)
        ):
            return self._multiply_and_add(x, other, self.W, None, "add")
        return other.add_(self._product(x, None))

    def _product(self, x: Tensor, b: Optional[Tensor]) -> Tensor:
        def multiply(rows: Tensor) -> Tensor:
            return self._multiply(rows, self.W, bias, "none", [], "")

        # in bfloat16 the sum with the bias would be rounded
        bias = b if self.dtype == torch.float32 else None
        product = in_usual_rows(multiply, x.to(self.dtype), self.least_rows).float()
        return product if b is None or bias is not None else product.add_(b)


PreparedProduct = Union[PlainProduct, OneDnnProduct, Int8Product]


def prepare_product(
    W: Tensor, b: Optional[Tensor] = None, *, dtype: torch.dtype = torch.float32
) -> PreparedProduct:
    """W (inputs, outputs) and b (outputs,), float32 on the CPU, ready to multiply.

    dtype: of the weights, see `usable_dtype`; sums are float32.
    """
    W = W.detach()
    if dtype == torch.int8:
        return Int8Product(W, b, VnniKernel if has_vnni() else FbgemmKernel)
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
    return has_onednn() and cpu_has_bfloat16()
