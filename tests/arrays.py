"""Thinc's arrays, whose types are not numpy's, as numpy's."""

from typing import Any

import numpy as np


def as_numpy(array: Any) -> np.ndarray:
    """The array itself; its type is what numpy's functions ask for."""
    assert isinstance(array, np.ndarray)
    return array
