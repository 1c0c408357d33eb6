"""Which entities a pipeline gets wrong, and how."""

from collections import Counter
from dataclasses import dataclass
from typing import (
    AbstractSet,
    Any,
    Dict,
    Iterator,
    List,
    NamedTuple,
    Optional,
    Sequence,
    Tuple,
)

from spacy.tokens import Doc, Span

from ..corpus.conll_tags import EntitySpan, tags_to_spans
from ..corpus.docs import sentence_bounds
from ..corpus.name_uses import Words
from .precision_recall import Counts
from .report import comparable, iob2_tags

# how a gold entity and what was predicted in its place compare
CORRECT = "correct"
LABEL = "label"  # same words, other label
BOUNDARY = "boundary"  # same label, other words
BOTH = "label and boundary"
MISSED = "missed"
SPURIOUS = "spurious"
ERRORS = (LABEL, BOUNDARY, BOTH, MISSED, SPURIOUS)
NO_ENTITY = "no entity"


class Pair(NamedTuple):
    """A gold entity, and the predicted one in its place.

    Attributes:
        doc: Number of the Doc, from 0.
        sentence: Number of the sentence in the Doc, from 0.
        gold: The gold entity, in tokens of the Doc; None for a spurious one.
        guess: The predicted entity; None for a missed one.
        probability: The predicted entity's probability, if the pipeline gives one.
    """

    doc: int
    sentence: int
    gold: Optional[EntitySpan]
    guess: Optional[EntitySpan]
    probability: Optional[float]

    @property
    def kind(self) -> str:
        """CORRECT, or one of ERRORS."""
        if self.gold is None:
            return SPURIOUS
        if self.guess is None:
            return MISSED
        same_label = self.gold.label == self.guess.label
        if self.gold[:2] == self.guess[:2]:
            return CORRECT if same_label else LABEL
        return BOUNDARY if same_label else BOTH


@dataclass(frozen=True)
class ErrorReport:
    """What the entities of a pipeline were taken for.

    Each gold entity and each predicted one is in exactly one pair.

    Attributes:
        gold: The gold Docs.
        pairs: All pairs, including those of correct entities.
        known: The names in the training corpus, if it was given.
    """

    gold: Sequence[Doc]
    pairs: List[Pair]
    known: Optional[AbstractSet[Words]] = None

    @property
    def confusion(self) -> Dict[Tuple[str, str], int]:
        """Pairs by gold label and predicted label; one of the two may be NO_ENTITY.

        The sum over a gold label is its count in the gold, that over a predicted label
        its count in the prediction.
        """
        return Counter(
            (
                pair.gold.label if pair.gold else NO_ENTITY,
                pair.guess.label if pair.guess else NO_ENTITY,
            )
            for pair in self.pairs
        )

    @property
    def kinds(self) -> Dict[str, Dict[str, int]]:
        """Pairs of each kind by label: the gold one, or that of a spurious entity."""
        found: Dict[str, Counter[str]] = {label: Counter() for label in self.labels}
        for pair in self.pairs:
            entity = pair.gold or pair.guess
            assert entity is not None
            found[entity.label][pair.kind] += 1
        return {
            label: {kind: counts[kind] for kind in (CORRECT, *ERRORS)}
            for label, counts in found.items()
        }

    @property
    def labels(self) -> List[str]:
        """All labels of the gold and the prediction."""
        entities = [one for pair in self.pairs for one in pair[2:4] if one is not None]
        return sorted({entity.label for entity in entities})

    @property
    def by_novelty(self) -> Dict[str, Counts]:
        """Counts of the entities whose words are an entity of the training corpus,
        whatever its label, and of the others. Empty without a training corpus.
        """
        if self.known is None:
            return {}
        counts = {"seen": [0, 0, 0], "unseen": [0, 0, 0]}
        for pair in self.pairs:
            is_correct = pair.kind == CORRECT
            for column, entity in enumerate(pair[2:4]):
                if entity is not None:
                    row = counts["seen" if self._is_known(pair, entity) else "unseen"]
                    row[column] += 1
                    row[2] += is_correct and column == 0
        return {name: Counts(*row) for name, row in counts.items()}

    @property
    def mistakes(self) -> List[Pair]:
        """The errors: the most probable ones first, then those without a probability."""
        wrong = [pair for pair in self.pairs if pair.kind != CORRECT]
        return sorted(wrong, key=lambda pair: -(pair.probability or 0.0))

    def text(self, pair: Pair, entity: EntitySpan) -> str:
        """The words of a pair's entity."""
        return " ".join(self._words(pair, entity))

    def context(self, pair: Pair) -> str:
        """The words of a pair's sentence."""
        doc = self.gold[pair.doc]
        start, end = sentence_bounds(doc)[pair.sentence]
        return " ".join(token.text for token in doc[start:end])

    def to_dict(self) -> Dict[str, Any]:
        """The report for JSON, with all mistakes."""
        return {
            "confusion": [
                {"gold": gold, "predicted": guess, "count": count}
                for (gold, guess), count in sorted(self.confusion.items())
            ],
            "kinds": self.kinds,
            "novelty": {
                name: counts.to_dict() for name, counts in self.by_novelty.items()
            },
            "mistakes": [self._mistake(pair) for pair in self.mistakes],
        }

    def _mistake(self, pair: Pair) -> Dict[str, Any]:
        found: Dict[str, Any] = {
            "kind": pair.kind,
            "probability": pair.probability,
            "doc": pair.doc,
            "sentence": pair.sentence,
        }
        for name, entity in (("gold", pair.gold), ("predicted", pair.guess)):
            found[name] = entity and {
                **entity._asdict(),
                "text": self.text(pair, entity),
            }
        return {**found, "context": self.context(pair)}

    def _is_known(self, pair: Pair, entity: EntitySpan) -> bool:
        return self.known is not None and self._words(pair, entity) in self.known

    def _words(self, pair: Pair, entity: EntitySpan) -> Words:
        doc = self.gold[pair.doc]
        return tuple(token.text for token in doc[entity.start : entity.end])


def find_errors(
    gold: Sequence[Doc],
    predicted: Sequence[Doc],
    *,
    known: Optional[AbstractSet[Words]] = None,
) -> ErrorReport:
    """Pair the entities of gold and predicted Docs with the same words.

    Entities are those that conlleval counts: what is predicted beyond the end of a gold
    sentence is a separate entity.

    Args:
        gold: Gold Docs.
        predicted: Their predictions, in the same order.
        known: The names in the training corpus.

    Raises:
        ValueError: See `comparable`.
    """
    predicted = comparable(gold, predicted)
    pairs: List[Pair] = []
    for number, (reference, guess) in enumerate(zip(gold, predicted, strict=True)):
        probabilities = _probabilities(guess)
        columns = iob2_tags(reference), iob2_tags(guess)
        for place, (start, end) in enumerate(sentence_bounds(reference)):
            wanted, found = (_spans(tags[start:end], start) for tags in columns)
            for one, other in _pair(wanted, found):
                probability = probabilities.get(other) if other else None
                pairs.append(Pair(number, place, one, other, probability))
    return ErrorReport(gold, pairs, known)


def _spans(tags: Sequence[str], offset: int) -> List[EntitySpan]:
    return [
        EntitySpan(span.start + offset, span.end + offset, span.label)
        for span in tags_to_spans(tags)
    ]


def _pair(
    gold: List[EntitySpan], guesses: List[EntitySpan]
) -> Iterator[Tuple[Optional[EntitySpan], Optional[EntitySpan]]]:
    """Pair those that share words; the same label goes first, then more shared words.

    Entities with the same words share them with no others.
    """
    shared = [
        (one.label != other.label, -_overlap(one, other), one, other)
        for one, other in _overlapping(gold, guesses)
    ]
    left, right = set(gold), set(guesses)
    for _, _, one, other in sorted(shared):
        if one in left and other in right:
            left.remove(one)
            right.remove(other)
            yield one, other
    yield from ((one, None) for one in sorted(left))
    yield from ((None, other) for other in sorted(right))


def _overlapping(
    gold: List[EntitySpan], guesses: List[EntitySpan]
) -> Iterator[Tuple[EntitySpan, EntitySpan]]:
    """Those that share words; both lists are sorted and have no overlaps."""
    i = j = 0
    while i < len(gold) and j < len(guesses):
        if _overlap(gold[i], guesses[j]) > 0:
            yield gold[i], guesses[j]
        if gold[i].end <= guesses[j].end:
            i += 1
        else:
            j += 1


def _overlap(one: EntitySpan, other: EntitySpan) -> int:
    return min(one.end, other.end) - max(one.start, other.start)


def _probabilities(doc: Doc) -> Dict[EntitySpan, Optional[float]]:
    """What a component has set, if any."""
    if not Span.has_extension("probability"):
        return {}
    return {
        EntitySpan(ent.start, ent.end, ent.label_): ent._.probability
        for ent in doc.ents
    }
