"""What torch.autocast means for products that it does not see."""

import torch
from torch import Tensor


def is_autocast_on(device: str) -> bool:
    """Whether torch.autocast is on in this thread for devices of this type."""
    if hasattr(torch, "get_autocast_dtype"):
        return torch.is_autocast_enabled(device)
    if device == "cpu":
        return torch.is_autocast_cpu_enabled()
    return torch.is_autocast_enabled()


def product_dtype(like: Tensor) -> torch.dtype:
    """The type to multiply in: that of torch.autocast if it is on, else like's."""
    device = like.device.type
    if not is_autocast_on(device):
        return like.dtype
    if hasattr(torch, "get_autocast_dtype"):
        return torch.get_autocast_dtype(device)
    if device == "cpu":
        return torch.get_autocast_cpu_dtype()
    return torch.get_autocast_gpu_dtype()
