"""The parameters of a CRF, and the score of anything illegal."""

from typing import NamedTuple

from torch import Tensor

# Log score of anything illegal. Finite, so that differences never become NaN; its sum
# over 100,000 tokens stays far within float32, and no sum of real scores comes near.
NEVER = -1e30
# A score below this includes something illegal.
IMPOSSIBLE = NEVER / 2


class CrfParameters(NamedTuple):
    """transitions (T, T), [from, to]; start (T,); end (T,)."""

    transitions: Tensor
    start: Tensor
    end: Tensor


def restrict(
    parameters: CrfParameters,
    legal_transitions: Tensor,
    legal_start: Tensor,
    legal_end: Tensor,
) -> CrfParameters:
    """The parameters with NEVER where the masks (bool, of the same shapes) are False.

    No gradient flows to the illegal ones.
    """
    return CrfParameters(
        parameters.transitions.masked_fill(~legal_transitions, NEVER),
        parameters.start.masked_fill(~legal_start, NEVER),
        parameters.end.masked_fill(~legal_end, NEVER),
    )
