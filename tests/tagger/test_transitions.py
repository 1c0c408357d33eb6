"""A tag scheme's form of the transitions against all of them one by one."""

import math
from typing import Any, List, NamedTuple, Tuple

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from spacy_elmo_ner.tagger.parameters import NEVER
from spacy_elmo_ner.tagger.tag_schemes import TagScheme
from spacy_elmo_ner.tagger.transitions import (
    DenseTransitions,
    SchemeTransitions,
    transitions_of,
)


class Case(NamedTuple):
    """Transitions of a scheme, tags in any order, and forward scores (L, T, B)."""

    table: Tensor
    alphas: Tensor
    last: Tensor

    def both(self) -> Tuple[SchemeTransitions, DenseTransitions]:
        fast = transitions_of(self.table, 1, large=0)
        assert isinstance(fast, SchemeTransitions)
        return fast, DenseTransitions(self.table)


@st.composite
def cases(draw: Any) -> Case:
    dtype = draw(st.sampled_from([torch.float32, torch.float64]))
    n_labels = draw(st.integers(2, 12))
    labels = tuple(f"L{i}" for i in range(n_labels))
    scheme = TagScheme(draw(st.sampled_from(["BIO", "BILUO"])), labels)
    n_tags = len(scheme.tags)
    generator = torch.Generator().manual_seed(draw(st.integers(0, 2**31)))

    def normal(*shape: int) -> Tensor:
        return torch.randn(shape, generator=generator, dtype=dtype)

    scale = draw(st.sampled_from([0.0, 1.0, 25.0]))
    table = scale * normal(n_tags, n_tags)
    table[~torch.from_numpy(scheme.legal_transitions)] = NEVER
    order = torch.randperm(n_tags, generator=generator)
    table = table[order][:, order]
    if draw(st.booleans()):
        table = table.t()
    n_steps, n_columns = draw(st.integers(1, 6)), draw(st.integers(0, 4))
    alphas = draw(st.sampled_from([1.0, 300.0])) * normal(n_steps, n_tags, n_columns)
    forbidden = torch.rand(alphas.shape, generator=generator)
    alphas[forbidden < draw(st.sampled_from([0.0, 0.5, 0.95]))] += NEVER
    return Case(table, alphas, torch.rand(n_tags, n_columns, generator=generator))


def assert_close(found: Tensor, expected: Tensor) -> None:
    assert found.dtype == expected.dtype and found.shape == expected.shape
    tolerance = 1e-5 if found.dtype == torch.float32 else 1e-11
    assert torch.allclose(found, expected, rtol=tolerance, atol=tolerance)


@settings(deadline=None)
@given(cases())
def test_sums_and_maxima_are_those_of_all_transitions(case: Case) -> None:
    fast, dense = case.both()
    for before in case.alphas:
        assert_close(fast.log_sum(before), dense.log_sum(before))
        assert_close(fast.best(before), dense.best(before))


@settings(deadline=None)
@given(cases())
def test_expected_counts_are_those_of_all_transitions(case: Case) -> None:
    results = []
    for transitions in case.both():
        alphas = case.alphas.clone()
        for t, alpha in enumerate(alphas[1:]):
            alpha += transitions.log_sum(alphas[t])
        # only what has a legal path may be asked for
        legal = alphas[-1] > NEVER / 2
        tags = torch.zeros_like(alphas)
        tags[-1] = case.last.to(tags.dtype) * legal
        results.append((transitions.expected(alphas, tags), tags))
    (counts, tags), (all_counts, all_tags) = results
    scale = 1e-3 if tags.dtype == torch.float32 else 1e-9
    assert torch.allclose(tags, all_tags, rtol=scale, atol=scale)
    assert torch.allclose(counts, all_counts, rtol=scale, atol=scale)
    assert (counts[case.table < NEVER / 2] == 0).all()
    # each token but the last stands before another
    totals = counts.sum() / max(1, len(tags) - 1)
    assert torch.allclose(totals, tags[-1].sum(), rtol=1e-3) or len(tags) == 1


def test_a_sum_keeps_what_is_far_below_the_largest() -> None:
    """An entity that has begun against all odds is not lost."""
    scheme = TagScheme("BILUO", ("A", "B", "C"))
    table = torch.zeros(len(scheme.tags), len(scheme.tags))
    table[~torch.from_numpy(scheme.legal_transitions)] = NEVER
    before = torch.zeros(len(scheme.tags), 1)
    begun, inside = scheme.tags.index("B-B"), scheme.tags.index("I-B")
    before[begun] = before[inside] = -5000.0
    into = transitions_of(table, 1, large=0).log_sum(before)
    assert float(into[scheme.tags.index("L-B")]) == pytest.approx(math.log(2) - 5000)


def tables_of_another_form() -> List[Tensor]:
    scheme = TagScheme("BILUO", ("A", "B", "C"))
    n_tags = len(scheme.tags)
    legal = torch.zeros(n_tags, n_tags)
    legal[~torch.from_numpy(scheme.legal_transitions)] = NEVER
    holes, far, dense, nothing = legal.clone(), legal.clone(), legal.clone(), legal
    holes[0, 0] = NEVER
    far[0, 0] = 200.0
    inside = scheme.tags.index("I-A")
    dense[[scheme.tags.index("B-B"), scheme.tags.index("B-C")], inside] = 0.0
    nothing = torch.full_like(legal, NEVER)
    return [holes, far, dense, nothing, torch.zeros(1, 1), torch.zeros(2, 2)]


@pytest.mark.parametrize("table", tables_of_another_form())
def test_a_table_of_another_form_is_taken_as_it_is(table: Tensor) -> None:
    assert isinstance(transitions_of(table, 1, large=0), DenseTransitions)


def test_few_numbers_are_taken_one_by_one() -> None:
    table = torch.zeros(9, 9)
    assert isinstance(transitions_of(table, 1, large=100), DenseTransitions)
    assert isinstance(transitions_of(table, 2, large=100), SchemeTransitions)
