"""A long sentence is read in parts, and no entity is cut by their borders."""

from typing import List, Tuple

import spacy
from hypothesis import given
from hypothesis import strategies as st
from spacy.tokens import Doc

from spacy_elmo_ner.pipeline.decoding import Entities
from spacy_elmo_ner.pipeline.default_pipeline import load_default_pipeline
from spacy_elmo_ner.pipeline.long_docs import joined
from spacy_elmo_ner.text.parts import doc_parts

VOCAB = spacy.blank("en").vocab


@given(
    st.lists(st.tuples(st.integers(0, 3), st.integers(1, 30)), min_size=1, max_size=40),
    st.integers(8, 60),
    st.booleans(),
)
def test_an_entity_across_a_border_is_whole(
    pieces: List[Tuple[int, int]], longest: int, has_probabilities: bool
) -> None:
    entities, n = [], 0
    for before, length in pieces:
        entities.append((n + before, n + before + length, "AB"[length % 2]))
        n += before + length
    doc = Doc(VOCAB, words=["Word"] * n)
    parts = doc_parts(doc, most=1000, longest=longest)
    # each part has of an entity what lies in it
    found = []
    for start, end in parts:
        spans = [
            (max(a, start) - start, min(b, end) - start, label)
            for a, b, label in entities
            if a < end and b > start
        ]
        found.append(Entities(spans, [0.5] * len(spans) if has_probabilities else None))
    whole = joined(parts, found)
    assert whole.spans == entities
    assert whole.probabilities == ([0.5] * len(entities) if has_probabilities else None)


def test_names_without_any_pause_are_found_in_each_part() -> None:
    text = " ".join(["Angela Merkel and Barack Obama in New York"] * 187)
    found = [ent.text for ent in load_default_pipeline()(text).ents]
    assert found.count("Barack Obama") == 187
    assert " ".join(found).count("Angela Merkel") == 187
    assert " ".join(found).count("New York") == 187
