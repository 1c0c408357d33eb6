"""Scores on raw text, which the pipeline's own tokenizer splits."""

from collections import Counter
from dataclasses import dataclass
from typing import Any, Dict, Iterable, List, NamedTuple, Set, Tuple

from spacy.language import Language
from spacy.tokens import Doc

from ..corpus.docs import sentence_bounds
from ..text.annotated_labels import judged
from .precision_recall import Counts

CharSpan = Tuple[int, int, str]
"""First character, character after the last, label."""


class RawText(NamedTuple):
    """A text, its gold entities, and the positions of tokens without annotation."""

    text: str
    entities: Set[CharSpan]
    unknown: List[Tuple[int, int]]


@dataclass(frozen=True)
class RawReport:
    """Entities whose label, first and last character agree.

    Attributes:
        texts: How many texts were compared.
        types: The counts of every label of the gold and the prediction.
    """

    texts: int
    types: Dict[str, Counts]

    @property
    def total(self) -> Counts:
        """The counts of all labels together."""
        columns = zip(*self.types.values(), strict=True)
        return Counts(*map(sum, columns)) if self.types else Counts(0, 0, 0)

    def to_text(self) -> str:
        """A line for all labels, then one for each, formatted like the shared task's
        scorer.
        """
        rows = {"raw text": self.total, **self.types}
        return "".join(_line(name, counts) for name, counts in rows.items())

    def to_dict(self) -> Dict[str, Any]:
        """The scores for JSON, as shares of 1."""
        return {
            "texts": self.texts,
            **self.total.to_dict(),
            "types": {name: counts.to_dict() for name, counts in self.types.items()},
        }


def _line(name: str, counts: Counts) -> str:
    precision, recall, f1 = counts.scores(whole=100)
    return (
        f"{name:>17}: precision: {precision:6.2f}%; recall: {recall:6.2f}%; "
        f"FB1: {f1:6.2f}  {counts.found}\n"
    )


def report_raw_text(nlp: Language, gold: Iterable[Doc]) -> RawReport:
    """Run a pipeline on the texts of gold Docs, and compare entities by characters."""
    references = list(gold)
    texts = [raw_text(doc) for doc in references]
    in_gold, found, correct = Counter[str](), Counter[str](), Counter[str]()
    docs = nlp.pipe(text.text for text in texts)
    for text, doc, reference in zip(texts, docs, references, strict=True):
        entities = text.entities
        known = judged(doc, reference, text.unknown).ents
        guessed = {(ent.start_char, ent.end_char, ent.label_) for ent in known}
        for counter, some in (
            (in_gold, entities),
            (found, guessed),
            (correct, entities & guessed),
        ):
            counter.update(label for _, _, label in some)
    types = {
        name: Counts(in_gold[name], found[name], correct[name])
        for name in sorted({*in_gold, *found})
    }
    return RawReport(len(texts), types)


def raw_text(doc: Doc) -> RawText:
    """The Doc's text and entities.

    If its spaces are unknown, words are joined by spaces, and sentences by line breaks.
    """
    starts = [token.idx for token in doc]
    ends = [token.idx + len(token) for token in doc]
    text = doc.text
    if doc.has_unknown_spaces:
        starts, ends, text = [], [], ""
        for start, end in sentence_bounds(doc):
            for token in doc[start:end]:
                starts.append(len(text))
                text += token.text
                ends.append(len(text))
                text += " " if token.i + 1 < end else "\n"
    return RawText(
        text,
        {(starts[ent.start], ends[ent.end - 1], ent.label_) for ent in doc.ents},
        [(starts[token.i], ends[token.i]) for token in doc if not token.ent_iob],
    )
