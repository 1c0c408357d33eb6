from typing import Any, List, Tuple

import pytest
import torch
from torch import Tensor

from spacy_elmo_ner.kernels import packed_products
from spacy_elmo_ner.kernels.packed_products import (
    Bfloat16Product,
    OneDnnProduct,
    PlainProduct,
    has_bfloat16,
    has_onednn,
    prepare_product,
    usable_precision,
)
from tests.kernels.product_operands import SHAPES, assert_steady, operands

needs_onednn = pytest.mark.skipif(
    not has_onednn(), reason="this torch has no packed oneDNN products"
)
needs_bfloat16 = pytest.mark.skipif(
    not has_bfloat16(), reason="this machine has no fast bfloat16"
)


def float32_products(W: Tensor, b: Tensor) -> List[Any]:
    both: List[Any] = [PlainProduct(W, b)]
    if has_onednn():
        both.append(OneDnnProduct(W, b))
    return both


@pytest.mark.parametrize("shape", SHAPES)
def test_a_row_is_the_same_within_rounding_in_any_number_of_rows(
    shape: Tuple[int, int],
) -> None:
    W, b, x, other = operands(*shape)
    for product in float32_products(W, b):
        # values are about 1; sums of up to 4,096 products are rounded
        assert_steady(product, x, other, atol=4e-6)


@needs_bfloat16
@pytest.mark.parametrize("shape", SHAPES)
def test_a_row_in_bfloat16_has_the_same_bits_in_any_number_of_rows(
    shape: Tuple[int, int],
) -> None:
    W, b, x, other = operands(*shape)
    assert_steady(Bfloat16Product(W, b), x, other)


@pytest.mark.parametrize("shape", SHAPES)
def test_float32_is_exact(shape: Tuple[int, int]) -> None:
    W, b, x, other = operands(*shape, rows=40)
    exact = x.double() @ W.double()
    for product in float32_products(W, b):
        torch.testing.assert_close(product(x), (exact + b).float())
        sums = product.plus(other.clone(), x)
        torch.testing.assert_close(sums, (exact + b + other).float())


@needs_bfloat16
@pytest.mark.parametrize("shape", SHAPES)
def test_bfloat16_rounds_inputs_weights_and_product(shape: Tuple[int, int]) -> None:
    W, b, x, other = operands(*shape, rows=40)
    exact = x.bfloat16().double() @ W.bfloat16().double()
    # one rounding to 8 bits of mantissa
    bound = exact.abs() * 2**-8 + 1e-5
    product = Bfloat16Product(W, b)
    assert ((product(x) - b - exact).abs() <= bound).all()
    assert ((product.plus(other.clone(), x) - other - b - exact).abs() <= bound).all()


@needs_onednn
def test_packed_products_are_used_where_there_are_any() -> None:
    W, b, _, _ = operands(4, 8)
    assert isinstance(prepare_product(W, b), OneDnnProduct)


def test_public_products_where_there_are_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packed_products, "has_onednn", lambda: False)
    W, b, x, _ = operands(4, 8)
    product = prepare_product(W, b)
    assert isinstance(product, PlainProduct)
    torch.testing.assert_close(product(x), x @ W + b)


@pytest.mark.parametrize("precision", ["bfloat16", "int8"])
def test_where_a_precision_is_not_fast_it_says_so_and_is_exact(
    monkeypatch: pytest.MonkeyPatch, precision: str
) -> None:
    monkeypatch.setattr(packed_products, f"has_{precision}", lambda: False)
    with pytest.warns(UserWarning, match=f"{precision}.*continues in float32"):
        assert usable_precision(precision) == "float32"


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(("has_int8", "chosen"), [(True, "int8"), (False, "float32")])
def test_auto_is_int8_where_there_is_any(
    monkeypatch: pytest.MonkeyPatch, has_int8: bool, chosen: str
) -> None:
    monkeypatch.setattr(packed_products, "has_int8", lambda: has_int8)
    assert usable_precision("auto") == chosen
