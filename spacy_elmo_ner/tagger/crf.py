"""Linear-chain conditional random field as pure functions of tensors.

A path y of a sequence with emissions e has the score
    start[y_1] + Σ_t e[t, y_t] + Σ_t transitions[y_t, y_t+1] + end[y_n]
(Lafferty, McCallum and Pereira 2001; the recursions as in Rabiner 1989, eqs. 18-37, in
log space). All functions take a padded batch and loop only over time. Shapes: B
sequences, L tokens (padded), T tags.

    emissions (B, L, T)  float32 or float64, finite within the lengths
    lengths   (B,)       int64, 0 to L; what lies beyond a length is never read
    allowed   (B, L, T)  bool, the tags that a token may take; None for all of them

With many tags, what a tag scheme forbids is not computed, see `transitions`.
"""

from typing import Optional

import torch
from torch import Tensor

from .forward_backward import last_token, log_sum, token_mask
from .parameters import IMPOSSIBLE, CrfParameters


def path_score(
    emissions: Tensor, lengths: Tensor, parameters: CrfParameters, tags: Tensor
) -> Tensor:
    """(B,) float64: the score of one path per sequence, tags (B, L) int64.

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

    A sequence whose known tags allow no legal path has nothing for the model to learn:
    it gives exactly 0 and no gradient.

    Args:
        emissions: Scores of the tags, (B, L, T).
        lengths: Tokens of each sequence, int64 (B,).
        parameters: Of the CRF.
        known: The tags that agree with the annotation, bool (B, L, T). With one tag for
            each token this is the ordinary likelihood. A row of all tags stands for an
            unknown token; its tags are summed over (Tsuboi et al. 2008, eq. 2).
        allowed: The tags that a path may take, bool (B, L, T); None for all.
    """
    if allowed is not None:
        known = known & allowed
    single = (known.sum(2) == 1) | ~token_mask(emissions, lengths)
    only = single.all(1)
    # Summing over one path needs no recursion. Rows with a choice are done separately.
    path = known.to(torch.uint8).argmax(2) if known.numel() else known.sum(2)
    agreeing = path_score(emissions, lengths, parameters, path)
    rows = (~only).nonzero().squeeze(1)
    if len(rows):
        open_rows = log_sum(emissions[rows], lengths[rows], parameters, known[rows])
        agreeing = agreeing.index_copy(0, rows, open_rows)
    every = log_sum(emissions, lengths, parameters, allowed)
    legal = (agreeing > IMPOSSIBLE) & (every > IMPOSSIBLE)
    return (agreeing - every).masked_fill(~legal, 0).to(emissions.dtype)
