"""From one token to the next: what all previous tags add up to at each tag.

Tag schemes forbid nearly all transitions. Inside an entity at most two tags may precede
another. Elsewhere each tag that ends something may precede each tag that begins
something, and the log of such a sum is a matrix product of exponentials.
`transitions_of` finds this form in the table itself, and takes every transition one by
one if the table has another form or is small.

Scores are laid out (T, B): T tags, and B independent columns.
"""

import math
from abc import ABC, abstractmethod
from typing import Optional, Tuple

import torch
from torch import Tensor

from .cached import cached_property
from .parameters import IMPOSSIBLE, NEVER

# How many numbers are held at a time for a maximum over pairs of tags; they fit a cache.
_CACHE = 2**17
# How many numbers of a kind the backward recursion of a tag scheme holds at a time.
_MEMORY = 2**20

# float64 holds the exponentials of transitions up to this, and a tag's share down to
# the next. What is left out is less than exp(-50) of a sum, and no product of what is
# kept can be a denormal number, which would take a hundred times as long.
_LARGEST_TRANSITION = 150.0
_LEAST_SHARE = math.exp(-350)


class Transitions(ABC):
    """What the recursions need from a table of transitions (T, T), [from, to]."""

    @abstractmethod
    def log_sum(self, before: Tensor) -> Tensor:
        """(T, B): log Σ exp(score before + transition) over the previous tags."""

    @abstractmethod
    def best(self, before: Tensor) -> Tensor:
        """(T, B): the largest score before + transition."""

    @abstractmethod
    def expected(self, alphas: Tensor, tags: Tensor) -> Tensor:
        """(T, T): how often each transition is expected.

        P(from | to) is the softmax over `from` of forward score + transition, so the
        marginals of a token follow from those of the next, and every factor is at
        most 1.

        Args:
            alphas: The forward scores, (L, T, B).
            tags: How often each tag is expected, (L, T, B). It is given for last
                tokens; what follows for earlier tokens is added in place.
        """


def transitions_of(table: Tensor, n_columns: int, *, large: int) -> Transitions:
    """The faster way to the same numbers.

    Args:
        table: Transitions, (T, T), [from, to].
        n_columns: How many sequences are read at once.
        large: From this many numbers per step, the form of a tag scheme is faster, if
            the table has it.
    """
    if table.numel() * n_columns >= large:
        found = _find_scheme(table)
        if found is not None:
            return found
    return DenseTransitions(table)


class DenseTransitions(Transitions):
    """Every transition one by one, whatever is legal."""

    def __init__(self, table: Tensor) -> None:
        self.table = table.unsqueeze(2)

    def log_sum(self, before: Tensor) -> Tensor:
        paths = before.unsqueeze(1) + self.table
        top = paths.amax(0)
        return paths.sub_(top).exp_().sum(0).log_().add_(top)

    def best(self, before: Tensor) -> Tensor:
        return (before.unsqueeze(1) + self.table).amax(0)

    def expected(self, alphas: Tensor, tags: Tensor) -> Tensor:
        counts = torch.zeros_like(self.table[..., 0])
        size = max(1, _CACHE // max(1, self.table.numel() * alphas.shape[2]))
        for stop in range(len(alphas) - 1, 0, -size):
            first = max(0, stop - size)
            shares = (alphas[first:stop].unsqueeze(2) + self.table).softmax(1)
            for t in range(stop - 1, first - 1, -1):
                # Beyond the length the next marginals are 0 and leave those set above.
                tags[t] += shares[t - first].mul_(tags[t + 1]).sum(1)
            counts += shares.sum((0, 3))
        return counts


class SchemeTransitions(Transitions):
    """The transitions of a tag scheme.

    Args:
        ends: The tags that may precede each of `begins`, int64 (E,).
        begins: The tags that may follow each of `ends`, int64 (S,).
        block: The scores of these transitions, (S, E), [to, from].
        inner: The other tags, at most two, that may precede each tag, int64 (2, T).
        inner_scores: The scores of these transitions, (2, T); NEVER where there are fewer.
    """

    def __init__(
        self,
        ends: Tensor,
        begins: Tensor,
        block: Tensor,
        inner: Tensor,
        inner_scores: Tensor,
    ) -> None:
        self.ends, self.begins, self.block = ends, begins, block
        self.inner = inner.flatten()
        self.inner_scores = inner_scores.unsqueeze(2)

    @cached_property
    def _factors(self) -> Tensor:
        return self.block.double().exp()

    def log_sum(self, before: Tensor) -> Tensor:
        shares, top = self._shares(before)
        sums = (self._factors @ shares).log_().to(before.dtype).add_(top)
        into = torch.logaddexp(*self._from_inside(before))
        sums = torch.logaddexp(into.index_select(0, self.begins), sums)
        return into.index_copy_(0, self.begins, sums)

    def best(self, before: Tensor) -> Tensor:
        # Where everything else is forbidden, too, the best path breaks one more rule.
        illegal = before.amax(0) + NEVER
        into = torch.maximum(self._from_inside(before).amax(0), illegal)
        best = self._best_end(before.index_select(0, self.ends))
        best = torch.maximum(into.index_select(0, self.begins), best)
        return into.index_copy_(0, self.begins, best)

    def expected(self, alphas: Tensor, tags: Tensor) -> Tensor:
        n_steps, n_tags, n_columns = alphas.shape
        block = torch.zeros_like(self._factors)
        inner = torch.zeros_like(self.inner_scores.squeeze(2))
        size = max(1, _MEMORY // max(1, n_tags * n_columns))
        for stop in range(n_steps - 1, 0, -size):
            times = range(max(0, stop - size), stop)
            # All these tokens side by side, as if they were sequences.
            before = alphas[times.start : stop].transpose(0, 1).flatten(1)
            into = self.log_sum(before)
            from_inside = self._from_inside(before).sub_(into).exp_()
            shares, top = self._shares(before)
            scales = (top - into.index_select(0, self.begins)).double().exp_()
            by_time = [
                x.unflatten(-1, (len(times), n_columns)).unbind(-2)
                for x in (from_inside, shares, scales)
            ]
            for t, inside, share, scale in reversed(
                list(zip(times, *by_time, strict=True))
            ):
                # Beyond the length the next marginals are 0 and leave those set before.
                inside *= tags[t + 1]
                tags[t].index_add_(0, self.inner, inside.flatten(0, 1))
                scale *= tags[t + 1].index_select(0, self.begins)
                ends = (self._factors.t() @ scale).mul_(share).to(tags.dtype)
                tags[t].index_add_(0, self.ends, ends)
            block += scales @ shares.t()
            inner += from_inside.sum(2)
        counts = alphas.new_zeros(n_tags, n_tags)
        block = block.mul_(self._factors).to(counts.dtype)
        counts[self.ends, self.begins.unsqueeze(1)] = block
        to = torch.arange(n_tags, device=alphas.device).repeat(2)
        return counts.index_put_((self.inner, to), inner.flatten(), accumulate=True)

    def _from_inside(self, before: Tensor) -> Tensor:
        """(2, T, B): by each of the two inner transitions."""
        scores = before.index_select(0, self.inner)
        return scores.view(2, *before.shape).add_(self.inner_scores)

    def _best_end(self, ends: Tensor) -> Tensor:
        """(S, B): the best through the tags that end, whose scores are (E, B)."""
        # A score further below the highest than this is not the best before any tag.
        near = ends > ends.amax(0) - self._range
        n_near = max([1, *near.sum(0).tolist()])
        if n_near > len(ends) // 4:
            # The maximum is over neighbours: any number of columns is then as fast.
            rows = ends.t().contiguous()
            size = max(1, _CACHE // max(1, ends.numel()))
            blocks = self.block.split(size)
            return torch.cat([(some.unsqueeze(1) + rows).amax(2) for some in blocks])
        best = ends.new_full((ends.shape[1], len(self.block)), -math.inf)
        size = max(1, _CACHE // max(1, best.numel()))
        values, tags = ends.topk(n_near, dim=0)
        for some, rows in zip(values.split(size), tags.split(size), strict=True):
            paths = self._block_by_end.index_select(0, rows.flatten())
            paths = paths.view(*rows.shape, len(self.block)).add_(some.unsqueeze(2))
            best = torch.maximum(best, paths.amax(0))
        return best.t()

    @cached_property
    def _range(self) -> float:
        """How much the tags that end differ at most before one that begins."""
        return float((self.block.amax(1) - self.block.amin(1)).amax())

    @cached_property
    def _block_by_end(self) -> Tensor:
        return self.block.t().contiguous()

    def _shares(self, before: Tensor) -> Tuple[Tensor, Tensor]:
        """float64 (E, B), exp of the scores of tags that end, and what was subtracted
        from them, (B,)."""
        ends = before.index_select(0, self.ends)
        top = ends.amax(0)
        shares = ends.sub_(top).double().exp_()
        return torch.nn.functional.threshold(shares, _LEAST_SHARE, 0.0), top


def _find_scheme(table: Tensor) -> Optional[SchemeTransitions]:
    """The table in the form of a tag scheme, or None if it has another."""
    legal = table > IMPOSSIBLE
    # As one-byte numbers they are counted in half the time.
    n_after, n_before = (
        legal.view(torch.uint8).sum(dim, dtype=torch.int32) for dim in (1, 0)
    )
    ends = (n_after > 2).nonzero().squeeze(1)
    begins = (n_before > 2).nonzero().squeeze(1)
    block = table.index_select(0, ends).index_select(1, begins).t().contiguous()
    if not block.numel() or float(block.abs().amax()) > _LARGEST_TRANSITION:
        return None
    legal[ends.unsqueeze(1), begins] = False
    before, to = legal.nonzero().unbind(1)
    to, order = to.sort()
    before = before[order]
    counts = torch.bincount(to, minlength=len(table))
    if int(counts.max()) > 2:
        return None
    places = torch.arange(len(to), device=to.device) - (counts.cumsum(0) - counts)[to]
    inner = torch.zeros(2, len(table), dtype=torch.int64, device=table.device)
    inner[places, to] = before
    scores = table.new_full((2, len(table)), NEVER)
    scores[places, to] = table[before, to]
    return SchemeTransitions(ends, begins, block, inner, scores)
