"""Whether a checkpoint belongs to the training that is to be resumed."""

import os
from pathlib import Path
from typing import Any, Dict, Iterator, List

from thinc.api import Config

from ..files.file_checksum import file_checksum

# the section that names teachers, see pipeline/distillation.py
DISTILLATION = "distillation"
# settings that may differ when training is resumed
MAY_CHANGE = ("training.max_steps", "training.max_epochs", "training.patience")


def inputs_of(config: Config) -> Dict[str, str]:
    """Checksums of all files and folders that [corpora] and [distillation] name, at any
    depth."""
    sections = config.interpolate()
    waiting: List[Any] = [sections.get(name, {}) for name in ("corpora", DISTILLATION)]
    found: Dict[str, str] = {}
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            waiting += value.values()
        elif isinstance(value, list):
            waiting += value
        elif isinstance(value, str) and value and os.path.exists(value):
            found[value] = file_checksum(Path(value))
    return found


def check_same(saved: Config, given: Config, folder: Path) -> None:
    """Check that two configs ask for the same training.

    Args:
        saved: The checkpoint's config.
        given: The training's config.
        folder: The checkpoint's folder.

    Raises:
        ValueError: If they do not. It names the settings that differ.
    """
    saved, given = saved.interpolate(), given.interpolate()
    may_change = set(MAY_CHANGE)
    if -1 in (saved["training"]["max_epochs"], given["training"]["max_epochs"]):
        # a streamed corpus is read in another order
        may_change.remove("training.max_epochs")
    differences = sorted(set(_differences(saved, given)) - may_change)
    if differences:
        raise ValueError(
            f"The checkpoint in {folder} belongs to a training with other settings "
            f"({', '.join(differences)}). Train with the old settings to continue, "
            "choose another --output, or give --force to train from the start."
        )


def _differences(saved: Any, given: Any, place: str = "") -> Iterator[str]:
    if isinstance(saved, dict) and isinstance(given, dict):
        for key in {*saved, *given}:
            inner = f"{place}.{key}" if place else str(key)
            yield from _differences(saved.get(key), given.get(key), inner)
    elif saved != given:
        yield place
