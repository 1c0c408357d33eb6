"""A PyTorch module inside a Thinc model, built once its sizes are known."""

import contextlib
import json
import os
from typing import Any, Callable, Dict, Iterator, Optional, Tuple

import torch
from safetensors import SafetensorError
from safetensors.torch import load as load_tensors
from safetensors.torch import save as save_tensors
from thinc.api import ArgsKwargs, Optimizer, PyTorchShim, get_current_ops
from thinc.util import torch2xp, xp2torch
from torch import nn

from .files.checksum import checksum
from .kernels.derived import mark_changed
from .kernels.threads import own_threads

HEADER = "spacy_elmo_ner"


def _use_one_thread() -> None:
    torch.set_num_threads(1)


# A forked process has none of its parent's worker threads, and torch would wait for
# them forever. `nlp.pipe(..., n_process=2)` forks where the platform can.
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_use_one_thread)


def default_device() -> torch.device:
    """The torch device of Thinc's current ops."""
    ops = get_current_ops()
    if ops.device_type == "gpu":
        return torch.device("cuda", torch.cuda.current_device())
    return torch.device("mps" if ops.name == "mps" else "cpu")


class LazyTorchShim(PyTorchShim):
    """Holds a torch module whose sizes become known when the pipe is initialized.

    The sizes are saved beside the tensors, so that a saved pipe builds its module by
    itself. The bytes are safetensors: unlike unpickling, reading them runs no code.
    Unlike PyTorchShim, it lets `use_params` set averaged weights.

    Args:
        build: Makes the module from keyword arguments that are only known later: the
            number of tags, the width of the input.
    """

    def __init__(self, build: Callable[..., nn.Module]):
        super().__init__(None)
        self._build = build
        # whether the weights are as they were made or loaded, before any training
        self.is_untrained = False
        # by weight name: a factor on the optimizer's learning rate; 1 if missing
        self.rates: Dict[str, float] = {}

    @property
    def is_built(self) -> bool:
        """Whether there is a module."""
        return self._model is not None

    @property
    def module(self) -> nn.Module:
        """The module.

        Raises:
            ValueError: If it is not built yet.
        """
        module: Optional[nn.Module] = self._model
        if module is None:
            raise ValueError(
                "The model has no weights yet. Call nlp.initialize() on the "
                "pipeline, or load a trained one with spacy.load()."
            )
        return module

    def build(self, **sizes: int) -> nn.Module:
        """Make the module with fresh weights, and keep its sizes for saving."""
        self.begin_anew()
        self.cfg = dict(sizes)
        module = self._build(**sizes).to(default_device())
        self._model = module
        return module

    def begin_anew(self) -> None:
        """Take a new id, under which no optimizer knows these weights.

        An optimizer stores a weight's moments under the shim's id.
        """
        PyTorchShim.global_id += 1
        self.id = PyTorchShim.global_id
        self.is_untrained = True

    def __call__(self, inputs: Any, is_train: bool) -> Any:
        self.module  # noqa: B018 (raises the error that says what to do)
        if is_train:
            self.is_untrained = False
        return super().__call__(inputs, is_train)  # type: ignore[no-untyped-call]

    def predict(self, inputs: ArgsKwargs) -> Any:
        """The module's output, without gradients.

        PyTorchShim switches the module to evaluation mode and back, which would affect
        other threads that share it. Our modules have no modes: what differs in training
        is an argument.
        """
        with own_threads(next(self.module.parameters()).device.type):
            return self.module(*inputs.args, **inputs.kwargs)

    def finish_update(self, optimizer: Any) -> None:
        """Let the optimizer change every weight that has a gradient, in place.

        PyTorchShim sets a new tensor each time. That one holds on to the previous one,
        and so to the tensors of all updates.
        """
        if self._model is None:
            return
        if self.rates and getattr(optimizer, "use_radam", False):
            raise ValueError(
                "RAdam.v1 has one rate for all weights, and some of these have a rate of "
                "their own; use Adam.v1 or SGD.v1 in [training.optimizer]."
            )
        for name, parameter in self._model.named_parameters():
            if parameter.grad is None:
                continue
            rate = self.rates.get(name, 1.0)
            if rate and not self._grad_scaler.found_inf:
                updated = _update(
                    optimizer,
                    (self.id, name),
                    torch2xp(parameter.data),
                    torch2xp(parameter.grad),
                    rate,
                )
                parameter.data.copy_(xp2torch(updated))
                mark_changed(parameter)
            # not set to zero: nlp.rehearse holds on to the gradient, and uses it later
            parameter.grad = None
        self._grad_scaler.update()

    @contextlib.contextmanager
    def use_params(self, params: Dict[Any, Any]) -> Iterator[None]:
        """Use the optimizer's averages as the weights within the block."""
        kept = {}
        parameters = {} if self._model is None else dict(self._model.named_parameters())
        for name, parameter in parameters.items():
            if (self.id, name) in params:
                kept[name] = parameter.data
                average = xp2torch(params[(self.id, name)]).to(parameter.device)
                parameter.data = average.reshape(parameter.shape)
        try:
            yield
        finally:
            for name, data in kept.items():
                parameters[name].data = data

    def to_device(self, device_type: str, device_id: int) -> None:
        """Move the module, if there is one."""
        if self._model is not None:
            super().to_device(device_type, device_id)

    def to_bytes(self) -> bytes:
        """The module's sizes and tensors, with a checksum."""
        tensors = {} if self._model is None else self._model.state_dict()
        # safetensors refuses tensors that share memory or are not contiguous
        tensors = {k: _smallest(v.detach().cpu()).clone() for k, v in tensors.items()}
        header = {"built": self.is_built, "sizes": self.cfg}
        # a single entry, because safetensors writes several in random order
        header["sha256"] = checksum([self.is_built, self.cfg], tensors)
        return save_tensors(tensors, metadata={HEADER: json.dumps(header)})

    def from_bytes(self, bytes_data: bytes) -> "LazyTorchShim":
        """Restore what `to_bytes` returned.

        Raises:
            ValueError: If the bytes are damaged, hold NaN or infinite weights, or do
                not fit the module that `build` makes.
        """
        built, sizes, tensors = _read(bytes_data)
        if not built:
            return self
        module = self._build(**sizes)
        try:
            module.load_state_dict(tensors)
        except RuntimeError as error:
            raise ValueError(
                "The saved weights do not fit the model that the config "
                "describes. Load the pipeline with the config and the version of "
                f"spacy_elmo_ner that it was saved with. Details: {error}"
            ) from error
        self.cfg = sizes
        self._model = module.to(default_device())
        return self


def _update(optimizer: Any, key: Any, weights: Any, gradient: Any, rate: float) -> Any:
    """The weights after an update."""
    if not isinstance(optimizer, Optimizer):
        # nlp.rehearse passes a function that takes no rates
        return optimizer(key, weights, gradient)[0]
    averages = optimizer.averages
    is_new = averages is not None and key not in averages
    updated, _ = optimizer(key, weights, gradient, lr_scale=rate)
    if averages is not None and is_new:
        # Thinc starts at zeros, which falls 18% short for weights updated only once
        averages[key] = updated.copy()
    return updated


def _smallest(tensor: torch.Tensor) -> torch.Tensor:
    """The tensor as float16, if that holds exactly the same numbers.

    It does for weights that were rounded to it before. `load_state_dict` converts them
    back to float32.
    """
    if tensor.dtype != torch.float32:
        return tensor
    half = tensor.half()
    # compared as bits: NaN equals nothing, and -0 equals 0
    same = torch.equal(half.float().view(torch.int32), tensor.view(torch.int32))
    return half if same else tensor


def _read(bytes_data: bytes) -> Tuple[bool, Dict[str, int], Dict[str, torch.Tensor]]:
    """Whether the module was built, its sizes, and its tensors, all checked."""
    try:
        size = int.from_bytes(bytes_data[:8], "little")
        header = json.loads(bytes_data[8 : 8 + size])["__metadata__"]
        header = json.loads(header[HEADER])
        built, sizes = bool(header["built"]), dict(header["sizes"])
        tensors = load_tensors(bytes_data)
        # pipelines of version 0.1.0 have no checksum
        saved = header.get("sha256")
    except (ValueError, KeyError, TypeError, RecursionError, SafetensorError) as error:
        raise ValueError(
            "The saved model's weights cannot be read: they are damaged, or were "
            "saved by another version of spacy_elmo_ner. Load it with the version "
            "named in its meta.json, or train it again."
        ) from error
    largest = max((max(one.shape, default=1) for one in tensors.values()), default=0)
    fit = all(type(one) is int and 0 < one <= largest for one in sizes.values())
    if not fit or saved not in (None, checksum([built, sizes], tensors)):
        raise ValueError(
            "The saved model's weights are damaged: they are not those that were "
            "saved. Get the pipeline again, or train it again."
        )
    for name, tensor in tensors.items():
        if not torch.isfinite(tensor).all():
            raise ValueError(
                f"The saved model's weights {name} hold NaN or infinite values. Get the "
                "pipeline again, or train it again with a lower learning rate."
            )
    return built, sizes, tensors
