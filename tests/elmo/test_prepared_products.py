import pytest
import torch

from spacy_elmo_ner.elmo import prepared_products
from spacy_elmo_ner.elmo.prepared_products import (
    FbgemmKernel,
    Int8Product,
    OneDnnProduct,
    PlainProduct,
    VnniKernel,
    has_bfloat16,
    has_fbgemm,
    has_onednn,
    has_vnni,
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
            not has_fbgemm(), reason="this torch or machine has no FBGEMM"
        ),
    ),
]


def operands(inputs, outputs, rows=500):
    generator = torch.Generator().manual_seed(inputs)
    W = torch.randn(inputs, outputs, generator=generator) / inputs**0.5
    b = torch.randn(outputs, generator=generator)
    x = torch.randn(rows, inputs, generator=generator)
    return W, b, x, torch.randn(rows, outputs, generator=generator)


def float32_products(W, b):
    both = [PlainProduct(W, b)]
    if has_onednn():
        both.append(OneDnnProduct(W, b, torch.float32))
    return both


def assert_steady(product, x, other):
    all_rows = product(x)
    all_sums = product.plus(other.clone(), x)
    for n in [*range(1, 20), 31, 32, 33, 100, 384]:
        assert torch.equal(product(x[:n]), all_rows[:n])
        assert torch.equal(product.plus(other[:n].clone(), x[:n]), all_sums[:n])


@pytest.mark.parametrize("shape", SHAPES)
def test_a_row_does_not_depend_on_the_number_of_rows(shape):
    W, b, x, other = operands(*shape)
    for product in float32_products(W, b):
        assert_steady(product, x, other)


@needs_bfloat16
@pytest.mark.parametrize("shape", SHAPES)
def test_a_row_in_bfloat16_does_not_depend_on_the_number_of_rows(shape):
    W, b, x, other = operands(*shape)
    assert_steady(OneDnnProduct(W, b, torch.bfloat16), x, other)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("kernel", INT8_KERNELS)
def test_a_row_in_int8_does_not_depend_on_the_number_of_rows(shape, kernel):
    W, b, x, other = operands(*shape)
    assert_steady(Int8Product(W, b, kernel), x, other)


@pytest.mark.parametrize("shape", SHAPES)
def test_float32_is_exact(shape):
    W, b, x, other = operands(*shape, rows=40)
    exact = x.double() @ W.double()
    for product in float32_products(W, b):
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


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("kernel", INT8_KERNELS)
def test_int8_is_off_by_half_a_step_of_each_input_and_weight_at_most(shape, kernel):
    W, b, x, other = operands(*shape, rows=40)
    W[:, 0] = 0
    x[0] = 0
    exact = x.double() @ W.double()
    weight_steps = {VnniKernel: 127, FbgemmKernel: 63}[kernel]
    half_of_weight = W.abs().amax(0, keepdim=True).double() / weight_steps / 2
    half_of_input = x.abs().amax(1, keepdim=True).double() / 127 / 2
    bound = (
        x.abs().double().sum(1, keepdim=True) * half_of_weight
        + half_of_input * W.abs().double().sum(0, keepdim=True)
        + len(W) * half_of_input * half_of_weight
        + 1e-5
    )
    product = Int8Product(W, b, kernel)
    assert ((product(x) - b - exact).abs() <= bound).all()
    assert ((product.plus(other.clone(), x) - other - exact).abs() <= bound).all()
    assert torch.equal(product(x)[0], b)
    cosine = torch.nn.functional.cosine_similarity(product(x) - b, exact, dim=1)
    assert cosine[1:].min() > 0.999 or W.shape[1] == 1


@pytest.mark.parametrize("kernel", INT8_KERNELS)
def test_int8_sums_hold_the_largest_products(kernel):
    signs = torch.ones(512, 64)
    signs[:, 1::2] = -1
    expected = torch.full((3, 64), 512.0) * signs[0]
    for x in torch.ones(3, 512), -torch.ones(3, 512):
        product = Int8Product(signs, None, kernel)(x)
        assert torch.equal(product.round(), expected * x[0, 0])


@pytest.mark.skipif(not has_fbgemm(), reason="this torch or machine has no FBGEMM")
def test_fbgemm_leaves_torch_settings_and_warnings_as_they_are(recwarn):
    engine = torch.backends.quantized.engine
    Int8Product(*operands(70, 30)[:2], FbgemmKernel)
    assert torch.backends.quantized.engine == engine
    assert not recwarn.list


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
