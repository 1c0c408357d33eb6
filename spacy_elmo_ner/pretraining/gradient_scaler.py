"""Loss scaling, which keeps small gradients in half precision from vanishing
(Micikevicius et al. 2018, arXiv:1710.03740, section 3.2).
"""

import torch

try:
    from torch.amp import GradScaler as GradientScaler
except ImportError:  # before torch 2.3
    from torch.cuda.amp import GradScaler as GradientScaler  # type: ignore[assignment]

__all__ = ["GradientScaler", "make_scaler"]

ON_ANY_DEVICE = hasattr(torch.amp, "GradScaler")


def make_scaler(precision: str, device: torch.device) -> GradientScaler:
    """Make a gradient scaler; it does nothing unless the precision is float16.

    Raises:
        ValueError: If this version of torch cannot scale gradients on the device.
    """
    is_half = precision == "float16"
    if ON_ANY_DEVICE:
        return GradientScaler(device.type, enabled=is_half)
    if is_half and device.type != "cuda":
        raise ValueError(
            f"torch {torch.__version__} can train in float16 only on CUDA; set "
            '[training] precision to "float32" or "bfloat16", or use torch 2.3 or '
            "later."
        )
    return GradientScaler(enabled=is_half)
