"""What a corpus holds, and what in it would harm training."""

from collections import Counter
from typing import Dict, Iterable, Iterator, List, NamedTuple, Set, Tuple

from spacy.tokens import Doc, Span
from spacy.training import Example

from .conll_tags import OUTSIDE, PREFIXES
from .docs import sentence_bounds

FEW = 10  # examples; a label with fewer is hardly learned


class CorpusFacts(NamedTuple):
    """What a corpus holds."""

    docs: int
    sentences: int
    tokens: int
    labels: Dict[str, int]
    unknown: int  # tokens without annotation, or that no gold token is aligned with


def count_corpus(examples: Iterable[Example]) -> CorpusFacts:
    """Count what the gold Docs hold."""
    docs = sentences = tokens = unknown = 0
    labels = Counter[str]()
    for example in examples:
        docs += 1
        sentences += len(sentence_bounds(example.reference))
        tokens += len(example.reference)
        labels.update(ent.label_ for ent in example.reference.ents)
        unknown += sum(tag is None for tag in example.get_aligned_ner())
    return CorpusFacts(docs, sentences, tokens, dict(labels), unknown)


def find_problems(train: List[Example], dev: List[Example]) -> List[str]:
    """Describe the problems of two corpora, each in a sentence that says where it
    is."""
    train_docs, dev_docs = ([example.reference for example in c] for c in (train, dev))
    problems = _label_problems(train_docs, dev_docs)
    for name, docs in (("training", train_docs), ("development", dev_docs)):
        problems += _span_problems(name, docs)
    shared = _long_sentences(train_docs) & _long_sentences(dev_docs)
    if shared:
        problems.append(
            f"{len(shared)} sentences of five words or more are in both corpora, "
            f"for instance: {' '.join(min(shared))}"
        )
    return problems


def _label_problems(train: List[Doc], dev: List[Doc]) -> List[str]:
    counts, dev_counts = (
        Counter(ent.label_ for doc in docs for ent in doc.ents) for docs in (train, dev)
    )
    problems = []
    for name, labels in (("training", counts), ("development", dev_counts)):
        if not labels:
            problems.append(f"The {name} corpus has no entities.")
    for label in sorted(set(counts) | set(dev_counts)):
        if label[1:2] == "-" and label[0] in OUTSIDE + PREFIXES:
            problems.append(f"The label {label} looks like a tag; give bare labels.")
    for label, count in sorted(counts.items()):
        if count < FEW:
            problems.append(f"The label {label} has only {count} training examples.")
    for label in sorted(set(dev_counts) - set(counts)):
        problems.append(f"The label {label} is in the development corpus only.")
    return problems


def _span_problems(name: str, docs: List[Doc]) -> List[str]:
    """Entities that no pipeline can find, or that it should not learn."""
    crossing, padded = [], []
    for doc in docs:
        starts = {start for start, _ in sentence_bounds(doc)}
        for ent in doc.ents:
            if starts.intersection(range(ent.start + 1, ent.end)):
                crossing.append(ent)
            if ent[0].text.isspace() or ent[-1].text.isspace():
                padded.append(ent)
    kinds: Tuple[Tuple[List[Span], str], ...] = (
        (crossing, "run over the end of a sentence"),
        (padded, "begin or end with white space"),
    )
    return [
        f"{len(ents)} entities of the {name} corpus {what}, for instance: "
        f"{ents[0].text!r}"
        for ents, what in kinds
        if ents
    ]


def _long_sentences(docs: List[Doc]) -> Set[Tuple[str, ...]]:
    return set(_sentences_of_words(docs, at_least=5))


def _sentences_of_words(docs: List[Doc], *, at_least: int) -> Iterator[Tuple[str, ...]]:
    for doc in docs:
        for start, end in sentence_bounds(doc):
            words = tuple(token.text for token in doc[start:end])
            words = tuple(word for word in words if word.isalpha())
            if len(words) >= at_least:
                yield words
