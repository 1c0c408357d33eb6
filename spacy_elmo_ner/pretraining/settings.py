"""The settings of a pre-training config."""

import json
import math
from dataclasses import asdict, dataclass, fields
from typing import Any, Dict, List, Optional, Type, TypeVar

from ..bilm.numbers import is_count, is_number
from ..bilm.options import ElmoOptions
from .precision import TRAINING_PRECISIONS

OPTIMIZER_NAMES = ("adam", "adagrad")
TRAINING_START_STATES = ("zeros", "trained")
MAY_CHANGE = ("epochs", "cooldown", "eval_frequency", "eval_tokens")
Section = TypeVar("Section")


@dataclass(frozen=True, kw_only=True)
class TextSettings:
    """The section [text].

    Attributes:
        paths: Files and folders with text.
        lang: spaCy's code for their language.
        tokens: The folder for their tokens.
        held_out: The share of documents that is held out from training.
    """

    paths: List[str]
    lang: str
    tokens: str
    held_out: float

    def __post_init__(self) -> None:
        paths = self.paths
        if not isinstance(paths, list) or not all(isinstance(x, str) for x in paths):
            raise _wrong("text", "paths", paths, 'a list, such as ["news.txt"]')
        for name in ("lang", "tokens"):
            value = getattr(self, name)
            if not isinstance(value, str) or not value:
                raise _wrong("text", name, value, "a name")
        if not (is_number(self.held_out) and 0 <= self.held_out < 1):
            raise _wrong(
                "text", "held_out", self.held_out, "a number from 0 to less than 1"
            )


@dataclass(frozen=True, kw_only=True)
class SoftmaxSettings:
    """The section [softmax].

    Attributes:
        words: How many words the softmax predicts.
        candidates: How many words are sampled in an update.
    """

    words: int
    candidates: int

    def __post_init__(self) -> None:
        for name in ("words", "candidates"):
            _require_count("softmax", name, getattr(self, name), at_least=1)


@dataclass(frozen=True, kw_only=True)
class TrainingSettings:
    """The section [training].

    Attributes:
        start: A safetensors file with weights to start from; or the folder of a
            pre-training run, whose softmax is used, too; or None for random weights.
        start_state: The state before every sentence, one of TRAINING_START_STATES.
        epochs: How often all words are read; it may be a fraction.
        batch_tokens: Tokens per update, boundaries included, for each process.
        optimizer: One of OPTIMIZER_NAMES.
        learn_rate: The learning rate after the warm-up.
        warmup_steps: Updates over which the learning rate rises to `learn_rate`.
        cooldown: The last share of the words, over which the learning rate falls
            linearly to 0.
        grad_clip: The largest norm of the biLM's gradient.
        precision: One of TRAINING_PRECISIONS.
        seed: For the weights, the order of the batches and the sampled words.
        eval_frequency: Updates between two evaluations, each with a checkpoint.
        eval_tokens: How much of the held-out text an evaluation reads.
    """

    start: Optional[str]
    start_state: str = "zeros"
    epochs: float
    batch_tokens: int
    optimizer: str
    learn_rate: float
    warmup_steps: int
    cooldown: float
    grad_clip: float
    precision: str
    seed: int
    eval_frequency: int
    eval_tokens: int

    def __post_init__(self) -> None:
        if self.start is not None and not isinstance(self.start, str):
            raise _wrong("training", "start", self.start, "a path, or null")
        for name in ("batch_tokens", "eval_frequency", "eval_tokens"):
            _require_count("training", name, getattr(self, name), at_least=1)
        for name in ("warmup_steps", "seed"):
            _require_count("training", name, getattr(self, name), at_least=0)
        for name in ("epochs", "learn_rate", "grad_clip"):
            value = getattr(self, name)
            if not (is_number(value) and 0 < value < math.inf):
                raise _wrong("training", name, value, "a positive number")
        if not (is_number(self.cooldown) and 0 <= self.cooldown <= 1):
            raise _wrong("training", "cooldown", self.cooldown, "a number from 0 to 1")
        for name, allowed in (
            ("precision", TRAINING_PRECISIONS),
            ("optimizer", OPTIMIZER_NAMES),
            ("start_state", TRAINING_START_STATES),
        ):
            value = getattr(self, name)
            if value not in allowed:
                raise _wrong("training", name, value, f"one of {', '.join(allowed)}")


@dataclass(frozen=True, kw_only=True)
class Settings:
    """A whole config."""

    text: TextSettings
    model: ElmoOptions
    softmax: SoftmaxSettings
    training: TrainingSettings


def read_settings(config: Dict[str, Any]) -> Settings:
    """Read and check a config.

    Raises:
        ValueError: If a section or a key is missing, unknown or wrong. It names it.
    """
    sections = [field.name for field in fields(Settings)]
    unknown = sorted(set(config) - set(sections) - {"paths", "system"})
    if unknown:
        raise ValueError(
            f"The config has a section [{unknown[0]}], which pre-training does not "
            f"know; its sections are {', '.join(f'[{name}]' for name in sections)}."
        )
    return Settings(
        text=_section(config, "text", TextSettings),
        model=_section(config, "model", ElmoOptions),
        softmax=_section(config, "softmax", SoftmaxSettings),
        training=_section(config, "training", TrainingSettings),
    )


def _section(config: Dict[str, Any], name: str, kind: Type[Section]) -> Section:
    given = config.get(name)
    if given is None:
        raise ValueError(f"The config has no section [{name}]; add it.")
    known = [field.name for field in fields(kind)]  # type: ignore[arg-type]
    for key in given:
        if key not in known:
            raise ValueError(
                f"[{name}] has a key {key}, which pre-training does not know; its keys "
                f"are {', '.join(known)}."
            )
    try:
        return kind(**given)
    except TypeError as error:
        raise ValueError(
            f"[{name}] of the config is incomplete ({error}); its keys are "
            f"{', '.join(known)}."
        ) from error


def _require_count(section: str, name: str, value: object, *, at_least: int) -> None:
    if not is_count(value, at_least=at_least):
        raise _wrong(section, name, value, f"a whole number, {at_least} or more")


def _wrong(section: str, name: str, value: object, wanted: str) -> ValueError:
    return ValueError(f"[{section}] has {name} = {value!r}; set it to {wanted}.")


def difference(saved: Dict[str, Any], settings: Settings) -> Optional[str]:
    """What keeps a checkpoint from being resumed; None if nothing does.

    How long to train and how often to evaluate may change.

    Args:
        saved: The checkpoint's settings, as read back from JSON.
        settings: The current settings.
    """
    then, now = (
        json.loads(json.dumps(asdict(one))) for one in (read_settings(saved), settings)
    )
    for section, keys in now.items():
        for key, value in keys.items():
            before = then[section][key]
            if value != before and key not in MAY_CHANGE:
                return f"{section}.{key} is {value!r} instead of {before!r}"
    return None
