import math
from typing import List

import pytest
import torch
from torch import Tensor

from spacy_elmo_ner.elmo.layer_mix import LayerMix, depth_of


def layers() -> List[Tensor]:
    torch.manual_seed(0)
    return list(torch.randn(3, 4, 6))


def test_mix_is_the_published_weighted_sum() -> None:
    mix = LayerMix("elmo", 2)
    weights = [0.3, -1.2, 2.0]
    with torch.no_grad():
        mix.weights.copy_(torch.tensor(weights))
        mix.gamma.fill_(1.7)
    total = sum(math.exp(w) for w in weights)
    expected = sum(
        1.7 * math.exp(w) / total * h for w, h in zip(weights, layers(), strict=True)
    )
    torch.testing.assert_close(mix(layers()), expected)


def test_untrained_mix_is_the_mean() -> None:
    mixed = LayerMix("elmo", 2)(layers())
    torch.testing.assert_close(mixed, torch.stack(layers()).mean(0))


@pytest.mark.parametrize(
    "layer,depth", [("word_emb", 0), ("lstm_outputs1", 1), ("lstm_outputs2", 2)]
)
def test_single_layer_is_itself_and_runs_no_more_lstms_than_it_needs(
    layer: str, depth: int
) -> None:
    mix = LayerMix(layer, 2)
    assert mix.depth == depth
    assert torch.equal(mix(layers()[: depth + 1]), layers()[depth])
    assert not list(mix.parameters())


def test_unknown_layer_is_named_with_the_known_ones() -> None:
    with pytest.raises(ValueError, match="'lstm_outputs3'.*word_emb.*lstm_outputs2"):
        depth_of("lstm_outputs3", 2)
