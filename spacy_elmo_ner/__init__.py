"""ELMo named entity recognition for spaCy."""

from importlib import import_module
from typing import TYPE_CHECKING, Any, List

if TYPE_CHECKING:
    from .pipeline.loading import load as load
    from .pipeline.shared_elmo import share_elmo as share_elmo
    from .tables.frames import predict as predict
    from .tables.frames import predict_frames as predict_frames

__version__ = "0.2.0"

# imported on first use: torch and pandas take seconds
PLACES = {
    "load": ".pipeline.loading",
    "share_elmo": ".pipeline.shared_elmo",
    "predict": ".tables.frames",
    "predict_frames": ".tables.frames",
}


def __getattr__(name: str) -> Any:
    if name not in PLACES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(PLACES[name], __name__), name)


def __dir__() -> List[str]:
    return sorted({*globals(), *PLACES})
