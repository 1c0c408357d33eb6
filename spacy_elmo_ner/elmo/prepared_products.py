"""Products with weights that are laid out once for the CPU at hand.

x W + b as `products.steady_product`, for prediction: nothing is recorded for autograd.
Here too a row of the result does not depend on the other rows.
"""

import warnings
from typing import Optional, Union

import torch
from torch import Tensor, nn

from ..cpu import cpu_has_bfloat16
from ..products import steady_product
from .int8_products import FbgemmKernel, Int8Product, VnniKernel, has_int8, has_vnni
from .usual_rows import USUAL_ROWS, InUsualRows
from .weighted_rows import WeightedRows, can_be_weighted

PRECISIONS = ("float32", "bfloat16", "int8")


class PlainProduct(nn.Module):
    """Public operations on the weights as they are."""

    b: Optional[Tensor]

    def __init__(self, W: Tensor, b: Optional[Tensor]) -> None:
        super().__init__()
        self.W, self.b = W, b

    def forward(self, x: Tensor) -> Tensor:
        """(n, inputs) → (n, outputs)."""
        return steady_product(x, self.W, self.b)

    def plus(self, other: Tensor, x: Tensor) -> Tensor:
        """other + forward(x), which may be written over other."""
        return other.add_(self.forward(x))


class OneDnnProduct(nn.Module):
    """Weights in oneDNN's own layout: two to three times as fast where torch's BLAS
    was written for another maker's CPUs, and not slower elsewhere.

    torch has these operations for its compiler and documents them nowhere;
    `prepare_product` is the only way to them.
    """

    b: Optional[Tensor]
    late_b: Optional[Tensor]
    dtype: torch.dtype

    def __init__(
        self,
        W: Tensor,
        b: Optional[Tensor],
        dtype: torch.dtype,
        *,
        for_single_rows: bool,
    ) -> None:
        super().__init__()
        self.dtype = dtype
        # in bfloat16 the sum with the bias would be rounded
        self.b, self.late_b = (b, None) if dtype == torch.float32 else (None, b)
        self.W = torch.ops.mkldnn._reorder_linear_weight(
            W.t().to(dtype).contiguous(), USUAL_ROWS
        )
        multiply = OneDnnMultiply(self.W, self.b)
        # For some shapes a single row goes to another kernel, which sums in another
        # order; then it is given company.
        probe = torch.arange(2.0 * len(W)).sin().view(2, -1).to(dtype)
        expected = multiply(probe)[:1]
        is_steady = torch.equal(multiply(probe[:1]), expected)
        self.multiply = InUsualRows(multiply, least_rows=1 if is_steady else 2)
        # for a single row, where its sums have the same bits
        self.alone = None
        if for_single_rows and dtype == torch.float32 and can_be_weighted(W):
            alone = WeightedRows(W, b)
            if torch.equal(alone(probe[:1]), expected):
                self.alone = alone

    def forward(self, x: Tensor) -> Tensor:
        """See `PlainProduct.forward`."""
        if self.alone is not None and x.shape[0] == 1:
            return self.alone(x)
        product = self.multiply(x.to(self.dtype)).float()
        b = self.late_b
        return product if b is None else product.add_(b)

    def plus(self, other: Tensor, x: Tensor) -> Tensor:
        """See `PlainProduct.plus`."""
        if self.alone is not None and x.shape[0] == 1:
            return other.add_(self.alone(x))
        if self.dtype == torch.float32 and self.multiply.is_usual(x.shape[0]):
            return torch.ops.mkldnn._linear_pointwise(x, other, self.W, self.b, "add")
        return other.add_(self.forward(x))


class OneDnnMultiply(nn.Module):
    """x W + b of any number of rows, all of the type of W."""

    b: Optional[Tensor]

    def __init__(self, W: Tensor, b: Optional[Tensor]) -> None:
        super().__init__()
        self.W, self.b = W, b

    def forward(self, x: Tensor) -> Tensor:
        """See `PlainProduct.forward`."""
        return torch.ops.mkldnn._linear_pointwise(x, self.W, self.b, "none", [], "")


PreparedProduct = Union[PlainProduct, OneDnnProduct, Int8Product]


def prepare_product(
    W: Tensor,
    b: Optional[Tensor] = None,
    *,
    dtype: torch.dtype = torch.float32,
    for_single_rows: bool = True,
) -> PreparedProduct:
    """W (inputs, outputs) and b (outputs,), float32 on the CPU, ready to multiply.

    dtype: of the weights, see `usable_dtype`; sums are float32.
    for_single_rows: whether they are so usual that weights may be laid out twice.
    """
    W = W.detach()
    if dtype == torch.int8:
        return Int8Product(W, b, VnniKernel if has_vnni() else FbgemmKernel)
    if not has_onednn():
        return PlainProduct(W, b)
    return OneDnnProduct(W, b, dtype, for_single_rows=for_single_rows)


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
