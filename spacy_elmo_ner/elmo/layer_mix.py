"""The biLM's layers → one vector per token (Peters et al. 2018, equation 1)."""

from typing import List, Sequence

import torch
from torch import Tensor, nn

MIX = "elmo"


def depth_of(layer: str, n_layers: int) -> int:
    """Find how many LSTM layers a choice of layer needs.

    "elmo" is the learnt mix of all; "word_emb" the word vector alone; "lstm_outputs1",
    "lstm_outputs2" and so on a single LSTM layer. The names are TensorFlow Hub's.

    Raises:
        ValueError: For any other name.
    """
    depths = {"word_emb": 0}
    depths.update({f"lstm_outputs{i}": i for i in range(1, n_layers + 1)})
    depths[MIX] = n_layers
    if layer not in depths:
        raise ValueError(
            f"ELMo has no layer named {layer!r}; use one of {', '.join(depths)}."
        )
    return depths[layer]


class LayerMix(nn.Module):
    """γ · Σ softmax(w)_k h_k with w and γ learnt on the task, or the last layer alone.

    The mix starts as the plain average.

    Args:
        layer: See `depth_of`.
        n_layers: LSTM layers of the biLM; the mix also has the word vector.
    """

    def __init__(self, layer: str, n_layers: int) -> None:
        super().__init__()
        self.layer = layer
        self.depth = depth_of(layer, n_layers)
        self.is_mix = layer == MIX
        if self.is_mix:
            self.weights = nn.Parameter(torch.zeros(n_layers + 1))
            self.gamma = nn.Parameter(torch.ones(1))

    def reset(self) -> None:
        """Forget what was learnt."""
        if self.is_mix:
            nn.init.zeros_(self.weights)
            nn.init.ones_(self.gamma)

    def forward(self, layers: Sequence[Tensor]) -> Tensor:
        """depth + 1 tensors (n_tokens, width) → (n_tokens, width)."""
        if not self.is_mix:
            return layers[-1]
        shares = self.gamma * torch.softmax(self.weights, 0)
        return sum(share * layer for share, layer in zip(shares, layers, strict=True))  # type: ignore

    def pack(self, layers: Sequence[Tensor]) -> Tensor:
        """All the mix needs of the layers, side by side: (n_tokens, packed)."""
        if not self.is_mix:
            return layers[-1]
        # the lowest layer holds the word vector twice
        once = layers[0][:, : layers[0].shape[1] // 2]
        return torch.cat([once, *layers[1:]], 1)

    def unpack(self, packed: Tensor) -> List[Tensor]:
        """What `forward` takes, from what `pack` returned."""
        if not self.is_mix:
            return [packed]
        # half a layer, and depth whole ones
        half = packed.shape[1] // (2 * self.depth + 1)
        once, *layers = packed.split([half] + [2 * half] * self.depth, 1)
        return [torch.cat([once, once], 1), *layers]
