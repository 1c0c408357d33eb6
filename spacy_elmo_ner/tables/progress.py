"""A progress bar on standard error."""

from typing import Any, Optional

from tqdm import tqdm

# seconds before a bar is shown
PATIENCE = 2


def progress_bar(shown: Optional[bool], *, total: Optional[int] = None) -> Any:
    """A bar that counts texts, shown once they have taken a while.

    Args:
        shown: Whether to show it; None for whether standard error is a terminal.
        total: How many texts there are, if that is known.
    """
    return tqdm(
        total=total,
        disable=None if shown is None else not shown,
        unit=" texts",
        unit_scale=True,
        delay=PATIENCE,
    )
