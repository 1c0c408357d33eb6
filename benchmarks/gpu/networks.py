"""The biLMs that are measured, in random weights, and how two results differ."""

import copy
import math
from functools import lru_cache
from typing import Tuple

import numpy as np
import torch
from torch import Tensor

from spacy_elmo_ner.bilm.char_ids import index_types
from spacy_elmo_ner.bilm.options import ElmoOptions
from spacy_elmo_ner.elmo.network import ElmoNetwork

from ..pipelines import TOK2VECS
from ..texts import Sentences
from .device import Device, dtype_of

# float32: the largest difference; half precision: the norm of all differences, as a
# share of the norm of the vectors
EXACT, ROUNDED = 1e-4, 1e-2
# so many that what is called a batch is one
BATCH_TOKENS = 2**17


@lru_cache(maxsize=None)
def on_cpu(size: str) -> ElmoNetwork:
    torch.manual_seed(0)
    network = ElmoNetwork(
        options=options_of(size),
        layer="elmo",
        frozen=True,
        batch_tokens=BATCH_TOKENS,
        cached_words=100_000,
        precision="float32",
        start_state="zeros",
    )
    return network.eval()


def on_device(size: str, precision: str, device: Device) -> ElmoNetwork:
    device.set_tf32(precision)
    network = copy.deepcopy(on_cpu(size)).to(device.torch)
    network.encoder.to(dtype_of(precision))
    return network


def options_of(size: str) -> ElmoOptions:
    settings = {"n_highway": 1, **TOK2VECS[size]}
    settings["filters"] = tuple(map(tuple, settings["filters"]))
    return ElmoOptions(**settings)


@torch.no_grad()
def encode(network: ElmoNetwork, sentences: Sentences) -> Tensor:
    """Vectors of all words, which stay on the device: (n_words, width)."""
    types, indexed = index_types(sentences)
    ends = np.cumsum([0] + [len(sentence) for sentence in sentences])
    places = [np.arange(*ends[i : i + 2]) for i in range(len(sentences))]
    vectors = network(types, indexed, places, int(ends[-1]))
    assert isinstance(vectors, Tensor)
    return vectors


def differences(found: Tensor, expected: Tensor) -> Tuple[float, float]:
    """The largest, and the norm of all as a share of the norm expected."""
    found, expected = found.float().cpu(), expected.float().cpu()
    difference = found - expected
    largest, norm = difference.abs().max().item(), expected.norm().item()
    share = difference.norm().item() / norm if norm else math.inf
    return largest, share


def is_within(
    difference: Tuple[float, float], precision: str, times: float = 1
) -> bool:
    largest, share = difference
    return largest <= EXACT if precision == "float32" else share <= times * ROUNDED
