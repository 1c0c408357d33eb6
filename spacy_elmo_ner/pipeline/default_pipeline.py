"""The default pipeline, en_elmo_ner_sm: a trained one, installed as a package of its own."""

from contextlib import contextmanager
from pathlib import Path
from typing import Any, Dict, Iterator, Optional, Tuple, cast

import spacy
import srsly
from spacy.language import Language
from spacy.pipeline.trainable_pipe import TrainablePipe
from spacy.util import get_model_meta, get_package_path, is_package
from thinc.api import Config

from ..elmo.loader import (
    elmo_nodes,
    elmo_weights_of,
    has_lost_its_start,
    has_weights_of,
    remember_start,
)
from ..elmo.thinc_node import has_weights, put_weights
from ..features.lexeme_features import CLUSTER_TABLE
from ..features.static_vectors import VECTORS
from ..features.tables import is_empty
from ..files.reading import reason
from ..tagger.architecture import replace_output
from ..tagger.potentials import same_lengths
from ..tagger.tag_schemes import TagScheme
from .default_model import DEFAULT_MODEL
from .labelled_pipe import LabelledPipe

NAME = "en_elmo_ner_sm"
COMPONENT = "elmo_ner"
ARCHITECTURE = "@architectures"
JOINED = "spacy_elmo_ner.JoinedTok2Vec.v1"
# settings of the model that do not change the shapes of its weights
SHAPELESS = ("precision", "frozen", "max_sentence_length", "nO")
INSTALL = (
    f"install it with `pip install ./assets/{NAME}` in a checkout of spacy-elmo-ner, or "
    f"from its wheel with `pip install {NAME}-*.whl`"
)


def check_installed() -> None:
    """Raise ValueError if the default pipeline is not installed."""
    if not is_package(NAME):
        raise ValueError(f"The default pipeline, {NAME}, is not installed; {INSTALL}.")


def default_folder() -> Path:
    """The folder of the installed default pipeline.

    Raises ValueError if it is not installed, is damaged or has a model other than
    DEFAULT_MODEL.
    """
    check_installed()
    with _reading_it():
        package = get_package_path(NAME)
        meta = get_model_meta(package)
        folder = package / f"{meta['lang']}_{meta['name']}-{meta['version']}"
        model = _component_config(folder).get("model")
        if not _has(model, DEFAULT_MODEL):
            raise ValueError(
                f"version {meta['version']} has a different model from the default one"
            )
    return folder


def load_default_pipeline() -> Language:
    """The pipeline with its tokenizer. Raises ValueError as default_folder does."""
    folder = default_folder()
    with _reading_it():
        return spacy.load(folder)


def default_labels() -> Tuple[str, ...]:
    folder = default_folder()
    with _reading_it():
        return tuple(srsly.read_json(folder / COMPONENT / "cfg")["labels"])


def has_default_tok2vec(pipe_config: Dict[str, Any]) -> bool:
    """Whether a component's config asks for the tok2vec of the default model, alone or
    joined with others, under a tagger of any size."""
    ours = pipe_config["model"].get("tok2vec")
    if not isinstance(ours, dict):
        return False
    parts = [ours]
    if ours.get(ARCHITECTURE) == JOINED:
        parts = list(ours["tok2vecs"].values())
    default = DEFAULT_MODEL["tok2vec"]
    return any(one.get(ARCHITECTURE) == default[ARCHITECTURE] for one in parts)


def is_default_model(pipe_config: Dict[str, Any]) -> bool:
    """Whether a component's config asks for a model that the weights of the default
    pipeline fit. Raises ValueError as default_folder does."""
    model = pipe_config["model"]
    if not _has(model, DEFAULT_MODEL) or model["tok2vec"].get("elmo") is not None:
        return False
    default = _component_config(default_folder())
    return all(_has(pipe_config[key], default[key]) for key in ("model", "tag_scheme"))


def load_default_component(pipe: TrainablePipe) -> None:
    """Give a component with such a config the default pipeline's labels and weights."""
    # it may have been initialized before, with other labels
    scheme = TagScheme(pipe.cfg["tag_scheme"], default_labels())
    pipe.set_output(len(scheme.tags))
    folder = default_folder()
    with _reading_it():
        pipe.from_disk(folder / COMPONENT, exclude=["vocab"])
    for label in pipe.cfg["labels"]:
        pipe.vocab.strings.add(label)
    for node in elmo_nodes(pipe.model):
        remember_start(node)


def start_from_default(pipe: TrainablePipe) -> Optional[Language]:
    """Give a component with that tok2vec what it lacks of what the default pipeline had
    before training: ELMo's weights, if no others were loaded, and vectors and clusters,
    if the vocab has none.

    Returns:
        The default pipeline, if all of these now come from it, otherwise None.
    """
    without_weights = [
        node
        for node in elmo_nodes(pipe.model)
        if not has_weights(node) or has_lost_its_start(node)
    ]
    tables = []
    if is_empty(pipe.vocab.vectors):
        tables.append(VECTORS)
    if not pipe.vocab.lookups.has_table(CLUSTER_TABLE):
        tables.append(CLUSTER_TABLE)
    if not without_weights and not tables:
        return None
    nlp = load_default_pipeline()
    with _reading_it():
        weights = elmo_weights_of(nlp, NAME)
        for node in without_weights:
            put_weights(node, weights, NAME)
    theirs = nlp.get_pipe(COMPONENT).model.walk()  # type: ignore[attr-defined]
    found = {
        (node.name, name): node.attrs[name]
        for node in theirs
        for name in tables
        if name in node.attrs
    }
    for node in pipe.model.walk():
        for name in tables:
            if name in node.attrs:
                node.attrs[name] = found[node.name, name]
    is_all = len(tables) == 2 and all(
        has_weights_of(node, weights) for node in elmo_nodes(pipe.model)
    )
    return nlp if is_all else None


def start_from_default_tagger(pipe: LabelledPipe, nlp: Language) -> None:
    """Give a component with the default model the trained weights of the default pipeline.

    It keeps its own labels. A label that the default pipeline knows starts as it is
    there, any other from the mean of all of them.

    Args:
        pipe: The component.
        nlp: The default pipeline, which is changed.
    """
    with _reading_it(), same_lengths(pipe.model):
        theirs = cast(LabelledPipe, nlp.get_pipe(COMPONENT))
        before = TagScheme(theirs.cfg["tag_scheme"], theirs.labels)
        replace_output(
            theirs.model,
            pipe.scheme.origins(before),
            before.legal_transitions,
        )
        pipe.model.from_bytes(theirs.model.to_bytes())


def _component_config(folder: Path) -> Dict[str, Any]:
    config = Config().from_disk(folder / "config.cfg", interpolate=False)
    components: Dict[str, Any] = config.get("components", {})
    if COMPONENT not in components:
        raise ValueError(f"it has no component {COMPONENT}")
    component: Dict[str, Any] = components[COMPONENT]
    return component


def _has(config: Any, part: Any) -> bool:
    """Whether a config says all that the part says about shapes, and perhaps more: a
    setting that is newer than the default pipeline changes no shape."""
    if isinstance(config, dict) and isinstance(part, dict):
        return all(
            key in config and _has(config[key], part[key])
            for key in part
            if key not in SHAPELESS
        )
    return bool(config == part)


@contextmanager
def _reading_it() -> Iterator[None]:
    """Make an error in what is installed say what to do about it."""
    try:
        yield
    except Exception as error:
        # for a foreign or damaged package, Python, spaCy and its readers raise a dozen
        # kinds of error
        raise ValueError(
            f"The default pipeline, {NAME}, is installed but cannot be used "
            f"({reason(error)}); {INSTALL}."
        ) from error
