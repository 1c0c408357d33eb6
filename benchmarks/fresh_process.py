"""A part in a process of its own, and how much memory a process took."""

from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Callable, TypeVar

Result = TypeVar("Result")

STATUS = Path("/proc/self/status")


def in_fresh_process(part: Callable[..., Result], *args: object) -> Result:
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as executor:
        return executor.submit(part, *args).result()


def peak() -> float:
    """MB that this process has had resident at most so far."""
    if STATUS.exists():
        # Linux. Its getrusage begins with what the parent had when it started us.
        fields = dict(
            line.split(":", 1)
            for line in STATUS.read_text().splitlines()
            if ":" in line
        )
        return int(fields["VmHWM"].split()[0]) / 1024
    import resource

    # macOS, in bytes
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
