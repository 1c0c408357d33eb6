"""What torch.autocast means for products that it does not see."""

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
