"""Several callbacks as one: `JoinedCallbacks.v1`."""

from functools import partial
from typing import Any, Callable, Dict

from spacy.language import Language


def create_joined_callbacks_v1(
    callbacks: Dict[str, Any],
) -> Callable[[Language], Language]:
    """Join several callbacks where a block such as [initialize.before_init] has one.

    Args:
        callbacks: One block each in the config, `[….callbacks.elmo]` and so on. They
            are called in alphabetical order of their names.
    """
    return partial(_call_all, callbacks=callbacks)


def _call_all(nlp: Language, *, callbacks: Dict[str, Any]) -> Language:
    for name in sorted(callbacks):
        nlp = callbacks[name](nlp)
    return nlp
