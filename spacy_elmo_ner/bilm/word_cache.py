"""Word vectors of words seen before.

A word has the same vector wherever it occurs, and most words of a text are not new.
"""

from typing import Callable, Dict, List, Sequence

import torch
from torch import Tensor

from ..kernels.fork_safe_lock import ForkSafeLock


class WordCache:
    """The vectors of the boundaries, and those of at most `size` words.

    When it is full it is cleared: frequent words are soon back. Threads may share it;
    none waits while another one computes.

    Args:
        boundaries: (boundaries, width), possibly none; they are always kept.
        size: How many words to keep.
    """

    def __init__(self, boundaries: Tensor, size: int) -> None:
        self.boundaries, self.size = boundaries, size
        self._lock = ForkSafeLock()
        self._clear()

    def vectors(
        self, words: Sequence[str], compute: Callable[[List[str]], Tensor]
    ) -> Tensor:
        """The boundaries' vectors, then those of the words.

        Args:
            words: Distinct words.
            compute: Computes the vectors of words, one row each; called for new words
                only.
        """
        boundaries = range(len(self.boundaries))
        with self._lock:
            rows = [self._rows.get(word, -1) for word in words]
            found = [*boundaries, *(row for row in rows if row >= 0)]
            index = torch.tensor(found, dtype=torch.int64, device=self._table.device)
            vectors = self._table.index_select(0, index)
        new = [word for word, row in zip(words, rows, strict=True) if row < 0]
        if not new:
            return vectors
        computed = compute(new)
        with self._lock:
            self._keep(new, computed)
        # known words and new ones, in the order in which they were given
        known, unknown = len(boundaries), len(found)
        order = list(boundaries)
        for row in rows:
            order.append(known if row >= 0 else unknown)
            known, unknown = known + (row >= 0), unknown + (row < 0)
        index = torch.tensor(order, dtype=torch.int64, device=vectors.device)
        return torch.cat([vectors, computed]).index_select(0, index)

    def _clear(self) -> None:
        self._rows: Dict[str, int] = {}
        self._table = self.boundaries

    def _keep(self, words: List[str], vectors: Tensor) -> None:
        # another thread may have met the same word
        places = [i for i, word in enumerate(words) if word not in self._rows]
        if len(self._rows) + len(places) > self.size:
            self._clear()
            places = list(range(len(words)))[: self.size]
        start = len(self.boundaries) + len(self._rows)
        end = start + len(places)
        if end > len(self._table):
            # room for twice as many, so that each row is moved about once
            room = min(2 * end, len(self.boundaries) + self.size)
            larger = vectors.new_empty(room, vectors.shape[1])
            larger[:start] = self._table[:start]
            self._table = larger
        self._table[start:end] = vectors[places]
        self._rows.update(
            zip((words[i] for i in places), range(start, end), strict=True)
        )
