"""Products with weights that are laid out once for the CPU at hand.

x W + b as `products.steady_product`, for prediction: nothing is recorded for autograd.
Here too a row of the result does not depend on the other rows.
"""

import warnings
from bisect import bisect_left
from typing import Callable, Optional, Tuple, Type, Union

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

# int8: rounded to whole multiples of the largest value's STEPSth part, from -STEPS to
# STEPS. The kernels want inputs without a sign, so ZERO is added to them.
STEPS, ZERO = 127, 128
TINY = 1e-30


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


class Int8Product:
    """Weights rounded to int8 with a scale for each output, inputs with one for each
    row. Sums are of whole numbers, and so exact.

    About half the time of bfloat16 where weights are many; where they are
    few, as in the published small size, rounding the inputs costs what it saves.

    torch has these operations for its compiler and documents them nowhere;
    `prepare_product` is the only way to them.
    """

    def __init__(self, W: Tensor, b: Optional[Tensor], kernel: "Int8Kernel") -> None:
        self.b = b
        steps = W.abs().amax(0).clamp(min=TINY) / kernel.weight_steps
        self._multiply = kernel(W, steps)

    def __call__(self, x: Tensor) -> Tensor:
        """See `PlainProduct.__call__`."""
        product, largest = self._product(x)
        if self.b is None:
            return product.mul_(largest)
        return torch.addcmul(self.b, product, largest)

    def plus(self, other: Tensor, x: Tensor) -> Tensor:
        """See `PlainProduct.plus`."""
        return other.addcmul_(*self._product(x))

    def _product(self, x: Tensor) -> Tuple[Tensor, Tensor]:
        """The product with each row's largest input being 1, and what it is, (n, 1)."""
        largest = x.abs().amax(1, keepdim=True).clamp_(min=TINY)
        return self._multiply(x, largest), largest


class VnniKernel:
    """oneDNN's int8 products, fast and exact where the CPU has VNNI.

    W: (inputs, outputs).
    steps: what the weights of each output are rounded to multiples of, (outputs,);
        at most weight_steps of them are a weight.
    """

    weight_steps = STEPS
    rounded_zero = torch.tensor(ZERO + 0.5)

    def __init__(self, W: Tensor, steps: Tensor) -> None:
        self.W = torch.ops.onednn.qlinear_prepack(
            (W / steps).round().to(torch.int8).t().contiguous(),
            [USUAL_ROWS, W.shape[0]],
        )
        self.steps = steps / STEPS
        self.zeros = torch.zeros(len(steps), dtype=torch.int64)
        self._multiply = torch.ops.onednn.qlinear_pointwise.default

    def __call__(self, x: Tensor, largest: Tensor) -> Tensor:
        """(n, inputs) and each row's largest, (n, 1) → x / largest · W, (n, outputs)."""
        in_steps = largest.reciprocal()
        rounded = torch.addcmul(self.rounded_zero, x, in_steps, value=STEPS)
        return in_usual_rows(self._multiply_usual, rounded.to(torch.uint8))

    def _multiply_usual(self, rows: Tensor) -> Tensor:
        inputs = rows, 1.0, ZERO
        weights = self.W, self.steps, self.zeros
        as_float32 = 1.0, 0, torch.float32
        return self._multiply(*inputs, *weights, None, *as_float32, "none", [], "")


class FbgemmKernel:
    """FBGEMM's int8 products, as `VnniKernel`, for a CPU with AVX2 and no VNNI.

    There it adds two products in 16 bits. Weights of 7 bits leave room for that.
    """

    weight_steps = 63

    def __init__(self, W: Tensor, steps: Tensor) -> None:
        engine = torch.backends.quantized.engine
        torch.backends.quantized.engine = "fbgemm"
        try:
            with warnings.catch_warnings():
                # torch is to drop such tensors some day; float32 is there then
                warnings.filterwarnings("ignore", "torch.quantize_per_tensor")
                zeros = torch.zeros(len(steps), dtype=torch.int64)
                self.W = torch.ops.quantized.linear_prepack(
                    torch.quantize_per_channel(W.t(), steps, zeros, 0, torch.qint8)
                )
        finally:
            torch.backends.quantized.engine = engine
        self._round_and_multiply = (
            torch.ops.quantized.linear_with_input_q_dq_qweight_dq_output_fp32.default
        )

    def __call__(self, x: Tensor, largest: Tensor) -> Tensor:
        """See `VnniKernel.__call__`."""
        return self._round_and_multiply(x / largest, 1 / STEPS, ZERO, self.W)


Int8Kernel = Union[Type[VnniKernel], Type[FbgemmKernel]]
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
    return has_onednn() and torch.ops.mkldnn._is_mkldnn_bf16_supported()


def has_int8() -> bool:
    """Whether this torch and CPU have fast int8 products with exact sums."""
    return has_vnni() or has_fbgemm()


def has_vnni() -> bool:
    """Whether they have those of VnniKernel."""
    return hasattr(torch.ops.onednn, "qlinear_pointwise") and _cpu_has(
        "avx512_vnni", "avx_vnni"
    )


def has_fbgemm() -> bool:
    """Whether they have those of FbgemmKernel."""
    return (
        hasattr(torch.ops.quantized, "linear_with_input_q_dq_qweight_dq_output_fp32")
        and "fbgemm" in torch.backends.quantized.supported_engines
        and _cpu_has("avx2")
    )


def _cpu_has(*names: str) -> bool:
    """Whether the CPU has one of these; False where torch cannot tell."""
    if not hasattr(torch.cpu, "get_capabilities"):
        return False
    return any(torch.cpu.get_capabilities().get(name) for name in names)
