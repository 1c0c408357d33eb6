"""How the same words are annotated at different places of a corpus."""

from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import Any, Dict, Iterable, List, Set, Tuple

from spacy.tokens import Doc, Span

from ..text.annotated_labels import annotated_labels
from .docs import sentence_bounds

Words = Tuple[str, ...]


@dataclass(frozen=True)
class NameUse:
    """The places where the words of a name occur.

    Attributes:
        labels: As entities, by label.
        outside: Within a sentence and outside of all entities.
    """

    labels: Dict[str, int]
    outside: int

    def to_text(self) -> str:
        """The counts, the most frequent label first."""
        counts = sorted(self.labels.items(), key=_most_frequent_first)
        parts = [f"{label} {n:,}" for label, n in counts]
        return ", ".join(parts + [f"no entity {self.outside:,}"] * bool(self.outside))


def _most_frequent_first(item: Tuple[str, int]) -> Tuple[int, str]:
    return -item[1], item[0]


def name_of(entity: Span) -> Words:
    """The words that tell whether a name was seen."""
    return tuple(token.text for token in entity)


def names_of(docs: Iterable[Doc]) -> Set[Words]:
    """The words of every entity."""
    return {name_of(entity) for doc in docs for entity in doc.ents}


def count_name_uses(docs: List[Doc]) -> Dict[Words, NameUse]:
    """Count, for the words of every entity, how they are annotated.

    A place is not counted as outside if nothing is known about one of its tokens, or if
    its Doc annotates none of the labels of the name.
    """
    labels: Dict[Words, Counter[str]] = defaultdict(Counter)
    lengths: Dict[str, Set[int]] = defaultdict(set)
    for doc in docs:
        for entity in doc.ents:
            name = name_of(entity)
            labels[name][entity.label_] += 1
            lengths[name[0]].add(len(name))
    outside = Counter[Words]()
    for doc in docs:
        words = [token.text for token in doc]
        is_outside = [token.ent_iob_ == "O" for token in doc]
        annotated = annotated_labels(doc)
        for begin, end in sentence_bounds(doc):
            for start in range(begin, end):
                for length in lengths.get(words[start], ()):
                    stop = start + length
                    name = tuple(words[start:stop])
                    if stop > end or name not in labels:
                        continue
                    if annotated is None or not annotated.isdisjoint(labels[name]):
                        outside[name] += all(is_outside[start:stop])
    return {name: NameUse(dict(n), outside[name]) for name, n in labels.items()}


def contradictory_sentences(docs: Iterable[Doc]) -> List[Words]:
    """The sentences that occur more than once, with different entities.

    Those in which something is unknown are left out. Docs that annotate other labels do
    not contradict each other.
    """
    found: Dict[Tuple[Words, Any], Set[Words]] = defaultdict(set)
    for doc in docs:
        tags = [f"{token.ent_iob_}-{token.ent_type_}" for token in doc]
        words = [token.text for token in doc]
        for start, end in sentence_bounds(doc):
            if "-" not in tags[start:end]:
                sentence = tuple(words[start:end]), annotated_labels(doc)
                found[sentence].add(tuple(tags[start:end]))
    return [words for (words, _), variants in found.items() if len(variants) > 1]
