"""Convolutions over a word's characters as sums of a table's rows.

What a filter makes of a character at the k-th place of its window depends on that
character alone, and there are but 261 of them. So these products are made once, and a
window's value is the sum of as many rows of the table as the window is long: a sixteenth
of the operations, where a character vector has 16 values. In the published sizes the table
has 15 MB.
"""

from typing import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from .char_convolution import Convolution, n_places
from .char_ids import MASK
from .options import N_CHARACTER_VECTORS

# What stands behind a word's 50 ids: no window of a filter may reach it.
BEYOND = N_CHARACTER_VECTORS + MASK
# Words whose windows are summed at a time, which keeps them in the cache.
WORDS_AT_A_TIME = 32


class ConvolutionTable:
    """All of a biLM's convolutions, with weights that stay the same.

    char_embed: (261, width).
    """

    def __init__(self, char_embed: Tensor, convolutions: Sequence[Convolution]) -> None:
        filters = [(conv.W_cnn[0], conv.b_cnn) for conv in convolutions]
        self.length = max(len(W) for W, _ in filters)
        device = char_embed.device
        # first what begins a window, then what comes second in it, and so on
        with torch.autocast(device.type, enabled=False):
            rows = [
                torch.cat([_rows(char_embed, W, b, place) for W, b in filters], 1)
                for place in range(self.length)
            ]
        self.rows = torch.cat(rows)
        self.first_rows = torch.arange(self.length, device=device) * len(rows[0]) - MASK

    def maxima(self, char_ids: Tensor) -> Tensor:
        """Maxima over time: character ids (n, 50) → (n, n_filters).

        Soonest when words of like length stand together.
        """
        if char_ids.device.type != "cpu":
            return self._maxima(char_ids)
        return torch.cat(
            [self._maxima(some) for some in char_ids.split(WORDS_AT_A_TIME)]
        )

    def _maxima(self, char_ids: Tensor) -> Tensor:
        """What `maxima` returns."""
        places = n_places(char_ids)
        within_reach = F.pad(char_ids, (0, self.length - 1), value=BEYOND)
        windows = within_reach.unfold(1, self.length, 1)[:, :places] + self.first_rows
        values = F.embedding_bag(windows.flatten(0, 1), self.rows, mode="sum")
        return values.view(len(char_ids), places, -1).amax(1)


def _rows(char_embed: Tensor, W: Tensor, b: Tensor, place: int) -> Tensor:
    """What a convolution makes of each character, and of BEYOND, at a window's place.

    The bias comes with the first character. (262, count)
    W: (length, width, count).
    """
    length, _, count = W.shape
    if place >= length:
        return b.new_zeros(len(char_embed) + 1, count)
    of_characters = char_embed @ W[place]
    if place == 0:
        of_characters = of_characters + b
    return torch.cat([of_characters, b.new_full((1, count), -torch.inf)])
