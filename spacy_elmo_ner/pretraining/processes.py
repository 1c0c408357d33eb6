"""Several processes that pre-train one model, each on batches of its own.

`torchrun` starts them. Its environment variables tell how many there are and which one
this is: https://docs.pytorch.org/docs/stable/elastic/run.html
"""

import os
from datetime import timedelta
from typing import Iterable, List

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

# the others wait while the first one tokenizes
TIMEOUT = timedelta(days=1)


class Processes:
    """The number of processes, and which one this is; without `torchrun` there is one.

    Args:
        device: This process's device. A GPU without a number becomes the process's own.
    """

    def __init__(self, device: torch.device) -> None:
        self.count = int(os.environ.get("WORLD_SIZE", 1))
        self.rank = int(os.environ.get("RANK", 0))
        if device.type == "cuda" and device.index is None and self.count > 1:
            device = torch.device("cuda", int(os.environ["LOCAL_RANK"]))
            torch.cuda.set_device(device)
        self.device = device
        if self.count > 1 and not dist.is_initialized():
            backend = "nccl" if device.type == "cuda" else "gloo"
            dist.init_process_group(backend, timeout=TIMEOUT)

    def wait(self) -> None:
        """Wait until all processes reach this point."""
        if self.count > 1:
            dist.barrier()

    def sum(self, *values: float) -> List[float]:
        """Sum each value over the processes."""
        if self.count == 1:
            return list(values)
        sums = torch.tensor(values, dtype=torch.float64, device=self.device)
        dist.all_reduce(sums)
        return sums.tolist()

    def share(self, module: nn.Module) -> nn.Module:
        """Wrap a module so that its gradients become the mean over all processes."""
        return DistributedDataParallel(module) if self.count > 1 else module

    def share_sparse(self, parameters: Iterable[nn.Parameter]) -> None:
        """As `share`, for existing sparse gradients, which NCCL does not support."""
        if self.count == 1:
            return
        for parameter in parameters:
            assert parameter.grad is not None
            mine = parameter.grad.coalesce()
            rows = self._gather(mine.indices()[0])
            values = self._gather(mine.values())
            parameter.grad = torch.sparse_coo_tensor(
                rows[None], values / self.count, mine.shape
            )

    def _gather(self, mine: Tensor) -> Tensor:
        """Concatenate the rows of all processes: (n, ...) each → (sum of all n, ...)."""
        counts = [mine.new_empty(1, dtype=torch.int64) for _ in range(self.count)]
        dist.all_gather(counts, torch.tensor([len(mine)], device=mine.device))
        longest = int(max(counts))
        filled = mine.new_zeros((longest, *mine.shape[1:]))
        filled[: len(mine)] = mine
        of_all = [torch.empty_like(filled) for _ in counts]
        dist.all_gather(of_all, filled)
        return torch.cat([one[: int(n)] for one, n in zip(of_all, counts, strict=True)])
