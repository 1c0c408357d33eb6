"""AllenNLP's parameters of a biLM → the published arrays that they were made from.

AllenNLP's modules transpose arrays, join the two halves of a highway, order an LSTM's
gates i, f, g, o where the published files have i, g, f, o, and add 1 to the forget
gate's bias.
"""

from typing import Dict, Mapping, Tuple

import torch
from torch import Tensor

from .lstm import FORGET_BIAS
from .options import ElmoOptions
from .weights import ElmoWeights

# what the names of a biLM's parameters start with, after the name of the module that
# holds it
ROOT = "_elmo_lstm."
CHARACTERS = ROOT + "_token_embedder."
LAYERS = ROOT + "_elmo_lstm."
FIRST = CHARACTERS + "_char_embedding_weights"


def find_prefixes(names: Mapping[str, object]) -> Tuple[str, ...]:
    """What the names of each biLM's parameters in a model start with."""
    return tuple(name[: -len(FIRST)] for name in names if name.endswith(FIRST))


def from_allennlp(
    state: Mapping[str, Tensor], options: ElmoOptions, *, prefix: str = ""
) -> ElmoWeights:
    """Make the published arrays from AllenNLP's parameters.

    The forget gates' biases may differ from the published ones by rounding.

    Args:
        state: The parameters of a module by name.
        options: The biLM's sizes.
        prefix: See `find_prefixes`.

    Raises:
        ValueError: If a parameter is missing, or has the wrong shape.
    """
    arrays: Dict[str, Tensor] = {}

    def take(name: str, *shape: int) -> Tensor:
        array = state.get(prefix + name)
        if array is None or tuple(array.shape) != shape:
            found = "is missing" if array is None else f"has shape {tuple(array.shape)}"
            raise ValueError(
                f"The parameter {prefix + name} of AllenNLP's model {found}, but the "
                f"options ask for {shape}; give the options that belong to the model."
            )
        return array.detach().float()

    embedding = options.char_embedding_width
    # the first character is the mask
    arrays["char_embed"] = take(FIRST, 262, embedding)[1:]
    for i, (length, count) in enumerate(options.filters):
        name = f"{CHARACTERS}char_conv_{i}."
        weight = take(name + "weight", count, embedding, length)
        arrays[f"CNN/W_cnn_{i}"] = weight.permute(2, 1, 0)[None]
        arrays[f"CNN/b_cnn_{i}"] = take(name + "bias", count)
    joined, projected = options.n_filters, options.projection_width
    for i in range(options.n_highway):
        name = f"{CHARACTERS}_highways._layers.{i}."
        weights = take(name + "weight", 2 * joined, joined)
        biases = take(name + "bias", 2 * joined)
        group = f"CNN_high_{i}/"
        arrays[group + "W_transform"] = weights[:joined].T
        arrays[group + "b_transform"] = biases[:joined]
        # AllenNLP's gate lets through what the published one holds back
        arrays[group + "W_carry"] = -weights[joined:].T
        arrays[group + "b_carry"] = -biases[joined:]
    name = CHARACTERS + "_projection."
    arrays["CNN_proj/W_proj"] = take(name + "weight", projected, joined).T
    arrays["CNN_proj/b_proj"] = take(name + "bias", projected)
    cells = options.lstm_width
    for number, direction in enumerate(("forward", "backward")):
        for layer in range(options.n_layers):
            name = f"{LAYERS}{direction}_layer_{layer}."
            group = f"RNN_{number}/RNN/MultiRNNCell/Cell{layer}/LSTMCell/"
            inputs = take(name + "input_linearity.weight", 4 * cells, projected)
            states = take(name + "state_linearity.weight", 4 * cells, projected)
            bias = _gates(take(name + "state_linearity.bias", 4 * cells))
            bias[2 * cells : 3 * cells] -= FORGET_BIAS
            arrays[group + "W_0"] = _gates(torch.cat([inputs, states], dim=1)).T
            arrays[group + "B"] = bias
            projection = take(name + "state_projection.weight", projected, cells)
            arrays[group + "W_P_0"] = projection.T
    contiguous = {name: array.contiguous() for name, array in arrays.items()}
    return ElmoWeights(options, contiguous)


def _gates(rows: Tensor) -> Tensor:
    """A copy with the gates' rows in the published order."""
    i, f, g, o = rows.chunk(4)
    return torch.cat([i, g, f, o])
