"""The equations of `bilm.lstm.ProjectedLstm` with a backward pass written out.

Autograd through time computes a product for each weight and step, and keeps every
intermediate. Here each weight's gradient is one product over all steps (Werbos 1990,
backpropagation through time), and only gates, cells and outputs are kept.
"""

from typing import Any, List, NamedTuple, Optional, Tuple

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.autograd.function import once_differentiable

from .autocast import product_dtype

# oneDNN generates code for each number of rows that it sees, which takes longer than a
# product. So a step's products are padded to a multiple of this many rows, and the
# padding's results are ignored.
ROWS = 16


class LstmSettings(NamedTuple):
    """What `LstmWithGradient` takes besides its tensors.

    Attributes:
        steps: Rows of each step, see `packing.Packing`.
        cell_clip: See `options.ElmoOptions`.
        projection_clip: See `options.ElmoOptions`.
    """

    steps: List[int]
    cell_clip: Optional[float]
    projection_clip: Optional[float]


class LstmWithGradient(torch.autograd.Function):
    """inputs (N, projected), first hidden (B, projected) and first cell (B, width),
    W_0 and W_P_0 as in `bilm.lstm.ProjectedLstm`, bias (4 · width,) with the forget gate's
    constant → outputs (N, projected), last hidden (B, projected), last cells (B, width).

    Under torch.autocast products are in its type, and all else in that of the weights.
    """

    @staticmethod
    def forward(
        ctx: Any,
        inputs: Tensor,
        hidden: Tensor,
        cell: Tensor,
        W_0: Tensor,
        bias: Tensor,
        W_P_0: Tensor,
        settings: LstmSettings,
    ) -> Tuple[Tensor, Tensor, Tensor]:
        width, projected = W_P_0.shape
        ctx.dtype = dtype = product_dtype(inputs)
        W_input, W_hidden = W_0.to(dtype).split(projected)
        W_P = W_P_0.to(dtype)
        gates = (inputs.to(dtype) @ W_input).to(bias.dtype).add_(bias)
        cells = gates.new_empty(len(inputs), width)
        outputs = gates.new_empty(inputs.shape)
        # under autocast they may come in its type, too coarse for the recurrence
        h, c = hidden.to(bias.dtype), cell.to(bias.dtype)
        start = 0
        for alive in settings.steps:
            rows = slice(start, start + alive)
            recurrent = torch.mm(h[: _rounded(alive)].to(dtype), W_hidden)
            step = gates[rows].add_(recurrent[:alive])
            i, g, f, o = step.chunk(4, 1)
            g.mul_(2)
            step.sigmoid_()
            g.mul_(2).sub_(1)
            c = torch.mul(f, c[:alive], out=cells[rows]).addcmul_(i, g)
            if settings.cell_clip:
                c.clamp_(-settings.cell_clip, settings.cell_clip)
            out = F.pad(_tanh(c).mul_(o).to(dtype), (0, 0, 0, -alive % ROWS))
            h = torch.mm(out, W_P)[:alive].to(gates.dtype)
            if settings.projection_clip:
                h.clamp_(-settings.projection_clip, settings.projection_clip)
            outputs[rows] = h
            start += alive
        ctx.settings = settings
        ctx.save_for_backward(inputs, hidden, cell, W_0, W_P_0, gates, cells, outputs)
        last = _last_rows(settings.steps)
        return outputs, outputs[last], cells[last]

    @staticmethod
    @once_differentiable
    def backward(
        ctx: Any, d_outputs: Tensor, d_last_hidden: Tensor, d_last_cell: Tensor
    ) -> Tuple[Optional[Tensor], ...]:
        settings: LstmSettings = ctx.settings
        inputs, hidden, cell, W_0, W_P_0, gates, cells, outputs = ctx.saved_tensors
        dtype = ctx.dtype
        width, projected = W_P_0.shape
        W_hidden = W_0[projected:].to(dtype)
        W_P = W_P_0.to(dtype)
        steps = settings.steps
        d_gates = torch.zeros(gates.shape, dtype=dtype, device=gates.device)
        d_projected = torch.zeros(outputs.shape, dtype=dtype, device=gates.device)
        projections = torch.empty(cells.shape, dtype=dtype, device=gates.device)
        d_hidden, d_cell = d_last_hidden.clone(), d_last_cell.clone()
        start = len(inputs)
        for time in reversed(range(len(steps))):
            alive = steps[time]
            rows = slice(start - alive, start)
            start -= alive
            if time:
                before = slice(start - steps[time - 1], start - steps[time - 1] + alive)
                previous = cells[before]
            else:
                previous = cell
            i, g, f, o = gates[rows].chunk(4, 1)
            c = cells[rows]
            dh = d_hidden[:alive].add_(d_outputs[rows])
            if settings.projection_clip:
                dh.mul_(outputs[rows].abs() < settings.projection_clip)
            d_projected[rows] = dh
            tanh_c = _tanh(c)
            projections[rows] = o * tanh_c
            more = slice(start, start + _rounded(alive))
            d_out = torch.mm(d_projected[more], W_P.t())[:alive].to(gates.dtype)
            di, dg, df, do = d_gates[rows].chunk(4, 1)
            # σ' = σ (1 - σ), tanh' = 1 - tanh²
            do.copy_(torch.addcmul(o, o, o, value=-1).mul_(tanh_c).mul_(d_out))
            dc = d_out.mul_(o)
            dc.addcmul_(dc, tanh_c.square_(), value=-1).add_(d_cell[:alive])
            if settings.cell_clip:
                dc.mul_(c.abs() < settings.cell_clip)
            torch.mul(dc, f, out=d_cell[:alive])
            df.copy_(torch.addcmul(f, f, f, value=-1).mul_(previous).mul_(dc))
            dg.copy_((1 - g * g).mul_(i).mul_(dc))
            di.copy_(torch.addcmul(i, i, i, value=-1).mul_(g).mul_(dc))
            d_hidden[:alive] = torch.mm(d_gates[more], W_hidden.t())[:alive]
        d_W_0 = torch.cat(
            [
                inputs.to(dtype).t() @ d_gates,
                _previous(hidden, outputs, steps).to(dtype).t() @ d_gates,
            ]
        ).to(W_0.dtype)
        return (
            (d_gates @ W_0[:projected].to(dtype).t()).to(inputs.dtype),
            d_hidden.to(hidden.dtype),
            d_cell.to(cell.dtype),
            d_W_0,
            # a product, as a sum over rows takes many times as long
            (d_gates.new_ones(1, len(d_gates)) @ d_gates)[0].to(W_0.dtype),
            (projections.t() @ d_projected).to(W_P_0.dtype),
            None,
        )


def _rounded(rows: int) -> int:
    return rows + -rows % ROWS


def _tanh(x: Tensor) -> Tensor:
    """As 2 σ(2x) - 1: torch's tanh takes several times as long on a CPU."""
    return (2 * x).sigmoid_().mul_(2).sub_(1)


def _last_rows(steps: List[int]) -> List[int]:
    """The row of each sentence's last token; the longest sentence comes first."""
    ending, start = [], 0
    for alive, following in zip(steps, [*steps[1:], 0], strict=True):
        ending.append(range(start + following, start + alive))
        start += alive
    return [row for rows in reversed(ending) for row in rows]


def _previous(first: Tensor, outputs: Tensor, steps: List[int]) -> Tensor:
    """For each row the output of the previous step, (N, projected)."""
    parts, start = [first], 0
    for alive, following in zip(steps[:-1], steps[1:], strict=True):
        parts.append(outputs[start : start + following])
        start += alive
    return torch.cat(parts)
