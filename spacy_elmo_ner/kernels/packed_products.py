"""Products with weights that are laid out once for this CPU.

x W + b as `steady_product`, for prediction: nothing is recorded for autograd.

A sentence must have the same vectors alone and in a batch, so a row of a product must not
depend on how many rows there are. CPUs and their libraries have kernels for few rows and for
many, which sum in different orders. What each precision guarantees for a row, on any
CPU:

    float32   the same within rounding: vectors within 1e-6
    int8      the same bits; sums are of whole numbers
    bfloat16  the same bits; there is only one number of rows
"""

import warnings
from typing import Optional, Union

import torch
from torch import Tensor, nn

from .cpu_features import cpu_has, cpu_has_bfloat16
from .int8_products import Int8Product, has_int8, int8_kernel
from .row_buckets import USUAL_ROWS, InBlocksOfRows, InUsualRows
from .steady_product import steady_product

PRECISIONS = ("float32", "bfloat16", "int8", "auto")


class PlainProduct(nn.Module):
    """torch's public operations on the weights as they are."""

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
    """Weights in oneDNN's own layout: two to three times as fast where torch's BLAS was
    written for another vendor's CPUs, and not slower elsewhere.

    torch has these operations for its compiler and documents them nowhere; they are
    only used through `prepare_product`.
    """

    b: Optional[Tensor]

    def __init__(self, W: Tensor, b: Optional[Tensor]) -> None:
        super().__init__()
        self.b = b
        self.W = _in_onednn_layout(W)
        multiply = OneDnnMultiply(self.W, b)
        # For some shapes a single row goes to another kernel, which sums in another
        # order; then it gets a second row.
        probe = torch.arange(2.0 * len(W)).sin().view(2, -1)
        is_steady = torch.equal(multiply(probe[:1]), multiply(probe)[:1])
        self.multiply = InUsualRows(multiply, least_rows=1 if is_steady else 2)

    def forward(self, x: Tensor) -> Tensor:
        """See `PlainProduct.forward`."""
        product: Tensor = self.multiply(x)
        return product

    def plus(self, other: Tensor, x: Tensor) -> Tensor:
        """See `PlainProduct.plus`."""
        if not self.multiply.is_usual(x.shape[0]):
            return other.add_(self.forward(x))
        total: Tensor = torch.ops.mkldnn._linear_pointwise(
            x, other, self.W, self.b, "add"
        )
        return total


class Bfloat16Product(nn.Module):
    """Weights, inputs and products rounded to bfloat16; sums are float32.

    The rounding of a product turns the last bit of a float32 into 2^-9 of the value, and
    kernels for different numbers of rows differ in that bit. So only one number is
    used.
    """

    b: Optional[Tensor]

    def __init__(self, W: Tensor, b: Optional[Tensor]) -> None:
        super().__init__()
        # added afterwards: within the product the sum would be rounded
        self.b = b
        packed = _in_onednn_layout(W.to(torch.bfloat16))
        self.multiply = InBlocksOfRows(OneDnnMultiply(packed, None))

    def forward(self, x: Tensor) -> Tensor:
        """See `PlainProduct.forward`."""
        product: Tensor = self.multiply(x.to(torch.bfloat16)).float()
        b = self.b
        return product if b is None else product.add_(b)

    def plus(self, other: Tensor, x: Tensor) -> Tensor:
        """See `PlainProduct.plus`."""
        return other.add_(self.forward(x))


class OneDnnMultiply(nn.Module):
    """x W + b of any number of rows, all of the type of W."""

    b: Optional[Tensor]

    def __init__(self, W: Tensor, b: Optional[Tensor]) -> None:
        super().__init__()
        self.W, self.b = W, b

    def forward(self, x: Tensor) -> Tensor:
        """See `PlainProduct.forward`."""
        product: Tensor = torch.ops.mkldnn._linear_pointwise(
            x, self.W, self.b, "none", [], ""
        )
        return product


def _in_onednn_layout(W: Tensor) -> Tensor:
    packed: Tensor = torch.ops.mkldnn._reorder_linear_weight(
        W.t().contiguous(), USUAL_ROWS
    )
    return packed


Product = Union[PlainProduct, OneDnnProduct, Bfloat16Product, Int8Product]


def prepare_product(
    W: Tensor,
    b: Optional[Tensor] = None,
    *,
    precision: str = "float32",
    few_rows: bool = False,
) -> Product:
    """Weights and bias, ready to multiply.

    Args:
        W: The weights, (inputs, outputs).
        b: The bias, (outputs,).
        precision: For weights that are float32 on a CPU, one of PRECISIONS. Other
            weights keep their type. Sums are float32.
        few_rows: Whether the product is for one step, with a row for each sentence, rather
            than for all steps together.
    """
    W = W.detach()
    if W.device.type != "cpu" or W.dtype != torch.float32:
        return PlainProduct(W, b)
    precision = usable_precision(precision)
    if precision == "int8":
        return Int8Product(W, b, int8_kernel(few_rows=few_rows))
    if not has_onednn():
        return PlainProduct(W, b)
    if precision == "bfloat16":
        return Bfloat16Product(W, b)
    return OneDnnProduct(W, b)


def usable_precision(precision: str) -> str:
    """What one of PRECISIONS means on this machine: "float32", "bfloat16" or "int8".

    "auto" is int8 if this torch and CPU have products for it, which are faster than all
    others for any number of rows, and else float32. What is not fast here becomes
    float32, with a warning.
    """
    if precision == "auto":
        return "int8" if has_int8() else "float32"
    is_fast = {"float32": True, "bfloat16": has_bfloat16(), "int8": has_int8()}
    if is_fast[precision]:
        return precision
    warnings.warn(
        f"ELMo's precision is set to {precision}, which this machine's torch cannot "
        "multiply fast; it continues in float32: slower, with the exact vectors.",
        stacklevel=2,
    )
    return "float32"


def check_precision(precision: str, owner: str) -> None:
    """Check that a setting is one of PRECISIONS.

    Args:
        precision: The setting.
        owner: Whose setting it is, for the error.

    Raises:
        ValueError: If it is none of them.
    """
    if precision not in PRECISIONS:
        raise ValueError(
            f"{owner} has no precision {precision!r}; use one of {', '.join(PRECISIONS)}."
        )


def has_onednn() -> bool:
    """Whether this torch has the operations of OneDnnProduct on this machine."""
    return torch.backends.mkldnn.is_available() and all(
        hasattr(torch.ops.mkldnn, name)
        for name in ("_linear_pointwise", "_reorder_linear_weight")
    )


def has_bfloat16() -> bool:
    """Whether they are fast in bfloat16: without a CPU's tiles for it (AMX), float32 is
    faster from 16 rows on."""
    return has_onednn() and cpu_has_bfloat16() and cpu_has("amx_bf16")
