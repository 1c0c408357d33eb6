import threading
from functools import partial

import numpy as np
import pytest
import torch

from spacy_elmo_ner.bilm.lstm import BiLM
from spacy_elmo_ner.bilm.options import ElmoOptions
from spacy_elmo_ner.kernels.threads import (
    FEW_ROWS,
    in_halves_if_few,
    side_by_side,
    side_by_side_if_few,
)

LIKE = torch.zeros(1)
OPTIONS = ElmoOptions(
    filters=((1, 8),), n_highway=1, lstm_width=96, projection_width=40
)


needs_openmp = pytest.mark.skipif(
    not torch.backends.openmp.is_available(), reason="this torch has no OpenMP"
)


def seen_by(i):
    return i, torch.get_num_threads(), threading.get_ident()


@needs_openmp
@torch.no_grad()
def test_calls_share_the_threads_and_leave_their_number(threads):
    seen = side_by_side(seen_by, LIKE)
    assert [i for i, _, _ in seen] == [0, 1]
    if threads == 1:
        assert {thread for _, _, thread in seen} == {threading.get_ident()}
    else:
        assert sum(share for _, share, _ in seen) == threads
        assert len({thread for _, _, thread in seen} | {threading.get_ident()}) == 3
    assert torch.get_num_threads() == threads
    # of a thread that starts later, too
    later = []
    thread = threading.Thread(target=lambda: later.append(torch.get_num_threads()))
    thread.start()
    thread.join()
    assert later == [threads]


@torch.no_grad()
def test_calls_overlap_where_there_are_threads(threads):
    met = threading.Barrier(1 if threads == 1 else 2, timeout=10)
    side_by_side(lambda i: met.wait(), LIKE)


@torch.no_grad()
def test_no_gradients_and_errors_come_back(threads):
    weight = torch.ones(1, requires_grad=True)
    outs = side_by_side(lambda i: weight * 2, LIKE)
    assert not any(out.requires_grad for out in outs)

    def fail(i):
        raise ValueError(f"call {i}")

    with pytest.raises(ValueError, match="call 0"):
        side_by_side(fail, LIKE)
    assert side_by_side(lambda i: i, LIKE) == [0, 1]


@torch.no_grad()
@pytest.mark.parametrize("n", [0, 1, 2, 7, FEW_ROWS + 1])
def test_halves_are_put_together_in_order(threads, n):
    rows = torch.randn(n, 3)
    assert torch.equal(in_halves_if_few(lambda half: half * 2, rows), rows * 2)


@needs_openmp
@torch.no_grad()
@pytest.mark.parametrize("n", [2, FEW_ROWS, FEW_ROWS + 1])
def test_few_rows_are_worked_on_at_once_and_many_with_all_threads(threads, n):
    rows = torch.zeros(n, 1)
    is_shared = threads > 1 and n <= FEW_ROWS
    seen = side_by_side_if_few(partial(seen_by, 0), partial(seen_by, 1), rows)
    assert [i for i, _, _ in seen] == [0, 1]
    assert len({thread for _, _, thread in seen}) == (2 if is_shared else 1)
    sizes = []
    in_halves_if_few(lambda some: sizes.append(len(some)) or some, rows)
    assert sorted(sizes) == ([n // 2, n // 2] if is_shared else [n])


def test_gradients_and_autocast_are_seen(threads):
    weight = torch.ones(1, requires_grad=True)
    outs = side_by_side(lambda i: weight * 2, LIKE)
    assert all(out.requires_grad for out in outs)
    with torch.no_grad(), torch.autocast("cpu", dtype=torch.bfloat16):
        products = side_by_side(lambda i: torch.ones(1, 1) @ torch.ones(1, 1), LIKE)
    assert {product.dtype for product in products} == {torch.bfloat16}


@pytest.mark.parametrize("guard", [torch.no_grad, torch.inference_mode])
def test_vectors_are_those_of_one_thread_and_those_that_are_learnt_from(threads, guard):
    torch.manual_seed(0)
    bilm = BiLM(OPTIONS, "float32")
    types = torch.randn(7, OPTIONS.projection_width)
    lengths = [5, 1, 9]
    tokens = torch.randint(7, (sum(lengths),))
    with guard():
        layers, state = bilm(types, tokens, lengths)
        torch.set_num_threads(1)
        expected, expected_state = bilm(types, tokens, lengths)
    learnt_from, _ = bilm(types, tokens, lengths)
    for found, alone, learnt in zip(layers, expected, learnt_from, strict=True):
        np.testing.assert_allclose(found.numpy(), alone.numpy(), atol=1e-6)
        np.testing.assert_allclose(found.numpy(), learnt.detach().numpy(), atol=1e-6)
    torch.testing.assert_close(state.cell, expected_state.cell)
