"""What is made from weights once and kept for as long as they stay the same."""

from typing import Callable, Generic, List, Optional, Tuple, Type, TypeVar

from torch import Tensor, nn

from .fork_safe_lock import ForkSafeLock

Made = TypeVar("Made")


class Prepared(Generic[Made]):
    """Holds one thing made from weights. It is never saved, pickled or copied."""

    def __init__(self) -> None:
        self._made: Optional[Made] = None
        self._of: Tuple = ()
        self._lock = ForkSafeLock()

    def get(self, make: Callable[[], Made], module: nn.Module) -> Made:
        """What `make` returned when all of the module's weights were as they are now.

        An optimizer that writes into a weight's memory by itself leaves no trace that
        could be seen here: call `forget` wherever gradients are recorded.
        """
        of = tuple((weight.data_ptr(), weight._version) for weight in _weights(module))
        # of two threads that come at once, one waits for what the other makes
        with self._lock:
            made = self._made
            if made is None or of != self._of:
                made = make()
                self._made, self._of = made, of
            return made

    def forget(self) -> None:
        self._made = None

    def __reduce__(self) -> Tuple[Type["Prepared"], Tuple]:
        return Prepared, ()


def _weights(module: nn.Module) -> List[Tensor]:
    """module.parameters(), which takes many times as long, and is asked for often."""
    modules = [module]
    weights: List[Tensor] = []
    while modules:
        part = modules.pop()
        weights += part._parameters.values()  # type: ignore[arg-type]
        modules += part._modules.values()  # type: ignore[arg-type]
    return weights
