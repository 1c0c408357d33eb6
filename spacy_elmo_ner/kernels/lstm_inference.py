"""The recurrence for prediction, on a CPU or a GPU and in any type.

On a CPU two things besides its products are worth their code: input gates computed for
a few hundred rows at a time, so that they stay in the cache (17 to 45% with 256
sentences at once), and a loop outside of Python (scripting.py; 6 to 42%).
"""

from typing import Final, List, Optional, Tuple

import torch
from torch import Tensor, nn

from .packed_products import Product


class InferenceLstm(nn.Module):
    """One LSTM layer in one direction, with or without a projection.

        i, g, f, o = x W_x + h W_h + b
        c = clip(σ(f) · c + σ(i) · tanh(g))
        h = clip((σ(o) · tanh(c)) W_P)

    Args:
        input_gates: The product with W_x and b.
        recurrence: The product with W_h.
        projection: The product with W_P; None for no projection.
        cell_clip: The largest absolute value in c; None or 0 for no limit.
        projection_clip: The same for h.
    """

    # rows whose input gates are computed at a time on a CPU
    rows_at_a_time: Final[int] = 384
    cell_clip: Optional[float]
    projection_clip: Optional[float]

    def __init__(
        self,
        input_gates: Product,
        recurrence: Product,
        projection: Optional[Product] = None,
        *,
        cell_clip: Optional[float] = None,
        projection_clip: Optional[float] = None,
    ) -> None:
        super().__init__()
        self.input_gates, self.recurrence = input_gates, recurrence
        self.projection = projection
        self.cell_clip = cell_clip or None
        self.projection_clip = projection_clip or None

    def forward(
        self,
        inputs: Tensor,
        rows: Optional[Tensor],
        steps: List[int],
        hidden: Tensor,
        cell: Tensor,
    ) -> Tuple[Tensor, Tensor, Tensor]:
        """Read B sentences, whose tokens are N packed rows.

        Args:
            inputs: Distinct inputs, (n, inputs).
            rows: The row in `inputs` of each packed row, (N,); None if the inputs are the
                packed rows.
            steps: Rows of each step, see `packing.Packing`.
            hidden: The first h of each sentence, longest sentence first, (B, outputs). It
                is not changed.
            cell: The first c of each sentence, (B, width). It is not changed.

        Returns:
            The outputs (N, outputs), the last h (B, outputs) and the last c (B, width).
        """
        # the gates of inputs that occur more than once are computed once
        of_inputs: Optional[Tensor] = None
        if rows is not None:
            of_inputs = self.input_gates(inputs)
        cell = cell.clone()
        outputs: List[Tensor] = []
        last_hidden: List[Tensor] = []
        last_cell: List[Tensor] = []
        start = 0
        for block in self._blocks(steps, inputs.device.type == "cpu"):
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
        return torch.cat(outputs), torch.cat(last_hidden), torch.cat(last_cell)

    def _blocks(self, steps: List[int], on_cpu: bool) -> List[List[int]]:
        """Successive steps that together have few enough rows; all steps on a GPU."""
        blocks = [steps[:1]]
        rows = steps[0]
        for alive in steps[1:]:
            rows += alive
            if on_cpu and rows > self.rows_at_a_time:
                blocks.append([alive])
                rows = alive
            else:
                blocks[-1].append(alive)
        return blocks

    def _step(self, gates: Tensor, hidden: Tensor, cell: Tensor) -> Tensor:
        """The next hidden; overwrites gates and cell, the latter with its next value."""
        i, g, f, o = self.recurrence.plus(gates, hidden).chunk(4, 1)
        cell.mul_(f.sigmoid_()).addcmul_(i.sigmoid_(), g.tanh_())
        clip = self.cell_clip
        if clip is not None:
            cell.clamp_(-clip, clip)
        hidden = torch.tanh(cell).mul_(o.sigmoid_())
        projection = self.projection
        if projection is not None:
            hidden = projection(hidden)
        clip = self.projection_clip
        if clip is not None:
            hidden.clamp_(-clip, clip)
        return hidden
