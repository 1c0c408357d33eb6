"""What the CPU at hand is fast in, as far as torch can tell."""

import torch


def cpu_has(*names: str) -> bool:
    """Whether it has one of these instruction sets, by torch's names for them; False
    where an old torch cannot tell."""
    if not hasattr(torch.cpu, "get_capabilities"):
        return False
    return any(torch.cpu.get_capabilities().get(name) for name in names)


def cpu_has_bfloat16() -> bool:
    """Whether oneDNN has products in bfloat16 on it; without them torch takes a hundred
    times as long. True where an old torch cannot tell."""
    supported = getattr(torch.ops.mkldnn, "_is_mkldnn_bf16_supported", None)
    return supported is None or supported()
