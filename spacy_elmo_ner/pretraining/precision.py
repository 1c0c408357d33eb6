"""In which type a pre-training multiplies on the device at hand."""

import warnings

import torch

from ..kernels.cpu_features import cpu_has_bfloat16

TRAINING_PRECISIONS = ("float32", "bfloat16", "float16")


def usable_training_precision(precision: str, device: torch.device) -> str:
    """One of TRAINING_PRECISIONS; but "float32", with a warning, for bfloat16 on a CPU without."""
    if precision == "bfloat16" and device.type == "cpu" and not cpu_has_bfloat16():
        warnings.warn(
            "This machine's CPU cannot multiply in bfloat16; it goes on in float32. Set "
            'precision to "float32" to be rid of this message.',
            stacklevel=2,
        )
        return "float32"
    return precision
