"""Marginal probabilities of tags and of spans, from one forward-backward run."""

from typing import Optional

import torch
from torch import Tensor

from .forward_backward import (
    for_sums,
    forward_scores,
    time_major,
    token_mask,
    total_score,
)
from .parameters import IMPOSSIBLE, NEVER, CrfParameters


class Marginals:
    """The forward and backward scores of a batch (Rabiner 1989, eqs. 19-27).

    Not differentiable. `crf` describes the arguments.
    """

    def __init__(
        self,
        emissions: Tensor,
        lengths: Tensor,
        parameters: CrfParameters,
        allowed: Optional[Tensor] = None,
    ) -> None:
        with torch.no_grad():
            self._emissions, self._lengths = emissions, lengths
            self._parameters = parameters
            self._steps = time_major(emissions, lengths, allowed)
            self._alphas, taken = forward_scores(
                self._steps,
                for_sums(parameters.transitions, self._steps),
                parameters.start,
            )
            total = total_score(self._alphas, taken, parameters.end, lengths)
            self._is_legal = total > IMPOSSIBLE
            # Read from the end, the sequence is a CRF with the transitions reversed: its
            # forward scores are emission + backward score, (L, T, B) from the end.
            self._betas, shifts = forward_scores(
                self._steps.gather(0, self._from_end()),
                for_sums(parameters.transitions.t(), self._steps),
                parameters.end,
            )
            # what was subtracted from them up to each step, (L, B)
            self._taken_from_end = shifts.cumsum(0)

    @property
    def device(self) -> torch.device:
        """Where the scores are."""
        return self._steps.device

    def _from_end(self) -> Tensor:
        times = torch.arange(len(self._steps), device=self._steps.device).unsqueeze(1)
        places = (self._lengths - 1 - times).clamp(min=0)
        return places.unsqueeze(1).expand_as(self._steps)

    @torch.no_grad()
    def of_tags(self) -> Tensor:
        """(B, L, T): the probability of each tag at each token.

        0 beyond the length and in a sequence without a legal path.
        """
        through = self._alphas + self._betas.gather(0, self._from_end()) - self._steps
        n_tokens = self._emissions.shape[1]
        probabilities = through.softmax(1)[:n_tokens].permute(2, 0, 1)
        inside = token_mask(self._emissions, self._lengths)
        inside = inside & self._is_legal.unsqueeze(1)
        return probabilities.masked_fill(~inside.unsqueeze(2), 0)

    @torch.no_grad()
    def of_spans(
        self, rows: Tensor, starts: Tensor, span_tags: Tensor, forbidden_next: Tensor
    ) -> Tensor:
        """(S,): the log probability that a path runs through each of S spans; -inf if a
        span is impossible.

        Args:
            rows: The sequence of each span, int64 (S,).
            starts: The first token of each span, int64 (S,).
            span_tags: The tags of its tokens, at least one, padded with -1, int64 (S, M).
            forbidden_next: The tags that the token after the span must not have, bool
                (S, T). In BIO this is the I- tag that would make the entity longer.

        Raises:
            ValueError: If a span is empty or leaves its sequence.
        """
        steps, lengths, parameters = self._steps, self._lengths, self._parameters
        widths = (span_tags >= 0).sum(1)
        stops = starts + widths
        if bool(((starts < 0) | (widths < 1) | (stops > lengths[rows])).any()):
            raise ValueError(
                "A span whose probability is asked for is empty or leaves its "
                "sequence; pass spans within the lengths."
            )
        betas, from_end = self._betas, self._taken_from_end

        def tail(token: Tensor) -> Tensor:
            back = (lengths[rows] - 1 - token).clamp(min=0)
            return betas[back, :, rows] + from_end[back, rows].unsqueeze(1)

        tags = span_tags.clamp(min=0)
        head = self._alphas[starts, :, rows].double()
        # The sum over all paths, taken at the span's first token: what was subtracted
        # from the forward scores there is missing from both sides and cancels.
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
        impossible = ~self._is_legal[rows] | (through < IMPOSSIBLE)
        probability = (through - every).clamp(max=0)
        return probability.masked_fill(impossible, -float("inf")).to(steps.dtype)
