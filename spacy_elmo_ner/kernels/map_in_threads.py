"""A stream of items, each processed in its own thread."""

from collections import deque
from concurrent.futures import Future, wait
from contextvars import copy_context
from functools import partial
from itertools import islice
from typing import (
    Callable,
    Deque,
    Generic,
    Iterable,
    Iterator,
    List,
    Optional,
    Tuple,
    TypeVar,
)

from .threads import one_torch_thread, submit

Item = TypeVar("Item")
Result = TypeVar("Result")


def map_in_threads(
    call: Callable[[Item], Result], items: Iterable[Item], n_threads: int
) -> Iterator[Tuple[Item, Callable[[], Result]]]:
    """Apply `call` to items in threads, ahead of the one that iterates.

    The items are read and the results yielded in order, in the thread that iterates. A
    result differs with the number of threads by rounding at most: each call has a
    thread to itself, unless there is only one item, whose call may use them all.

    Args:
        call: What to do with an item.
        items: Read up to n_threads + 1 items ahead. If that fails, the error is raised
            after the results of the items before.
        n_threads: How many calls are made at once; with 1, each is made when its result
            is requested.

    Yields:
        Each item, and a function that returns call(item) or raises its error.
    """
    if n_threads <= 1:
        yield from ((item, partial(call, item)) for item in items)
        return
    ahead = _Ahead(items)
    first = ahead.take(2)
    if len(first) < 2:
        yield from ((item, partial(call, item)) for item in first)
        ahead.raise_error()
        return

    def work(item: Item) -> Result:
        with one_torch_thread(1):
            return call(item)

    waiting: Deque[Tuple[Item, Future[Result]]] = deque()

    def add(more: Iterable[Item]) -> None:
        for item in more:
            # settings of the iterating thread, such as Thinc's ops, are in its context
            waiting.append((item, submit(copy_context().run, work, item)))

    try:
        add([*first, *ahead.take(n_threads - 2)])
        while waiting:
            add(ahead.take(1))
            item, future = waiting[0]
            yield item, future.result
            waiting.popleft()
        ahead.raise_error()
    finally:
        for _, future in waiting:
            future.cancel()
        # what they read may be gone when this returns
        wait([future for _, future in waiting])


class _Ahead(Generic[Item]):
    """Items that are read before they are needed, and the error at their end."""

    def __init__(self, items: Iterable[Item]) -> None:
        self._items = iter(items)
        self._error: Optional[BaseException] = None

    def take(self, n: int) -> List[Item]:
        """The next n items, or those that are left."""
        taken: List[Item] = []
        try:
            if self._error is None:
                for item in islice(self._items, n):
                    taken.append(item)
        except Exception as error:
            self._error = error
        return taken

    def raise_error(self) -> None:
        if self._error is not None:
            raise self._error
