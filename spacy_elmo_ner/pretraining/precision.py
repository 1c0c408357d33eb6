"""The number format of a pre-training's matrix products."""

import warnings

import torch

from ..kernels.cpu_features import cpu_has_bfloat16

TRAINING_PRECISIONS = ("float32", "bfloat16", "float16")


def usable_training_precision(precision: str, device: torch.device) -> str:
    """The requested precision, or "float32" on a CPU that lacks bfloat16.

    It warns of the change.

    Args:
        precision: One of TRAINING_PRECISIONS.
        device: Where training runs.
    """
    if precision == "bfloat16" and device.type == "cpu" and not cpu_has_bfloat16():
        warnings.warn(
            "This machine's CPU cannot multiply in bfloat16; training uses float32. Set "
            'precision to "float32" to avoid this message.',
            stacklevel=2,
        )
        return "float32"
    return precision
