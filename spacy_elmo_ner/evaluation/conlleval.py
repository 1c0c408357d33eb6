"""The scores of the CoNLL shared tasks' scorer, printed as it prints them.

Rules: Tjong Kim Sang and Buchholz, "Introduction to the CoNLL-2000 Shared Task"
(2000), and the notes published with the scorer. A phrase is correct if its first token,
its last token and its type are those of a gold phrase. Tags that no scheme allows form
phrases, too: an I- that continues nothing of its type begins one.
"""

from collections import Counter
from dataclasses import dataclass
from typing import Any, Dict, Iterable, Sequence, Tuple

from ..corpus.conll_tags import tags_to_spans
from .precision_recall import Counts

TagPair = Tuple[Sequence[str], Sequence[str]]
"""The gold and the predicted tags of one sentence, of the same length."""


@dataclass(frozen=True)
class PhraseCounts:
    """What the scorer counts; `types` has every type of the gold and the prediction."""

    tokens: int
    correct_tags: int
    types: Dict[str, Counts]

    @property
    def total(self) -> Counts:
        """The counts of all types together."""
        columns = zip(*self.types.values(), strict=True)
        return Counts(*map(sum, columns)) if self.types else Counts(0, 0, 0)

    def to_dict(self) -> Dict[str, Any]:
        """The scores for JSON: unrounded shares of 1 instead of percentages."""
        return {
            "accuracy": self.correct_tags / self.tokens if self.tokens else 0.0,
            **self.total.to_dict(),
            "tokens": self.tokens,
            "types": {name: counts.to_dict() for name, counts in self.types.items()},
        }

    def to_text(self) -> str:
        """Exactly the scorer's output, with its final line break."""
        gold, found, correct = self.total
        text = (
            f"processed {self.tokens} tokens with {gold} phrases; "
            f"found: {found} phrases; correct: {correct}.\n"
        )
        if self.tokens:
            accuracy = 100 * self.correct_tags / self.tokens
            text += f"accuracy: {accuracy:6.2f}%; {_to_percents(self.total)}\n"
        for name, counts in self.types.items():
            text += f"{name:>17}: {_to_percents(counts)}  {counts.found}\n"
        return text


def _to_percents(counts: Counts) -> str:
    precision, recall, f1 = counts.scores(whole=100)
    return f"precision: {precision:6.2f}%; recall: {recall:6.2f}%; FB1: {f1:6.2f}"


def count_phrases(sentences: Iterable[TagPair]) -> PhraseCounts:
    """Compare gold and predicted tags, sentence by sentence.

    No phrase crosses sentence boundaries. For the share of correct tags they are
    compared as strings.

    Args:
        sentences: Gold and predicted tags of each sentence, in any scheme of
            `corpus.conll_tags`, or in none.

    Raises:
        ValueError: If a tag has an unknown form, or two sequences differ in length.
    """
    tokens = correct_tags = 0
    gold, found, correct = Counter[str](), Counter[str](), Counter[str]()
    for gold_tags, guessed_tags in sentences:
        pairs = list(zip(gold_tags, guessed_tags, strict=True))
        tokens += len(pairs)
        correct_tags += sum(a == b for a, b in pairs)
        in_gold, in_guess = map(tags_to_spans, (gold_tags, guessed_tags))
        gold.update(span.label for span in in_gold)
        found.update(span.label for span in in_guess)
        correct.update(span.label for span in set(in_gold) & set(in_guess))
    types = {
        name: Counts(gold[name], found[name], correct[name])
        for name in sorted({*gold, *found})
    }
    return PhraseCounts(tokens, correct_tags, types)
