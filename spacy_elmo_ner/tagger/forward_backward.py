"""The recursions behind the CRF: forward scores, log Z with its gradient, expected
counts.

Inside, tensors are laid out (L, T, B): tokens, tags, sequences. The reduction over the
previous tag then runs over rows that are contiguous in memory. `crf` describes the
arguments.
"""

from typing import Any, Optional, Tuple

import torch
from torch import Tensor

from .parameters import IMPOSSIBLE, NEVER, CrfParameters
from .transitions import Transitions, transitions_of

# Scores grow with the sequence and so would lose digits: after this many steps their
# maximum is subtracted (and summed separately, in float64, where it is needed).
RENORMALISE = 8

# From this many numbers per step, a tag scheme beats all transitions one by one.
_LARGE = 2**13


def log_sum(
    emissions: Tensor,
    lengths: Tensor,
    parameters: CrfParameters,
    allowed: Optional[Tensor],
) -> Tensor:
    """float64 (B,): log Z, precise enough for the difference of two of them."""
    total: Tensor = _LogSum.apply(  # type: ignore[no-untyped-call]
        emissions, lengths, *parameters, allowed
    )
    return total


class _LogSum(torch.autograd.Function):
    """The gradient of log Z is how often each tag and transition is expected, which a
    backward recursion gives without a graph through time."""

    @staticmethod
    def forward(
        ctx: Any,
        emissions: Tensor,
        lengths: Tensor,
        transitions: Tensor,
        start: Tensor,
        end: Tensor,
        allowed: Optional[Tensor],
    ) -> Tensor:
        steps = time_major(emissions, lengths, allowed)
        table = for_sums(transitions, steps)
        alphas, shifts = forward_scores(steps, table, start)
        total = total_score(alphas, shifts, end, lengths)
        ctx.save_for_backward(alphas, lengths, end, total)
        ctx.table = table
        ctx.n_tokens = emissions.shape[1]
        return total

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> Tuple[Optional[Tensor], ...]:
        alphas, lengths, end, total = ctx.saved_tensors
        weights = (gradient * (total > IMPOSSIBLE)).to(alphas.dtype)
        tags, expected = expected_counts(alphas, lengths, ctx.table, end, weights)
        return (tags[: ctx.n_tokens].permute(2, 0, 1), None, *expected, None)


def for_sums(transitions: Tensor, steps: Tensor) -> Transitions:
    """The transitions as the recursions over sums take them; `steps` from `time_major`."""
    return transitions_of(transitions, steps.shape[2], large=_LARGE)


def forward_scores(
    steps: Tensor, transitions: Transitions, start: Tensor
) -> Tuple[Tensor, Tensor]:
    """Forward scores (L, T, B) and what was subtracted from them at each step, float64
    (L, B), and is missing from then on (Rabiner 1989, eqs. 19-20, in log space)."""
    alphas = steps.clone()
    alphas[0] += start.unsqueeze(1)
    shifts = steps.new_zeros((steps.shape[0], steps.shape[2]), dtype=torch.float64)
    before = alphas[0]
    for t, alpha in enumerate(alphas.unbind(0)):
        if t:
            alpha += transitions.log_sum(before)
        if t % RENORMALISE == 0:
            shift = alpha.amax(0)
            alpha -= shift
            shifts[t] = shift
        before = alpha
    return alphas, shifts


def total_score(alphas: Tensor, shifts: Tensor, end: Tensor, lengths: Tensor) -> Tensor:
    """float64 (B,): log Z from the forward scores; 0 for an empty sequence."""
    columns = torch.arange(alphas.shape[2], device=alphas.device)
    last = last_token(lengths)
    ends = (alphas[last, :, columns] + end).double().logsumexp(1)
    total = ends + shifts.cumsum(0)[last, columns]
    return total.masked_fill(lengths == 0, 0)


def expected_counts(
    alphas: Tensor,
    lengths: Tensor,
    transitions: Transitions,
    end: Tensor,
    weights: Tensor,
) -> Tuple[Tensor, CrfParameters]:
    """How often each tag is expected at each token (L, T, B) and, over all sequences,
    each transition, first and last tag. Each sequence counts times its weight (B,)."""
    tags = torch.zeros_like(alphas)
    columns = torch.arange(alphas.shape[2], device=alphas.device)
    last = last_token(lengths)
    weights = weights.masked_fill(lengths == 0, 0).unsqueeze(1)
    ends = (alphas[last, :, columns] + end).softmax(1) * weights
    tags[last, :, columns] = ends
    counts = transitions.expected(alphas, tags)
    return tags, CrfParameters(counts, tags[0].sum(1), ends.sum(0))


def time_major(emissions: Tensor, lengths: Tensor, allowed: Optional[Tensor]) -> Tensor:
    """(B, L, T) → (max(L, 1), T, B) contiguous, with NEVER where a tag is not allowed.

    Beyond the length only the first tag is allowed, with 0, so that there is only one
    path.
    """
    if allowed is not None:
        emissions = emissions.masked_fill(~allowed, NEVER)
    if emissions.shape[1] == 0:
        emissions = emissions.new_zeros(len(emissions), 1, emissions.shape[2])
    beyond = ~token_mask(emissions, lengths).unsqueeze(2)
    steps = emissions.masked_fill(beyond, NEVER)
    steps[..., :1].masked_fill_(beyond, 0)
    return steps.permute(1, 2, 0).contiguous()


def token_mask(emissions: Tensor, lengths: Tensor) -> Tensor:
    """bool (B, L): where a token is and not padding."""
    times = torch.arange(emissions.shape[1], device=emissions.device)
    return times < lengths.unsqueeze(1)


def last_token(lengths: Tensor) -> Tensor:
    """(B,): place of the last token; 0 in an empty sequence."""
    return (lengths - 1).clamp(min=0)
