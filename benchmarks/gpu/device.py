"""The device: how long it takes, and how fast it can multiply."""

import statistics
import time
from typing import Any, Callable, Dict, List

import torch

from .report import Unsuitable

# of a cell
SECONDS = 1.5


class Device:
    """rounds: of each measurement, of which the median counts."""

    def __init__(self, name: str, rounds: int) -> None:
        self.torch, self.rounds = torch.device(name), rounds
        self.is_cuda = self.torch.type == "cuda"
        self._peaks: Dict[str, float] = {}

    def __str__(self) -> str:
        return torch.cuda.get_device_name(self.torch) if self.is_cuda else "CPU"

    def wait(self) -> None:
        if self.is_cuda:
            torch.cuda.synchronize(self.torch)

    def seconds(self, run: Callable[[], Any]) -> float:
        self.wait()
        start = time.perf_counter()
        run()
        self.wait()
        return time.perf_counter() - start

    def median(self, run: Callable[[], Any]) -> float:
        """Seconds; run was called before."""
        times: List[float] = []
        while len(times) < self.rounds and sum(times) < SECONDS:
            times.append(self.seconds(run))
        return statistics.median(times)

    def peak(self, precision: str) -> float:
        """Operations a second of a large product."""
        if precision not in self._peaks:
            self.set_tf32(precision)
            side = 8192 if self.is_cuda else 512
            one = torch.randn(side, side, device=self.torch).to(dtype_of(precision))
            times = [self.seconds(lambda: torch.mm(one, one)) for _ in range(6)]
            self._peaks[precision] = 2 * side**3 / min(times)
        return self._peaks[precision]

    def set_tf32(self, precision: str) -> None:
        if precision == "tf32" and not self.is_cuda:
            raise Unsuitable("a GPU's")
        torch.backends.cuda.matmul.allow_tf32 = precision == "tf32"
        torch.backends.cudnn.allow_tf32 = precision == "tf32"


def dtype_of(precision: str) -> torch.dtype:
    name = "float32" if precision == "tf32" else precision
    dtype = getattr(torch, name)
    assert isinstance(dtype, torch.dtype)
    return dtype
