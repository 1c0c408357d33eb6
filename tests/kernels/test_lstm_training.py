"""Both passes of the LSTM that learns, against autograd through its equations."""

from typing import List, Optional, Sequence, Tuple

import pytest
import torch
from torch import Tensor

from spacy_elmo_ner.kernels.lstm_training import ROWS, LstmSettings, LstmWithGradient

WIDTH, PROJECTED = 7, 5
CELL_CLIP, PROJECTION_CLIP = 0.3, 0.2
CLIPS = [
    (None, None),
    (0.0, 0.0),
    (CELL_CLIP, None),
    (None, PROJECTION_CLIP),
    (CELL_CLIP, PROJECTION_CLIP),
]
# numbers of rows beside, at and above multiples of those that products are given
STEPS = [
    [1],
    [ROWS + 4],
    [1, 1, 1, 1],
    [5, 5, 4, 2, 1],
    [ROWS, ROWS, ROWS - 1, 1],
    [2 * ROWS + 8, 2 * ROWS + 1, 2 * ROWS, ROWS + 1, ROWS, ROWS - 1, 1],
]
NAMES = ["inputs", "hidden", "cell", "W_0", "bias", "W_P_0"]


def operands(
    steps: List[int],
    dtype: torch.dtype = torch.float64,
    width: int = WIDTH,
    projected: int = PROJECTED,
) -> List[Tensor]:
    """Leaves to take gradients of, large enough that gates leave their linear range."""
    generator = torch.Generator().manual_seed(sum(steps))
    shapes = [
        (sum(steps), projected),
        (steps[0], projected),
        (steps[0], width),
        (2 * projected, 4 * width),
        (4 * width,),
        (width, projected),
    ]
    return [
        torch.randn(shape, generator=generator, dtype=torch.float64)
        .mul(0.7)
        .to(dtype)
        .requires_grad_()
        for shape in shapes
    ]


def clamp(x: Tensor, bound: Optional[float]) -> Tensor:
    return x.clamp(-bound, bound) if bound else x


def ours_of(
    leaves: Sequence[Tensor], settings: LstmSettings
) -> Tuple[Tensor, Tensor, Tensor]:
    outputs, hidden, cell = LstmWithGradient.apply(*leaves, settings)  # type: ignore[no-untyped-call]
    return outputs, hidden, cell


def naive(
    leaves: Sequence[Tensor], settings: LstmSettings
) -> Tuple[Tuple[Tensor, Tensor, Tensor], Tensor, Tensor]:
    """The equations step by step; and what the clips saw, cells before outputs."""
    inputs, hidden, cell, W_0, bias, W_P_0 = leaves
    outputs, seen_cells, seen_outputs = [], [], []
    for x in inputs.split(settings.steps):
        n = len(x)
        i, g, f, o = (torch.cat([x, hidden[:n]], 1) @ W_0 + bias).chunk(4, 1)
        c = torch.sigmoid(i) * torch.tanh(g) + torch.sigmoid(f) * cell[:n]
        seen_cells.append(c)
        c = clamp(c, settings.cell_clip)
        h = (torch.sigmoid(o) * torch.tanh(c)) @ W_P_0
        seen_outputs.append(h)
        h = clamp(h, settings.projection_clip)
        outputs.append(h)
        hidden, cell = torch.cat([h, hidden[n:]]), torch.cat([c, cell[n:]])
    return (
        (torch.cat(outputs), hidden, cell),
        torch.cat(seen_cells),
        torch.cat(seen_outputs),
    )


def gradients(
    results: Tuple[Tensor, Tensor, Tensor], leaves: List[Tensor]
) -> Tuple[Tensor, ...]:
    """Of a sum in which every number of every result has its own weight."""
    generator = torch.Generator().manual_seed(2)
    weights = [torch.randn(x.shape, generator=generator).to(x) for x in results]
    return torch.autograd.grad(results, leaves, weights)


@pytest.mark.parametrize("clips", CLIPS, ids=str)
@pytest.mark.parametrize("steps", STEPS, ids=str)
def test_outputs_and_gradients_are_those_of_the_equations(
    steps: List[int], clips: Tuple[Optional[float], Optional[float]]
) -> None:
    settings = LstmSettings(steps, *clips)
    leaves = operands(steps)
    expected, _, _ = naive(leaves, settings)
    results = ours_of(leaves, settings)
    for result, right in zip(results, expected, strict=True):
        torch.testing.assert_close(result, right, rtol=0, atol=1e-12)
    ours, autograd = gradients(results, leaves), gradients(expected, leaves)
    for name, grad, right in zip(NAMES, ours, autograd, strict=True):
        torch.testing.assert_close(grad, right, rtol=1e-10, atol=1e-11, msg=name)


@pytest.mark.parametrize("steps", STEPS, ids=str)
def test_the_clips_of_the_test_above_bite_some_and_not_all(steps: List[int]) -> None:
    settings = LstmSettings(steps, CELL_CLIP, PROJECTION_CLIP)
    _, cells, outputs = naive(operands(steps), settings)
    for seen, bound in ((cells, CELL_CLIP), (outputs, PROJECTION_CLIP)):
        assert 0 < (seen.abs() > bound).sum() < seen.numel()


@pytest.mark.parametrize("result", range(3))
def test_gradients_of_one_result_alone(result: int) -> None:
    steps = [4, 3, 1]
    settings = LstmSettings(steps, CELL_CLIP, PROJECTION_CLIP)
    leaves = operands(steps)
    ours = ours_of(leaves, settings)[result]
    right = naive(leaves, settings)[0][result]
    for grad, expected in zip(
        torch.autograd.grad(ours.sum(), leaves),
        torch.autograd.grad(right.sum(), leaves),
        strict=True,
    ):
        torch.testing.assert_close(grad, expected, rtol=1e-10, atol=1e-12)


def test_gradients_are_those_of_finite_differences() -> None:
    steps = [3, 2, 1]
    settings = LstmSettings(steps, None, None)
    assert torch.autograd.gradcheck(
        lambda *leaves: ours_of(leaves, settings),
        operands(steps, width=3, projected=2),
    )


def test_start_states_are_left_as_they_were() -> None:
    steps = [4, 2]
    leaves = operands(steps)
    before = [leaf.detach().clone() for leaf in leaves]
    results = ours_of(leaves, LstmSettings(steps, 0.3, 0.2))
    gradients(results, leaves)
    for leaf, copy in zip(leaves, before, strict=True):
        assert torch.equal(leaf, copy)


@pytest.mark.parametrize("coarse", [[], ["inputs", "hidden", "cell"]], ids=str)
def test_autocast_gradients_are_close_and_of_the_leaves_own_types(
    coarse: List[str],
) -> None:
    steps = [20] * 12 + [9] * 8 + [2]
    settings = LstmSettings(steps, 3.0, 3.0)
    exact = operands(steps, width=32, projected=16)
    with torch.no_grad():
        for weight in exact[3:]:
            weight.mul_(0.3)
    expected = gradients(naive(exact, settings)[0], exact)
    leaves = [
        leaf.detach()
        .to(torch.bfloat16 if name in coarse else torch.float32)
        .requires_grad_()
        for name, leaf in zip(NAMES, exact, strict=True)
    ]
    with torch.autocast("cpu", dtype=torch.bfloat16):
        results = ours_of(leaves, settings)
    # only products are coarse, whatever type the word vectors come in
    assert [result.dtype for result in results] == [torch.float32] * 3
    for name, leaf, grad, right in zip(
        NAMES, leaves, gradients(results, leaves), expected, strict=True
    ):
        assert grad.dtype == leaf.dtype
        cosine = torch.cosine_similarity(grad.double().flatten(), right.flatten(), 0)
        assert cosine > 0.99, name
