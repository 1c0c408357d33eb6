from typing import List

from hypothesis import given, settings
from hypothesis import strategies as st

from spacy_elmo_ner.kernels.packing import pack


@settings(deadline=None)
@given(st.lists(st.integers(min_value=1, max_value=9), min_size=1, max_size=12))
def test_rows_spell_every_sentence_forwards_and_backwards(lengths: List[int]) -> None:
    packing = pack(lengths)
    n_tokens = sum(lengths)
    names = [(s, t) for s, length in enumerate(lengths) for t in range(length)]
    forward = [names[token] for token in packing.forward_tokens]
    backward = [names[token] for token in packing.backward_tokens]

    assert sum(packing.steps) == n_tokens
    assert sorted(packing.order) == list(range(len(lengths)))
    row = 0
    for time, alive in enumerate(packing.steps):
        # every sentence that has this token, and only those, in the order of rank
        reached = [s for s in packing.order if lengths[s] > time]
        assert len(reached) == alive
        assert forward[row : row + alive] == [(s, time) for s in reached]
        assert backward[row : row + alive] == [
            (s, lengths[s] - 1 - time) for s in reached
        ]
        row += alive
    for token in range(n_tokens):
        assert packing.forward_tokens[packing.forward_rows[token]] == token
        assert packing.backward_tokens[packing.backward_rows[token]] == token


@settings(deadline=None)
@given(st.lists(st.integers(min_value=1, max_value=9), min_size=1, max_size=12))
def test_steps_never_grow(lengths: List[int]) -> None:
    steps = pack(lengths).steps
    assert steps == sorted(steps, reverse=True)
    assert len(steps) == max(lengths)
