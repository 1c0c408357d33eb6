import pytest
import torch
from product_operands import operands

from spacy_elmo_ner.kernels.weighted_rows import WeightedRows, can_be_weighted


@pytest.mark.parametrize("shape", [(128, 4096), (1024, 128), (7, 64), (1, 192)])
@pytest.mark.parametrize("with_bias", [True, False])
def test_a_sum_of_weighted_rows_is_the_product(shape, with_bias):
    W, b, x, _ = operands(*shape, rows=1)
    assert can_be_weighted(W)
    exact = x.double() @ W.double()
    if with_bias:
        exact += b
    product = WeightedRows(W, b if with_bias else None)
    torch.testing.assert_close(product(x), exact.float())


def test_weights_may_be_columns_of_others():
    W, b, x, _ = operands(16, 256, rows=1)
    product = WeightedRows(W[:, 64:192], b[64:192])
    torch.testing.assert_close(product(x), (x @ W + b)[:, 64:192])


@pytest.mark.parametrize("shape", [(512, 16384), (64, 30)])
def test_what_is_too_large_or_does_not_divide_is_not_taken(shape):
    assert not can_be_weighted(operands(*shape, rows=1)[0])


def test_nothing_is_taken_where_torch_lacks_the_function(monkeypatch):
    W, *_ = operands(128, 4096, rows=1)
    monkeypatch.delattr(torch, "embedding_bag")
    assert not can_be_weighted(W)
