"""Steps of a batch in segments, each padded to a usual number of rows."""

from functools import lru_cache
from typing import List, NamedTuple, Tuple

import numpy as np

# steps of a segment: many of few rows, some of which are computed past their sentence's
# end; few of many, which keep a GPU busy for longer than a launch takes
ROWS_AT_ONCE = 512
LEAST_STEPS, MOST_STEPS = 2, 8


class Segment(NamedTuple):
    """Some steps of a batch as n_steps · n_rows rows, step after step.

    Attributes:
        n_rows: Rows of a step.
        n_steps: Number of steps.
        packed: The packed row that is in each row; an arbitrary one if there is none.
        filled: The row of each packed row.
        ended: The row of the last token of each sentence that ends here, longest first.
    """

    n_rows: int
    n_steps: int
    packed: np.ndarray
    filled: np.ndarray
    ended: np.ndarray


@lru_cache(maxsize=8)
def segments_of(steps: Tuple[int, ...]) -> List[Segment]:
    """Cut steps, which never grow, into segments."""
    segments = []
    start = first_row = 0
    while start < len(steps):
        alive = np.array(steps[start:])
        n_rows = _usual(int(alive[0]))
        n_steps = max(LEAST_STEPS, min(MOST_STEPS, ROWS_AT_ONCE // n_rows))
        part, rest = alive[:n_steps], alive[n_steps:]
        is_filled = np.zeros((n_steps, n_rows), bool)
        is_filled[: len(part)] = np.arange(n_rows) < part[:, None]
        filled = np.flatnonzero(is_filled)
        packed = np.zeros(n_steps * n_rows, np.int64)
        packed[filled] = first_row + np.arange(len(filled))
        ending = np.arange(rest[0] if len(rest) else 0, alive[0])
        ended = (is_filled.sum(0)[ending] - 1) * n_rows + ending
        segments.append(Segment(n_rows, n_steps, packed, filled, ended))
        start += n_steps
        first_row += len(filled)
    return segments


def _usual(n: int) -> int:
    """n rounded up to a multiple of 8, and of an eighth of the power of 2 above it."""
    step = max(8, 1 << (n - 1).bit_length() >> 3)
    return -(-n // step) * step
