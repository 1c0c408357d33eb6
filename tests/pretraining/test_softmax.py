"""The sampled softmax against torch's cross entropy and autograd, in float64."""

import math
from typing import Tuple

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from spacy_elmo_ner.pretraining import softmax as module
from spacy_elmo_ner.pretraining.softmax import (
    Candidates,
    Softmax,
    log_expected_counts,
)

V, WIDTH = 60, 9


@pytest.fixture(params=[7, 1024], ids=lambda n: f"{n} rows at a time")
def softmax(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Softmax:
    """A softmax whose biases are not zero; rows fit into one go or do not."""
    monkeypatch.setattr(module, "ROWS_AT_A_TIME", request.param)
    torch.manual_seed(0)
    layer = Softmax(V, WIDTH)
    torch.nn.init.normal_(layer.bias.weight)
    return layer


def rows(n: int = 50, scale: float = 2.0) -> Tuple[Tensor, Tensor]:
    """Hidden vectors, and targets that repeat and of which one is frequent."""
    generator = torch.Generator().manual_seed(n)
    hidden = scale * torch.randn(n, WIDTH, generator=generator)
    targets = torch.randint(V, (n,), generator=generator)
    targets[: n // 3] = 2
    return hidden.requires_grad_(), targets


def exact_copies(softmax: Softmax, hidden: Tensor) -> Tuple[Tensor, Tensor, Tensor]:
    """float64 leaves: hidden, weight (V, width), bias (V,)."""
    leaves = (hidden, softmax.weight.weight, softmax.bias.weight[:, 0])
    first, second, third = (x.detach().double().requires_grad_() for x in leaves)
    return first, second, third


def naive_loss(
    hidden: Tensor,
    weight: Tensor,
    bias: Tensor,
    targets: Tensor,
    candidates: Candidates,
) -> Tensor:
    """Row by row among the target and the other candidates."""
    share = [math.log((k + 2) / (k + 1)) / math.log(V + 1) for k in range(V)]
    total = torch.zeros(())
    for row, target in zip(hidden, targets.tolist(), strict=True):
        others = [word for word in candidates.words.tolist() if word != target]
        logits = []
        for word in [target, *others]:
            logit = row @ weight[word] + bias[word]
            if candidates.draws < math.inf:
                logit = logit - math.log(1 - (1 - share[word]) ** candidates.draws)
            logits.append(logit)
        total = total - torch.log_softmax(torch.stack(logits), 0)[0]
    return total


def gradients(
    loss: Tensor, softmax: Softmax, hidden: Tensor
) -> Tuple[Tensor, Tensor, Tensor]:
    softmax.zero_grad()
    hidden.grad = None
    (3 * loss).backward()
    weight, bias = (x.weight.grad.to_dense() for x in (softmax.weight, softmax.bias))
    assert hidden.grad is not None
    return hidden.grad, weight, bias[:, 0]


def test_with_all_words_as_candidates_it_is_the_cross_entropy(softmax: Softmax) -> None:
    hidden, targets = rows()
    candidates = Candidates(V, V, [0])
    assert sorted(candidates.words.tolist()) == list(range(V))
    loss = softmax.sampled_loss(hidden, targets, candidates)
    copies = exact_copies(softmax, hidden)
    expected = F.cross_entropy(F.linear(*copies), targets, reduction="sum")
    for ours in (loss, softmax.full_loss(hidden, targets)):
        torch.testing.assert_close(ours.double(), expected, rtol=1e-5, atol=0)
    (3 * expected).backward()
    for grad, copy in zip(gradients(loss, softmax, hidden), copies, strict=True):
        torch.testing.assert_close(grad.double(), copy.grad, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("n", [1, 2, 8, 40, V - 1])
def test_with_few_candidates_loss_and_gradients_are_those_of_autograd(
    softmax: Softmax, n: int
) -> None:
    hidden, targets = rows()
    candidates = Candidates(n, V, [5])
    inside = torch.isin(targets, candidates.words)
    if 2 <= n <= 40:
        # both kinds of targets
        assert inside.any() and not inside.all()
    loss = softmax.sampled_loss(hidden, targets, candidates)
    copies = exact_copies(softmax, hidden)
    expected = naive_loss(*copies, targets, candidates)
    torch.testing.assert_close(loss.double(), expected, rtol=1e-5, atol=1e-4)
    (3 * expected).backward()
    for grad, copy in zip(gradients(loss, softmax, hidden), copies, strict=True):
        torch.testing.assert_close(grad.double(), copy.grad, rtol=1e-4, atol=1e-4)


def test_only_candidates_and_targets_get_gradients(softmax: Softmax) -> None:
    hidden, targets = rows(4)
    candidates = Candidates(5, V, [1])
    softmax.sampled_loss(hidden, targets, candidates).backward()
    touched = {*targets.tolist(), *candidates.words.tolist()}
    for parameter in softmax.parameters():
        assert set(parameter.grad.coalesce().indices()[0].tolist()) == touched


def test_more_rows_than_are_taken_at_a_time_by_default() -> None:
    torch.manual_seed(0)
    layer = Softmax(V, WIDTH)
    hidden, targets = rows(module.ROWS_AT_A_TIME + 3)
    logits = F.linear(hidden.double(), layer.weight.weight.double())
    expected = F.cross_entropy(logits, targets, reduction="sum")
    ours = layer.sampled_loss(hidden, targets, Candidates(V, V, [0]))
    for loss in (ours, layer.full_loss(hidden, targets)):
        torch.testing.assert_close(loss.double(), expected, rtol=1e-5, atol=0)


def test_large_scores_overflow_nowhere(softmax: Softmax) -> None:
    hidden, targets = rows(scale=300.0)
    candidates = Candidates(8, V, [0])
    loss = softmax.sampled_loss(hidden, targets, candidates)
    expected = naive_loss(*exact_copies(softmax, hidden), targets, candidates)
    torch.testing.assert_close(loss.double(), expected, rtol=1e-5, atol=0)
    assert all(grad.isfinite().all() for grad in gradients(loss, softmax, hidden))


def test_autocast_is_close_and_gradients_keep_their_type(softmax: Softmax) -> None:
    hidden, targets = rows()
    candidates = Candidates(20, V, [0])
    with torch.autocast("cpu", dtype=torch.bfloat16):
        loss = softmax.sampled_loss(hidden, targets, candidates)
    copies = exact_copies(softmax, hidden)
    expected = naive_loss(*copies, targets, candidates)
    torch.testing.assert_close(loss.double(), expected, rtol=0.01, atol=0)
    (3 * expected).backward()
    for grad, copy in zip(gradients(loss, softmax, hidden), copies, strict=True):
        assert grad.dtype == torch.float32
        cosine = torch.cosine_similarity(
            grad.double().flatten(), copy.grad.flatten(), 0
        )
        assert cosine > 0.99


@pytest.mark.parametrize("n", [1, 5, V - 1, V, V + 10])
def test_candidates_are_distinct_words_and_the_same_for_a_seed(n: int) -> None:
    for seed in range(20):
        candidates = Candidates(n, V, [seed, 3])
        words = candidates.words.tolist()
        assert len(set(words)) == len(words) == min(n, V)
        assert 0 <= min(words) and max(words) < V
        assert candidates.draws >= len(words)
        again = Candidates(n, V, [seed, 3])
        assert again.words.tolist() == words and again.draws == candidates.draws
    assert (
        Candidates(5, V, [0, 4]).words.tolist()
        != Candidates(5, V, [0, 3]).words.tolist()
    )


def test_words_are_drawn_by_zipfs_law() -> None:
    n_words, n_seeds = 7, 6000
    firsts = [Candidates(1, n_words, [seed]).words.item() for seed in range(n_seeds)]
    shares = np.bincount(firsts, minlength=n_words) / n_seeds
    # the k-th word's share of the log scale, for which 1/k stands
    expected = np.diff(np.log(np.arange(1, n_words + 2))) / np.log(n_words + 1)
    np.testing.assert_allclose(shares, expected, atol=4 * 0.5 / n_seeds**0.5)


def test_expected_counts_are_how_often_words_are_among_the_candidates() -> None:
    n, n_words, n_seeds = 10, 40, 3000
    among, expected = np.zeros(n_words), np.zeros(n_words)
    for seed in range(n_seeds):
        candidates = Candidates(n, n_words, [seed])
        among[candidates.words.numpy()] += 1 / n_seeds
        logs = log_expected_counts(torch.arange(n_words), n_words, candidates.draws)
        expected += logs.exp().numpy() / n_seeds
    # frequent words more often
    assert (np.diff(among.reshape(-1, 5).mean(1)) < 0).all()
    assert among[0] > 0.9 and among[-1] < 0.2
    # that the draws stop at the n-th word makes it an approximation
    np.testing.assert_allclose(expected, among, atol=0.05)


def test_expected_counts_of_a_number_of_draws() -> None:
    n_words, draws, n_trials = 6, 9, 20_000
    random = np.random.default_rng(0)
    shares = np.diff(np.log(np.arange(1, n_words + 2))) / np.log(n_words + 1)
    drawn = random.choice(n_words, (n_trials, draws), p=shares)
    among = [(drawn == word).any(1).mean() for word in range(n_words)]
    counts = log_expected_counts(torch.arange(n_words), n_words, draws).exp()
    np.testing.assert_allclose(counts, among, atol=0.015)
    assert (log_expected_counts(torch.arange(3), 3, math.inf) == 0).all()
