"""How the same words are annotated at different places of a corpus."""

from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import Dict, Iterable, List, Set, Tuple

from spacy.tokens import Doc, Span

from .docs import sentence_bounds

Words = Tuple[str, ...]


@dataclass(frozen=True)
class NameUse:
    """The places at which the words of a name stand.

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

    A place with a token that nothing is known about is not counted as outside.
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
        for begin, end in sentence_bounds(doc):
            for start in range(begin, end):
                for length in lengths.get(words[start], ()):
                    stop = start + length
                    name = tuple(words[start:stop])
                    if stop <= end and name in labels and all(is_outside[start:stop]):
                        outside[name] += 1
    return {name: NameUse(dict(n), outside[name]) for name, n in labels.items()}


def contradictory_sentences(docs: Iterable[Doc]) -> List[Words]:
    """The sentences that are there more than once, with different entities.

    Those in which something is unknown are left out.
    """
    found: Dict[Words, Set[Words]] = defaultdict(set)
    for doc in docs:
        tags = [f"{token.ent_iob_}-{token.ent_type_}" for token in doc]
        words = [token.text for token in doc]
        for start, end in sentence_bounds(doc):
            if "-" not in tags[start:end]:
                found[tuple(words[start:end])].add(tuple(tags[start:end]))
    return [sentence for sentence, variants in found.items() if len(variants) > 1]
