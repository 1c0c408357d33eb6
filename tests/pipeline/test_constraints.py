"""What the decoder may choose, against every reading that there is."""

from itertools import pairwise, product
from typing import Any, Iterator, List, NamedTuple, Set, Tuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from spacy.tokens import Doc, Span
from spacy.vocab import Vocab

from spacy_elmo_ner.pipeline.constraints import allowed_tags, blocked_tokens
from spacy_elmo_ner.tagger.sentence_rows import DocRows
from spacy_elmo_ner.tagger.tag_schemes import TagMask, TagScheme

Reading = Tuple[Tuple[int, int, str], ...]
VOCAB = Vocab()
LABELS = ("A", "B")


def readings(scheme: TagScheme, mask: TagMask) -> Iterator[Reading]:
    """The entities of every legal path, in words of the sentence."""
    options = [np.flatnonzero(row).tolist() for row in mask]
    for path in product(*options):
        if (
            scheme.legal_start[path[0]]
            and scheme.legal_end[path[-1]]
            and all(scheme.legal_transitions[a, b] for a, b in pairwise(path))
        ):
            yield tuple(scheme.decode(path))


@st.composite
def annotated_docs(draw: Any) -> Doc:
    """A few words and white space in one or two sentences, some of them in entities, and
    others blocked."""
    words = draw(st.lists(st.sampled_from(["Anna", "came", " "]), max_size=6))
    n = len(words)
    second = draw(st.integers(0, n))
    starts: List[Any] = [i in (0, second) for i in range(n)]
    doc = Doc(VOCAB, words=words, spaces=[False] * n, sent_starts=starts)
    edges = sorted(draw(st.sets(st.integers(0, n))))
    ents, blocked = [], []
    for start, end in pairwise(edges):
        kind = draw(st.sampled_from([*LABELS, "UNKNOWN", "BLOCKED", "", ""]))
        if kind == "BLOCKED":
            blocked.append(doc[start:end])
        elif kind:
            ents.append(Span(doc, start, end, kind))
    default = draw(st.sampled_from(["outside", "missing"]))
    doc.set_ents(ents, blocked=blocked, default=default)
    return doc


class Annotation(NamedTuple):
    """What a Doc says of one of its sentences.

    entities: those that can be written as tags, in words of the sentence.
    free: tokens that no other entity may have, or have on both sides.
    """

    entities: Set[Tuple[int, int, str]]
    free: Set[int]

    @classmethod
    def in_sentence(cls, doc: Doc, words: List[int]) -> "Annotation":
        entities = set()
        free = {*blocked_tokens(doc)}
        for ent in doc.ents:
            inside = [i for i in range(ent.start, ent.end) if not doc[i].is_space]
            if inside and {*inside} <= {*words} and ent.label_ in LABELS:
                first = words.index(inside[0])
                entities.add((first, first + len(inside), ent.label_))
            # of white space alone it is the place that counts
            free.update(inside or [ent.start])
        return cls(entities, free)

    def is_kept_by(self, reading: Reading, words: List[int]) -> bool:
        return self.entities <= {*reading} and all(
            span in self.entities
            or self.free.isdisjoint(range(words[span[0]], words[span[1] - 1] + 1))
            for span in reading
        )


@settings(deadline=None)
@given(annotated_docs(), st.sampled_from(["BIO", "BILUO"]))
def test_what_annotation_stays_and_all_else_may_be_found(doc: Doc, name: str) -> None:
    scheme = TagScheme(name, LABELS)
    (sentences,) = DocRows([doc]).of_docs
    mask = allowed_tags(doc, sentences, scheme, addresses=False)
    end = 0
    for places in sentences:
        start, end = end, end + len(places)
        words = places.tolist()
        annotation = Annotation.in_sentence(doc, words)
        every = readings(scheme, scheme.unrestricted(len(words)))
        left = {*readings(scheme, mask[start:end])}
        assert left == {one for one in every if annotation.is_kept_by(one, words)}
        assert left, "an annotated Doc can always be decoded"


def test_an_address_is_no_name_unless_addresses_are() -> None:
    doc = Doc(VOCAB, words=["Write", "to", "anna@example.org"])
    scheme = TagScheme("BIO", LABELS)
    sentences: List[Any] = [np.arange(3)]
    free = allowed_tags(doc, sentences, scheme, addresses=True)
    assert free.all()
    mask = allowed_tags(doc, sentences, scheme, addresses=False)
    assert mask[:2].all() and mask[2].tolist() == scheme.outside.tolist()


@pytest.mark.parametrize("words", [[], [" ", "\n"]])
def test_a_doc_without_words_has_no_tags(words: List[str]) -> None:
    doc = Doc(VOCAB, words=words)
    doc.ents = [Span(doc, i, i + 1, "A") for i in range(len(words))]
    mask = allowed_tags(doc, [], TagScheme("BIO", LABELS), addresses=False)
    assert mask.shape == (0, 5)
