"""Prediction divided among threads of its own, each with one of torch's threads.

torch's threads wait for each other at the end of every product, and spin while they wait:
with a neighbour on one of two cores, two of them are ten times as slow as one. What is
divided here has no such barrier: a thread takes the next piece of work when it is done
with its last, and sleeps when there is none.
"""

import os
import threading
from bisect import bisect_right
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import lru_cache, partial
from itertools import accumulate, chain, pairwise
from typing import Callable, Dict, Iterator, List, Sequence, Sized, TypeVar

import torch
from threadpoolctl import ThreadpoolController
from torch import Tensor

from .autocast import is_autocast_on
from .cpu_features import usable_cpus
from .fork_safe_lock import ForkSafeLock

Item = TypeVar("Item", bound=Sized)
Result = TypeVar("Result")

# Of a part in `items_in_parallel`. A step of a recurrence takes hardly longer with a few
# rows than with one, so two threads are better used for the two directions: with 32
# sentences they are 1.55 times as fast as one, and 1.40 times with half of the sentences
# in each, which wait for each other in Python.
LEAST_ITEMS = 8
# the environment variable that says how many threads prediction has
SETTING = "SPACY_ELMO_NER_THREADS"


@contextmanager
def own_threads(device: str = "cpu") -> Iterator[None]:
    """Predict, without gradients: let `in_parallel` use so many threads as `wanted_threads`
    says, and torch one in each.

    device: "cpu", or another type of device, which is told all of it by the thread that
        calls, in that thread's stream.

    It concerns the thread that calls, and changes nothing for others. Under
    torch.autocast, which threads have each for itself, there is but that one.
    """
    with torch.no_grad():
        if device != "cpu":
            before, _local.n_threads = _local.n_threads, 1
            try:
                yield
            finally:
                _local.n_threads = before
            return
        if _local.is_divided or is_autocast_on("cpu"):
            yield
            return
        with _one_torch_thread(wanted_threads()):
            yield


def wanted_threads() -> int:
    """As many as SETTING says, or else as torch may use and this process has CPUs for.

    Raises ValueError where it says no whole number of at least 1.
    """
    setting = os.environ.get(SETTING)
    if not setting:
        return min(torch.get_num_threads(), usable_cpus())
    if not (setting.isascii() and setting.isdigit() and int(setting) >= 1):
        raise ValueError(
            f"The environment variable {SETTING} is {setting!r}; set it to the number of "
            "threads that prediction may use, 1 or more, or unset it."
        )
    return int(setting)


def in_parallel(calls: Sequence[Callable[[], Result]]) -> List[Result]:
    """What the calls return, in their order, or the first error of one.

    Under `own_threads` they are made on several threads, without gradients; otherwise one
    after the other. A call may divide its own work in turn, among its share of threads.
    """
    n_threads = min(_local.n_threads, len(calls))
    if n_threads <= 1 or torch.is_grad_enabled():
        return [call() for call in calls]
    share = _local.n_threads // n_threads

    @torch.no_grad()
    def work(call: Callable[[], Result]) -> Result:
        with _one_torch_thread(share):
            return call()

    try:
        # the first is for this thread
        waiting = [_executor().submit(work, call) for call in calls[1:]]
    except RuntimeError:
        # the main thread has ended, and with it those of all executors
        return [call() for call in calls]
    results: List[Result] = []
    try:
        results.append(work(calls[0]))
        for call, future in zip(calls[1:], waiting, strict=True):
            # nobody has begun with it: all threads are busy
            results.append(work(call) if future.cancel() else future.result())
    finally:
        for future in waiting:
            future.cancel()
    return results


def threads_to_use() -> int:
    """How many `in_parallel` may use here: 1 for those who did not ask for more."""
    return _local.n_threads


def rows_in_parallel(call: Callable[[Tensor], Tensor], rows: Tensor) -> Tensor:
    """call(rows), of rows that it treats each by itself, a part in each thread."""
    n_parts = min(_local.n_threads, len(rows))
    if n_parts <= 1:
        return call(rows)
    parts = rows.chunk(n_parts)
    return torch.cat(in_parallel([partial(call, part) for part in parts]))


def items_in_parallel(
    call: Callable[[List[Item]], List[Result]], items: Sequence[Item]
) -> List[Result]:
    """call(items), which returns a result for each item by itself, in parts at once that
    have two threads each.

    A part has items of similar length, and about its share of all lengths together: the
    steps of a recurrence are those of its longest item.
    """
    n_parts = min(_local.n_threads // 2, len(items) // LEAST_ITEMS)
    if n_parts <= 1:
        return call(list(items))
    order = sorted(range(len(items)), key=lambda i: len(items[i]), reverse=True)
    before = list(accumulate(len(items[i]) for i in order))
    shares = [before[-1] * k // n_parts for k in range(1, n_parts)]
    cuts = [0, *(bisect_right(before, share) for share in shares), len(items)]
    parts = [order[start:end] for start, end in pairwise(cuts) if start < end]
    found = in_parallel([partial(call, [items[i] for i in part]) for part in parts])
    by_place = dict(zip(chain(*parts), chain(*found), strict=True))
    return [by_place[i] for i in range(len(items))]


class _Local(threading.local):
    """Of each thread: how many threads it may use, and whether torch has one in it."""

    n_threads = 1
    is_divided = False


_local = _Local()


@contextmanager
def _one_torch_thread(n_threads: int) -> Iterator[None]:
    """Let torch use one thread in this thread alone, which may divide its work among so
    many. torch.set_num_threads would be a setting for all threads that start later."""
    before = _local.n_threads, _local.is_divided
    _local.n_threads, _local.is_divided = n_threads, True
    try:
        # torch gives a thread its number when it first asks for it
        torch.get_num_threads()
        with _openmp().limit(limits=1):
            yield
    finally:
        _local.n_threads, _local.is_divided = before


@lru_cache(maxsize=None)
def _openmp() -> ThreadpoolController:
    return ThreadpoolController().select(user_api="openmp")


def _executor() -> ThreadPoolExecutor:
    with _LOCK:
        pid = os.getpid()
        if pid not in _EXECUTORS:
            # a forked process has none of its parent's threads
            _EXECUTORS.clear()
            most = max(wanted_threads(), usable_cpus(), 2)
            _EXECUTORS[pid] = ThreadPoolExecutor(most - 1, "elmo")
        return _EXECUTORS[pid]


_EXECUTORS: Dict[int, ThreadPoolExecutor] = {}
_LOCK = ForkSafeLock()
