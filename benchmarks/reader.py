"""How benchmarks.peers calls a system: plain text to entities, in a precision."""

from typing import Any, Callable, List

from .texts import Sentences

FLOAT32, BFLOAT16, INT8, AUTO = "float32", "bfloat16", "int8", "auto"
# the types of CoNLL-2003
LABELS = ("PER", "ORG", "LOC", "MISC")


class Reader:
    """A system, sentences to entities; each sentence is joined to plain text."""

    def __init__(
        self,
        predict: Callable[[List[str]], Any],
        forget: Callable[[], None] = lambda: None,
    ) -> None:
        """forget: lets all words be new again, where the system keeps any."""
        self.predict = predict
        self.forget = forget

    def __call__(self, sentences: Sentences) -> Any:
        return self.predict([" ".join(words) for words in sentences])
