"""A biLM's arrays under their published names ⇄ the modules.

Names and shapes are those of bilm-tf's `dump_weights`, which every published model
follows. Modules keep the arrays as they are, so no conversion can lose a bit.
"""

import json
from dataclasses import fields
from reprlib import repr as short
from typing import Dict, Iterable, Mapping, NamedTuple, Sequence, Tuple

import torch
from torch import Tensor

from .encoder import ElmoEncoder
from .options import N_CHARACTER_VECTORS, ElmoOptions

# of the start state that pre-training may have learnt for sentences; published models
# have none
START_GROUP = "START/"


class ElmoWeights(NamedTuple):
    """A biLM outside of any module.

    Attributes:
        options: Its sizes.
        arrays: float32 tensors on the CPU, by the names in `all_datasets`.
    """

    options: ElmoOptions
    arrays: Dict[str, Tensor]

    @property
    def has_start(self) -> bool:
        """Whether there is a trained start state among them."""
        return has_start(self.arrays)


def has_start(names: Iterable[str]) -> bool:
    """Whether a trained start state is among the datasets with these names."""
    return any(name.startswith(START_GROUP) for name in names)


class Published(NamedTuple):
    """Where a published dataset belongs.

    Attributes:
        shape: Of the dataset and of its parameter.
        parameter: The parameter's name.
    """

    shape: Tuple[int, ...]
    parameter: str


def published_datasets(options: ElmoOptions) -> Dict[str, Published]:
    """List every dataset of the published HDF5 file with these options."""
    embedding, joined = options.char_embedding_width, options.n_filters
    cells, projected = options.lstm_width, options.projection_width
    datasets = {
        "char_embed": Published((N_CHARACTER_VECTORS, embedding), "char_cnn.char_embed")
    }
    for i, (length, count) in enumerate(options.filters):
        module = f"char_cnn.convolutions.{i}"
        filters = (1, length, embedding, count)
        datasets[f"CNN/W_cnn_{i}"] = Published(filters, f"{module}.W_cnn")
        datasets[f"CNN/b_cnn_{i}"] = Published((count,), f"{module}.b_cnn")
    for i in range(options.n_highway):
        for part in ("transform", "carry"):
            module = f"char_cnn.highways.{i}.{part}"
            group = f"CNN_high_{i}"
            datasets[f"{group}/W_{part}"] = Published((joined, joined), f"{module}.W")
            datasets[f"{group}/b_{part}"] = Published((joined,), f"{module}.b")
    module = "char_cnn.projection"
    datasets["CNN_proj/W_proj"] = Published((joined, projected), f"{module}.W")
    datasets["CNN_proj/b_proj"] = Published((projected,), f"{module}.b")
    shapes = {
        "W_0": (2 * projected, 4 * cells),
        "B": (4 * cells,),
        "W_P_0": (cells, projected),
    }
    for direction in range(2):
        for layer in range(options.n_layers):
            group = f"RNN_{direction}/RNN/MultiRNNCell/Cell{layer}/LSTMCell"
            module = f"bilm.directions.{direction}.layers.{layer}"
            for name, shape in shapes.items():
                datasets[f"{group}/{name}"] = Published(shape, f"{module}.{name}")
    return datasets


def all_datasets(options: ElmoOptions, *, has_start: bool) -> Dict[str, Published]:
    """List the published datasets, and those of a trained start state if it exists."""
    datasets = published_datasets(options)
    if has_start:
        for name, width in (
            ("hidden", options.projection_width),
            ("cell", options.lstm_width),
        ):
            shape = (2, options.n_layers, 1, width)
            datasets[START_GROUP + name] = Published(shape, f"start_{name}")
    return datasets


class Described(NamedTuple):
    """What a file says about a dataset, before any of its values is read.

    Attributes:
        shape: As in `Published`.
        dtype: Its name, such as "float32".
    """

    shape: Tuple[int, ...]
    dtype: str


def check_described(
    options: ElmoOptions,
    described: Mapping[str, Described],
    source: str,
    *,
    dtypes: Sequence[str] = ("float32",),
) -> None:
    """Check that the datasets are those that the options promise.

    Args:
        options: The biLM's sizes.
        described: The datasets by name.
        source: What to call the weights in the error.
        dtypes: The types that are allowed.

    Raises:
        ValueError: If a name, a shape or a type is wrong.
    """
    datasets = all_datasets(options, has_start=has_start(described))
    for name, (shape, _) in datasets.items():
        if name not in described:
            raise ValueError(
                f"{source} has no dataset {name}, which its options ask for; check that "
                "the options.json was published with these weights."
            )
        if described[name].shape != shape:
            raise ValueError(
                f"The dataset {name} of {source} has the shape {described[name].shape}, "
                f"but its options ask for {shape}; check that the options.json was "
                "published with these weights."
            )
        if described[name].dtype not in dtypes:
            raise ValueError(
                f"The dataset {name} of {source} holds {described[name].dtype}, but the "
                f"format has {' or '.join(dtypes)}; convert it first."
            )
    unknown = sorted(set(described) - set(datasets))
    if unknown:
        raise ValueError(
            f"{source} has the dataset {short(unknown[0])}, which its options do not "
            "mention; check that the options.json was published with these weights."
        )


def check_arrays(weights: ElmoWeights, source: str) -> None:
    """Check that the arrays are what the options promise, and finite.

    Args:
        weights: The biLM.
        source: What to call it in the error.

    Raises:
        ValueError: If they are not.
    """
    described = {
        name: Described(tuple(array.shape), str(array.dtype).replace("torch.", ""))
        for name, array in weights.arrays.items()
    }
    check_described(weights.options, described, source)
    for name, array in weights.arrays.items():
        if not torch.isfinite(array).all():
            raise ValueError(
                f"The dataset {name} of {source} holds NaN or infinite values; get the "
                "file again, or weights from a training run that did not diverge."
            )


def to_weights(encoder: ElmoEncoder) -> ElmoWeights:
    """Copy the module's arrays."""
    state = encoder.state_dict()
    datasets = all_datasets(encoder.options, has_start=encoder.start_state == "trained")
    return ElmoWeights(
        options=encoder.options,
        arrays={
            name: state[published.parameter].detach().cpu().clone()
            for name, published in datasets.items()
        },
    )


def set_weights(encoder: ElmoEncoder, weights: ElmoWeights, source: str) -> None:
    """Copy the arrays into the module, on whatever device it is.

    Weights without a trained start state were trained from zeros, so the state becomes
    zeros if the module has one.

    Args:
        encoder: The module.
        weights: The biLM.
        source: What to call it in the error.

    Raises:
        ValueError: If they do not fit each other or the module, which then stays as it
            was.
    """
    check_options(encoder.options, weights.options, source)
    check_arrays(weights, source)
    trained = encoder.start_state == "trained"
    if weights.has_start and not trained:
        raise ValueError(
            f"The ELMo weights {source} were trained from a start state of their own; "
            'set start_state = "trained" in its architecture.'
        )
    state = {
        published.parameter: weights.arrays.get(name, torch.zeros(published.shape))
        for name, published in all_datasets(weights.options, has_start=trained).items()
    }
    encoder.load_state_dict(state)


def check_options(ours: ElmoOptions, theirs: ElmoOptions, source: str) -> None:
    """Check that weights with their options fit a model with ours.

    Args:
        ours: The model's.
        theirs: The weights'.
        source: What to call the weights in the error.

    Raises:
        ValueError: If they do not fit. It gives the arguments with which a model would.
    """
    # how the file counts characters makes no difference to the arrays
    names = [
        field.name for field in fields(ElmoOptions) if field.name != "n_characters"
    ]
    model = {name: _comparable(ours, name) for name in names}
    needed = {name: _comparable(theirs, name) for name in names}
    if model != needed:
        wrong = ", ".join(
            f"{name} is {json.dumps(model[name])} instead of {json.dumps(needed[name])}"
            for name in names
            if model[name] != needed[name]
        )
        block = "\n".join(f"{name} = {json.dumps(needed[name])}" for name in names)
        raise ValueError(
            f"The ELMo weights {source} do not fit the model: its {wrong}. Give its "
            f"architecture these arguments in the config:\n\n{block}"
        )


def _comparable(options: ElmoOptions, name: str) -> object:
    value = getattr(options, name)
    # None and 0 both turn a clip off
    return value or None if name in ("cell_clip", "projection_clip") else value
