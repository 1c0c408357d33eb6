from itertools import pairwise
from typing import List

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from spacy_elmo_ner.tagger import row_parts as module
from spacy_elmo_ner.tagger.row_parts import row_parts
from spacy_elmo_ner.tagger.sentence_rows import SentenceRows

sizes = st.lists(st.integers(1, 40), min_size=1, max_size=20)


def rows_of(lengths: List[int]) -> SentenceRows:
    return SentenceRows(list(pairwise([0, *np.cumsum(lengths).tolist()])))


@given(sizes, st.integers(1, 9), st.integers(1, 500))
def test_each_sentence_is_in_one_part_of_bounded_size(
    lengths: List[int], width: int, most: int
) -> None:
    rows = rows_of(lengths)
    flat = torch.randn(sum(lengths), width)
    seen: List[int] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "MOST_NUMBERS", most)
        parts = list(row_parts(rows, width))
    for places, part in parts:
        assert part.spans == [rows.spans[place] for place in places]
        padded = part.pad(flat)
        assert padded.numel() <= most or len(places) == 1
        for row, (start, end) in zip(padded, part.spans, strict=True):
            assert torch.equal(row[: end - start], flat[start:end])
        seen += places
    assert sorted(seen) == list(range(len(lengths)))
    if len(parts) > 1:
        ordered = [max(part.lengths.tolist()) for _, part in parts]
        assert ordered == sorted(ordered)


def test_what_fits_stays_as_it_is() -> None:
    rows = rows_of([3, 1, 2])
    assert [(places, part) for places, part in row_parts(rows, 4)] == [
        ([0, 1, 2], rows)
    ]
