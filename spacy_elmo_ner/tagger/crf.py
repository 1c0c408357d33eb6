"""Linear-chain conditional random field as pure functions of tensors.

A path y of a sequence with emissions e has the score
    start[y_1] + Σ_t e[t, y_t] + Σ_t transitions[y_t, y_t+1] + end[y_n]
(Lafferty, McCallum and Pereira 2001; the recursions as in Rabiner 1989, eqs. 18-37, in
log space). All functions take a padded batch and loop only over time. Shapes: B
sequences, L tokens (padded), T tags.

    emissions (B, L, T)  float32 or float64, finite within the lengths
    lengths   (B,)       int64, 0 to L; what stands beyond a length is never looked at
    allowed   (B, L, T)  bool, the tags that a token may take; None is all of them

With many tags, what a tag scheme forbids is not computed, see `transitions`.
"""

from typing import Optional

import torch
from torch import Tensor

from .forward_backward import (
    expected_counts,
    for_sums,
    forward_scores,
    last_token,
    log_sum,
    time_major,
    token_mask,
    total_score,
)
from .parameters import IMPOSSIBLE, NEVER, CrfParameters


def path_score(
    emissions: Tensor, lengths: Tensor, parameters: CrfParameters, tags: Tensor
) -> Tensor:
    """(B,) float64: the score of one path a sequence, tags (B, L) int64.

    An empty sequence has the score 0. Differentiable.
    """
    if emissions.shape[1] == 0:
        return emissions.sum((1, 2), dtype=torch.float64)
    inside = token_mask(emissions, lengths)
    tags = tags.clamp(min=0)
    at_tokens = emissions.gather(2, tags.unsqueeze(2)).squeeze(2)
    between = parameters.transitions[tags[:, :-1], tags[:, 1:]]
    last = tags.gather(1, last_token(lengths).unsqueeze(1)).squeeze(1)
    ends = parameters.start[tags[:, 0]] + parameters.end[last]
    return (
        at_tokens.masked_fill(~inside, 0).sum(1, dtype=torch.float64)
        + between.masked_fill(~inside[:, 1:], 0).sum(1, dtype=torch.float64)
        + ends.masked_fill(lengths == 0, 0)
    )


def log_partition(
    emissions: Tensor,
    lengths: Tensor,
    parameters: CrfParameters,
    allowed: Optional[Tensor] = None,
) -> Tensor:
    """(B,): log Σ exp(score) over all paths; 0 for an empty sequence.

    Differentiable once, in emissions and parameters. A sequence without a legal path has a
    value below NEVER / 2 and no gradient.
    """
    return log_sum(emissions, lengths, parameters, allowed).to(emissions.dtype)


def log_likelihood(
    emissions: Tensor,
    lengths: Tensor,
    parameters: CrfParameters,
    known: Tensor,
    allowed: Optional[Tensor] = None,
) -> Tensor:
    """(B,): log probability that the path agrees with what is known.

    A sequence whose known tags admit no legal path has nothing for the model to learn: it
    gives exactly 0 and no gradient.

    Args:
        emissions: Scores of the tags, (B, L, T).
        lengths: Tokens of each sequence, int64 (B,).
        parameters: Of the CRF.
        known: The tags that agree with the annotation, bool (B, L, T). With one tag for
            each token this is the ordinary likelihood. A row of all tags stands for a
            token of which nothing is known; the sum over its tags is taken (Tsuboi et al.
            2008, eq. 2).
        allowed: The tags that a path may take, bool (B, L, T); None for all.
    """
    if allowed is not None:
        known = known & allowed
    single = (known.sum(2) == 1) | ~token_mask(emissions, lengths)
    only = single.all(1)
    # Summing over one path needs no recursion. Rows with a choice are done apart.
    path = known.to(torch.uint8).argmax(2) if known.numel() else known.sum(2)
    agreeing = path_score(emissions, lengths, parameters, path)
    rows = (~only).nonzero().squeeze(1)
    if len(rows):
        open_rows = log_sum(emissions[rows], lengths[rows], parameters, known[rows])
        agreeing = agreeing.index_copy(0, rows, open_rows)
    every = log_sum(emissions, lengths, parameters, allowed)
    legal = (agreeing > IMPOSSIBLE) & (every > IMPOSSIBLE)
    return (agreeing - every).masked_fill(~legal, 0).to(emissions.dtype)


def tag_marginals(
    emissions: Tensor,
    lengths: Tensor,
    parameters: CrfParameters,
    allowed: Optional[Tensor] = None,
) -> Tensor:
    """(B, L, T): the probability of each tag at each token.

    0 beyond the length and in a sequence without a legal path. Not differentiable.
    """
    with torch.no_grad():
        steps = time_major(emissions, lengths, allowed)
        table = for_sums(parameters.transitions, steps)
        alphas, shifts = forward_scores(steps, table, parameters.start)
        total = total_score(alphas, shifts, parameters.end, lengths)
        legal = (total > IMPOSSIBLE).to(emissions.dtype)
        marginals, _ = expected_counts(alphas, lengths, table, parameters.end, legal)
        return marginals[: emissions.shape[1]].permute(2, 0, 1)


def span_log_probability(
    emissions: Tensor,
    lengths: Tensor,
    parameters: CrfParameters,
    rows: Tensor,
    starts: Tensor,
    span_tags: Tensor,
    forbidden_next: Tensor,
    allowed: Optional[Tensor] = None,
) -> Tensor:
    """(S,): the log probability that a path runs through each of S spans; -inf if a span
    is impossible.

    One forward and one backward recursion serve all spans. Not differentiable.

    Args:
        emissions: Scores of the tags, (B, L, T).
        lengths: Tokens of each sequence, int64 (B,).
        parameters: Of the CRF.
        rows: The sequence of each span, int64 (S,).
        starts: The first token of each span, int64 (S,).
        span_tags: The tags of its tokens, at least one, padded with -1, int64 (S, M).
        forbidden_next: The tags that the token after the span must not have, bool (S, T).
            In BIO this is the I- tag that would make the entity longer.
        allowed: The tags that a path may take, bool (B, L, T); None for all.

    Raises:
        ValueError: If a span is empty or leaves its sequence.
    """
    widths = (span_tags >= 0).sum(1)
    stops = starts + widths
    if bool(((starts < 0) | (widths < 1) | (stops > lengths[rows])).any()):
        raise ValueError(
            "A span of which the probability is asked is empty or leaves its sequence; "
            "pass spans within the lengths."
        )
    with torch.no_grad():
        steps = time_major(emissions, lengths, allowed)
        alphas, taken = forward_scores(
            steps, for_sums(parameters.transitions, steps), parameters.start
        )
        legal = total_score(alphas, taken, parameters.end, lengths)[rows] > IMPOSSIBLE
        # Read from the end, the sequence is a CRF with the transitions reversed:
        # its forward scores are emission + backward score.
        times = torch.arange(len(steps), device=steps.device).unsqueeze(1)
        backwards = (lengths - 1 - times).clamp(min=0).unsqueeze(1).expand_as(steps)
        betas, shifts = forward_scores(
            steps.gather(0, backwards),
            for_sums(parameters.transitions.t(), steps),
            parameters.end,
        )
        from_end = shifts.cumsum(0)

        def tail(token: Tensor) -> Tensor:
            back = (lengths[rows] - 1 - token).clamp(min=0)
            return betas[back, :, rows] + from_end[back, rows].unsqueeze(1)

        tags = span_tags.clamp(min=0)
        head = alphas[starts, :, rows].double()
        # The sum over all paths, taken at the span's first token: what was taken out of
        # the forward scores there is missing from both sides and cancels.
        every = (head + tail(starts) - steps[starts, :, rows]).logsumexp(1)

        offsets = torch.arange(1, span_tags.shape[1], device=steps.device)
        inner = (starts.unsqueeze(1) + offsets).clamp(max=len(steps) - 1)
        within = steps[inner, tags[:, 1:], rows.unsqueeze(1)].double()
        within = within + parameters.transitions[tags[:, :-1], tags[:, 1:]]
        within = within.masked_fill(span_tags[:, 1:] < 0, 0).sum(1)

        final = tags.gather(1, widths.unsqueeze(1) - 1).squeeze(1)
        onward = (tail(stops) + parameters.transitions[final]).masked_fill(
            forbidden_next, NEVER
        )
        after = torch.where(
            stops < lengths[rows], onward.logsumexp(1), parameters.end[final].double()
        )
        through = head.gather(1, tags[:, :1]).squeeze(1) + within + after
        impossible = ~legal | (through < IMPOSSIBLE)
        probability = (through - every).clamp(max=0)
        return probability.masked_fill(impossible, -float("inf")).to(emissions.dtype)
