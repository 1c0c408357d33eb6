"""Word vectors of the words that were met before.

A word has the same vector wherever it stands, and most words of a text are not new.
"""

from typing import Callable, Dict, List, Sequence

import torch
from torch import Tensor


class WordCache:
    """The vectors of the boundaries, and those of at most `size` words.

    When it is full it starts anew: what is frequent is soon back.

    boundaries: (boundaries, projection_width); they are always there.
    """

    def __init__(self, boundaries: Tensor, size: int) -> None:
        self.boundaries, self.size = boundaries, size
        self._clear()

    def vectors(
        self, words: Sequence[str], compute: Callable[[List[str]], Tensor]
    ) -> Tensor:
        """The boundaries' vectors, then those of the words, which are distinct.

        compute: gives the vectors of words, one row each; called for new words only.
        """
        new = [word for word in words if word not in self._rows]
        if len(self._rows) + len(new) > self.size:
            self._clear()
            new = list(words)
        if len(new) > self.size:
            return torch.cat([self.boundaries, compute(new)])
        if new:
            self._append(new, compute(new))
        rows = [*range(len(self.boundaries)), *(self._rows[word] for word in words)]
        index = torch.tensor(rows, device=self._table.device)
        return self._table.index_select(0, index)

    def _clear(self) -> None:
        self._rows: Dict[str, int] = {}
        self._table = self.boundaries

    def _append(self, words: List[str], vectors: Tensor) -> None:
        start = len(self.boundaries) + len(self._rows)
        end = start + len(words)
        if end > len(self._table):
            # room for twice as many, so that a row is moved about once
            room = min(2 * end, len(self.boundaries) + self.size)
            larger = vectors.new_empty(room, vectors.shape[1])
            larger[:start] = self._table[:start]
            self._table = larger
        self._table[start:end] = vectors
        self._rows.update(zip(words, range(start, end), strict=True))
