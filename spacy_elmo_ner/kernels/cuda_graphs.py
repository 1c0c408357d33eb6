"""The recurrence for prediction on a CUDA device, several steps to a launch.

A GPU finishes a step before Python has launched its dozen operations. A CUDA graph
launches those of several steps at once; it is made for a fixed number of rows, and
reads and writes the same memory each time. So a batch is cut into segments, and each is
padded to a usual number of rows: the padding is computed, but never read.
"""

import os
import warnings
from contextlib import contextmanager
from functools import lru_cache
from inspect import signature
from typing import Any, Callable, Dict, Iterator, List, NamedTuple, Optional, Tuple

import numpy as np
import torch
from torch import Tensor, nn

from .autocast import is_autocast_on
from .fork_safe_lock import ForkSafeLock
from .lstm_inference import InferenceLstm
from .segments import Segment, segments_of
from .uploads import on_device

# an environment variable: with 0, prediction uses the plain loop
SWITCH = "SPACY_ELMO_NER_CUDA_GRAPHS"
# more rows keep a GPU busy without graphs
MOST_ROWS = 4096
# threads share the graphs, and the stream in which they are captured
_LOCK = ForkSafeLock()


class Graph(NamedTuple):
    """A captured segment, and the memory that it reads and writes.

    Attributes:
        replay: Computes the segment.
        inputs: Written before `replay`, (n_steps · n_rows, inputs).
        outputs: The outputs of each step, after `replay`, (n_steps · n_rows, outputs).
        cells: The cells of each step, after `replay`, (n_steps · n_rows, width).
        hidden: The state at the segment's start, written before `replay`, which leaves the
            state at its end there, (n_rows, outputs).
        cell: As `hidden`, (n_rows, width).
    """

    replay: Callable[[], None]
    inputs: Tensor
    outputs: Tensor
    cells: Tensor
    hidden: Tensor
    cell: Tensor


def in_cuda_graphs(lstm: InferenceLstm) -> nn.Module:
    """The same call with the same values, using graphs if this torch (2.1) can capture
    them while other threads use the device."""
    # what was derived from the weights may next be read in another stream
    torch.cuda.current_stream().synchronize()
    capture = signature(torch.cuda.CUDAGraph.capture_begin)
    return GraphedLstm(lstm) if "capture_error_mode" in capture.parameters else lstm


class GraphedLstm(nn.Module):
    """An InferenceLstm in segments: each a graph, or on a CPU what would be captured.

    Graphs hold on to the weights' memory: if weights are changed or moved, make a new
    instance, as `derived.Prepared` does.
    """

    def __init__(self, lstm: InferenceLstm) -> None:
        super().__init__()
        self.lstm = lstm
        self._graphs: Dict[Tuple[object, ...], Graph] = {}
        self._pool: Any = None
        self._is_possible = True

    def forward(
        self,
        inputs: Tensor,
        rows: Optional[Tensor],
        steps: List[int],
        hidden: Tensor,
        cell: Tensor,
    ) -> Tuple[Tensor, Tensor, Tensor]:
        """See `InferenceLstm.forward`."""
        if self._is_possible and _is_suitable(inputs, steps):
            segments = segments_of(tuple(steps))
            with torch.cuda.device_of(inputs), _LOCK:
                try:
                    graphs = [
                        self._graph(segment, inputs, hidden, cell)
                        for segment in segments
                    ]
                except RuntimeError as error:
                    self._is_possible = False
                    message = (
                        f"ELMo continues without CUDA graphs, more slowly: {error}"
                    )
                    warnings.warn(message, stacklevel=2)
                else:
                    return self._read(segments, graphs, inputs, rows, hidden, cell)
        found: Tuple[Tensor, Tensor, Tensor]
        found = self.lstm(inputs, rows, steps, hidden, cell)
        return found

    def _graph(
        self, segment: Segment, inputs: Tensor, hidden: Tensor, cell: Tensor
    ) -> Graph:
        matmul = torch.backends.cuda.matmul
        # captured too. A torch with the new name for it may forbid the old one.
        is_new = hasattr(torch.backends, "fp32_precision")
        precision = matmul.fp32_precision if is_new else matmul.allow_tf32
        key = segment.n_rows, inputs.dtype, precision
        if key not in self._graphs:
            with _own_stream(inputs):
                self._graphs[key] = self._make(segment, inputs, hidden, cell)
        return self._graphs[key]

    @torch.inference_mode(False)
    @torch.no_grad()
    def _make(
        self, segment: Segment, inputs: Tensor, hidden: Tensor, cell: Tensor
    ) -> Graph:
        n_rows, n_steps = segment.n_rows, segment.n_steps
        x, outputs, cells, first, state = (
            like.new_zeros(rows, like.shape[1])
            for like, rows in (
                (inputs, n_steps * n_rows),
                (hidden, n_steps * n_rows),
                (cell, n_steps * n_rows),
                (hidden, n_rows),
                (cell, n_rows),
            )
        )

        def compute() -> None:
            hiddens = [first]
            gates = self.lstm.input_gates(x).chunk(n_steps)
            for step, after in zip(gates, cells.chunk(n_steps), strict=True):
                hiddens.append(self.lstm._step(step, hiddens[-1], state))
                after.copy_(state)
            torch.cat(hiddens[1:], out=outputs)
            first.copy_(hiddens[-1])

        if not x.is_cuda:
            return Graph(compute, x, outputs, cells, first, state)
        # what is created in a first call must not be created in a graph
        compute()
        self._pool = self._pool or torch.cuda.graph_pool_handle()
        graph = torch.cuda.CUDAGraph()
        graph.capture_begin(self._pool, capture_error_mode="thread_local")
        try:
            compute()
        finally:
            graph.capture_end()
        return Graph(graph.replay, x, outputs, cells, first, state)

    def _read(
        self,
        segments: List[Segment],
        graphs: List[Graph],
        inputs: Tensor,
        rows: Optional[Tensor],
        hidden: Tensor,
        cell: Tensor,
    ) -> Tuple[Tensor, Tensor, Tensor]:
        parts = [part for segment in segments for part in segment[2:]]
        # one copy to the device for all of them
        places = on_device(np.concatenate(parts), inputs.device)
        of_parts = iter(places.split_with_sizes([len(part) for part in parts]))
        outputs: List[Tensor] = []
        last: List[Tuple[Tensor, Tensor]] = []
        for graph in graphs:
            packed, filled, ended = (next(of_parts) for _ in range(3))
            packed = packed if rows is None else rows[packed]
            torch.index_select(inputs, 0, packed, out=graph.inputs)
            if hidden is not graph.hidden:
                alive = min(len(hidden), len(graph.hidden))
                graph.hidden[:alive] = hidden[:alive]
                graph.cell[:alive] = cell[:alive]
            graph.replay()
            hidden, cell = graph.hidden, graph.cell
            outputs.append(graph.outputs[filled])
            last.insert(0, (graph.outputs[ended], graph.cells[ended]))
        last_hidden, last_cell = zip(*last, strict=True)
        return torch.cat(outputs), torch.cat(last_hidden), torch.cat(last_cell)


def _is_suitable(inputs: Tensor, steps: List[int]) -> bool:
    return (
        steps[0] <= MOST_ROWS
        and os.environ.get(SWITCH) != "0"
        and not is_autocast_on(inputs.device.type)
        and _is_in_order(inputs)
    )


def _is_in_order(like: Tensor) -> bool:
    """Whether what comes next waits for all earlier replays: graphs share memory, also
    that of cuBLAS, so all are launched on the device's default stream."""
    if not like.is_cuda:
        return True
    default = torch.cuda.default_stream(like.device)
    return torch.cuda.current_stream(like.device) == default


@contextmanager
def _own_stream(like: Tensor) -> Iterator[None]:
    """A stream that nothing else uses, as everything launched on it is captured."""
    if not like.is_cuda:
        yield
        return
    current, own = torch.cuda.current_stream(), _stream(like.device)
    own.wait_stream(current)
    with torch.cuda.stream(own):
        yield
    current.wait_stream(own)


@lru_cache(maxsize=None)
def _stream(device: torch.device) -> torch.cuda.Stream:
    return torch.cuda.Stream(device)
