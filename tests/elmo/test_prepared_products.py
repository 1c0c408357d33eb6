import pytest
import torch

from spacy_elmo_ner.elmo import prepared_products
from spacy_elmo_ner.elmo.prepared_products import (
    Int8Product,
    OneDnnProduct,
    PlainProduct,
    has_bfloat16,
    has_int8,
    has_onednn,
    prepare_product,
    usable_dtype,
)

# the shapes of an LSTM's products in the published small and original models, and others
SHAPES = [(128, 4096), (1024, 128), (512, 16384), (4096, 512), (70, 30), (1, 1)]
needs_onednn = pytest.mark.skipif(
    not has_onednn(), reason="this torch has no packed oneDNN products"
)
needs_bfloat16 = pytest.mark.skipif(
    not has_bfloat16(), reason="this machine has no fast bfloat16"
)

needs_int8 = pytest.mark.skipif(
    not has_int8(), reason="this torch or machine has no fast int8 products"
)


def operands(inputs, outputs, rows=500):
    generator = torch.Generator().manual_seed(inputs)
    W = torch.randn(inputs, outputs, generator=generator) / inputs**0.5
    b = torch.randn(outputs, generator=generator)
    x = torch.randn(rows, inputs, generator=generator)
    return W, b, x, torch.randn(rows, outputs, generator=generator)


def products(W, b, precision):
    if precision == "bfloat16":
        return [OneDnnProduct(W, b, torch.bfloat16)]
    if precision == "int8":
        return [Int8Product(W, b)]
    both = [PlainProduct(W, b)]
    if has_onednn():
        both.append(OneDnnProduct(W, b, torch.float32))
    return both


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize(
    "precision",
    [
        "float32",
        pytest.param("bfloat16", marks=needs_bfloat16),
        pytest.param("int8", marks=needs_int8),
    ],
)
def test_a_row_does_not_depend_on_the_number_of_rows(shape, precision):
    W, b, x, other = operands(*shape)
    for product in products(W, b, precision):
        all_rows = product(x)
        all_sums = product.plus(other.clone(), x)
        for n in [*range(1, 20), 31, 32, 33, 100, 384]:
            assert torch.equal(product(x[:n]), all_rows[:n])
            assert torch.equal(product.plus(other[:n].clone(), x[:n]), all_sums[:n])


@pytest.mark.parametrize("shape", SHAPES)
def test_float32_is_exact(shape):
    W, b, x, other = operands(*shape, rows=40)
    exact = x.double() @ W.double()
    for product in products(W, b, "float32"):
        torch.testing.assert_close(product(x), (exact + b).float())
        sums = product.plus(other.clone(), x)
        torch.testing.assert_close(sums, (exact + other).float())


@needs_bfloat16
@pytest.mark.parametrize("shape", SHAPES)
def test_bfloat16_rounds_inputs_weights_and_product(shape):
    W, b, x, other = operands(*shape, rows=40)
    exact = x.bfloat16().double() @ W.bfloat16().double()
    # one rounding to 8 bits of mantissa
    bound = exact.abs() * 2**-8 + 1e-5
    product = OneDnnProduct(W, b, torch.bfloat16)
    assert ((product(x) - b - exact).abs() <= bound).all()
    assert ((product.plus(other.clone(), x) - other - exact).abs() <= bound).all()


@needs_int8
@pytest.mark.parametrize("shape", SHAPES)
def test_int8_is_off_by_half_a_step_of_each_input_and_weight_at_most(shape):
    W, b, x, other = operands(*shape, rows=40)
    W[:, 0] = 0
    x[0] = 0
    exact = x.double() @ W.double()
    half_of_weight = W.abs().amax(0, keepdim=True).double() / 127 / 2
    half_of_input = x.abs().amax(1, keepdim=True).double() / 127 / 2
    bound = (
        x.abs().double().sum(1, keepdim=True) * half_of_weight
        + half_of_input * W.abs().double().sum(0, keepdim=True)
        + len(W) * half_of_input * half_of_weight
        + 1e-5
    )
    product = Int8Product(W, b)
    assert ((product(x) - b - exact).abs() <= bound).all()
    assert ((product.plus(other.clone(), x) - other - exact).abs() <= bound).all()
    assert torch.equal(product(x)[0], b)
    cosine = torch.nn.functional.cosine_similarity(product(x) - b, exact, dim=1)
    assert cosine[1:].min() > 0.999 or W.shape[1] == 1


@needs_int8
def test_int8_sums_hold_the_largest_products():
    signs = torch.ones(512, 64)
    signs[:, 1::2] = -1
    expected = torch.full((3, 64), 512.0) * signs[0]
    assert torch.equal(Int8Product(signs, None)(torch.ones(3, 512)).round(), expected)


@needs_onednn
def test_packed_products_are_used_where_there_are_any():
    W, b, _, _ = operands(4, 8)
    assert isinstance(prepare_product(W, b), OneDnnProduct)


def test_public_products_where_there_are_none(monkeypatch):
    monkeypatch.setattr(prepared_products, "has_onednn", lambda: False)
    W, b, x, _ = operands(4, 8)
    product = prepare_product(W, b)
    assert isinstance(product, PlainProduct)
    torch.testing.assert_close(product(x), x @ W + b)


@pytest.mark.parametrize("precision", ["bfloat16", "int8"])
def test_where_a_precision_is_not_fast_it_says_so_and_is_exact(monkeypatch, precision):
    monkeypatch.setattr(prepared_products, f"has_{precision}", lambda: False)
    with pytest.warns(UserWarning, match=f"{precision}.*goes on in float32"):
        assert usable_dtype(precision) == torch.float32
