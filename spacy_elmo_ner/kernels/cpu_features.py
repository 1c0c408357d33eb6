"""What this CPU is fast in, as far as torch can tell."""

import math
import os
from functools import lru_cache
from pathlib import Path

import torch


def cpu_has(*names: str) -> bool:
    """Whether it has one of these instruction sets, by torch's names for them; False
    if an old torch cannot tell."""
    if not hasattr(torch.cpu, "get_capabilities"):
        return False
    return any(torch.cpu.get_capabilities().get(name) for name in names)


def cpu_has_bfloat16() -> bool:
    """Whether oneDNN has products in bfloat16 on it; without them torch takes a hundred
    times as long. True if an old torch cannot tell."""
    supported = getattr(torch.ops.mkldnn, "_is_mkldnn_bf16_supported", None)
    return supported is None or supported()


@lru_cache(maxsize=None)
def usable_cpus() -> int:
    """How many CPUs this process may really use: those it may run on, limited by its
    container's quota; at least 1."""
    if hasattr(os, "sched_getaffinity"):
        cpus = len(os.sched_getaffinity(0))
    else:
        cpus = os.cpu_count() or 1
    return max(1, int(min(cpus, _cpu_quota())))


def _cpu_quota(root: Path = Path("/sys/fs/cgroup")) -> float:
    """CPUs that Linux grants this process's control group; infinite without a quota.

    Formats: the kernel's cgroup-v2.rst (cpu.max: quota and period, "max" for none) and,
    for version 1, sched-bwc.rst (quota -1 for none).
    """
    for names in (["cpu.max"], ["cpu/cpu.cfs_quota_us", "cpu/cpu.cfs_period_us"]):
        try:
            text = " ".join((root / name).read_text(encoding="ascii") for name in names)
            quota, period = map(float, text.replace("max", "inf").split())
        except (OSError, ValueError):
            continue
        return quota / period if quota > 0 else math.inf
    return math.inf
