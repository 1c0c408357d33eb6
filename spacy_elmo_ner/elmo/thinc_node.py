"""The Thinc node that passes Docs to a torch network and returns its vectors."""

import warnings
from functools import partial
from typing import Any, Callable, List, NamedTuple, Optional, Tuple, cast

import numpy as np
from spacy.tokens import Doc
from thinc.api import ArgsKwargs, Model, torch2xp, xp2torch
from thinc.types import Floats2d
from torch import nn

from ..bilm.char_ids import index_types
from ..bilm.options import ElmoOptions
from ..bilm.weights import ElmoWeights
from ..text.sentences import LINE_IS_SENTENCE, sentence_words
from ..text.words import visible
from ..torch_shim import LazyTorchShim
from .layer_mix import depth_of

# ELMo is found by this name in any pipe
NODE_NAME = "elmo"
# the attribute that may hold a `layer_cache.LayerCache`; Thinc does not save attributes
# that MessagePack cannot hold, and leaves them in place when it loads the others
CACHE = "cache"
# likewise for the `weights.ElmoWeights` that a fine-tuned ELMo started from
START = "start"
# whether the weights are random
IS_RANDOM = "is_random"

Elmo = Model[List[Doc], List[Floats2d]]


class Words(NamedTuple):
    """The words of a batch of Docs, white space and the like left out.

    Attributes:
        types: The distinct words.
        sentences: Each token's index in types, one array per sentence.
        places: Each token's place among the tokens of all Docs, one array per sentence.
    """

    types: List[str]
    sentences: List[np.ndarray]
    places: List[np.ndarray]


def elmo_node(
    network: Callable[..., nn.Module],
    *,
    options: ElmoOptions,
    layer: str,
    frozen: bool,
    dropout: float,
    batch_tokens: int,
    max_sentence_length: int,
) -> Elmo:
    """Build a tok2vec around a network.

    Args:
        network: Makes one with the arguments and methods of `network.ElmoNetwork`.
        options: The biLM's sizes.
        layer: See `architecture.build_elmo_v1`, also for the arguments below.
        frozen: Whether the biLM keeps its weights.
        dropout: Rate at which values of the vectors are dropped in training.
        batch_tokens: How many tokens, padding included, are encoded at a time.
        max_sentence_length: A sentence with more tokens is encoded in windows.

    Raises:
        ValueError: For an unknown layer, and for limits that make no sense.
    """
    depth_of(layer, options.n_layers)
    for name, value in (
        ("batch_tokens", batch_tokens),
        ("max_sentence_length", max_sentence_length),
    ):
        if value < 1:
            raise ValueError(f"ELMo's {name} is {value}; set it to 1 or more.")
    if not 0 <= dropout < 1:
        raise ValueError(
            f"ELMo's dropout is {dropout}; set it to 0 or more, and below 1."
        )
    build = partial(
        network,
        options=options,
        layer=layer,
        frozen=frozen,
        batch_tokens=batch_tokens,
    )
    return Model(
        NODE_NAME,
        _forward,
        init=_init,
        dims={"nO": options.output_width},
        attrs={
            "dropout": dropout,
            "max_sentence_length": max_sentence_length,
            LINE_IS_SENTENCE: False,
            IS_RANDOM: False,
        },
        shims=[LazyTorchShim(build)],
    )


def words_of(
    docs: List[Doc], *, max_length: int, line_is_sentence: bool = False
) -> Words:
    """Sentences of the Docs, see `sentence_words`."""
    sentences: List[List[str]] = []
    places: List[np.ndarray] = []
    offset = 0
    for doc in docs:
        for words in sentence_words(
            doc, max_length=max_length, line_is_sentence=line_is_sentence
        ):
            sentences.append([visible(doc[i].text) for i in words.tolist()])
            places.append(words + offset)
        offset += len(doc)
    types, indexed = index_types(sentences)
    return Words(types, indexed, places)


def has_weights(model: Elmo) -> bool:
    """Whether weights were loaded, even if before the pipeline was saved."""
    return cast(LazyTorchShim, model.shims[0]).is_built and not model.attrs[IS_RANDOM]


def put_weights(model: Elmo, weights: ElmoWeights, source: str) -> None:
    """Start from these weights.

    Args:
        model: The node.
        weights: The biLM.
        source: What to call the weights in the error.

    Raises:
        ValueError: If they do not fit.
    """
    shim = cast(LazyTorchShim, model.shims[0])
    module: Any = shim.module if shim.is_built else shim.build()
    module.set_weights(weights, source)
    model.attrs[IS_RANDOM] = False
    if not module.frozen:
        model.attrs[START] = weights


def _init(model: Elmo, X: Optional[List[Doc]] = None, Y: Any = None) -> None:
    """Start from the weights that were loaded, whatever was learnt since then, or from
    random ones. Those of a frozen biLM have not changed."""
    shim = cast(LazyTorchShim, model.shims[0])
    if shim.is_built and shim.is_untrained:
        return
    module: Any = shim.module if shim.is_built else None
    if module is not None and (module.frozen or START in model.attrs):
        if not module.frozen:
            module.set_weights(model.attrs[START], "that training began with")
        module.reset_mix()
        shim.begin_anew()
    else:
        if module is not None:
            warnings.warn(
                "ELMo was fine-tuned, but its original weights were not saved, so it "
                "starts again from random ones. Load weights with "
                "spacy_elmo_ner.ElmoWeights.v1 in [initialize.before_init].",
                stacklevel=2,
            )
        shim.build()
        model.attrs[IS_RANDOM] = True


def _forward(
    model: Elmo, docs: List[Doc], is_train: bool
) -> Tuple[List[Floats2d], Callable[[List[Floats2d]], List[Doc]]]:
    shim = cast(LazyTorchShim, model.shims[0])
    if is_train and model.attrs[IS_RANDOM]:
        _warn_of_random_weights(shim.module)
    device = next(shim.module.parameters()).device
    words = words_of(
        docs,
        max_length=model.attrs["max_sentence_length"],
        line_is_sentence=model.attrs[LINE_IS_SENTENCE],
    )
    n_tokens = sum(len(doc) for doc in docs)
    cache = {CACHE: model.attrs[CACHE]} if CACHE in model.attrs else {}
    inputs = ArgsKwargs(
        args=(words.types, words.sentences, words.places, n_tokens),
        kwargs={"dropout": model.attrs["dropout"] if is_train else 0.0, **cache},
    )
    vectors, backprop_torch = shim(inputs, is_train)

    def backprop(d_vectors: List[Floats2d]) -> List[Doc]:
        # with a frozen biLM and a single layer there is nothing to learn
        if vectors.requires_grad:
            gradient = xp2torch(model.ops.flatten(d_vectors)).to(device)
            backprop_torch(
                ArgsKwargs(args=((vectors,),), kwargs={"grad_tensors": (gradient,)})
            )
        return []

    lengths = model.ops.asarray1i([len(doc) for doc in docs])
    output = cast(Floats2d, torch2xp(vectors.detach()))
    return model.ops.unflatten(output, lengths), backprop


def _warn_of_random_weights(module: Any) -> None:
    if module.frozen:
        warnings.warn(
            "ELMo is frozen and its weights are random: none were loaded, so its "
            "vectors say little about a text, and training will not change that. Load "
            "weights with spacy_elmo_ner.ElmoWeights.v1 in [initialize.before_init], "
            "or set frozen = false.",
            stacklevel=2,
        )
