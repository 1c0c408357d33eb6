"""How far training has come, and the history of its evaluations."""

import math
from pathlib import Path
from typing import Any, Dict, List, NamedTuple, Sequence

import srsly

from ..files.atomic import replacing

HISTORY = "history.jsonl"


class Progress(NamedTuple):
    """How far training has come.

    Attributes:
        step: The next step.
        epoch: The epoch of the next step.
        batch: The batch of the next step, within the epoch.
        words: Words read so far.
        seconds: Time spent so far.
        history: The results of each evaluation.
        losses: Each component's loss since the last evaluation.
    """

    step: int = 0
    epoch: int = 0
    batch: int = 0
    words: int = 0
    seconds: float = 0
    history: List[Dict[str, Any]] = []
    losses: Dict[str, float] = {}


def write_history(folder: Path, history: Sequence[Dict[str, Any]]) -> None:
    """Write a line of JSON for each evaluation: the points of the learning curve.

    JSON has no NaN and no infinite numbers; null stands for them.
    """
    lines = [{key: _or_none(value) for key, value in one.items()} for one in history]
    with replacing(folder / HISTORY) as path:
        srsly.write_jsonl(path, lines)


def read_history(folder: Path) -> List[Dict[str, Any]]:
    """Read what `write_history` wrote.

    Raises:
        ValueError: If it was not written by training, or is damaged or empty.
    """
    if not (folder / HISTORY).is_file():
        raise ValueError(
            f"There is no {HISTORY} in {folder}; name a folder that "
            "`python -m spacy_elmo_ner train` or `pretrain` has written."
        )
    history = []
    with (folder / HISTORY).open(encoding="utf8") as file:
        try:
            for line in file:
                history.append(dict(srsly.json_loads(line)))
        except (ValueError, TypeError) as error:
            raise ValueError(
                f"{folder / HISTORY}, line {len(history) + 1}, is damaged; the training's "
                "next evaluation writes the file again."
            ) from error
    if not history:
        raise ValueError(
            f"{folder / HISTORY} is empty; nothing has been evaluated yet."
        )
    return history


def _or_none(value: Any) -> Any:
    return None if isinstance(value, float) and not math.isfinite(value) else value
