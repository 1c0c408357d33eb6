from typing import List, Union

import numpy
import spacy
from hypothesis import given
from hypothesis import strategies as st
from spacy.tokens import Doc, Span

from spacy_elmo_ner.text.parts import ATTRS, doc_parts, part_of
from spacy_elmo_ner.text.sentences import sentence_spans

NLP = spacy.blank("en")
PIECES = ["word", "Mr.", ".", "!", '"', ")", "(", " ", "\n", "\n\n", "…", "a"]


@given(
    st.integers(0, 200), st.integers(1, 50), st.lists(st.integers(0, 199), max_size=4)
)
def test_a_long_sentence_is_read_in_parts_that_overlap(
    n: int, longest: int, places: List[int]
) -> None:
    doc = Doc(NLP.vocab, words=["Word"] * n)
    overlap = longest // 4
    ends = {min(place + max(overlap, 1), n) for place in places}
    starts = sorted(ends)
    doc.ents = [
        Span(doc, max(a, b - max(overlap, 1)), b, "X")
        for a, b in zip([0, *starts], starts, strict=False)
        if a < b
    ]
    parts = doc_parts(doc, most=1000, longest=longest)
    assert parts[0][0] == 0 and parts[-1][1] == n
    assert all(end - start <= longest for start, end in parts)
    for (_, end), (start, _) in zip(parts, parts[1:], strict=False):
        assert overlap <= end - start < 2 * max(overlap, 1)
        assert not any(ent.start < end < ent.end for ent in doc.ents)
        assert not any(ent.start < start < ent.end for ent in doc.ents)


@given(st.lists(st.sampled_from(PIECES), max_size=60), st.integers(1, 20))
def test_parts_of_a_doc_have_whole_sentences(words: List[str], most: int) -> None:
    doc = Doc(NLP.vocab, words=words)
    parts = doc_parts(doc, most=most, longest=100)
    assert {i for a, b in parts for i in range(a, b)} == set(range(len(doc)))
    assert all(end - start <= most for start, end in parts)
    whole = [(a, b) for a, b in sentence_spans(doc) if b - a <= most]
    for start, end in whole:
        assert sum(a <= start and end <= b for a, b in parts) == 1
        assert not any(start < b < end for _, b in parts)


@given(st.lists(st.sampled_from(PIECES), min_size=2, max_size=30), st.data())
def test_a_part_is_as_spacy_makes_it(words: List[str], data: st.DataObject) -> None:
    one: List[Union[bool, int, None]] = [i == 0 for i in range(len(words))]
    starts = data.draw(st.none() | st.just(one))
    doc = Doc(NLP.vocab, words=words, pos=["X"] * len(words), sent_starts=starts)
    doc[0].norm_ = "another"
    doc.tensor = numpy.ones((len(words), 2))
    first = data.draw(st.integers(0, len(words) - 1))
    end = data.draw(st.integers(first + 1, len(words)))
    doc.ents = [Span(doc, first, end, "X")]
    part, other = part_of(doc, first, end), doc[first:end].as_doc()
    assert part.text == other.text
    for attr in ATTRS:
        assert part.to_array(attr).tolist() == other.to_array(attr).tolist()
    assert part.tensor.shape == other.tensor.shape
    assert part.has_annotation("SENT_START") == other.has_annotation("SENT_START")
    assert [ent.label_ for ent in part.ents] == ["X"]


def test_an_entity_that_is_cut_is_one_in_each_part() -> None:
    doc = Doc(NLP.vocab, words=["Word"] * 9)
    doc.ents = [Span(doc, 2, 6, "X"), Span(doc, 6, 8, "Y")]
    parts = [part_of(doc, start, end) for start, end in [(0, 4), (4, 9)]]
    assert [[(e.start, e.end, e.label_) for e in part.ents] for part in parts] == [
        [(2, 4, "X")],
        [(0, 2, "X"), (2, 4, "Y")],
    ]
