"""Products in int8 with exact sums, by what this CPU offers for them.

torch has these operations for its compiler and documents them nowhere; they are only
used through `packed_products.prepare_product`.
"""

import warnings
from functools import lru_cache
from typing import Final, Optional, Type, Union

import torch
from torch import Tensor, nn

from .cpu_features import cpu_has
from .row_buckets import USUAL_ROWS, InUsualRows

# Values are rounded to whole multiples of the largest value / STEPS, from -STEPS to
# STEPS. The kernels need unsigned inputs, so ZERO is added to them.
STEPS, ZERO = 127, 128
TINY = 1e-30

# torch will drop tensors of that type some day; float32 is used then
warnings.filterwarnings("ignore", "torch.quantize_per_tensor", UserWarning)


class VnniKernel(nn.Module):
    """oneDNN's int8 products, fast and exact where the CPU has VNNI.

    Args:
        W: The weights, (inputs, outputs).
        steps: What each output's weights are rounded to multiples of, (outputs,). A
            weight is at most `weight_steps` of them.
    """

    weight_steps = STEPS
    input_steps: Final[int] = STEPS

    def __init__(self, W: Tensor, steps: Tensor) -> None:
        super().__init__()
        self.rounded_zero = torch.tensor(ZERO + 0.5)
        self.multiply = InUsualRows(VnniMultiply(W, steps))

    def forward(self, x: Tensor, largest: Tensor) -> Tensor:
        """(n, inputs) and each row's largest, (n, 1) → x / largest · W, (n, outputs)."""
        rounded = torch.addcmul(
            self.rounded_zero, x, largest.reciprocal(), value=self.input_steps
        )
        product: Tensor = self.multiply(rounded.to(torch.uint8))
        return product


class VnniMultiply(nn.Module):
    """x / STEPS · W for inputs of ZERO + x, as bytes, and any number of rows."""

    zero: Final[int] = ZERO

    def __init__(self, W: Tensor, steps: Tensor) -> None:
        super().__init__()
        self.W = torch.ops.onednn.qlinear_prepack(
            (W / steps).round().to(torch.int8).t().contiguous(),
            [USUAL_ROWS, W.shape[0]],
        )
        self.steps = steps / STEPS
        self.zeros = torch.zeros(len(steps), dtype=torch.int64)

    def forward(self, x: Tensor) -> Tensor:
        """(n, inputs) → (n, outputs)."""
        product: Tensor = torch.ops.onednn.qlinear_pointwise(
            *(x, 1.0, self.zero),
            *(self.W, self.steps, self.zeros, None),
            *(1.0, 0, torch.float32),
            *("none", [], ""),
        )
        return product


class FbgemmKernel(nn.Module):
    """FBGEMM's int8 products, as `VnniKernel`, in one call with their rounding.

    Up to 32 rows it takes half to three quarters of VnniKernel's time, whose call costs
    25 µs before it multiplies; with hundreds of rows it takes up to 1.7 times as long
    if the CPU has AMX.
    """

    weight_steps = STEPS
    input_step: Final[float] = 1 / STEPS
    zero: Final[int] = ZERO

    def __init__(self, W: Tensor, steps: Tensor) -> None:
        super().__init__()
        zeros = torch.zeros(len(steps), dtype=torch.int64)
        self.W = torch.ops.quantized.linear_prepack(
            torch.quantize_per_channel(W.t(), steps, zeros, 0, torch.qint8)
        )

    def forward(self, x: Tensor, largest: Tensor) -> Tensor:
        """See `VnniKernel.forward`."""
        multiply = torch.ops.quantized.linear_with_input_q_dq_qweight_dq_output_fp32
        product: Tensor = multiply(x / largest, self.input_step, self.zero, self.W)
        return product


class Fbgemm7BitKernel(FbgemmKernel):
    """For a CPU with AVX2 but no VNNI, on which FBGEMM adds two products in 16 bits.
    7-bit weights leave room for that."""

    weight_steps = 63


Int8Kernel = Union[Type[VnniKernel], Type[FbgemmKernel]]


def int8_kernel(*, few_rows: bool) -> Int8Kernel:
    """The fastest kernel that sums exactly on this machine; `has_int8` must be true.

    Args:
        few_rows: Whether it will get tens of rows rather than hundreds.
    """
    if has_vnni() and not (few_rows and has_fbgemm()):
        return VnniKernel
    return FbgemmKernel if _sums_are_exact(FbgemmKernel) else Fbgemm7BitKernel


class Int8Product(nn.Module):
    """Weights rounded to int8 with a scale per output, inputs with one per row. Sums
    are of whole numbers, and so exact.

    Args:
        W: The weights, (inputs, outputs).
        b: The bias, (outputs,).
        kernel: Multiplies them, see `int8_kernel`.
    """

    b: Optional[Tensor]
    tiny: Final[float] = TINY

    def __init__(self, W: Tensor, b: Optional[Tensor], kernel: Int8Kernel) -> None:
        super().__init__()
        self.b = b
        steps = W.abs().amax(0).clamp(min=TINY) / kernel.weight_steps
        self.multiply = kernel(W, steps)

    def forward(self, x: Tensor) -> Tensor:
        """See `PlainProduct.forward`."""
        largest, b = self._largest(x), self.b
        product: Tensor = self.multiply(x, largest)
        if b is None:
            return product.mul_(largest)
        return torch.addcmul(b, product, largest)

    def plus(self, other: Tensor, x: Tensor) -> Tensor:
        """See `PlainProduct.plus`."""
        largest, b = self._largest(x), self.b
        other.addcmul_(self.multiply(x, largest), largest)
        return other if b is None else other.add_(b)

    def _largest(self, x: Tensor) -> Tensor:
        """Each row's largest input, (n, 1)."""
        return x.abs().amax(1, keepdim=True).clamp_(min=self.tiny)


def has_int8() -> bool:
    """Whether this torch and CPU have one of the kernels."""
    return has_vnni() or has_fbgemm()


def has_vnni() -> bool:
    """Whether they have VnniKernel."""
    return (
        hasattr(torch.ops.onednn, "qlinear_pointwise")
        and cpu_has("avx512_vnni", "avx_vnni")
        and _sums_are_exact(VnniKernel)
    )


@lru_cache(maxsize=None)
def _sums_are_exact(kernel: Int8Kernel) -> bool:
    """Whether the largest products do not overflow in its sums. oneDNN can be told not
    to use all that a CPU has, and then adds two products in 16 bits; FBGEMM does so
    without VNNI."""
    product = Int8Product(torch.ones(64, 64), None, kernel)(torch.ones(2, 64))
    return bool((product.round() == 64).all())


def has_fbgemm() -> bool:
    """Whether they have FBGEMM's kernels."""
    return (
        hasattr(torch.ops.quantized, "linear_with_input_q_dq_qweight_dq_output_fp32")
        # torch's setting for all threads; with these it lays weights out for FBGEMM
        and torch.backends.quantized.engine in ("fbgemm", "x86")
        and cpu_has("avx2")
    )
