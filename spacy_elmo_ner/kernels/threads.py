"""Prediction divided among threads of its own, each with one of torch's threads.

torch's threads wait for each other at the end of every product, and spin while they wait:
with another process on one of two cores, two of them are ten times as slow as one. What
is divided here has no such barrier: a thread takes the next piece of work when it is
done with the last, and sleeps when there is none. A stream of batches has one batch per
thread, see `map_in_threads.py`; within a single batch, the two directions of the LSTMs
have one thread each, see `in_parallel`.
"""

import os
import threading
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from typing import (
    Callable,
    Dict,
    Iterator,
    List,
    Sequence,
    TypeVar,
)

import torch
from torch import Tensor

from .autocast import is_autocast_on
from .cpu_features import usable_cpus
from .fork_safe_lock import ForkSafeLock
from .one_thread import one_thread

Item = TypeVar("Item")
Result = TypeVar("Result")

# the environment variable that sets how many threads prediction uses
SETTING = "SPACY_ELMO_NER_THREADS"


@contextmanager
def own_threads(device: str = "cpu") -> Iterator[None]:
    """Predict, without gradients: let `in_parallel` use as many threads as
    `wanted_threads` says, and torch one in each.

    It applies to the calling thread, and changes nothing for others. Under
    torch.autocast, which is set per thread, that thread is the only one.

    Args:
        device: "cpu", or another type of device, on which the calling thread launches
            everything, in its own stream.
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
        with one_torch_thread(wanted_threads()):
            yield


def wanted_threads() -> int:
    """As many as SETTING says, or else as torch may use and this process has CPUs for.

    Raises:
        ValueError: If SETTING is not a whole number of at least 1.
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

    Under `own_threads` they run on several threads, without gradients; otherwise one
    after the other. A call may in turn divide its own work among its share of threads.
    """
    n_threads = min(_local.n_threads, len(calls))
    if n_threads <= 1 or torch.is_grad_enabled():
        return [call() for call in calls]
    share = _local.n_threads // n_threads

    @torch.no_grad()
    def work(call: Callable[[], Result]) -> Result:
        with one_torch_thread(share):
            return call()

    # the first is for this thread
    waiting = [submit(work, call) for call in calls[1:]]
    results: List[Result] = []
    try:
        results.append(work(calls[0]))
        for call, future in zip(calls[1:], waiting, strict=True):
            # no thread has started it: all are busy
            results.append(work(call) if future.cancel() else future.result())
    finally:
        for future in waiting:
            future.cancel()
    return results


def free_threads(device: str) -> int:
    """How many threads work may be divided among here, see `own_threads`.

    Args:
        device: The type of device that does the work.
    """
    if device != "cpu":
        return 1
    if _local.is_divided or is_autocast_on("cpu"):
        return _local.n_threads
    return wanted_threads()


def rows_in_parallel(call: Callable[[Tensor], Tensor], rows: Tensor) -> Tensor:
    """call(rows), which treats each row independently, with one part in each thread."""
    n_parts = min(_local.n_threads, len(rows))
    if n_parts <= 1:
        return call(rows)
    parts = rows.chunk(n_parts)
    return torch.cat(in_parallel([partial(call, part) for part in parts]))


class _Local(threading.local):
    """Per thread: how many threads it may use, and whether torch uses one in it."""

    n_threads = 1
    is_divided = False


_local = _Local()


@contextmanager
def one_torch_thread(n_threads: int) -> Iterator[None]:
    """Let torch use one thread, only in this thread, which may divide its work among
    `n_threads`."""
    before = _local.n_threads, _local.is_divided
    _local.n_threads, _local.is_divided = n_threads, True
    try:
        with one_thread():
            yield
    finally:
        _local.n_threads, _local.is_divided = before


def _executor() -> ThreadPoolExecutor:
    with _LOCK:
        pid = os.getpid()
        if pid not in _EXECUTORS:
            # a forked process has none of its parent's threads
            _EXECUTORS.clear()
            most = max(wanted_threads(), usable_cpus())
            _EXECUTORS[pid] = ThreadPoolExecutor(most, "elmo")
        return _EXECUTORS[pid]


def submit(call: Callable[..., Result], *args: object) -> "Future[Result]":
    try:
        return _executor().submit(call, *args)
    except RuntimeError:
        # the main thread has ended, and with it those of all executors
        future: Future[Result] = Future()
        try:
            future.set_result(call(*args))
        except Exception as error:
            future.set_exception(error)
        return future


_EXECUTORS: Dict[int, ThreadPoolExecutor] = {}
_LOCK = ForkSafeLock()
