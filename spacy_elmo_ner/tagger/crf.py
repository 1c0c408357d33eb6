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

from typing import Optional, Tuple

import torch
from torch import Tensor

from .forward_backward import (
    RENORMALISE,
    Scores,
    expected_counts,
    for_sums,
    forward_scores,
    last_token,
    log_sum,
    time_major,
    token_mask,
    total_score,
)
from .transitions import IMPOSSIBLE, NEVER, transitions_of

# From so many numbers a step on, a tag scheme is faster than all transitions one by one.
_LARGE_FOR_BEST = 2**18
# How many paths k_best compares at a time.
_PATHS = 2**20


def restrict(
    scores: Scores, legal_transitions: Tensor, legal_start: Tensor, legal_end: Tensor
) -> Scores:
    """The scores with NEVER where the masks (bool, of the same shapes) are False.

    No gradient flows to the parameters of what is illegal.
    """
    return Scores(
        scores.transitions.masked_fill(~legal_transitions, NEVER),
        scores.start.masked_fill(~legal_start, NEVER),
        scores.end.masked_fill(~legal_end, NEVER),
    )


def path_score(
    emissions: Tensor, lengths: Tensor, scores: Scores, tags: Tensor
) -> Tensor:
    """(B,) float64: the score of one path a sequence, tags (B, L) int64.

    An empty sequence has the score 0. Differentiable.
    """
    if emissions.shape[1] == 0:
        return emissions.sum((1, 2), dtype=torch.float64)
    inside = token_mask(emissions, lengths)
    tags = tags.clamp(min=0)
    at_tokens = emissions.gather(2, tags.unsqueeze(2)).squeeze(2)
    between = scores.transitions[tags[:, :-1], tags[:, 1:]]
    last = tags.gather(1, last_token(lengths).unsqueeze(1)).squeeze(1)
    ends = scores.start[tags[:, 0]] + scores.end[last]
    return (
        at_tokens.masked_fill(~inside, 0).sum(1, dtype=torch.float64)
        + between.masked_fill(~inside[:, 1:], 0).sum(1, dtype=torch.float64)
        + ends.masked_fill(lengths == 0, 0)
    )


def log_partition(
    emissions: Tensor,
    lengths: Tensor,
    scores: Scores,
    allowed: Optional[Tensor] = None,
) -> Tensor:
    """(B,): log Σ exp(score) over all paths; 0 for an empty sequence.

    Differentiable once, in emissions and scores. A sequence without a legal path has a
    value below NEVER / 2 and no gradient.
    """
    return log_sum(emissions, lengths, scores, allowed).to(emissions.dtype)


def log_likelihood(
    emissions: Tensor,
    lengths: Tensor,
    scores: Scores,
    known: Tensor,
    allowed: Optional[Tensor] = None,
) -> Tensor:
    """(B,): log probability that the path agrees with what is known.

    known: bool (B, L, T), the tags that agree with the annotation. One tag a token is
        the ordinary likelihood; a row of all tags is a token of which nothing is known,
        and the sum over its tags is taken (Tsuboi et al. 2008, eq. 2).

    A sequence whose known tags admit no legal path says nothing that the model could
    learn: it gives exactly 0 and no gradient.
    """
    if allowed is not None:
        known = known & allowed
    single = (known.sum(2) == 1) | ~token_mask(emissions, lengths)
    only = single.all(1)
    # Summing over one path needs no recursion. Rows with a choice are done apart.
    path = known.to(torch.uint8).argmax(2) if known.numel() else known.sum(2)
    agreeing = path_score(emissions, lengths, scores, path)
    rows = (~only).nonzero().squeeze(1)
    if len(rows):
        open_rows = log_sum(emissions[rows], lengths[rows], scores, known[rows])
        agreeing = agreeing.index_copy(0, rows, open_rows)
    every = log_sum(emissions, lengths, scores, allowed)
    legal = (agreeing > IMPOSSIBLE) & (every > IMPOSSIBLE)
    return (agreeing - every).masked_fill(~legal, 0).to(emissions.dtype)


def tag_marginals(
    emissions: Tensor,
    lengths: Tensor,
    scores: Scores,
    allowed: Optional[Tensor] = None,
) -> Tensor:
    """(B, L, T): the probability of each tag at each token.

    0 beyond the length and in a sequence without a legal path. Not differentiable.
    """
    with torch.no_grad():
        steps = time_major(emissions, lengths, allowed)
        table = for_sums(scores.transitions, steps)
        alphas, shifts = forward_scores(steps, table, scores.start)
        total = total_score(alphas, shifts, scores.end, lengths)
        legal = (total > IMPOSSIBLE).to(emissions.dtype)
        marginals, _ = expected_counts(alphas, lengths, table, scores.end, legal)
        return marginals[: emissions.shape[1]].permute(2, 0, 1)


def viterbi(
    emissions: Tensor,
    lengths: Tensor,
    scores: Scores,
    allowed: Optional[Tensor] = None,
) -> Tuple[Tensor, Tensor]:
    """The best path: its score (B,) and its tags (B, L) int64, -1 beyond the length.

    A sequence without a legal path has the score -inf and the tags of a path that
    breaks as few of the rules as it can.
    """
    with torch.no_grad():
        bests = time_major(emissions, lengths, allowed)
        bests[0] += scores.start.unsqueeze(1)
        table = transitions_of(
            scores.transitions, bests.shape[2], large=_LARGE_FOR_BEST
        )
        before = bests[0]
        for t, best in enumerate(bests[1:].unbind(0), 1):
            best += table.best(before)
            if t % RENORMALISE == 0:
                best -= best.amax(0)
            before = best
        # Only the best previous tag of the tags on the path is asked for, so it is
        # found again on the way back and not kept for all of them. Each sequence is
        # read from its own end, so that all begin at once.
        into = scores.transitions.t()
        if into.numel() <= bests.numel():
            into = into.contiguous()  # takes less time than it saves
        columns = torch.arange(len(lengths), device=bests.device)
        times = torch.arange(len(bests), device=bests.device).unsqueeze(1)
        from_end = (lengths - 1 - times).clamp(min=0)
        last, *earlier = bests.transpose(1, 2)[from_end, columns].unbind(0)
        path = [(last + scores.end).argmax(1)]
        for best in earlier:
            path.append(into.index_select(0, path[-1]).add_(best).argmax(1))
        tags = torch.stack(path).gather(0, from_end).t()[:, : emissions.shape[1]]
        tags = tags.masked_fill(~token_mask(emissions, lengths), -1)
        if allowed is not None:
            emissions = emissions.masked_fill(~allowed, NEVER)
        score = path_score(emissions, lengths, scores, tags)
        score = score.masked_fill(score < IMPOSSIBLE, -float("inf"))
        return score.to(emissions.dtype), tags


def k_best(
    emissions: Tensor,
    lengths: Tensor,
    scores: Scores,
    k: int,
    allowed: Optional[Tensor] = None,
) -> Tuple[Tensor, Tensor]:
    """The k best paths, best first: scores (B, k) and tags (B, k, L) int64.

    -1 stands beyond the length. Where there are fewer legal paths, the rest has the
    score -inf and the tags -1. An empty sequence has one path, of score 0. (Seshadri
    and Sundberg 1994, the parallel list Viterbi algorithm.)
    """
    if k < 1:
        raise ValueError(f"There are no {k} best paths; ask for at least one.")
    with torch.no_grad():
        steps = time_major(emissions, lengths, allowed).permute(0, 2, 1)  # (L, B, T)
        n_steps, n_rows, n_tags = steps.shape
        size = max(1, _PATHS // max(1, n_rows * n_tags * k))
        tables = scores.transitions.split(size, dim=1)
        k_best_before = _k_best_of_few if len(tables) == 1 else _k_best_of_many
        # best[b, tag, r]: the r-th best path to this tag. A state is tag * k + r.
        best = steps.new_full((n_rows, n_tags, k), NEVER)
        best[:, :, 0] = steps[0] + scores.start
        shift = steps.new_zeros(n_rows, dtype=torch.float64)
        stay = torch.arange(n_tags * k, device=steps.device).expand(n_rows, -1)
        backwards = []
        for t in range(1, n_steps):
            going = (t < lengths).unsqueeze(1)
            # to some of the tags at a time, or there would be too many paths
            found = [k_best_before(best, some) for some in tables]
            values, states = (torch.cat(some, 2) for some in zip(*found, strict=True))
            values = values.transpose(1, 2) + steps[t].unsqueeze(2)
            best = torch.where(going.unsqueeze(2), values, best)
            backwards.append(
                torch.where(going, states.transpose(1, 2).flatten(1), stay)
            )
            if t % RENORMALISE == 0:
                top = best.amax((1, 2))
                best = best - top[:, None, None]
                shift += top
        values, state = (best + scores.end.unsqueeze(1)).flatten(1).topk(k, dim=1)
        real = values.double() + shift.unsqueeze(1) > IMPOSSIBLE
        path = [state]
        for states in reversed(backwards):
            path.append(states.gather(1, path[-1]))
        tags = torch.div(torch.stack(path[::-1], 2), k, rounding_mode="floor")
        tags = tags[:, :, : emissions.shape[1]]
        tags = tags.masked_fill(~token_mask(emissions, lengths).unsqueeze(1), -1)
        # The empty path exists once.
        once = torch.arange(k, device=steps.device) == 0
        real = torch.where((lengths == 0).unsqueeze(1), once, real)
        score = path_score(
            emissions.repeat_interleave(k, 0),
            lengths.repeat_interleave(k),
            scores,
            tags.flatten(0, 1),
        ).view(n_rows, k)
        return (
            score.masked_fill(~real, -float("inf")).to(emissions.dtype),
            tags.masked_fill(~real.unsqueeze(2), -1),
        )


def _k_best_of_few(best: Tensor, scores: Tensor) -> Tuple[Tensor, Tensor]:
    """The k best ways to each tag: scores and states before, both (B, k, to).

    best: (B, from, k), the k best scores of each tag before, best first; scores:
        (from, to), the transitions.
    """
    ways = best.unsqueeze(3) + scores.unsqueeze(1)
    values, states = ways.flatten(1, 2).topk(best.shape[2], dim=1)
    return values, states


def _k_best_of_many(best: Tensor, scores: Tensor) -> Tuple[Tensor, Tensor]:
    """The same, sooner where there are many tags: the k best ways to a tag come from
    the k tags with the best first way to it."""
    k = best.shape[2]
    tags = (best[:, :, :1] + scores).topk(min(k, len(scores)), dim=1)[1]
    ways = best.unsqueeze(3).expand(-1, -1, -1, tags.shape[2])
    ways = ways.gather(1, tags.unsqueeze(2).expand(-1, -1, k, -1))
    ways = ways + scores.expand(len(best), -1, -1).gather(1, tags).unsqueeze(2)
    values, order = ways.flatten(1, 2).topk(k, dim=1)
    before = tags.gather(1, torch.div(order, k, rounding_mode="floor"))
    return values, before * k + order % k


def span_log_probability(
    emissions: Tensor,
    lengths: Tensor,
    scores: Scores,
    rows: Tensor,
    starts: Tensor,
    span_tags: Tensor,
    forbidden_next: Tensor,
    allowed: Optional[Tensor] = None,
) -> Tensor:
    """(S,): the log probability that a path runs through given pieces, S at once.

    rows, starts: int64 (S,), the sequence and the first token of each span.
    span_tags: int64 (S, M), the tags of its tokens, at least one, padded with -1.
    forbidden_next: bool (S, T), the tags that the token after the span must not have
        (in BIO the I- tag that would make the entity longer).

    One forward and one backward recursion serve all spans. -inf if the span is
    impossible. Not differentiable. ValueError if a span leaves its sequence.
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
            steps, for_sums(scores.transitions, steps), scores.start
        )
        legal = total_score(alphas, taken, scores.end, lengths)[rows] > IMPOSSIBLE
        # Read from the end, the sequence is a CRF with the transitions turned round:
        # its forward scores are emission + backward score.
        times = torch.arange(len(steps), device=steps.device).unsqueeze(1)
        turned = (lengths - 1 - times).clamp(min=0).unsqueeze(1).expand_as(steps)
        betas, shifts = forward_scores(
            steps.gather(0, turned), for_sums(scores.transitions.t(), steps), scores.end
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
        within = within + scores.transitions[tags[:, :-1], tags[:, 1:]]
        within = within.masked_fill(span_tags[:, 1:] < 0, 0).sum(1)

        final = tags.gather(1, widths.unsqueeze(1) - 1).squeeze(1)
        onward = (tail(stops) + scores.transitions[final]).masked_fill(
            forbidden_next, NEVER
        )
        after = torch.where(
            stops < lengths[rows], onward.logsumexp(1), scores.end[final].double()
        )
        through = head.gather(1, tags[:, :1]).squeeze(1) + within + after
        impossible = ~legal | (through < IMPOSSIBLE)
        probability = (through - every).clamp(max=0)
        return probability.masked_fill(impossible, -float("inf")).to(emissions.dtype)
