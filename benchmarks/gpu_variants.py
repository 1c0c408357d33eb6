"""Other ways through the biLM's recurrence, which a GPU may take faster.

Each is called like `BiLM.forward`, in its place, for prediction alone, and gives the
same layers but no end state. Both directions take as many steps, so that what is a
product for each of them in the package is here one product for both.
"""

from typing import Any, Callable, Dict, List, Tuple

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import PackedSequence

from spacy_elmo_ner.bilm.lstm import BiLM, ProjectedLstm
from spacy_elmo_ner.kernels.autocast import product_dtype
from spacy_elmo_ner.kernels.packing import Packing, pack

Layers = Tuple[List[Tensor], None]
# steps of a graph
SEGMENT = 4
# graphs are made for so many sentences, or a multiple of the last
ROWS = (8, 16, 24, 32, 48, 64, 96, 128, 192, 256, 384, 512, 768, 1024)


class Unsuitable(Exception):
    """Why a variant cannot do here what the plain loop does."""


class Batch:
    """Packed rows of both directions, on the device; see `packing.Packing`."""

    def __init__(self, lengths: Any, tokens: Tensor) -> None:
        self.packing: Packing = pack(lengths)
        order, forward, backward, self.forward_rows, self.backward_rows = (
            torch.from_numpy(getattr(self.packing, name)).to(tokens.device)
            for name in (
                "order",
                "forward_tokens",
                "backward_tokens",
                "forward_rows",
                "backward_rows",
            )
        )
        self.order = order
        self.steps = self.packing.steps
        # row in the types of each packed row: (2, N)
        self.types = torch.stack([tokens[forward], tokens[backward]])

    def as_given(self, rows: Tensor) -> Tensor:
        """(2, N, projected) → (N, 2 · projected), in the order of the tokens."""
        return torch.cat([rows[0][self.forward_rows], rows[1][self.backward_rows]], 1)


class Weights:
    """Those of one layer, both directions: (2, inputs, outputs)."""

    def __init__(self, layers: List[ProjectedLstm]) -> None:
        projected = layers[0].projected
        self.inputs = torch.stack([one.W_0[:projected] for one in layers])
        self.hidden = torch.stack([one.W_0[projected:] for one in layers])
        self.bias = torch.stack([one._bias() for one in layers]).unsqueeze(1)
        self.projection = torch.stack([one.W_P_0 for one in layers])
        self.cell_clip = layers[0].cell_clip or float("inf")
        self.clip = layers[0].projection_clip or float("inf")


def cell_step(gates: Tensor, cell: Tensor, clip: float) -> Tuple[Tensor, Tensor]:
    """The output before its projection, and the new cells, which are float32."""
    i, g, f, o = gates.float().chunk(4, -1)
    cell = torch.sigmoid(f) * cell + torch.sigmoid(i) * torch.tanh(g)
    cell = cell.clamp(-clip, clip)
    return (torch.sigmoid(o) * torch.tanh(cell)).to(gates.dtype), cell


class Loop:
    """A step for both directions.

    cell: what `cell_step` does.
    largest: the largest |cell| and |output| met, if `watch` is set.
    """

    def __init__(
        self, bilm: BiLM, cell: Callable[..., Tuple[Tensor, Tensor]] = cell_step
    ) -> None:
        self.plain, self.cell = type(bilm).forward.__get__(bilm), cell
        stacks = [stack.layers for stack in bilm.directions]
        self.weights = [Weights(list(pair)) for pair in zip(*stacks, strict=True)]
        self.skip_connections = bilm.options.skip_connections
        self.watch, self.largest = False, [0.0, 0.0]

    @torch.no_grad()
    def __call__(
        self,
        types: Tensor,
        tokens: Tensor,
        lengths: Any,
        *,
        state: Any = None,
        depth: Any = None,
    ) -> Any:
        if sum(lengths) == 1:
            # the boundary alone, whose end state is asked for
            return self.plain(types, tokens, lengths, state=state, depth=depth)
        batch = Batch(lengths, tokens)
        outputs: List[Tensor] = []
        for i, weights in enumerate(self.weights[:depth]):
            inputs = outputs[-1] if outputs else types.expand(2, -1, -1)
            rows = self.layer(
                i,
                weights,
                batch,
                inputs,
                batch.types if i == 0 else None,
                state.hidden[:, i][:, batch.order].to(types.dtype),
                state.cell[:, i][:, batch.order].float(),
            )
            if outputs and self.skip_connections:
                rows = rows + outputs[-1]
            outputs.append(rows)
        return [batch.as_given(rows) for rows in outputs], None

    def layer(
        self,
        number: int,
        weights: Weights,
        batch: Batch,
        inputs: Tensor,
        rows: Any,
        hidden: Tensor,
        cell: Tensor,
    ) -> Tensor:
        """Outputs of the packed rows, (2, N, projected).

        inputs: (2, n, projected); rows: row in them of each packed row, (2, N), or None.
        """
        gates = torch.baddbmm(weights.bias, inputs, weights.inputs)
        if rows is not None:
            gates = torch.stack([gates[0][rows[0]], gates[1][rows[1]]])
        outputs = []
        for step in gates.split(batch.steps, 1):
            alive = step.shape[1]
            hidden, cell = self.step(weights, step, hidden[:, :alive], cell[:, :alive])
            outputs.append(hidden)
        return torch.cat(outputs, 1)

    def step(
        self, weights: Weights, gates: Tensor, hidden: Tensor, cell: Tensor
    ) -> Tuple[Tensor, Tensor]:
        gates = torch.baddbmm(gates, hidden, weights.hidden)
        out, cell = self.cell(gates, cell, weights.cell_clip)
        hidden = torch.bmm(out, weights.projection).clamp(-weights.clip, weights.clip)
        if self.watch:
            for i, values in enumerate((cell, hidden)):
                self.largest[i] = max(self.largest[i], float(values.abs().max()))
        return hidden, cell


class GraphLoop(Loop):
    """Steps in segments of SEGMENT, each a CUDA graph for a usual number of rows.

    Rows whose sentence has ended are computed on with what is there, and left alone. On
    a CPU the same segments run without graphs.
    """

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.graphs: Dict[Tuple[int, int], Tuple[Any, ...]] = {}
        self.pool: Any = None

    def layer(
        self,
        number: int,
        weights: Weights,
        batch: Batch,
        inputs: Tensor,
        rows: Any,
        hidden: Tensor,
        cell: Tensor,
    ) -> Tensor:
        gates = torch.baddbmm(weights.bias, inputs, weights.inputs)
        n = gates.shape[1]
        flat = gates.flatten(0, 1)
        steps = batch.steps
        starts = np.cumsum([0, *steps])
        segments = []
        for first in range(0, len(steps), SEGMENT):
            n_rows = usual(steps[first])
            index = np.zeros((SEGMENT, n_rows), np.int64)
            kept = []
            for k, alive in enumerate(steps[first : first + SEGMENT]):
                index[k, :alive] = np.arange(alive) + starts[first + k]
                kept.append(np.arange(alive) + k * n_rows)
            segments.append((n_rows, index.ravel(), np.concatenate(kept)))
        # one copy to the device for all of them
        both = [part for _, *parts in segments for part in parts]
        places = torch.from_numpy(np.concatenate(both)).to(gates.device)
        parts = iter(places.split([len(part) for part in both]))
        outputs = []
        for n_rows, _, _ in segments:
            into, out_of = next(parts), next(parts)
            if rows is None:
                into = torch.cat([into, into + n])
            else:
                into = torch.cat([rows[0][into], rows[1][into] + n])
            graph, static, first_hidden, first_cell, found = self._graph(
                number, weights, n_rows, gates
            )
            torch.index_select(flat, 0, into, out=static)
            alive = min(n_rows, hidden.shape[1])
            first_hidden[:, :alive] = hidden[:, :alive]
            first_cell[:, :alive] = cell[:, :alive]
            if graph is not None:
                graph.replay()
                results = found
            else:
                results = self._segment(weights, static, first_hidden, first_cell)
            all_rows, hidden, cell = results
            outputs.append(all_rows.index_select(1, out_of))
        return torch.cat(outputs, 1)

    def _segment(
        self, weights: Weights, static: Tensor, hidden: Tensor, cell: Tensor
    ) -> Tuple[Tensor, Tensor, Tensor]:
        n_rows = hidden.shape[1]
        outputs = []
        for step in static.view(2, SEGMENT * n_rows, -1).split(n_rows, 1):
            hidden, cell = self.step(weights, step, hidden, cell)
            outputs.append(hidden)
        return torch.cat(outputs, 1), hidden, cell

    def _graph(
        self, number: int, weights: Weights, n_rows: int, like: Tensor
    ) -> Tuple[Any, ...]:
        key = (number, n_rows)
        if key not in self.graphs:
            width, projected = weights.projection.shape[1:]
            static = like.new_zeros(2 * SEGMENT * n_rows, 4 * width)
            hidden = like.new_zeros(2, n_rows, projected)
            cell = like.new_zeros(2, n_rows, width, dtype=torch.float32)
            graph = found = None
            if like.device.type == "cuda":
                apart = torch.cuda.Stream()
                apart.wait_stream(torch.cuda.current_stream())
                with torch.cuda.stream(apart):
                    # what is made at a first call must not be made in a graph
                    self._segment(weights, static, hidden, cell)
                torch.cuda.current_stream().wait_stream(apart)
                graph = torch.cuda.CUDAGraph()
                with torch.cuda.graph(graph):
                    found = self._segment(weights, static, hidden, cell)
            self.graphs[key] = graph, static, hidden, cell, found
        return self.graphs[key]


def usual(n: int) -> int:
    """The least of ROWS that n rows fit in."""
    for rows in ROWS:
        if n <= rows:
            return rows
    return -(-n // ROWS[-1]) * ROWS[-1]


class FusedLoop(Loop):
    """torch's LSTM with projection, cuDNN's on a GPU, which cannot clip."""

    def __init__(self, bilm: BiLM) -> None:
        super().__init__(bilm)
        self.lstms = [
            [fused_lstm(stack.layers[i]) for stack in bilm.directions]
            for i in range(len(self.weights))
        ]

    def layer(
        self,
        number: int,
        weights: Weights,
        batch: Batch,
        inputs: Tensor,
        rows: Any,
        hidden: Tensor,
        cell: Tensor,
    ) -> Tensor:
        sizes = torch.from_numpy(np.asarray(batch.steps, np.int64))
        outputs = []
        for i, lstm in enumerate(self.lstms[number]):
            x = inputs[i] if rows is None else inputs[i][rows[i]]
            start = hidden[i : i + 1].contiguous(), cell[i : i + 1].to(x.dtype)
            outputs.append(lstm(PackedSequence(x, sizes), start)[0].data)
        return torch.stack(outputs)


def fused_weights(layer: ProjectedLstm) -> List[Tensor]:
    """As nn.LSTM names them: weight_ih, weight_hh, bias_ih, bias_hh, weight_hr."""
    i, g, f, o = layer.W_0.t().chunk(4)
    inputs, hidden = torch.cat([i, f, g, o]).split(layer.projected, 1)
    i, g, f, o = layer._bias().chunk(4)
    bias = torch.cat([i, f, g, o])
    return [
        inputs.contiguous(),
        hidden.contiguous(),
        bias,
        torch.zeros_like(bias),
        layer.W_P_0.t().contiguous(),
    ]


def fused_lstm(layer: ProjectedLstm) -> nn.LSTM:
    lstm = nn.LSTM(layer.projected, layer.width, proj_size=layer.projected)
    lstm.to(layer.W_0.device, layer.W_0.dtype)
    with torch.no_grad():
        for own, weight in zip(lstm.parameters(), fused_weights(layer), strict=True):
            own.copy_(weight)
    lstm.flatten_parameters()
    return lstm.eval()


def fused_training(
    self: ProjectedLstm,
    inputs: Tensor,
    rows: Any,
    steps: List[int],
    hidden: Tensor,
    cell: Tensor,
) -> Tuple[Tensor, Tensor, Tensor]:
    """`ProjectedLstm.forward` by torch's LSTM, gradients too."""
    x = inputs if rows is None else inputs[rows]
    dtype = product_dtype(x)
    with torch.autocast(x.device.type, enabled=False):
        outputs, last_hidden, last_cell = torch._VF.lstm(  # type: ignore[attr-defined]
            x.to(dtype),
            torch.from_numpy(np.asarray(steps, np.int64)),
            (
                hidden[None].to(dtype).contiguous(),
                cell[None].to(dtype).contiguous(),
            ),
            [weight.to(dtype) for weight in fused_weights(self)],
            True,
            1,
            0.0,
            True,
            False,
        )
    kind = self.W_0.dtype
    return outputs.to(kind), last_hidden[0].to(kind), last_cell[0].to(kind)
