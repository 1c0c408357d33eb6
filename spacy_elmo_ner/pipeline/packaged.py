"""The trained pipeline that comes with the package."""

from pathlib import Path
from typing import Any, Dict, Tuple

import spacy
import srsly
from spacy.language import Language
from spacy.pipeline.trainable_pipe import TrainablePipe
from thinc.api import Config

from ..elmo.loader import (
    elmo_nodes,
    elmo_weights_of,
    has_lost_its_start,
    remember_start,
)
from ..elmo.thinc_node import has_weights, put_weights
from ..features.lexeme_features import CLUSTER_TABLE
from ..features.static_vectors import VECTORS
from ..tagger.tag_schemes import TagScheme

FOLDER = Path(__file__).parent.parent / "packaged"
COMPONENT = "elmo_ner"
ARCHITECTURE = "@architectures"
TABLES = (VECTORS, CLUSTER_TABLE)
# settings of the model that change no shape of its weights
SHAPELESS = ("precision", "frozen", "max_sentence_length", "nO")


def load_packaged() -> Language:
    """The pipeline with its tokenizer, for commands that name none."""
    return spacy.load(FOLDER)


def packaged_labels() -> Tuple[str, ...]:
    return tuple(srsly.read_json(FOLDER / COMPONENT / "cfg")["labels"])


def has_packaged_tok2vec(pipe_config: Dict[str, Any]) -> bool:
    """Whether a component's config asks for the tok2vec whose weights are packaged, under
    a tagger of whatever size."""
    ours = pipe_config["model"].get("tok2vec")
    theirs = _packaged_config()["model"]["tok2vec"]
    return isinstance(ours, dict) and ours.get(ARCHITECTURE) == theirs[ARCHITECTURE]


def is_packaged_model(pipe_config: Dict[str, Any]) -> bool:
    """Whether a component's config asks for the model whose weights are packaged."""
    packaged = _packaged_config()
    return all(_has(pipe_config[key], packaged[key]) for key in ("model", "tag_scheme"))


def _packaged_config() -> Dict[str, Any]:
    config = Config().from_disk(FOLDER / "config.cfg", interpolate=False)
    return config["components"][COMPONENT]


def _has(config: Any, part: Any) -> bool:
    """Whether a config says all that the part says of shapes, and perhaps more: a setting
    that is younger than the packaged pipeline changes none."""
    if isinstance(config, dict) and isinstance(part, dict):
        return all(
            key in config and _has(config[key], part[key])
            for key in part
            if key not in SHAPELESS
        )
    return bool(config == part)


def load_packaged_component(pipe: TrainablePipe) -> None:
    """Give a component of that config the packaged labels and weights."""
    # it may have been initialized before, with other labels
    scheme = TagScheme(pipe.cfg["tag_scheme"], packaged_labels())
    pipe.set_output(len(scheme.tags))
    pipe.from_disk(FOLDER / COMPONENT, exclude=["vocab"])
    for label in pipe.cfg["labels"]:
        pipe.vocab.strings.add(label)
    for node in elmo_nodes(pipe.model):
        remember_start(node)


def start_from_packaged(pipe: TrainablePipe) -> None:
    """Give a component with that tok2vec what the packaged one knew before it was trained:
    ELMo's weights, where no others were loaded, and vectors and clusters, which those of
    the vocab, if it has any, will replace."""
    packaged = load_packaged()
    weights = elmo_weights_of(packaged, str(FOLDER))
    for node in elmo_nodes(pipe.model):
        if not has_weights(node) or has_lost_its_start(node):
            put_weights(node, weights, str(FOLDER))
    theirs = packaged.get_pipe(COMPONENT).model.walk()  # type: ignore[attr-defined]
    tables = {
        (node.name, name): node.attrs[name]
        for node in theirs
        for name in TABLES
        if name in node.attrs
    }
    for node in pipe.model.walk():
        for name in TABLES:
            if name in node.attrs:
                node.attrs[name] = tables[node.name, name]
