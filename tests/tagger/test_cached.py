import multiprocessing
import os
import threading
from typing import Optional

import pytest

from spacy_elmo_ner.tagger.cached import cached_property


class Slow:
    """Its value takes until `go` is set."""

    def __init__(self, go: Optional[threading.Event] = None) -> None:
        self.begun, self.go = threading.Event(), go
        self.count = 0

    @cached_property
    def value(self) -> int:
        """A number."""
        self.count += 1
        self.begun.set()
        if self.go is not None:
            self.go.wait()
        return self.count


def test_it_is_computed_once() -> None:
    one, other = Slow(), Slow()
    assert [one.value, one.value, other.value] == [1, 1, 1]
    assert Slow.value.__doc__ == "A number."


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this platform does not fork")
def test_nobody_waits_for_another_instance_not_even_a_forked_process() -> None:
    slow = Slow(threading.Event())
    thread = threading.Thread(target=lambda: slow.value)
    thread.start()
    try:
        slow.begun.wait()
        assert Slow().value == 1
        process = multiprocessing.get_context("fork").Process(
            target=lambda: os._exit(Slow().value)
        )
        process.start()
        process.join(60)
        assert process.exitcode == 1
    finally:
        assert slow.go is not None
        slow.go.set()
        thread.join()
