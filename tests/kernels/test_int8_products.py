import warnings
from concurrent.futures import ThreadPoolExecutor
from typing import Tuple

import pytest
import torch

from spacy_elmo_ner.kernels.int8_products import (
    Fbgemm7BitKernel,
    FbgemmKernel,
    Int8Product,
    VnniKernel,
    has_fbgemm,
    has_vnni,
    int8_kernel,
)
from tests.kernels.product_operands import SHAPES, assert_steady, operands

INT8_KERNELS = [
    pytest.param(
        VnniKernel,
        marks=pytest.mark.skipif(
            not has_vnni(), reason="this torch or machine has no VNNI"
        ),
    ),
    pytest.param(
        FbgemmKernel,
        marks=pytest.mark.skipif(
            not has_fbgemm() or int8_kernel(few_rows=True) != FbgemmKernel,
            reason="this torch or machine has no FBGEMM with VNNI",
        ),
    ),
    pytest.param(
        Fbgemm7BitKernel,
        marks=pytest.mark.skipif(
            not has_fbgemm(), reason="this torch or machine has no FBGEMM"
        ),
    ),
]


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("kernel", INT8_KERNELS)
def test_a_row_in_int8_does_not_depend_on_the_number_of_rows(
    shape: Tuple[int, int], kernel: type
) -> None:
    W, b, x, other = operands(*shape)
    assert_steady(Int8Product(W, b, kernel), x, other)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("kernel", INT8_KERNELS)
def test_int8_is_off_by_half_a_step_of_each_input_and_weight_at_most(
    shape: Tuple[int, int], kernel: type
) -> None:
    W, b, x, other = operands(*shape, rows=40)
    W[:, 0] = 0
    x[0] = 0
    exact = x.double() @ W.double()
    half_of_weight = W.abs().amax(0, keepdim=True).double() / kernel.weight_steps / 2
    half_of_input = x.abs().amax(1, keepdim=True).double() / 127 / 2
    bound = (
        x.abs().double().sum(1, keepdim=True) * half_of_weight
        + half_of_input * W.abs().double().sum(0, keepdim=True)
        + len(W) * half_of_input * half_of_weight
        + 1e-5
    )
    product = Int8Product(W, b, kernel)
    assert ((product(x) - b - exact).abs() <= bound).all()
    assert ((product.plus(other.clone(), x) - other - b - exact).abs() <= bound).all()
    assert torch.equal(product(x)[0], b)
    cosine = torch.nn.functional.cosine_similarity(product(x) - b, exact, dim=1)
    assert cosine[1:].min() > 0.999 or W.shape[1] == 1


@pytest.mark.parametrize("kernel", INT8_KERNELS)
def test_int8_sums_hold_the_largest_products(kernel: type) -> None:
    signs = torch.ones(512, 64)
    signs[:, 1::2] = -1
    expected = torch.full((3, 64), 512.0) * signs[0]
    for x in torch.ones(3, 512), -torch.ones(3, 512):
        product = Int8Product(signs, None, kernel)(x)
        assert torch.equal(product.round(), expected * x[0, 0])


@pytest.mark.skipif(not has_fbgemm(), reason="this torch or machine has no FBGEMM")
def test_fbgemm_leaves_settings_and_warnings_as_they_are_from_many_threads() -> None:
    W, b, _, _ = operands(70, 30)
    engine, filters = torch.backends.quantized.engine, list(warnings.filters)
    with ThreadPoolExecutor(4) as threads:
        list(threads.map(lambda _: Int8Product(W, b, FbgemmKernel), range(2000)))
    assert torch.backends.quantized.engine == engine
    assert warnings.filters == filters
