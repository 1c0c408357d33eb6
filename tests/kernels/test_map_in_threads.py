"""A stream divided among threads: in order, lazily, and with each error in its place."""

import threading
import time
from contextvars import ContextVar
from itertools import count
from typing import Callable, Iterator, List, Tuple

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from spacy_elmo_ner.kernels.map_in_threads import map_in_threads
from spacy_elmo_ner.kernels.threads import free_threads, in_parallel, own_threads


def results(pairs: Iterator[Tuple[int, Callable[[], int]]]) -> List[Tuple[int, object]]:
    """What is found for each item: a result or an error's text."""
    found: List[Tuple[int, object]] = []
    for item, result in pairs:
        try:
            found.append((item, result()))
        except ValueError as error:
            found.append((item, str(error)))
    return found


def square(i: int) -> int:
    # later ones are done first
    time.sleep(0.002 * (i % 3 == 0))
    if i % 5 == 4:
        raise ValueError(f"item {i}")
    return i * i


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(0, 30), max_size=12), st.integers(1, 6))
def test_as_one_after_the_other(items: List[int], n_threads: int) -> None:
    expected = results(map_in_threads(square, items, 1))
    assert results(map_in_threads(square, items, n_threads)) == expected
    assert [item for item, _ in expected] == items


@pytest.mark.parametrize("n_threads", [1, 2, 5])
def test_an_endless_stream_is_read_a_few_items_ahead(n_threads: int) -> None:
    taken: List[int] = []

    def items() -> Iterator[int]:
        for i in count():
            taken.append(i)
            yield i

    pairs = map_in_threads(square, items(), n_threads)
    for i in range(4):
        assert next(pairs)[0] == i
        assert len(taken) <= i + 1 + n_threads
    pairs.close()


def test_calls_are_made_at_once_with_one_thread_of_torch_in_each(threads: int) -> None:
    met = threading.Barrier(threads, timeout=10)

    def meet(i: int) -> Tuple[int, int]:
        # a later one is begun early, and would take the place of one of these
        if i < threads:
            met.wait()
        with own_threads():
            return torch.get_num_threads(), free_threads("cpu")

    pairs = map_in_threads(meet, range(2 * threads), free_threads("cpu"))
    seen = [result() for _, result in pairs]
    assert {n for _, n in seen} == {1}
    if torch.backends.openmp.is_available():
        assert {n for n, _ in seen} == {1}
    assert torch.get_num_threads() == threads


def test_a_single_item_has_all_threads(threads: int) -> None:
    def used(i: int) -> int:
        with own_threads():
            seen = in_parallel([threading.get_ident] * 40 + [pause] * 40)
            return len({*seen}) if threads > 1 else free_threads("cpu")

    def pause() -> int:
        time.sleep(0.001)
        return threading.get_ident()

    ((_, result),) = map_in_threads(used, [0], free_threads("cpu"))
    assert (result() > 1) == (threads > 1)


@pytest.mark.parametrize("n_threads", [1, 3])
def test_an_error_of_the_stream_comes_after_what_was_read_before(
    n_threads: int,
) -> None:
    def items() -> Iterator[int]:
        yield from [1, 2, 3]
        raise OSError("the file ends here")

    found: List[int] = []
    with pytest.raises(OSError, match="the file ends here"):
        for _, result in map_in_threads(square, items(), n_threads):
            found.append(result())
    assert found == [1, 4, 9]


def test_nothing_runs_on_when_the_stream_is_left() -> None:
    running = 0
    lock = threading.Lock()

    def work(i: int) -> int:
        nonlocal running
        with lock:
            running += 1
        time.sleep(0.02)
        with lock:
            running -= 1
        return i

    pairs = map_in_threads(work, count(), 4)
    assert next(pairs)[1]() == 0
    pairs.close()
    assert running == 0


def test_context_of_the_thread_that_iterates() -> None:
    setting: ContextVar[str] = ContextVar("setting", default="")
    setting.set("mine")
    pairs = map_in_threads(lambda i: setting.get(), range(4), 2)
    assert [result() for _, result in pairs] == ["mine"] * 4


def test_a_gpu_and_autocast_have_the_thread_that_calls(threads: int) -> None:
    assert free_threads("cuda") == 1
    assert free_threads("cpu") == threads
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert free_threads("cpu") == 1
