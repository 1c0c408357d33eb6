"""Counts of what is in the gold, in the guess and in both; precision, recall, F1."""

from typing import Dict, NamedTuple


class Scores(NamedTuple):
    precision: float
    recall: float
    f1: float


class Counts(NamedTuple):
    """Of phrases or of tags: how many are gold, how many guessed, how many agree."""

    gold: int
    found: int
    correct: int

    def scores(self, *, whole: float = 1.0) -> Scores:
        """As shares of `whole`: 1, or 100 for percents; 0 where there is nothing.

        F1 is van Rijsbergen's F ("Information Retrieval", 1979) with β = 1.
        """
        precision = whole * self.correct / self.found if self.found else 0.0
        recall = whole * self.correct / self.gold if self.gold else 0.0
        both = precision + recall
        return Scores(precision, recall, 2 * precision * recall / both if both else 0.0)

    def to_dict(self) -> Dict[str, float]:
        return {**self.scores()._asdict(), **self._asdict()}
