from typing import Any, Dict, Optional

import pytest
import torch
from torch import nn

from spacy_elmo_ner.kernels.int8_products import (
    FbgemmKernel,
    Int8Product,
    VnniKernel,
    has_fbgemm,
)
from spacy_elmo_ner.kernels.lstm_inference import InferenceLstm
from spacy_elmo_ner.kernels.packed_products import (
    Bfloat16Product,
    OneDnnProduct,
    PlainProduct,
    has_bfloat16,
    has_onednn,
)
from spacy_elmo_ner.kernels.scripting import can_compile, without_gil

PROJECTED, WIDTH = 24, 40
PRODUCTS = {
    "public": lambda W, b: PlainProduct(W, b),
    "float32": lambda W, b: OneDnnProduct(W, b),
    "bfloat16": lambda W, b: Bfloat16Product(W, b),
    "FBGEMM": lambda W, b: Int8Product(W, b, FbgemmKernel),
    "VNNI": lambda W, b: Int8Product(W, b, VnniKernel),
}
HAS = {
    "public": True,
    "float32": has_onednn(),
    "bfloat16": has_bfloat16(),
    "FBGEMM": has_fbgemm(),
    # exact on a CPU with VNNI alone, but equal to itself wherever oneDNN is
    "VNNI": has_onednn() and hasattr(torch.ops.onednn, "qlinear_pointwise"),
}


def make_lstm(
    product: Any = PlainProduct,
    clip: Optional[float] = None,
    with_projection: bool = True,
) -> InferenceLstm:
    generator = torch.Generator().manual_seed(3)
    outputs = PROJECTED if with_projection else WIDTH
    input_gates = product(
        torch.randn(PROJECTED, 4 * WIDTH, generator=generator) / 3,
        torch.randn(4 * WIDTH, generator=generator),
    )
    recurrence = product(torch.randn(outputs, 4 * WIDTH, generator=generator) / 3, None)
    projection = product(torch.randn(WIDTH, PROJECTED, generator=generator), None)
    return InferenceLstm(
        input_gates,
        recurrence,
        projection if with_projection else None,
        cell_clip=clip,
        projection_clip=clip,
    )


@torch.no_grad()
@pytest.mark.parametrize("with_projection", [True, False])
@pytest.mark.parametrize("clip", [None, 0.5])
@pytest.mark.parametrize("product", PRODUCTS)
def test_a_compiled_layer_gives_the_same_values(
    product: str, clip: Optional[float], with_projection: bool
) -> None:
    if not HAS[product]:
        pytest.skip("this torch or machine has no such products")
    layer = make_lstm(PRODUCTS[product], clip, with_projection)
    outputs = PROJECTED if with_projection else WIDTH
    compiled = without_gil(layer)
    # more rows than are multiplied at once, sentences that end, words that recur
    for steps in [1], [1] * 9, [5, 5, 3, 1], [400, 390, 2, 2]:
        inputs = torch.randn(sum(steps), PROJECTED)
        hidden = torch.randn(steps[0], outputs) / 3
        cell = torch.randn(steps[0], WIDTH)
        for rows in None, torch.arange(sum(steps)) // 2:
            given = inputs, rows, steps, hidden, cell
            for own, other in zip(layer(*given), compiled(*given), strict=True):
                assert torch.equal(own, other)


@pytest.mark.skipif(not can_compile(), reason="this torch cannot compile exactly")
def test_a_layer_is_compiled() -> None:
    assert isinstance(without_gil(make_lstm()), torch.jit.ScriptModule)


def test_where_torch_cannot_compile_the_module_does_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    layer = make_lstm()
    monkeypatch.delattr(torch.jit, "script")
    assert without_gil(layer) is layer


def test_a_module_without_source_does_it_itself() -> None:
    source = (
        "class Twice(nn.Module):\n    def forward(self, x):\n        return x * 2\n"
    )
    names: Dict[str, Any] = {"nn": nn, "__name__": "frozen"}
    exec(compile(source, "frozen.py", "exec"), names)
    module = names["Twice"]()
    assert without_gil(module) is module


def test_nobody_is_warned(recwarn: pytest.WarningsRecorder) -> None:
    assert without_gil(nn.Linear(2, 3))(torch.ones(1, 2)).shape == (1, 3)
    assert not recwarn.list
