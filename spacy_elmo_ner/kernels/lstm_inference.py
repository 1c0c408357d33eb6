"""The equations of `bilm.lstm.ProjectedLstm` for prediction on a CPU.

What it does otherwise, and why:

- Weights are laid out once (packed_products.py).
- tanh x = 2 σ(2x) - 1, as torch's tanh takes several times as long as its sigmoid on a
  CPU. So one call makes all four gates, from weights in which g's are doubled.
- It keeps c' = 2c and calls σ(c') s, so that o · tanh c = o (2s - 1) = -(o - 2 o s),
  one fused operation when the projection has the other sign.
- Gates are made for a few hundred rows at a time, so that they stay in the cache.
"""

from typing import Final, List, Optional, Tuple

import torch
from torch import Tensor, nn

from .packed_products import prepare_product, usable_dtype


class FastLstm(nn.Module):
    """One LSTM layer in one direction; weights as in `bilm.lstm.ProjectedLstm`.

    bias: (4 · width,), the forget gate's constant included.
    precision: of the products, see `packed_products.PRECISIONS`.
    """

    # rows whose input gates are made at a time
    rows_at_a_time: Final[int] = 384
    twice_cell_clip: Optional[float]
    projection_clip: Optional[float]

    def __init__(
        self,
        W_0: Tensor,
        bias: Tensor,
        W_P_0: Tensor,
        *,
        cell_clip: Optional[float],
        projection_clip: Optional[float],
        precision: str,
    ) -> None:
        super().__init__()
        projected = W_P_0.shape[1]
        dtype = usable_dtype(precision)
        W, b = _reorder_gates(W_0.detach()), _reorder_gates(bias.detach())
        # a single row comes from a sentence of one word only
        self.input_gates = prepare_product(
            W[:projected], b, dtype=dtype, for_single_rows=False
        )
        self.recurrence = prepare_product(W[projected:], dtype=dtype)
        self.projection = prepare_product(-W_P_0.detach(), dtype=dtype)
        self.twice_cell_clip = 2 * cell_clip if cell_clip else None
        self.projection_clip = projection_clip or None

    def forward(
        self,
        inputs: Tensor,
        rows: Optional[Tensor],
        steps: List[int],
        hidden: Tensor,
        cell: Tensor,
    ) -> Tuple[Tensor, Tensor, Tensor]:
        """See `bilm.lstm.ProjectedLstm.forward`; what it is given stays as it is."""
        cell = cell * 2
        outputs: List[Tensor] = []
        last_hidden: List[Tensor] = []
        last_cell: List[Tensor] = []
        # of inputs that occur more than once, gates are made once
        of_inputs: Optional[Tensor] = None
        if rows is not None:
            of_inputs = self.input_gates(inputs)
        start = 0
        for block in self._blocks(steps):
            end = start + sum(block)
            if rows is None or of_inputs is None:
                gates = self.input_gates(inputs[start:end])
            else:
                gates = of_inputs[rows[start:end]]
            start = end
            for step in gates.split(block):
                alive = step.shape[0]
                if alive < hidden.shape[0]:
                    last_hidden.append(hidden[alive:])
                    last_cell.append(cell[alive:])
                    hidden, cell = hidden[:alive], cell[:alive]
                hidden = self._step(step, hidden, cell)
                outputs.append(hidden)
        # the longest sentences, which end last, come first
        last_hidden.append(hidden)
        last_hidden.reverse()
        last_cell.append(cell)
        last_cell.reverse()
        return torch.cat(outputs), torch.cat(last_hidden), torch.cat(last_cell) / 2

    def _blocks(self, steps: List[int]) -> List[List[int]]:
        """Successive steps that together have few enough rows."""
        blocks = [steps[:1]]
        rows = steps[0]
        for alive in steps[1:]:
            if rows + alive <= self.rows_at_a_time:
                blocks[-1].append(alive)
                rows += alive
            else:
                blocks.append([alive])
                rows = alive
        return blocks

    def _step(self, gates: Tensor, hidden: Tensor, cell: Tensor) -> Tensor:
        """The next hidden; overwrites gates and cell, the latter with its next value."""
        gates = self.recurrence.plus(gates, hidden).sigmoid_()
        i, f, o, g = gates.chunk(4, 1)
        # 2 i tanh(g) = 4 i σ(2g) - 2 i
        cell.mul_(f).addcmul_(i, g, value=4).sub_(i, alpha=2)
        clip = self.twice_cell_clip
        if clip is not None:
            cell.clamp_(-clip, clip)
        hidden = self.projection(torch.addcmul(o, o, torch.sigmoid(cell), value=-2))
        clip = self.projection_clip
        if clip is not None:
            hidden.clamp_(-clip, clip)
        return hidden


def _reorder_gates(weights: Tensor) -> Tensor:
    """(..., 4 · width) of i, g, f, o → i, f, o, 2g."""
    i, g, f, o = weights.chunk(4, -1)
    return torch.cat([i, f, o, 2 * g], -1)
