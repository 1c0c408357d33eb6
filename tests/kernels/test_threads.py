import threading
from functools import partial
from typing import List, Tuple

import numpy as np
import pytest
import torch
from torch import Tensor

from spacy_elmo_ner.bilm.lstm import BiLM
from spacy_elmo_ner.bilm.options import ElmoOptions
from spacy_elmo_ner.kernels.threads import (
    SETTING,
    free_threads,
    in_parallel,
    own_threads,
    rows_in_parallel,
)

OPTIONS = ElmoOptions(
    filters=((1, 8),), n_highway=1, lstm_width=96, projection_width=40
)


def seen_by(i: int) -> Tuple[int, int, int]:
    return i, torch.get_num_threads(), threading.get_ident()


@pytest.mark.skipif(
    not torch.backends.openmp.is_available(), reason="this torch has no OpenMP"
)
def test_torch_has_one_thread_in_each_and_all_others_keep_theirs(threads: int) -> None:
    met = threading.Barrier(threads, timeout=10)

    def meet(i: int) -> Tuple[int, int, int]:
        met.wait()
        return seen_by(i)

    with own_threads():
        seen = in_parallel([partial(meet, i) for i in range(threads)])
        # of a thread that starts meanwhile, too
        later = []
        thread = threading.Thread(target=lambda: later.append(torch.get_num_threads()))
        thread.start()
        thread.join()
    assert [i for i, _, _ in seen] == list(range(threads))
    assert {share for _, share, _ in seen} == {1}
    assert len({thread for _, _, thread in seen}) == threads
    assert torch.get_num_threads() == threads
    assert later == [threads]


def test_a_gpu_is_told_all_by_the_thread_that_calls(threads: int) -> None:
    with own_threads(), own_threads("cuda"):
        seen = in_parallel([partial(seen_by, i) for i in range(threads)])
        assert {thread for *_, thread in seen} == {threading.get_ident()}
    with own_threads("cuda"):
        seen = in_parallel([partial(seen_by, i) for i in range(threads)])
    assert {thread for *_, thread in seen} == {threading.get_ident()}
    assert torch.get_num_threads() == threads


def test_more_calls_thathreads_and_calls_within_calls(threads: int) -> None:
    def inner(i: int) -> List[Tuple[int, int, int]]:
        return in_parallel([partial(seen_by, 10 * i + k) for k in range(4)])

    with own_threads():
        seen = in_parallel([partial(inner, i) for i in range(9)])
    assert [[i for i, _, _ in of_call] for of_call in seen] == [
        [10 * i + k for k in range(4)] for i in range(9)
    ]
    used = {thread for of_call in seen for _, _, thread in of_call}
    assert len(used) <= 5


def test_calls_are_made_in_turn_by_those_who_did_not_ask_for_threads(
    threads: int,
) -> None:
    with torch.no_grad():
        seen = in_parallel([partial(seen_by, i) for i in range(3)])
    assert {thread for _, _, thread in seen} == {threading.get_ident()}


def test_no_gradients_and_errors_come_back(threads: int) -> None:
    weight = torch.ones(1, requires_grad=True)

    def fail(i: int) -> None:
        raise ValueError(f"call {i}")

    with own_threads():
        outs = in_parallel([lambda: weight * 2] * 3)
        assert not any(out.requires_grad for out in outs)
        for bad in range(3):
            calls = [partial(fail if i == bad else seen_by, i) for i in range(3)]
            with pytest.raises(ValueError, match=f"call {bad}"):
                in_parallel(calls)
        assert in_parallel([lambda: 1, lambda: 2, lambda: 3]) == [1, 2, 3]
    assert (weight * 2).requires_grad
    assert all(out.requires_grad for out in in_parallel([lambda: weight * 2] * 3))


@pytest.mark.parametrize("n", [0, 1, 2, 7, 33])
def test_parts_are_put_together_in_order(threads: int, n: int) -> None:
    rows = torch.randn(n, 3)
    sizes: List[int] = []

    def double(part: Tensor) -> Tensor:
        sizes.append(len(part))
        return part * 2

    with own_threads():
        twice = rows_in_parallel(double, rows)
    assert torch.equal(twice, rows * 2)
    assert len(sizes) <= threads and max(sizes) <= -(-n // threads)


def test_autocast_is_seen(threads: int) -> None:
    with torch.autocast("cpu", dtype=torch.bfloat16), own_threads():
        products = in_parallel([lambda: torch.ones(1, 1) @ torch.ones(1, 1)] * 2)
    assert {product.dtype for product in products} == {torch.bfloat16}


@pytest.mark.parametrize("guard", [torch.no_grad, torch.inference_mode])
def test_vectors_are_those_of_one_thread_and_those_that_are_learnt_from(
    threads: int, guard: type
) -> None:
    torch.manual_seed(0)
    bilm = BiLM(OPTIONS, "float32")
    types = torch.randn(7, OPTIONS.projection_width)
    lengths = [5, 1, 9]
    tokens = torch.randint(7, (sum(lengths),))
    with guard():
        with own_threads():
            layers, state = bilm(types, tokens, lengths)
        torch.set_num_threads(1)
        expected, expected_state = bilm(types, tokens, lengths)
    learnt_from, _ = bilm(types, tokens, lengths)
    for found, alone, learnt in zip(layers, expected, learnt_from, strict=True):
        np.testing.assert_allclose(found.numpy(), alone.numpy(), atol=1e-6)
        np.testing.assert_allclose(found.numpy(), learnt.detach().numpy(), atol=1e-6)
    torch.testing.assert_close(state.cell, expected_state.cell)


def test_the_environment_says_how_many_threads(
    threads: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    met = threading.Barrier(4, timeout=10)
    monkeypatch.setenv(SETTING, "4")
    with own_threads():
        assert free_threads("cpu") == 4
        # more than torch has, and at once
        assert len(in_parallel([met.wait] * 4)) == 4
    monkeypatch.setenv(SETTING, "1")
    with own_threads():
        assert free_threads("cpu") == 1
    monkeypatch.setenv(SETTING, "")
    with own_threads():
        assert free_threads("cpu") == threads


@pytest.mark.parametrize("setting", ["0", "-1", "two", "1.5", "²", " "])
def test_a_number_of_threads_that_is_none(
    setting: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(SETTING, setting)
    with pytest.raises(ValueError, match="SPACY_ELMO_NER_THREADS"):
        with own_threads():
            pass
    # nothing is left of it
    monkeypatch.delenv(SETTING)
    with own_threads():
        assert free_threads("cpu") >= 1
