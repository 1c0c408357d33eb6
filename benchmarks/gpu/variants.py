"""Other ways through the biLM's recurrence than the package goes by itself.

Each holds for a while, for all biLMs of the process.
"""

import os
from contextlib import contextmanager
from functools import partial
from typing import Any, Callable, Iterator, List, Optional, Tuple
from weakref import WeakKeyDictionary

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import PackedSequence

from spacy_elmo_ner.bilm import lstm
from spacy_elmo_ner.bilm.lstm import ProjectedLstm
from spacy_elmo_ner.kernels.autocast import product_dtype
from spacy_elmo_ner.kernels.cuda_graphs import SWITCH
from spacy_elmo_ner.kernels.derived import Prepared
from spacy_elmo_ner.kernels.lstm_inference import InferenceLstm

from .report import Unsuitable

_FUSED: "WeakKeyDictionary[ProjectedLstm, Prepared[nn.LSTM]]" = WeakKeyDictionary()


@contextmanager
def plain() -> Iterator[None]:
    before = os.environ.get(SWITCH, "1")
    os.environ[SWITCH] = "0"
    try:
        yield
    finally:
        os.environ[SWITCH] = before


@contextmanager
def graphs() -> Iterator[None]:
    """The package's own way on a CUDA device."""
    yield


@contextmanager
def fused() -> Iterator[None]:
    """torch's LSTM with projection, cuDNN's on a GPU, which cannot clip; with gradients."""
    with _in_place_of(ProjectedLstm, "forward", _fused_forward):
        yield


@contextmanager
def compiled(network: nn.Module, way: Callable[[], Any]) -> Iterator[None]:
    """A step by torch.compile, in the plain loop or in graphs."""
    step = torch.compile(InferenceLstm._step, dynamic=True)
    with _with_step(network, step), way():
        yield


def check_clips_are_idle(network: Any, read: Callable[[], Any]) -> None:
    """Raise Unsuitable unless the plain loop meets no clip in what is read."""
    own, met = InferenceLstm._step, [0.0, 0.0]

    def step(
        self: InferenceLstm, gates: Tensor, hidden: Tensor, cell: Tensor
    ) -> Tensor:
        result = own(self, gates, hidden, cell)
        for i, values in enumerate((cell, result)):
            met[i] = max(met[i], float(values.abs().max()))
        return result

    with _with_step(network, step), plain():
        read()
    options = network.encoder.options
    clips = options.cell_clip, options.projection_clip
    for value, clip, what in zip(met, clips, "ch", strict=True):
        if clip and not value < clip:
            raise Unsuitable(f"clips: |{what}| up to {value:.1f}; plain loop")


@contextmanager
def _with_step(network: nn.Module, step: Any) -> Iterator[None]:
    """Another step for all LSTMs, which are made anew, in Python."""
    layers = [one for one in network.modules() if isinstance(one, ProjectedLstm)]
    with _in_place_of(InferenceLstm, "_step", step):
        with _in_place_of(lstm, "without_gil", _as_it_is):
            for layer in layers:
                layer._inference.forget()
            yield
    for layer in layers:
        layer._inference.forget()


def _as_it_is(module: nn.Module) -> nn.Module:
    return module


@contextmanager
def _in_place_of(owner: Any, name: str, value: Any) -> Iterator[None]:
    own = getattr(owner, name)
    setattr(owner, name, value)
    try:
        yield
    finally:
        setattr(owner, name, own)


def _fused_forward(
    self: ProjectedLstm,
    inputs: Tensor,
    rows: Optional[Tensor],
    steps: List[int],
    hidden: Tensor,
    cell: Tensor,
) -> Tuple[Tensor, Tensor, Tensor]:
    x = inputs if rows is None else inputs[rows]
    dtype, kind = product_dtype(x), self.W_0.dtype
    sizes = torch.from_numpy(np.asarray(steps, np.int64))
    state = hidden[None].to(dtype).contiguous(), cell[None].to(dtype).contiguous()
    with torch.autocast(x.device.type, enabled=False):
        if torch.is_grad_enabled():
            weights = [weight.to(dtype) for weight in _fused_weights(self)]
            rest = True, 1, 0.0, True, False
            outputs, *last = torch._VF.lstm(x.to(dtype), sizes, state, weights, *rest)
        else:
            prepared = _FUSED.setdefault(self, Prepared())
            own = prepared.get(partial(_fused_lstm, self), self)
            packed, last = own(PackedSequence(x, sizes), state)
            outputs = packed.data
    return outputs.to(kind), last[0][0].to(kind), last[1][0].to(kind)


def _fused_lstm(layer: ProjectedLstm) -> nn.LSTM:
    made = nn.LSTM(layer.projected, layer.width, proj_size=layer.projected)
    made.to(layer.W_0.device, layer.W_0.dtype)
    with torch.no_grad():
        for own, weight in zip(made.parameters(), _fused_weights(layer), strict=True):
            own.copy_(weight)
    made.flatten_parameters()
    return made.eval()


def _fused_weights(layer: ProjectedLstm) -> List[Tensor]:
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
