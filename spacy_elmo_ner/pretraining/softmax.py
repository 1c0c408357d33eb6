"""The language model's output layer: sampled for training, exact for evaluation.

Sampled softmax: Jean et al. 2015 (arXiv:1412.2007), section 3, with the candidates of
Józefowicz et al. 2016 (arXiv:1602.02410), section 3.1: distinct words, drawn by Zipf's
law, the same for the whole batch.
"""

import math
from typing import Any, Optional, Sequence, Tuple

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from ..kernels.autocast import product_dtype

# rows whose logits are computed at a time
ROWS_AT_A_TIME = 1024


class Softmax(nn.Module):
    """Scores of the V words of the vocabulary, the most frequent first.

    Only the weights of the candidates get gradients, which are sparse.
    """

    def __init__(self, n_words: int, width: int) -> None:
        super().__init__()
        self.weight = nn.Embedding(n_words, width, sparse=True)
        self.bias = nn.Embedding(n_words, 1, sparse=True)
        nn.init.normal_(self.weight.weight, std=width**-0.5)
        nn.init.zeros_(self.bias.weight)

    def sampled_loss(
        self, hidden: Tensor, targets: Tensor, candidates: "Candidates"
    ) -> Tensor:
        """Sum of -log p over n rows, p among the candidates and the row's own target.

        The logits are corrected by how often each word is expected among the
        candidates.

        Args:
            hidden: (n, width).
            targets: (n,).
            candidates: The sampled words.
        """
        present, index = torch.unique(targets, return_inverse=True)
        rows = torch.cat([candidates.words, present])
        n = len(candidates.words)
        log_expected = log_expected_counts(
            rows, len(self.weight.weight), candidates.draws
        )
        # if a row's target is among the candidates, it only counts as the target
        place = candidates.words.new_full((len(self.weight.weight),), -1)
        place[candidates.words] = torch.arange(n, device=place.device)
        loss: Tensor = SampledLoss.apply(  # type: ignore[no-untyped-call]
            hidden,
            self.weight(rows),
            self.bias(rows).squeeze(1) - log_expected,
            n + index,
            place[targets],
            n,
        )
        return loss

    def full_loss(self, hidden: Tensor, targets: Tensor) -> Tensor:
        """Sum of -log p over n rows, p among all V words, without a gradient.

        Args:
            hidden: (n, width).
            targets: (n,).
        """
        total = hidden.new_zeros((), dtype=torch.float64)
        with torch.no_grad():
            for some, wanted in zip(
                hidden.split(ROWS_AT_A_TIME), targets.split(ROWS_AT_A_TIME), strict=True
            ):
                logits = F.linear(some, self.weight.weight, self.bias.weight.squeeze(1))
                total += F.cross_entropy(logits.float(), wanted, reduction="sum")
        return total


class Candidates:
    """Distinct words drawn by Zipf's law, always the same ones for the same seed.

    Attributes:
        words: (n,), or all V words if there are fewer.
        draws: How many were drawn until n were distinct.
    """

    def __init__(self, n: int, n_words: int, seed: Sequence[int]) -> None:
        random = np.random.default_rng(seed)
        words = np.arange(n_words)
        self.draws = math.inf
        if n < n_words:
            drawn = np.zeros(0, dtype=np.int64)
            while len(words) != n:
                # the inverse of log(k + 1) / log(V + 1), the share of the first k words
                uniform = random.random(2 * n)
                more = np.exp(uniform * math.log(n_words + 1)).astype(np.int64) - 1
                drawn = np.concatenate([drawn, more.clip(0, n_words - 1)])
                words, first = np.unique(drawn, return_index=True)
                if len(words) >= n:
                    kept = np.argsort(first)[:n]
                    words, self.draws = words[kept], float(first[kept[-1]] + 1)
        self.words = torch.from_numpy(words)

    def to(self, device: torch.device) -> "Candidates":
        """Move the words to a device."""
        self.words = self.words.to(device)
        return self


def log_expected_counts(words: Tensor, n_words: int, draws: float) -> Tensor:
    """log(1 - (1 - p)^draws) of each word, p = log((k + 2) / (k + 1)) / log(V + 1).

    Args:
        words: Ranks k, (n,).
        n_words: V.
        draws: How many words were drawn, infinity for all.

    Returns:
        (n,)
    """
    if math.isinf(draws):
        return torch.zeros(len(words), device=words.device)
    k = words.double()
    p = torch.log((k + 2) / (k + 1)) / math.log(n_words + 1)
    return torch.log(-torch.expm1(draws * torch.log1p(-p))).float()


class SampledLoss(torch.autograd.Function):
    """Sum of the rows' losses, with the gradient computed in the forward pass.

    Both are computed for some rows at a time, so that the logits are computed once and
    never kept.
    """

    @staticmethod
    def forward(
        ctx: Any,
        hidden: Tensor,
        weight: Tensor,
        bias: Tensor,
        target: Tensor,
        hit: Tensor,
        n_candidates: int,
    ) -> Tensor:
        """The sum of the losses.

        Args:
            ctx: torch's context.
            hidden: (N, width).
            weight: (U, width), the first `n_candidates` rows those of the candidates.
            bias: (U,).
            target: Each row's target as a row of `weight`, (N,).
            hit: The target's index among the candidates, or -1, (N,).
            n_candidates: How many candidates there are.

        Returns:
            A scalar.
        """
        dtype = product_dtype(hidden)
        weights = weight.to(dtype)
        of_candidates = weights[:n_candidates].t()
        d_hidden = torch.empty_like(hidden)
        d_candidates = torch.zeros_like(weight[:n_candidates])
        d_targets = torch.zeros_like(weight)
        d_bias = torch.zeros_like(bias)
        total = hidden.new_zeros((), dtype=torch.float64)
        for start in range(0, len(hidden), ROWS_AT_A_TIME):
            rows = slice(start, start + ROWS_AT_A_TIME)
            wanted, there = target[rows], hit[rows]
            some = hidden[rows].to(dtype)
            target_weight = weights[wanted]
            true = (some.float() * target_weight.float()).sum(1) + bias[wanted]
            logits = (some @ of_candidates).float().add_(bias[:n_candidates])
            is_hit = (there >= 0).nonzero().squeeze(1)
            logits[is_hit, there[is_hit]] = -math.inf
            largest = torch.maximum(logits.amax(1), true)
            exp = logits.sub_(largest[:, None]).exp_()
            exp_true = torch.exp(true - largest)
            sums = exp.sum(1) + exp_true
            total += (sums.log() + largest - true).double().sum()
            # softmax - one-hot
            d_logits = exp.div_(sums[:, None])
            d_true = exp_true / sums - 1
            d_low = d_logits.to(dtype)
            d_hidden[rows] = (
                (d_low @ weights[:n_candidates])
                .to(hidden.dtype)
                .addcmul_(d_true[:, None], target_weight.to(hidden.dtype))
            )
            d_candidates += d_low.t() @ some
            d_targets.index_add_(0, wanted, d_true[:, None] * some.float())
            d_bias[:n_candidates] += d_logits.sum(0)
            d_bias.index_add_(0, wanted, d_true)
        d_targets[:n_candidates] += d_candidates
        ctx.save_for_backward(d_hidden, d_targets, d_bias)
        return total.to(hidden.dtype)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, d_loss: Tensor) -> Tuple[Optional[Tensor], ...]:
        """Scale the gradients that the forward pass has computed."""
        d_hidden, d_weight, d_bias = ctx.saved_tensors
        return d_hidden * d_loss, d_weight * d_loss, d_bias * d_loss, None, None, None
