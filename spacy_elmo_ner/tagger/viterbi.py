"""The best paths of a CRF, and the k best. See `crf` for the score of a path."""

from typing import Optional, Tuple

import torch
from torch import Tensor

from .crf import path_score
from .forward_backward import RENORMALISE, time_major, token_mask
from .parameters import IMPOSSIBLE, NEVER, CrfParameters
from .transitions import transitions_of

# From this many numbers per step, a tag scheme beats all transitions one by one.
_LARGE_FOR_BEST = 2**18
# How many paths k_best compares at a time.
_PATHS = 2**20


def viterbi(
    emissions: Tensor,
    lengths: Tensor,
    parameters: CrfParameters,
    allowed: Optional[Tensor] = None,
) -> Tuple[Tensor, Tensor]:
    """The best path: its score (B,), and its tags (B, L), see `best_tags`.

    A sequence without a legal path has the score -inf.
    """
    with torch.no_grad():
        tags = best_tags(emissions, lengths, parameters, allowed)
        if allowed is not None:
            emissions = emissions.masked_fill(~allowed, NEVER)
        score = path_score(emissions, lengths, parameters, tags)
        score = score.masked_fill(score < IMPOSSIBLE, -float("inf"))
        return score.to(emissions.dtype), tags


def best_tags(
    emissions: Tensor,
    lengths: Tensor,
    parameters: CrfParameters,
    allowed: Optional[Tensor] = None,
) -> Tensor:
    """The tags of the best path, (B, L) int64, -1 beyond the length; if no path is
    legal, of one that breaks as few rules as possible."""
    with torch.no_grad():
        bests = time_major(emissions, lengths, allowed)
        bests[0] += parameters.start.unsqueeze(1)
        table = transitions_of(
            parameters.transitions, bests.shape[2], large=_LARGE_FOR_BEST
        )
        before = bests[0]
        for t, best in enumerate(bests[1:].unbind(0), 1):
            best += table.best(before)
            if t % RENORMALISE == 0:
                best -= best.amax(0)
            before = best
        # Only the tags on the path need their best previous tag, so it is found again
        # on the way back instead of being kept for all tags. Each sequence is read from
        # its own end, so that all start at once.
        into = parameters.transitions.t()
        if into.numel() <= bests.numel():
            into = into.contiguous()  # takes less time than it saves
        columns = torch.arange(len(lengths), device=bests.device)
        times = torch.arange(len(bests), device=bests.device).unsqueeze(1)
        from_end = (lengths - 1 - times).clamp(min=0)
        last, *earlier = bests.transpose(1, 2)[from_end, columns].unbind(0)
        path = [(last + parameters.end).argmax(1)]
        for best in earlier:
            path.append(into.index_select(0, path[-1]).add_(best).argmax(1))
        tags = torch.stack(path).gather(0, from_end).t()[:, : emissions.shape[1]]
        return tags.masked_fill(~token_mask(emissions, lengths), -1)


def k_best(
    emissions: Tensor,
    lengths: Tensor,
    parameters: CrfParameters,
    k: int,
    allowed: Optional[Tensor] = None,
) -> Tuple[Tensor, Tensor]:
    """The k best paths, best first: scores (B, k) and tags (B, k, L) int64.

    Tags beyond the length are -1. If there are fewer legal paths, the rest have the
    score -inf and the tags -1. An empty sequence has one path, with score 0. (Seshadri
    and Sundberg 1994, the parallel list Viterbi algorithm.)
    """
    if k < 1:
        raise ValueError(f"There are no {k} best paths; ask for at least one.")
    with torch.no_grad():
        steps = time_major(emissions, lengths, allowed).permute(0, 2, 1)  # (L, B, T)
        n_steps, n_rows, n_tags = steps.shape
        size = max(1, _PATHS // max(1, n_rows * n_tags * k))
        tables = parameters.transitions.split(size, dim=1)
        k_best_before = _k_best_of_few if len(tables) == 1 else _k_best_of_many
        # best[b, tag, r]: the r-th best path to this tag. A state is tag * k + r.
        best = steps.new_full((n_rows, n_tags, k), NEVER)
        best[:, :, 0] = steps[0] + parameters.start
        shift = steps.new_zeros(n_rows, dtype=torch.float64)
        stay = torch.arange(n_tags * k, device=steps.device).expand(n_rows, -1)
        backwards = []
        for t in range(1, n_steps):
            going = (t < lengths).unsqueeze(1)
            # only to some of the tags at a time, or there would be too many paths
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
        values, state = (best + parameters.end.unsqueeze(1)).flatten(1).topk(k, dim=1)
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
            parameters,
            tags.flatten(0, 1),
        ).view(n_rows, k)
        return (
            score.masked_fill(~real, -float("inf")).to(emissions.dtype),
            tags.masked_fill(~real.unsqueeze(2), -1),
        )


def _k_best_of_few(best: Tensor, scores: Tensor) -> Tuple[Tensor, Tensor]:
    """The k best ways to each tag.

    Args:
        best: The k best scores of each previous tag, best first, (B, from, k).
        scores: The transitions, (from, to).

    Returns:
        The scores, and the previous states, both (B, k, to).
    """
    ways = best.unsqueeze(3) + scores.unsqueeze(1)
    values, states = ways.flatten(1, 2).topk(best.shape[2], dim=1)
    return values, states


def _k_best_of_many(best: Tensor, scores: Tensor) -> Tuple[Tensor, Tensor]:
    """The same, but faster with many tags: the k best ways to a tag come from the k
    tags with the best first way to it."""
    k = best.shape[2]
    tags = (best[:, :, :1] + scores).topk(min(k, len(scores)), dim=1)[1]
    ways = best.unsqueeze(3).expand(-1, -1, -1, tags.shape[2])
    ways = ways.gather(1, tags.unsqueeze(2).expand(-1, -1, k, -1))
    ways = ways + scores.expand(len(best), -1, -1).gather(1, tags).unsqueeze(2)
    values, order = ways.flatten(1, 2).topk(k, dim=1)
    before = tags.gather(1, torch.div(order, k, rounding_mode="floor"))
    return values, before * k + order % k
