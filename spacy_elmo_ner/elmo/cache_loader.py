"""A cache on disk for the ELMo of a pipeline that is about to be trained."""

from functools import partial
from pathlib import Path
from typing import Callable, cast

from spacy.language import Language

from ..nodes import AnyModel
from ..torch_shim import LazyTorchShim
from .layer_cache import GIGABYTE, LayerCache
from .loader import elmo_nodes
from .network import ElmoNetwork
from .thinc_node import CACHE


def create_elmo_cache_v1(
    *, folder: Path, max_gigabytes: float = 10.0
) -> Callable[[Language], Language]:
    """Make a callback that gives ELMo a cache on disk, for [initialize.after_init].

    A frozen ELMo then computes each sentence once, and reads it from disk in later
    epochs. Vectors are rounded to half precision during training, and exact in the
    trained pipeline, which knows nothing of the cache.

    Args:
        folder: Where the files are; created if missing. Runs may share it.
        max_gigabytes: How large the file of one biLM may grow. A token takes 2 · (2 ·
            n_layers + 1) · projection_width bytes, and 4 · projection_width when ELMo
            gives a single layer.

    Raises:
        ValueError: If max_gigabytes is not above 0.
    """
    if max_gigabytes <= 0:
        raise ValueError(
            f"ELMo's cache cannot have a size of {max_gigabytes} gigabytes. Set "
            "max_gigabytes above 0, or remove spacy_elmo_ner.ElmoCache.v1."
        )
    return partial(use_elmo_cache, folder=folder, max_gigabytes=max_gigabytes)


def use_elmo_cache(nlp: Language, *, folder: Path, max_gigabytes: float) -> Language:
    """Give every ELMo of the pipeline the cache, and return the pipeline.

    Args:
        nlp: The pipeline.
        folder: See `create_elmo_cache_v1`.
        max_gigabytes: See `create_elmo_cache_v1`.

    Raises:
        ValueError: If there is no ELMo, or one that is not frozen.
    """
    cache = LayerCache(folder, int(max_gigabytes * GIGABYTE))
    nodes = elmo_nodes(nlp)
    if not all(map(_keeps_its_layers, nodes)):
        raise ValueError(
            "spacy_elmo_ner.ElmoCache.v1 keeps layers that do not change, so it needs "
            "spacy_elmo_ner.Elmo.v1 with frozen = true. Set that, or remove the cache."
        )
    if not nodes:
        raise ValueError(
            "There is no ELMo to keep the layers of. Use spacy_elmo_ner.Elmo.v1 in a "
            "component of the config, or remove spacy_elmo_ner.ElmoCache.v1 from it."
        )
    for node in nodes:
        node.attrs[CACHE] = cache
    return nlp


def share_elmo_cache(model: AnyModel, others: AnyModel) -> None:
    """Give each frozen ELMo of others the cache of a model's ELMo, if that has one.

    Those with the same weights then compute a sentence once for all of them.
    """
    caches = [node.attrs[CACHE] for node in elmo_nodes(model) if CACHE in node.attrs]
    if not caches:
        return
    for node in filter(_keeps_its_layers, elmo_nodes(others)):
        node.attrs[CACHE] = caches[0]


def _keeps_its_layers(node: AnyModel) -> bool:
    module = cast(LazyTorchShim, node.shims[0]).module
    return isinstance(module, ElmoNetwork) and module.frozen
