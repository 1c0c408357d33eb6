"""What the two corpora of a training run hold, and what in them would harm it."""

from collections import Counter
from dataclasses import asdict, dataclass
from typing import Any, Dict, Iterable, Iterator, List, NamedTuple, Optional, Sequence

from spacy.tokens import Doc, Span
from spacy.training import Example
from spacy.vectors import Mode, Vectors

from ..text.annotated_labels import annotated_labels
from .conll_tags import OUTSIDE, PREFIXES
from .docs import sentence_bounds
from .name_uses import (
    NameUse,
    Words,
    contradictory_sentences,
    count_name_uses,
    name_of,
    names_of,
)

# as in spaCy's `debug data`
FEW_EXAMPLES = 50
FEW_SENTENCES = 2_000
# shorter ones, such as a newspaper's datelines, are often the same
LONG_SENTENCE = 5
SHOWN = 3  # examples in the text; all are in the JSON


@dataclass(frozen=True)
class CorpusFacts:
    """What a corpus holds.

    Attributes:
        docs: Docs.
        sentences: Sentences; a Doc without sentence starts is one.
        tokens: Tokens.
        words: Different words.
        labels: Entities of each label.
        unknown: Tokens without annotation, or that no gold token is aligned with.
        partial: How many Docs annotate only some labels, by these labels.
    """

    docs: int
    sentences: int
    tokens: int
    words: int
    labels: Dict[str, int]
    unknown: int
    partial: Dict[str, int]


class Problem(NamedTuple):
    """Something that would harm training.

    Attributes:
        kind: Its name, for programs.
        message: What is wrong, as the beginning of a sentence.
        examples: Where, the worst first.
    """

    kind: str
    message: str
    examples: List[str]

    def to_text(self) -> str:
        """A sentence with a few examples."""
        if not self.examples:
            return f"{self.message}."
        return f"{self.message}, for instance: {'; '.join(self.examples[:SHOWN])}"


@dataclass(frozen=True)
class DataReport:
    """The report on two corpora.

    Attributes:
        train: The training corpus.
        dev: The development corpus.
        seen: Entities of the development corpus, by label, whose words are an entity of
            the training corpus, too.
        problems: What would harm training.
    """

    train: CorpusFacts
    dev: CorpusFacts
    seen: Dict[str, int]
    problems: List[Problem]

    def to_text(self) -> str:
        """A line per corpus, a table of the labels, and a line per problem."""
        corpora = (("training", self.train), ("development", self.dev))
        lines = [_describe(name, facts) for name, facts in corpora]
        lines += ["", *self._table(), ""]
        lines += [f"Note: {problem.to_text()}" for problem in self.problems]
        return "\n".join(lines).rstrip() + "\n"

    def to_dict(self) -> Dict[str, Any]:
        """The report for JSON."""
        return {
            "train": asdict(self.train),
            "dev": asdict(self.dev),
            "seen": self.seen,
            "problems": [problem._asdict() for problem in self.problems],
        }

    def _table(self) -> Iterator[str]:
        labels = sorted({*self.train.labels, *self.dev.labels})
        width = max(map(len, ["label", *labels]))
        yield f"{'label':<{width}}{'training':>12}{'development':>13}{'seen':>8}"
        for label in labels:
            n = self.dev.labels.get(label, 0)
            share = f"{self.seen.get(label, 0) / n:.0%}" if n else "-"
            train = self.train.labels.get(label, 0)
            yield f"{label:<{width}}{train:>12,}{n:>13,}{share:>8}"


def report_data(
    train: List[Example],
    dev: List[Example],
    *,
    labels: Sequence[str] = (),
    vectors: Optional[Vectors] = None,
) -> DataReport:
    """Examine the corpora of a training run.

    Args:
        train: The training corpus.
        dev: The development corpus.
        labels: The labels that the component already has.
        vectors: The pipeline's word vectors.

    Raises:
        ValueError: If a corpus has no words.
    """
    of_train, of_dev = (
        _facts(name, examples)
        for name, examples in (("training", train), ("development", dev))
    )
    train_docs, dev_docs = ([example.reference for example in c] for c in (train, dev))
    known = names_of(train_docs)
    seen = Counter(e.label_ for d in dev_docs for e in d.ents if name_of(e) in known)
    problems = [
        *_label_problems(of_train, of_dev, labels),
        *_amount_problems(train_docs),
    ]
    for name, examples in (("training", train), ("development", dev)):
        problems += _span_problems(name, examples)
    problems += _contradictions(train_docs, dev_docs)
    problems += _overlap(train_docs, dev_docs)
    problems += _missing_vectors(train_docs, vectors)
    return DataReport(of_train, of_dev, dict(sorted(seen.items())), problems)


def count_corpus(examples: Iterable[Example]) -> CorpusFacts:
    """Count what the gold Docs hold."""
    docs = sentences = unknown = 0
    labels, words, partial = Counter[str](), Counter[str](), Counter[str]()
    for example in examples:
        docs += 1
        sentences += len(sentence_bounds(example.reference))
        words.update(token.text for token in example.reference)
        labels.update(ent.label_ for ent in example.reference.ents)
        unknown += sum(tag is None for tag in example.get_aligned_ner())
        annotated = annotated_labels(example.reference)
        if annotated is not None:
            partial[", ".join(sorted(annotated)) or "no label"] += 1
    tokens = sum(words.values())
    by_name = dict(sorted(labels.items()))
    return CorpusFacts(
        docs, sentences, tokens, len(words), by_name, unknown, dict(partial)
    )


def _facts(name: str, examples: List[Example]) -> CorpusFacts:
    facts = count_corpus(examples)
    if not facts.tokens:
        raise ValueError(f"The {name} corpus has no words; check its path and limit.")
    return facts


def _describe(name: str, facts: CorpusFacts) -> str:
    return (
        f"The {name} corpus has {facts.docs:,} Docs, {facts.sentences:,} sentences, "
        f"{facts.tokens:,} tokens ({facts.words:,} different words) and "
        f"{sum(facts.labels.values()):,} entities; {facts.unknown:,} tokens have no "
        "known tag"
        + "".join(
            f"; {count:,} Docs annotate {names} alone"
            for names, count in facts.partial.items()
        )
    )


def _label_problems(
    train: CorpusFacts, dev: CorpusFacts, labels: Sequence[str]
) -> Iterator[Problem]:
    for name, facts in (("training", train), ("development", dev)):
        if not facts.labels:
            yield Problem("no_entities", f"The {name} corpus has no entities", [])
    for label in sorted({*train.labels, *dev.labels}):
        if label[1:2] == "-" and label[0] in OUTSIDE + PREFIXES:
            words = f"The label {label} looks like a tag; give bare labels"
            yield Problem("tag_as_label", words, [])
    for label, count in train.labels.items():
        if count < FEW_EXAMPLES:
            words = f"The label {label} has only {count} training examples"
            yield Problem("rare_label", words, [])
    for kind, where, there, others in (
        ("dev_only", "is in the development corpus only", dev.labels, train.labels),
        ("train_only", "is in the training corpus only", train.labels, dev.labels),
        ("not_in_data", "of the component is in no corpus", labels, train.labels),
    ):
        for label in sorted({*there} - {*others}):
            if kind != "not_in_data" or label not in dev.labels:
                yield Problem(kind, f"The label {label} {where}", [])


def _amount_problems(docs: List[Doc]) -> Iterator[Problem]:
    labels = [
        {token.ent_type_ for token in doc[start:end]}
        for doc in docs
        for start, end in sentence_bounds(doc)
    ]
    if len(labels) < FEW_SENTENCES:
        words = f"The training corpus has only {len(labels)} sentences"
        yield Problem("few_sentences", f"{words}; use {FEW_SENTENCES:,} or more", [])
    for label in sorted(set.intersection(*labels) - {""}):
        words = f"Every training sentence has an entity of the label {label}, so"
        yield Problem(
            "in_every_sentence", f"{words} nothing shows where there is none", []
        )


def _span_problems(name: str, examples: List[Example]) -> Iterator[Problem]:
    """Entities that no pipeline can find, or that it should not learn."""
    misaligned: List[Span] = []
    crossing: List[Span] = []
    padded: List[Span] = []
    for example in examples:
        doc = example.reference
        starts = {start for start, _ in sentence_bounds(doc)}
        tags = example.get_aligned_ner()
        of_gold = example.alignment.y2x
        for ent in doc.ents:
            tokens = [i for place in range(ent.start, ent.end) for i in of_gold[place]]
            if not tokens or any(tags[i] is None for i in tokens):
                misaligned.append(ent)
            if starts.intersection(range(ent.start + 1, ent.end)):
                crossing.append(ent)
            if ent[0].text.isspace() or ent[-1].text.isspace():
                padded.append(ent)
    for kind, ents, what in (
        ("misaligned", misaligned, "do not begin and end with the pipeline's tokens"),
        ("crosses_sentences", crossing, "run past the end of a sentence"),
        ("white_space", padded, "begin or end with white space"),
    ):
        if ents:
            words = f"{len(ents):,} entities of the {name} corpus {what}"
            yield Problem(kind, words, [f"{ent.text!r} ({ent.label_})" for ent in ents])


def _contradictions(train: List[Doc], dev: List[Doc]) -> Iterator[Problem]:
    sentences = contradictory_sentences(train + dev)
    if sentences:
        words = f"{len(sentences):,} sentences occur with different entities"
        examples = sorted(map(" ".join, sentences), key=len, reverse=True)
        yield Problem("contradictory_sentence", words, examples)
    uses = count_name_uses(train)
    two = {name: use for name, use in uses.items() if len(use.labels) > 1}
    if two:
        words = f"{len(two):,} names of the training corpus have more than one label"
        yield Problem("two_labels", words, _worst(two, _second_label))
    both = {name: use for name, use in uses.items() if use.outside}
    if both:
        words = f"{len(both):,} names of the training corpus are also outside entities"
        yield Problem("also_outside", words, _worst(both, _rarer_way))


def _worst(uses: Dict[Words, NameUse], doubt: Any) -> List[str]:
    names = sorted(uses, key=lambda name: (-doubt(uses[name]), name))
    return [f"{' '.join(name)!r} ({uses[name].to_text()})" for name in names]


def _second_label(use: NameUse) -> int:
    return sorted(use.labels.values())[-2]


def _rarer_way(use: NameUse) -> int:
    return min(sum(use.labels.values()), use.outside)


def _overlap(train: List[Doc], dev: List[Doc]) -> Iterator[Problem]:
    texts = {doc.text for doc in train} & {doc.text for doc in dev}
    if texts:
        words = f"{len(texts):,} whole texts are in both corpora"
        examples = [repr(text) for text in sorted(texts, key=len, reverse=True)]
        yield Problem("same_text", words, examples)
    shared = {*_long_sentences(train)} & {*_long_sentences(dev)}
    if shared:
        words = f"{len(shared):,} sentences of five words or more are in both corpora"
        yield Problem("same_sentence", words, sorted(map(" ".join, shared)))


def _long_sentences(docs: List[Doc]) -> Iterator[Words]:
    for doc in docs:
        for start, end in sentence_bounds(doc):
            words = tuple(token.text for token in doc[start:end])
            words = tuple(word for word in words if word.isalpha())
            if len(words) >= LONG_SENTENCE:
                yield words


def _missing_vectors(docs: List[Doc], vectors: Optional[Vectors]) -> Iterator[Problem]:
    # floret makes vectors from parts of words, so every word has one
    if vectors is None or not vectors.n_keys or vectors.mode != Mode.default:
        return
    missing = Counter[str]()
    total = 0
    for doc in docs:
        total += len(doc)
        missing.update(
            token.text
            for token in doc
            if token.orth not in vectors and token.lower not in vectors
        )
    if missing:
        n = sum(missing.values())
        words = f"{n:,} tokens of the training corpus ({n / total:.1%}) have no vector"
        examples = [f"{word!r} ({count:,})" for word, count in missing.most_common()]
        yield Problem("no_vector", words, examples)
