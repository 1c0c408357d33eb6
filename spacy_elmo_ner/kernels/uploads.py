"""Arrays on their way to a device."""

import numpy as np
import torch
from torch import Tensor


def on_device(array: np.ndarray, device: torch.device) -> Tensor:
    """The array as a tensor there, without waiting for a GPU's earlier work."""
    tensor = torch.from_numpy(array)
    if device.type == "cuda":
        # torch keeps pinned memory until it was read, which a GPU may do late
        tensor = tensor.pin_memory()
    return tensor.to(device, non_blocking=True)
