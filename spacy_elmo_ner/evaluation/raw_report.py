"""Scores on text as people have it: cut by the pipeline's own tokenizer."""

from collections import Counter
from dataclasses import dataclass
from typing import Any, Dict, Iterable, List, NamedTuple, Set, Tuple

from spacy.language import Language
from spacy.tokens import Doc

from ..corpus.docs import sentence_bounds
from .precision_recall import Counts

CharSpan = Tuple[int, int, str]
"""First character, character after the last, label."""


class RawText(NamedTuple):
    text: str
    entities: Set[CharSpan]


@dataclass(frozen=True)
class RawReport:
    """Entities that agree in label, first and last character; `types` has every label of
    the gold and of the guess."""

    texts: int
    types: Dict[str, Counts]

    @property
    def total(self) -> Counts:
        columns = zip(*self.types.values(), strict=True)
        return Counts(*map(sum, columns)) if self.types else Counts(0, 0, 0)

    def to_text(self) -> str:
        """A line in all, and one for each label, as the shared task's scorer has them."""
        rows = {"raw text": self.total, **self.types}
        return "".join(_line(name, counts) for name, counts in rows.items())

    def to_dict(self) -> Dict[str, Any]:
        """For JSON. Scores are shares of 1."""
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
    """Run a pipeline on the texts of gold Docs, and compare by characters."""
    texts = [raw_text(doc) for doc in gold]
    in_gold, found, correct = Counter[str](), Counter[str](), Counter[str]()
    docs = nlp.pipe(text.text for text in texts)
    for (_, entities), doc in zip(texts, docs, strict=True):
        guessed = {(ent.start_char, ent.end_char, ent.label_) for ent in doc.ents}
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
    """The Doc's own text; or, where its spaces are unknown, its words with a space
    between them, and a line for each sentence."""
    if not doc.has_unknown_spaces:
        spans = {(ent.start_char, ent.end_char, ent.label_) for ent in doc.ents}
        return RawText(doc.text, spans)
    starts: List[int] = []
    ends: List[int] = []
    text = ""
    for start, end in sentence_bounds(doc):
        for token in doc[start:end]:
            starts.append(len(text))
            text += token.text
            ends.append(len(text))
            text += " " if token.i + 1 < end else "\n"
    return RawText(
        text,
        {(starts[ent.start], ends[ent.end - 1], ent.label_) for ent in doc.ents},
    )
