"""What torch.autocast means for products that it does not see, and where it pays."""

import warnings

import torch
from torch import Tensor


def product_dtype(like: Tensor) -> torch.dtype:
    """In which type to multiply: that of torch.autocast where it is on, else like's."""
    device = like.device.type
    if hasattr(torch, "get_autocast_dtype"):
        is_on, dtype = torch.is_autocast_enabled, torch.get_autocast_dtype
        return dtype(device) if is_on(device) else like.dtype
    if device == "cpu":
        on = torch.is_autocast_cpu_enabled()
        return torch.get_autocast_cpu_dtype() if on else like.dtype
    on = torch.is_autocast_enabled()
    return torch.get_autocast_gpu_dtype() if on else like.dtype


def usable_precision(precision: str, device: torch.device) -> str:
    """precision; but "float32", with a warning, for bfloat16 on a CPU without it, where
    torch would take a hundred times as long."""
    if precision == "bfloat16" and device.type == "cpu" and not _cpu_has_bfloat16():
        warnings.warn(
            "This machine's CPU cannot multiply in bfloat16; it goes on in float32. Set "
            'precision to "float32" to be rid of this message.',
            stacklevel=2,
        )
        return "float32"
    return precision


def _cpu_has_bfloat16() -> bool:
    # an old torch cannot tell
    supported = getattr(torch.ops.mkldnn, "_is_mkldnn_bf16_supported", None)
    return supported is None or supported()
