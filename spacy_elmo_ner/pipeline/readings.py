"""The k best ways to read a text, each with its probability.

The CRF reads each sentence by itself. A reading of a sentence is a path of tags, and so
a set of entities; the probabilities of all paths add up to 1. A reading of a Doc is one
reading of each of its sentences, and its probability is the product of theirs.
"""

import math
from typing import Iterator, List, NamedTuple, Optional, Sequence, Tuple

from spacy.tokens import Doc
from spacy.tokens import Span as DocSpan

from ..tagger import crf
from ..tagger.potentials import Potentials
from ..tagger.row_parts import row_parts
from ..tagger.tag_schemes import Span, TagScheme
from ..tagger.viterbi import k_best
from .annotation import add_entities, set_tokens
from .constraints import allowed_in


class Reading(NamedTuple):
    """The entities of a sentence or a Doc.

    Attributes:
        start: Its first token.
        end: The token after its last.
        entities: Token spans in the Doc.
        log_probability: The log of its share of all readings of these tokens.
    """

    start: int
    end: int
    entities: List[Span]
    log_probability: float

    @property
    def probability(self) -> float:
        """Its share of all readings of these tokens."""
        return math.exp(self.log_probability)

    def to_doc(self, doc: Doc) -> Doc:
        """A copy of the Doc with these entities next to those it already has, and
        the probability in `._.probability`."""
        copy = doc.copy()
        taken = set_tokens(copy)
        add_entities(
            copy,
            [
                DocSpan(copy, start, end, label=label)
                for start, end, label in self.entities
                if taken.isdisjoint(range(start, end))
            ],
        )
        copy._.probability = self.probability
        return copy


SentenceReadings = List[List[Reading]]
"""For each sentence of a Doc, its readings, best first."""


def read_sentences(
    docs: Sequence[Doc],
    potentials: Potentials,
    scheme: TagScheme,
    k: int,
    *,
    temperature: float,
    addresses: bool,
) -> List[SentenceReadings]:
    """The k best readings of each sentence with words; fewer if there are no more.

    Args:
        docs: The Docs that the potentials were computed for.
        potentials: The model's output for them.
        scheme: The tags.
        k: How many readings.
        temperature: Divides the scores before probabilities are computed.
        addresses: Whether an address may be an entity.
    """
    rows = potentials.rows
    tempered = potentials.tempered(temperature)
    parameters = tempered.legal_parameters(scheme)
    mask = allowed_in(docs, rows, scheme, addresses=addresses)
    found: List[List[Tuple[List[Span], float]]] = [[] for _ in rows.spans]
    for places, part in row_parts(rows, len(scheme.tags) * k):
        emissions = part.pad(tempered.emissions)
        lengths = part.lengths.to(emissions.device)
        allowed = part.pad(mask).to(emissions.device)
        scores, paths = k_best(emissions, lengths, parameters, k, allowed)
        every = crf.log_partition(emissions, lengths, parameters, allowed)
        values = (scores - every.unsqueeze(1)).clamp(max=0).tolist()
        for place, of_row, tags, length in zip(
            places, values, paths.tolist(), lengths.tolist(), strict=True
        ):
            found[place] = [
                (scheme.decode(path[:length]), value)
                for path, value in zip(tags, of_row, strict=True)
                if value > -math.inf
            ]
    by_row = iter(found)
    return [
        [
            [
                Reading(
                    int(words[0]),
                    int(words[-1]) + 1,
                    [
                        (int(words[start]), int(words[end - 1]) + 1, label)
                        for start, end, label in spans
                    ],
                    value,
                )
                for spans, value in next(by_row)
            ]
            for words in of_doc
        ]
        for of_doc in rows.of_docs
    ]


def uncertainty(sentences: SentenceReadings) -> float:
    """How likely it is that the best reading of the least certain sentence is wrong; 0
    without words."""
    best = [of_sentence[0].probability for of_sentence in sentences if of_sentence]
    return 1 - min(best, default=1.0)


def join_parts(
    parts: Sequence[Tuple[int, int]], readings: Sequence[SentenceReadings]
) -> SentenceReadings:
    """The sentences of a Doc's parts. Where a sentence is too long to be read at once, its
    parts overlap and count as sentences."""
    return [
        [_moved(one, start) for one in sentence]
        for (start, _), of_part in zip(parts, readings, strict=True)
        for sentence in of_part
    ]


def _moved(reading: Reading, by: int) -> Reading:
    return Reading(
        reading.start + by,
        reading.end + by,
        [(start + by, end + by, label) for start, end, label in reading.entities],
        reading.log_probability,
    )


def combine(doc: Doc, sentences: SentenceReadings, k: int) -> List[Reading]:
    """The k best readings of the Doc, best first.

    Raises:
        ValueError: If sentences overlap, because one was too long to be read at once.
    """
    for before, after in zip(sentences, sentences[1:], strict=False):
        if before[0].end > after[0].start:
            raise ValueError(
                f"A sentence of {doc[:5].text!r}… is too long to be read at once, so "
                "its readings cannot be compared. Mark where its sentences begin (a "
                "sentencizer does), or use sentence_readings() instead."
            )
    best = [_Choice(0.0, None, None)]
    for sentence in sentences:
        # i * j - 1 other pairs are as good as the i-th with the j-th, or better
        pairs = [
            _Choice(before.log_probability + one.log_probability, before, one)
            for i, before in enumerate(best, 1)
            for one in sentence[: k // i]
        ]
        best = sorted(pairs, key=lambda pair: -pair.log_probability)[:k]
    return [
        Reading(0, len(doc), _entities(choice), choice.log_probability)
        for choice in best
    ]


class _Choice(NamedTuple):
    """One reading of each sentence so far: that of the last, and those before it."""

    log_probability: float
    before: Optional["_Choice"]
    last: Optional[Reading]


def _entities(choice: _Choice) -> List[Span]:
    chosen = list(_readings(choice))
    return [entity for reading in reversed(chosen) for entity in reading.entities]


def _readings(choice: Optional[_Choice]) -> Iterator[Reading]:
    while choice is not None and choice.last is not None:
        yield choice.last
        choice = choice.before
