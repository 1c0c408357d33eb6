"""A report that is printed line by line, within a time for each of its sections."""

import signal
import time
import traceback
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Callable, Iterator, List, Optional

# that a section may go on with the cell that it is at
GRACE = 15


class Unsuitable(Exception):
    """Why a cell of a table stays without a number."""


class TimeUp(BaseException):
    """Not an Exception, which a compiler would take for a failure of its own."""


class Report:
    """Prints each line at once, and keeps the file as long as what was printed."""

    def __init__(self, output: Optional[Path], seconds: float) -> None:
        self._output = output
        self._lines: List[str] = []
        self._end = self._section_end = time.monotonic() + seconds

    def __call__(self, line: str = "") -> None:
        print(line, flush=True)
        self._lines.append(line)
        if self._output is not None:
            self._output.write_text("\n".join(self._lines) + "\n", encoding="utf8")

    def table(self, *columns: str, n_names: int) -> None:
        """Begin a table; all columns but the first n_names are numbers."""
        rule = ["---"] * n_names + ["--:"] * (len(columns) - n_names)
        self(f"\n| {' | '.join(columns)} |\n|{'|'.join(rule)}|")

    def row(self, *cells: str) -> None:
        self(f"| {' | '.join(cells)} |")

    def cell(self, make: Callable[[], str]) -> str:
        """What `make` returns, or why there is nothing."""
        if self.seconds_left <= 0:
            return "no time left"
        try:
            return make()
        except Unsuitable as error:
            return str(error)
        except Exception as error:
            traceback.print_exc()
            first = next(iter(str(error).splitlines()), "")
            return f"failed: {type(error).__name__}: {first[:120]}".replace("|", "/")

    @property
    def seconds_left(self) -> float:
        """Of the section."""
        return self._section_end - time.monotonic()

    def section(self, name: str, share: float, body: Callable[[], None]) -> None:
        """One that may take that share of the time that is left."""
        start = time.monotonic()
        left = self._end - start
        self._section_end = start + share * left
        self()
        if left <= 0:
            self(f"*{name}*: skipped, no time is left.")
            return
        try:
            with _time_limit(share * left + GRACE):
                body()
        except TimeUp:
            self(f"\n*{name}* was stopped in what it was at.")
        except Exception as error:
            traceback.print_exc()
            self(f"\n*{name}* ended early: {type(error).__name__}: {error}")
        self(f"\n({name}: {time.monotonic() - start:.0f} s)")


@contextmanager
def _time_limit(seconds: float) -> Iterator[None]:
    """Raises TimeUp in what takes longer, where the system can."""

    def end(number: int, frame: Optional[FrameType]) -> None:
        raise TimeUp

    if not hasattr(signal, "setitimer"):
        yield
        return
    before = signal.signal(signal.SIGALRM, end)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
