"""The trained pipeline that comes with the package."""

from pathlib import Path
from typing import Any, Dict, cast

import numpy
import spacy
from spacy.language import Language
from spacy.pipeline.trainable_pipe import TrainablePipe
from spacy.vocab import Vocab
from thinc.api import Config, to_numpy

from ..elmo.loader import elmo_nodes, elmo_weights_of
from ..torch_shim import LazyTorchShim

FOLDER = Path(__file__).parent.parent / "packaged"
COMPONENT = "elmo_ner"


def load_packaged() -> Language:
    """The pipeline with its tokenizer, for commands that name none."""
    return spacy.load(FOLDER)


def is_packaged_model(pipe_config: Dict[str, Any]) -> bool:
    """Whether a component's config asks for the model whose weights are packaged."""
    packaged = Config().from_disk(FOLDER / "config.cfg")["components"][COMPONENT]
    return all(_has(pipe_config[key], packaged[key]) for key in ("model", "tag_scheme"))


def _has(config: Any, part: Any) -> bool:
    """Whether a config says all that the part says, and perhaps more: a setting that
    is younger than the packaged pipeline changes no shape."""
    if isinstance(config, dict) and isinstance(part, dict):
        return all(key in config and _has(config[key], part[key]) for key in part)
    return bool(config == part)


def load_packaged_component(pipe: TrainablePipe) -> None:
    """Give a component of that config the packaged labels and weights, and its vocab
    the packaged vectors and tables.

    Raises ValueError if the vocab has other vectors, which the weights do not know.
    """
    _furnish(pipe.vocab, load_packaged().vocab, same=True)
    settings = dict(pipe.cfg)
    pipe.from_disk(FOLDER / COMPONENT, exclude=["vocab"])
    pipe.cfg.update({**settings, "labels": pipe.cfg["labels"]})
    for label in pipe.cfg["labels"]:
        pipe.vocab.strings.add(label)


def start_from_packaged(pipe: TrainablePipe) -> None:
    """Give a component of that config what the packaged one knew before it was trained:
    ELMo's weights, vectors and tables, each only where there is none yet."""
    packaged = load_packaged()
    _furnish(pipe.vocab, packaged.vocab, same=False)
    weights = elmo_weights_of(packaged, str(FOLDER))
    for node in elmo_nodes(pipe.model):
        shim = cast(LazyTorchShim, node.shims[0])
        if not shim.is_built:
            shim.build().set_weights(weights, str(FOLDER))  # type: ignore[operator]


def _furnish(vocab: Vocab, packaged: Vocab, *, same: bool) -> None:
    if not len(vocab.vectors):
        for word in packaged.strings:
            vocab.strings.add(word)
        vocab.vectors = packaged.vectors
    elif same and not numpy.array_equal(
        to_numpy(vocab.vectors.data), to_numpy(packaged.vectors.data)
    ):
        raise ValueError(
            "The packaged model reads word vectors of its own, but the pipeline has "
            f"others, of shape {vocab.vectors.shape}. Give nlp.initialize() examples "
            "to train it with these vectors, or start from a pipeline without any, "
            "such as spacy.blank."
        )
    for name in packaged.lookups.tables:
        if not vocab.lookups.has_table(name):
            vocab.lookups.add_table(name, packaged.lookups.get_table(name))
