"""A lock that is open in a forked process, whoever held it in the parent."""

import os
from threading import Lock
from types import TracebackType
from typing import Optional, Tuple, Type
from weakref import WeakSet


class ForkSafeLock:
    """For data that is consistent at any moment: in a forked process, the thread that
    held the lock is not there to finish its work. It is never saved, pickled or
    copied."""

    def __init__(self) -> None:
        self._lock = Lock()
        _LOCKS.add(self)

    def __enter__(self) -> None:
        self._lock.acquire()

    def __exit__(
        self,
        kind: Optional[Type[BaseException]],
        error: Optional[BaseException],
        traceback: Optional[TracebackType],
    ) -> None:
        self._lock.release()

    def __reduce__(self) -> Tuple[Type["ForkSafeLock"], Tuple[()]]:
        return ForkSafeLock, ()

    def open(self) -> None:
        """Release it, whoever holds it."""
        self._lock = Lock()


_LOCKS: "WeakSet[ForkSafeLock]" = WeakSet()


def _open_all() -> None:
    for lock in list(_LOCKS):
        lock.open()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_open_all)
