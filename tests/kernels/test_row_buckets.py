from typing import Set

import pytest
import torch
from torch import Tensor, nn

from spacy_elmo_ner.kernels.row_buckets import InUsualRows


class Recorded(nn.Linear):
    """A product that remembers how many rows it got."""

    def __init__(self) -> None:
        super().__init__(3, 2, bias=False)
        self.numbers: Set[int] = set()

    def forward(self, x: Tensor) -> Tensor:
        self.numbers.add(len(x))
        return super().forward(x)


@torch.no_grad()
@pytest.mark.parametrize("least", [1, 2])
def test_any_number_of_rows_is_multiplied_in_thirty_usual_ones(least: int) -> None:
    multiply = Recorded()
    product = InUsualRows(multiply, least)
    for n in range(1000):
        x = torch.randn(n, 3)
        torch.testing.assert_close(product(x), x @ multiply.weight.T)
    usual = multiply.numbers - {0}
    assert len(usual) <= 30
    assert usual == {n for n in range(1, 1000) if product.is_usual(n)}


def test_few_rows_are_added() -> None:
    usual = InUsualRows(nn.Identity(), 1)
    for n in range(1, usual.most_rows + 1):
        filled = next(m for m in range(n, 1000) if usual.is_usual(m))
        assert filled <= 1.25 * n
