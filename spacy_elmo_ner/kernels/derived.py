"""What is derived from weights once and kept for as long as they stay the same."""

from typing import Callable, Generic, List, Optional, Tuple, Type, TypeVar

from torch import Tensor, nn

from .fork_safe_lock import ForkSafeLock

Made = TypeVar("Made")
# where a weight is, and how often it was written to, by two counts
Version = Tuple[int, int, int]

# the attribute of a weight that counts them
CHANGES = "_n_changes"


class Prepared(Generic[Made]):
    """Holds one thing made from weights. It is never saved, pickled or copied."""

    def __init__(self) -> None:
        self._made: Optional[Made] = None
        self._of: Tuple[Version, ...] = ()
        self._lock = ForkSafeLock()

    def get(self, make: Callable[[], Made], module: nn.Module) -> Made:
        """What `make` returned when all of the module's weights were as they are now.

        An optimizer that writes into a weight's memory directly leaves no trace that
        could be seen here: call `forget` wherever gradients are recorded, or
        `mark_changed` afterwards.
        """
        of = tuple(
            (weight.data_ptr(), weight._version, getattr(weight, CHANGES, 0))
            for weight in _weights(module)
        )
        # of two concurrent threads, one waits for what the other makes
        with self._lock:
            made = self._made
            if made is None or of != self._of:
                made = make()
                self._made, self._of = made, of
            return made

    def forget(self) -> None:
        self._made = None

    def __reduce__(self) -> Tuple[Type["Prepared[Made]"], Tuple[()]]:
        return Prepared, ()


def mark_changed(weight: Tensor) -> None:
    """Record that a weight's memory was written to in a way that autograd does not see,
    as through `weight.data`; something may have been derived from it since gradients
    were recorded.
    """
    setattr(weight, CHANGES, getattr(weight, CHANGES, 0) + 1)


def _weights(module: nn.Module) -> List[Tensor]:
    """As module.parameters(), but many times as fast, because it is called often."""
    modules = [module]
    weights: List[Tensor] = []
    while modules:
        part = modules.pop()
        weights += part._parameters.values()  # type: ignore[arg-type]
        modules += part._modules.values()  # type: ignore[arg-type]
    return weights
