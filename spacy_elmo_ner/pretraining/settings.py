"""What a pre-training config says."""

import json
from dataclasses import asdict, dataclass, fields
from typing import Any, Dict, List, Optional, Type, TypeVar

from ..elmo.options import ElmoOptions

PRECISIONS = ("float32", "bfloat16")
OPTIMIZERS = ("adam", "adagrad")
MAY_CHANGE = ("epochs", "cooldown", "eval_frequency", "eval_tokens")
Section = TypeVar("Section")


@dataclass(frozen=True, kw_only=True)
class TextSettings:
    """[text]: files and folders, spaCy's code of their language, the folder for their
    tokens, and the share of documents that is kept from training."""

    paths: List[str]
    lang: str
    tokens: str
    held_out: float


@dataclass(frozen=True, kw_only=True)
class SoftmaxSettings:
    """[softmax]: how many words it foretells, and how many are drawn an update."""

    words: int
    candidates: int


@dataclass(frozen=True, kw_only=True)
class TrainingSettings:
    """[training].

    epochs: times that all words are read; it may be a fraction.
    batch_tokens: of an update, boundaries counted.
    learn_rate: reached after warmup_steps, and left again in the last share
        cooldown of the words, down to 0 in a straight line.
    grad_clip: most that the norm of the biLM's gradient may be.
    eval_frequency: updates from one evaluation, and checkpoint, to the next.
    eval_tokens: of the held-out text that an evaluation reads.
    """

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


@dataclass(frozen=True, kw_only=True)
class Settings:
    text: TextSettings
    model: ElmoOptions
    softmax: SoftmaxSettings
    training: TrainingSettings


def read_settings(config: Dict[str, Any]) -> Settings:
    """Raises ValueError that names a section or key which is missing, unknown or wrong."""
    sections: Dict[str, Type] = {field.name: field.type for field in fields(Settings)}  # type: ignore[misc]
    unknown = sorted(set(config) - set(sections) - {"paths", "system"})
    if unknown:
        raise ValueError(
            f"The config has a section [{unknown[0]}], which pre-training does not "
            f"know; its sections are {', '.join(f'[{name}]' for name in sections)}."
        )
    settings = Settings(
        **{name: _section(config, name, kind) for name, kind in sections.items()}
    )
    _check(settings.training)
    return settings


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
            f"[{name}] of the config is not complete ({error}); its keys are "
            f"{', '.join(known)}."
        ) from error


def _check(training: TrainingSettings) -> None:
    for name, allowed in (("precision", PRECISIONS), ("optimizer", OPTIMIZERS)):
        value = getattr(training, name)
        if value not in allowed:
            raise ValueError(
                f"[training] has {name} = {value!r}; use one of {', '.join(allowed)}."
            )


def difference(saved: Dict[str, Any], settings: Settings) -> Optional[str]:
    """What keeps a checkpoint from going on; None when nothing does.

    saved: the settings of the checkpoint, as JSON gave them back. How long to train
    and how often to look may change.
    """
    now = json.loads(json.dumps(asdict(settings)))
    for section, keys in now.items():
        for key, value in keys.items():
            before = saved[section].get(key)
            if value != before and key not in MAY_CHANGE:
                return f"{section}.{key} is {value!r} instead of {before!r}"
    return None
