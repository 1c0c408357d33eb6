"""Products in int8 with sums that are exact, by what this CPU has for them.

torch has these operations for its compiler and documents them nowhere;
`prepared_products.prepare_product` is the only way to them.
"""

import warnings
from contextlib import contextmanager
from threading import Lock
from typing import Iterator, Optional, Tuple, Type, Union

import torch
from torch import Tensor

from ..cpu import cpu_has
from .usual_rows import USUAL_ROWS, in_usual_rows

# Rounded to whole multiples of the largest value's STEPSth part, from -STEPS to
# STEPS. The kernels want inputs without a sign, so ZERO is added to them.
STEPS, ZERO = 127, 128
TINY = 1e-30


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
        zeros = torch.zeros(len(steps), dtype=torch.int64)
        with _fbgemm_set():
            self.W = torch.ops.quantized.linear_prepack(
                torch.quantize_per_channel(W.t(), steps, zeros, 0, torch.qint8)
            )
        self._round_and_multiply = (
            torch.ops.quantized.linear_with_input_q_dq_qweight_dq_output_fp32.default
        )

    def __call__(self, x: Tensor, largest: Tensor) -> Tensor:
        """See `VnniKernel.__call__`."""
        return self._round_and_multiply(x / largest, 1 / STEPS, ZERO, self.W)


# engine and warnings belong to all threads, and layers are made on more than one
_FBGEMM_LOCK = Lock()


@contextmanager
def _fbgemm_set() -> Iterator[None]:
    with _FBGEMM_LOCK, warnings.catch_warnings():
        # torch is to drop such tensors some day; float32 is there then
        warnings.filterwarnings("ignore", "torch.quantize_per_tensor")
        engine = torch.backends.quantized.engine
        torch.backends.quantized.engine = "fbgemm"
        try:
            yield
        finally:
            torch.backends.quantized.engine = engine


Int8Kernel = Union[Type[VnniKernel], Type[FbgemmKernel]]


class Int8Product:
    """Weights rounded to int8 with a scale for each output, inputs with one for each
    row. Sums are of whole numbers, and so exact.

    About half the time of bfloat16 where weights are many; where they are
    few, as in the published small size, rounding the inputs costs what it saves.

    kernel: one of those above, which this machine has.
    """

    def __init__(self, W: Tensor, b: Optional[Tensor], kernel: Int8Kernel) -> None:
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


def has_int8() -> bool:
    """Whether this torch and CPU have one of the kernels."""
    return has_vnni() or has_fbgemm()


def has_vnni() -> bool:
    """Whether they have VnniKernel, the faster one."""
    return hasattr(torch.ops.onednn, "qlinear_pointwise") and cpu_has(
        "avx512_vnni", "avx_vnni"
    )


def has_fbgemm() -> bool:
    """Whether they have FbgemmKernel."""
    return (
        hasattr(torch.ops.quantized, "linear_with_input_q_dq_qweight_dq_output_fp32")
        and "fbgemm" in torch.backends.quantized.supported_engines
        and cpu_has("avx2")
    )
