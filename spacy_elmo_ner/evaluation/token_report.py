"""Scores of every tag but O, token by token, with three averages.

It is the table found in model cards, with a row for each B- and I- tag. The micro
average pools the counts; the macro average is the mean over tags; the weighted average
is their mean weighted by support.
"""

from collections import Counter
from dataclasses import dataclass
from typing import Dict, Iterable, List, NamedTuple

from ..corpus.conll_tags import OUTSIDE
from .conlleval import TagPair
from .precision_recall import Counts, Scores

COLUMNS = ("precision", "recall", "F1", "support")


class Row(NamedTuple):
    """Scores as shares of 1; support counts the tokens that have the tag in the gold."""

    precision: float
    recall: float
    f1: float
    support: int


@dataclass(frozen=True)
class TokenReport:
    """`tags` has every tag of the gold and the prediction, in alphabetical order."""

    tags: Dict[str, Counts]

    def rows(self) -> Dict[str, Row]:
        """The tags' rows, then "micro avg", "macro avg" and "weighted avg"."""
        rows = {tag: Row(*c.scores(), c.gold) for tag, c in self.tags.items()}
        return {**rows, **_averages(list(self.tags.values()))}

    def to_dict(self) -> Dict[str, Dict[str, float]]:
        """The rows for JSON."""
        return {name: row._asdict() for name, row in self.rows().items()}

    def to_text(self) -> str:
        """A table with four decimals; the averages are set apart from the tags."""
        rows = self.rows()
        width = max(map(len, rows))
        lines = [" " * width + "".join(f"{column:>11}" for column in COLUMNS), ""]
        for name, (*scores, support) in rows.items():
            if name == "micro avg" and self.tags:
                lines.append("")
            cells = "".join(f"{score:>11.4f}" for score in scores)
            lines.append(f"{name:>{width}}{cells}{support:>11}")
        return "\n".join(lines) + "\n"


def _averages(counts: List[Counts]) -> Dict[str, Row]:
    support = sum(c.gold for c in counts)
    pooled = Counts(
        support, sum(c.found for c in counts), sum(c.correct for c in counts)
    )
    scores = [c.scores() for c in counts]
    macro = _mean(scores, [1] * len(scores))
    weighted = _mean(scores, [c.gold for c in counts])
    return {
        "micro avg": Row(*pooled.scores(), support),
        "macro avg": Row(*macro, support),
        "weighted avg": Row(*weighted, support),
    }


def _mean(scores: List[Scores], weights: List[int]) -> Scores:
    total = sum(weights)
    if not total:
        return Scores(0.0, 0.0, 0.0)
    return Scores(
        *(
            sum(w * x for w, x in zip(weights, column, strict=True)) / total
            for column in zip(*scores, strict=True)
        )
    )


def report_tokens(sentences: Iterable[TagPair]) -> TokenReport:
    """Count gold and predicted tags.

    Args:
        sentences: The tags of each sentence, all in one scheme, such as IOB2.

    Raises:
        ValueError: If two sequences differ in length.
    """
    gold, found, correct = Counter[str](), Counter[str](), Counter[str]()
    for gold_tags, guessed_tags in sentences:
        for wanted, guessed in zip(gold_tags, guessed_tags, strict=True):
            gold[wanted] += 1
            found[guessed] += 1
            correct[wanted] += wanted == guessed
    names = sorted({*gold, *found} - {OUTSIDE})
    return TokenReport({t: Counts(gold[t], found[t], correct[t]) for t in names})
