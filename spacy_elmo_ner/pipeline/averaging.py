"""The mean of the weights of pipelines that were trained from the same start.

Wortsman et al. (2022), "Model soups: averaging weights of multiple fine-tuned models
improves accuracy without increasing inference time". The mean of a pipeline and one
that was trained further on other text keeps most of what each of them does best.
"""

import math
from typing import Any, Dict, List, Sequence, Tuple

import numpy as np
import torch
from spacy.language import Language
from thinc.api import Model

from ..features.static_vectors import DIFFERENCES
from ..nodes import AnyModel


def average_weights(pipelines: Sequence[Language], shares: Sequence[float]) -> Language:
    """Average the weights of all trainable components.

    Args:
        pipelines: At least two, with the same components in the same sizes. The first is
            changed.
        shares: The share of each pipeline, above 0; they need not add up to 1.

    Returns:
        The first pipeline.

    Raises:
        ValueError: If the pipelines do not fit each other.
    """
    if len(pipelines) < 2 or len(shares) != len(pipelines):
        raise ValueError(
            f"There are {len(pipelines)} pipelines and {len(shares)} shares; give at "
            "least two pipelines and a share for each."
        )
    if not all(0 < share < math.inf for share in shares):
        raise ValueError(
            f"The shares are {', '.join(map(str, shares))}; each has to be a number above "
            "0."
        )
    weights = [share / sum(shares) for share in shares]
    nodes = [_nodes(nlp) for nlp in pipelines]
    if any(list(one) != list(nodes[0]) for one in nodes):
        raise ValueError(
            "The pipelines do not have the same components and models; average those "
            "that were trained from the same start."
        )
    if not nodes[0]:
        raise ValueError("The pipelines have no component that learns.")
    for name in sorted({key[0] for key in nodes[0]}):
        _check_labels(name, [nlp.get_pipe(name) for nlp in pipelines])
    groups = [(key[0], [of_one[key] for of_one in nodes]) for key in nodes[0]]
    for component, group in groups:
        _check(component, group)
    for component, group in groups:
        if DIFFERENCES in group[0].attrs:
            _align(component, group)
    for _, group in groups:
        _average(group, weights)
    return pipelines[0]


def _nodes(nlp: Language) -> Dict[Tuple[str, int, str], AnyModel]:
    """The nodes of the models by component, place and name."""
    return {
        (name, place, node.name): node
        for name, component in nlp.components
        if isinstance(getattr(component, "model", None), Model)
        for place, node in enumerate(component.model.walk())  # type: ignore[attr-defined]
    }


def _check_labels(name: str, components: List[Any]) -> None:
    """Raise ValueError if the outputs of the components are not for the same labels."""
    labels = [tuple(getattr(one, "labels", ())) for one in components]
    for other in labels[1:]:
        if other != labels[0]:
            raise ValueError(
                f"'{name}' has the labels {', '.join(labels[0])} in one pipeline and "
                f"{', '.join(other)} in another; they must be the same, in the same "
                "order."
            )


def _check(component: str, group: List[AnyModel]) -> None:
    """Raise ValueError if the weights of the nodes differ in size or name."""
    sizes = [_sizes(node) for node in group]
    if any(one != sizes[0] for one in sizes):
        raise ValueError(
            f"The weights of '{component}' have different sizes or names in two "
            f"pipelines (in {group[0].name}): their labels or models differ."
        )


def _align(component: str, group: List[AnyModel]) -> None:
    """Give each word that one of them has moved the same row in all, with a difference
    of zero where it was not moved: each training meets new words in its own order.
    """
    places = [node.attrs[DIFFERENCES] for node in group]
    if any(one.shape != places[0].shape for one in places):
        raise ValueError(
            f"'{component}' has vectors of different words in two pipelines; average "
            "pipelines that were trained from the same start."
        )
    common = places[0].copy()
    new = np.flatnonzero((np.max(places, axis=0) >= 0) & (common < 0))
    taken, room = int(common.max()) + 1, group[0].layers[0].get_dim("nV")
    if taken + len(new) > room:
        raise ValueError(
            f"Together the pipelines have moved the vectors of {taken + len(new):,} "
            f"words, but '{component}' has room for {room:,}, its fine_tuned_words. "
            "Average fewer pipelines."
        )
    common[new] = np.arange(taken, taken + len(new))
    for node, of_row in zip(group, places, strict=True):
        if (of_row == common).all():
            continue
        (embed,), is_moved = node.layers, of_row >= 0
        learned: Any = embed.get_param("E")
        aligned = np.zeros_like(learned)
        aligned[common[is_moved]] = learned[of_row[is_moved]]
        embed.set_param("E", aligned)
        node.attrs[DIFFERENCES] = common


def _sizes(node: AnyModel) -> Dict[str, Tuple[int, ...]]:
    sizes = {
        name: tuple(node.get_param(name).shape)
        for name in node.param_names
        if node.has_param(name)
    }
    for name, tensor in _tensors(node).items():
        sizes[name] = tuple(tensor.shape)
    return sizes


def _tensors(node: AnyModel) -> Dict[str, torch.Tensor]:
    return {
        f"{place}.{name}": tensor
        for place, shim in enumerate(node.shims)
        for name, tensor in shim.module.state_dict().items()  # type: ignore[attr-defined]
        if tensor.is_floating_point()
    }


def _average(group: List[AnyModel], weights: List[float]) -> None:
    """Write the mean into the first node."""
    base = group[0]
    for name in base.param_names:
        if base.has_param(name):
            params: List[Any] = [node.get_param(name) for node in group]
            base.set_param(name, _mean(params, weights))
    tensors = [_tensors(node) for node in group]
    with torch.no_grad():
        for name, tensor in _tensors(base).items():
            values = [of_one[name].cpu().numpy() for of_one in tensors]
            tensor.copy_(torch.from_numpy(_mean(values, weights)))


def _mean(values: List[Any], weights: List[float]) -> Any:
    # what no pipeline has changed stays the same to the last bit, and small on disk
    if all((one == values[0]).all() for one in values):
        return values[0]
    total = sum(
        w * one.astype("float64") for w, one in zip(weights, values, strict=True)
    )
    return total.astype(values[0].dtype)
