"""Weights → the ELMo of a pipeline, and out of it again."""

from functools import partial
from pathlib import Path
from typing import Callable, List, Optional, Union, cast

import numpy as np
from spacy.language import Language

from ..bilm.weight_files import read_weights
from ..bilm.weights import ElmoWeights, to_weights
from ..nodes import AnyModel, TargetT, nodes_named
from ..torch_shim import LazyTorchShim
from .network import ElmoNetwork
from .thinc_node import NODE_NAME, START, put_weights


def create_elmo_weights_v1(
    *, weights: Path, options: Optional[Path] = None
) -> Callable[[Language], Language]:
    """Make a callback that loads ELMo's weights, for [initialize.before_init].

    The files are read when the pipeline is initialized; from then on the weights are in
    the pipeline. It also works as [nlp.after_pipeline_creation], but then the files are
    needed whenever the pipeline is loaded.

    Args:
        weights: A published HDF5 file, or a safetensors file made by
            `convert-weights`.
        options: The HDF5 file's options.json.
    """
    return partial(load_elmo_weights, weights=weights, options=options)


def load_elmo_weights(
    target: TargetT,
    *,
    weights: Union[str, Path],
    options: Optional[Union[str, Path]] = None,
) -> TargetT:
    """Load the weights into every ELMo of a pipeline or of a model, and return it.

    Args:
        target: The pipeline, or the model.
        weights: See `read_weights`.
        options: See `read_weights`.

    Raises:
        ValueError: If there is no ELMo, if `read_weights` cannot read the files, or if
            their sizes differ from the model's.
    """
    nodes = elmo_nodes(target)
    if not nodes:
        raise ValueError(
            f"There is no ELMo to load {weights} into. Use an architecture such as "
            "spacy_elmo_ner.Elmo.v1 in a component of the config, or remove "
            "spacy_elmo_ner.ElmoWeights.v1 from it."
        )
    read = read_weights(weights, options)
    for node in nodes:
        put_weights(node, read, str(weights))
    return target


def elmo_weights_of(nlp: Language, source: str) -> ElmoWeights:
    """Copy the weights of a pipeline's ELMo.

    Args:
        nlp: The pipeline.
        source: Where the pipeline is from, for the error.

    Raises:
        ValueError: If it has no ELMo of ours, or more than one.
    """
    modules = [cast(LazyTorchShim, node.shims[0]).module for node in elmo_nodes(nlp)]
    ours = [module for module in modules if isinstance(module, ElmoNetwork)]
    if len(ours) != 1:
        raise ValueError(
            f"The pipeline {source} has {len(ours)} components or features with an "
            "Elmo.v1, but to load its weights there must be exactly one."
        )
    return to_weights(ours[0].encoder)


def has_weights_of(node: AnyModel, weights: ElmoWeights) -> bool:
    """Whether an ELMo node has these weights, to the last bit."""
    module = cast(LazyTorchShim, node.shims[0]).module
    if not isinstance(module, ElmoNetwork):
        return False
    ours = to_weights(module.encoder).arrays
    return ours.keys() == weights.arrays.keys() and all(
        np.array_equal(array, weights.arrays[name]) for name, array in ours.items()
    )


def elmo_nodes(target: Union[Language, AnyModel]) -> List[AnyModel]:
    """The ELMo nodes of a model, or of all components, even disabled ones."""
    return nodes_named(target, NODE_NAME)


def remember_start(node: AnyModel) -> None:
    """Let a fine-tuned ELMo start again from the weights that it has now."""
    module = cast(LazyTorchShim, node.shims[0]).module
    if isinstance(module, ElmoNetwork) and not module.frozen:
        node.attrs[START] = to_weights(module.encoder)


def has_lost_its_start(node: AnyModel) -> bool:
    """Whether an ELMo was fine-tuned and the weights it started from are gone."""
    shim = cast(LazyTorchShim, node.shims[0])
    is_tuned = not shim.is_untrained and not shim.module.frozen
    return bool(is_tuned and START not in node.attrs)
