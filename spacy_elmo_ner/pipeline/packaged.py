"""The trained pipeline that comes with the package."""

from pathlib import Path
from typing import Any, Dict

import spacy
from spacy.language import Language
from spacy.pipeline.trainable_pipe import TrainablePipe
from thinc.api import Config

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
    """Give a component of that config the packaged labels and weights."""
    settings = dict(pipe.cfg)
    pipe.from_disk(FOLDER / COMPONENT, exclude=["vocab"])
    pipe.cfg.update({**settings, "labels": pipe.cfg["labels"]})
    for label in pipe.cfg["labels"]:
        pipe.vocab.strings.add(label)
