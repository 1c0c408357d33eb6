"""Two calls at once, on a thread each that has half of torch's threads.

The products of an LSTM's step are small, and torch's threads wait for each other at the
end of every one. Two threads that have no business with each other seldom wait.

Torch's threads spin for milliseconds when their work is done, and take a core from these two.
So what comes before should not wake them: `index_select` does from 32,768 values on, indexing
from 3,000.
"""

import os
from concurrent.futures import ThreadPoolExecutor
from typing import Callable, Dict, List, TypeVar

import torch
from threadpoolctl import threadpool_limits
from torch import Tensor

from .autocast import product_dtype
from .fork_safe_lock import ForkSafeLock

Result = TypeVar("Result")

# Up to so many rows are better off with these two threads than with torch's, which would
# hardly be faster, and would spin afterwards.
FEW_ROWS = 32


def side_by_side(call: Callable[[int], Result], like: Tensor) -> List[Result]:
    """[call(0), call(1)], which work with tensors such as `like`.

    In turn where torch has one thread, and on GPUs; with gradients and under
    torch.autocast too, as threads have those of their own.
    """
    if not _has_two_threads(like):
        return [call(0), call(1)]
    work = torch.no_grad()(call)
    try:
        started = [
            executor.submit(work, i)
            for i, executor in enumerate(_executors(torch.get_num_threads()))
        ]
    except RuntimeError:
        # the main thread has ended, and with it those of all executors
        return [work(0), work(1)]
    return [future.result() for future in started]


def side_by_side_if_few(
    first: Callable[[], Result], second: Callable[[], Result], rows: Tensor
) -> List[Result]:
    """[first(), second()], which work with these rows: side by side if they are few."""
    if len(rows) > FEW_ROWS:
        return [first(), second()]
    calls = first, second
    return side_by_side(lambda i: calls[i](), rows)


def in_halves_if_few(call: Callable[[Tensor], Tensor], rows: Tensor) -> Tensor:
    """call(rows), of rows that it treats each by itself: if few, half in each call."""
    if len(rows) > FEW_ROWS or not _has_two_threads(rows):
        return call(rows)
    # one part where there is but one row
    parts = rows.chunk(2)

    def call_on_part(i: int) -> List[Tensor]:
        return [call(part) for part in parts[i : i + 1]]

    first, second = side_by_side(call_on_part, rows)
    return torch.cat(first + second)


def _has_two_threads(like: Tensor) -> bool:
    return (
        torch.get_num_threads() > 1
        and like.device.type == "cpu"
        and not torch.is_grad_enabled()
        and product_dtype(like) == like.dtype
        and torch.backends.openmp.is_available()
    )


def _executors(n_threads: int) -> List[ThreadPoolExecutor]:
    """Two of one thread each, for callers that have so many of torch's threads."""
    with _LOCK:
        if n_threads not in _EXECUTORS:
            half = n_threads // 2
            _EXECUTORS[n_threads] = [
                ThreadPoolExecutor(1, initializer=_use_threads, initargs=(share,))
                for share in (n_threads - half, half)
            ]
        return _EXECUTORS[n_threads]


_EXECUTORS: Dict[int, List[ThreadPoolExecutor]] = {}
_LOCK = ForkSafeLock()


def _use_threads(n_threads: int) -> None:
    """Let this thread, and no other, have so many of torch's threads.

    torch.set_num_threads would be a setting for all that start later.
    """
    # torch gives a thread its number when it first asks for it
    torch.get_num_threads()
    threadpool_limits(n_threads, user_api="openmp")


if hasattr(os, "register_at_fork"):
    # a forked process has none of its parent's threads
    os.register_at_fork(after_in_child=_EXECUTORS.clear)
