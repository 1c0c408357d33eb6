"""Counts of gold, predicted and correct items; precision, recall and F1."""

from typing import Dict, NamedTuple


class Scores(NamedTuple):
    """Precision, recall and F1."""

    precision: float
    recall: float
    f1: float


class Counts(NamedTuple):
    """How many phrases or tags are gold, predicted and correct."""

    gold: int
    found: int
    correct: int

    def scores(self, *, whole: float = 1.0) -> Scores:
        """Precision, recall and F1; 0 where nothing is counted.

        F1 is van Rijsbergen's F ("Information Retrieval", 1979) with β = 1.

        Args:
            whole: 1 for shares, 100 for percentages.
        """
        precision = whole * self.correct / self.found if self.found else 0.0
        recall = whole * self.correct / self.gold if self.gold else 0.0
        both = precision + recall
        return Scores(precision, recall, 2 * precision * recall / both if both else 0.0)

    def to_dict(self) -> Dict[str, float]:
        """Scores and counts for JSON."""
        return {**self.scores()._asdict(), **self._asdict()}
