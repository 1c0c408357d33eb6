"""Checks of a command's outputs before anything is read."""

import os
from pathlib import Path
from typing import Iterable, List, Optional, Sequence, Union

from ..files.atomic import check_writable
from ..files.streams import is_stream


def check_outputs(
    outputs: Sequence[Optional[Path]], inputs: Iterable[Union[str, Path, None]]
) -> None:
    """Check that output files can be written, and overwrite nothing that is needed.

    Raises:
        ValueError: See `check_distinct`.
        WriteError: If a file cannot be written there.
    """
    check_distinct(outputs, inputs)
    for output in outputs:
        if output is not None:
            check_writable(output)


def check_distinct(
    outputs: Iterable[Optional[Path]], inputs: Iterable[Union[str, Path, None]]
) -> None:
    """Check that no output would overwrite an input or another output.

    Devices and pipes may be named twice.

    Raises:
        ValueError: If one would.
    """
    seen: List[Path] = [Path(one) for one in inputs if one is not None]
    n_inputs = len(seen)
    for output in outputs:
        if output is None or is_stream(output):
            continue
        for number, other in enumerate(seen):
            if _is_same(output, other):
                role = "an input" if number < n_inputs else "another output"
                raise ValueError(
                    f"{output} is also {role} of this command and would be "
                    "overwritten; choose another name."
                )
        seen.append(output)


def _is_same(one: Path, other: Path) -> bool:
    if os.path.realpath(one) == os.path.realpath(other):
        return True
    try:
        return os.path.samefile(one, other)
    except OSError:
        return False
