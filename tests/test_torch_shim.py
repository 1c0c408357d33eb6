import functools
import gc
import json
from typing import Any, List

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from safetensors.torch import save
from thinc.api import Adam, ArgsKwargs
from torch import Tensor, nn

from spacy_elmo_ner.files.checksum import checksum
from spacy_elmo_ner.torch_shim import LazyTorchShim


def linear_shim(bias: bool = True) -> LazyTorchShim:
    return LazyTorchShim(functools.partial(nn.Linear, bias=bias))


def weight_of(shim: LazyTorchShim, name: str = "weight") -> Tensor:
    return dict(shim.module.named_parameters())[name]


@pytest.fixture
def built() -> LazyTorchShim:
    shim = linear_shim()
    shim.build(in_features=3, out_features=2)
    return shim


def test_bytes_bring_sizes_and_weights(built: LazyTorchShim) -> None:
    other = linear_shim().from_bytes(built.to_bytes())
    assert other.cfg == {"in_features": 3, "out_features": 2}
    for name, tensor in built.module.state_dict().items():
        assert torch.equal(other.module.state_dict()[name], tensor)


FINITE = {"allow_nan": False, "allow_infinity": False}
FLOATS = st.floats(width=32, **FINITE) | st.floats(width=16, **FINITE)


@given(weights=st.lists(FLOATS, min_size=6, max_size=6), rounded=st.booleans())
def test_bytes_bring_every_bit(weights: List[float], rounded: bool) -> None:
    shim = linear_shim()
    shim.build(in_features=3, out_features=2)
    weight = weight_of(shim).data
    weight.copy_(torch.tensor(weights).reshape(2, 3))
    if rounded:
        weight.copy_(weight.clamp(-65504, 65504).half())
    again = weight_of(linear_shim().from_bytes(shim.to_bytes()))
    assert again.dtype == torch.float32
    assert again.detach().numpy().tobytes() == weight.numpy().tobytes()


def test_numbers_of_float16_are_stored_in_half_the_bytes() -> None:
    shim = linear_shim(bias=False)
    shim.build(in_features=300, out_features=200)
    weight = weight_of(shim).data
    exact = len(shim.to_bytes())
    weight.copy_(weight.half())
    assert exact - len(shim.to_bytes()) == 300 * 200 * 2


def test_bytes_are_the_same_each_time(built: LazyTorchShim) -> None:
    assert len({built.to_bytes() for _ in range(20)}) == 1


def test_unbuilt_shim_travels_too() -> None:
    other = linear_shim().from_bytes(linear_shim().to_bytes())
    assert not other.is_built
    with pytest.raises(ValueError, match=r"nlp\.initialize\(\)"):
        assert other.module


def test_weights_of_another_model_are_refused(built: LazyTorchShim) -> None:
    other = linear_shim(bias=False)
    with pytest.raises(ValueError, match="(?s)do not fit the model.*bias"):
        other.from_bytes(built.to_bytes())
    assert not other.is_built


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x80\x04K\x01.",
        b"\x02\x00\x00\x00\x00\x00\x00\x00{}",
        save({"weight": torch.zeros(2)}),
        save({}, metadata={"spacy_elmo_ner": "1"}),
        save({}, metadata={"spacy_elmo_ner": json.dumps({"version": 9})}),
    ],
)
def test_foreign_bytes_are_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match="another version"):
        linear_shim().from_bytes(data)


def test_cut_bytes_are_refused(built: LazyTorchShim) -> None:
    with pytest.raises(ValueError, match="damaged|do not fit"):
        linear_shim().from_bytes(built.to_bytes()[:-4])


def changed_header(data: bytes, **values: Any) -> bytes:
    size = int.from_bytes(data[:8], "little")
    header = json.loads(data[8 : 8 + size])
    ours = json.loads(header["__metadata__"]["spacy_elmo_ner"])
    ours.update(values)
    ours = {key: value for key, value in ours.items() if value is not None}
    header["__metadata__"]["spacy_elmo_ner"] = json.dumps(ours)
    encoded = json.dumps(header).encode()
    return len(encoded).to_bytes(8, "little") + encoded + data[8 + size :]


def test_every_bit_of_the_weights_is_checked(built: LazyTorchShim) -> None:
    whole = built.to_bytes()
    n_bytes = 4 * (3 * 2 + 2)
    for i in range(8 * n_bytes):
        damaged = bytearray(whole)
        damaged[-n_bytes + i // 8] ^= 1 << i % 8
        with pytest.raises(ValueError, match="damaged"):
            linear_shim().from_bytes(bytes(damaged))


def test_bytes_of_before_have_no_checksum(built: LazyTorchShim) -> None:
    other = linear_shim().from_bytes(changed_header(built.to_bytes(), sha256=None))
    assert torch.equal(weight_of(other), weight_of(built))


@pytest.mark.parametrize("size", [10**9, 0, -1, 2.5, True, "3", [3], {}])
@pytest.mark.parametrize("name", ["in_features", "out_features", "more"])
def test_sizes_that_no_tensor_has_make_no_module(
    built: LazyTorchShim, name: str, size: Any
) -> None:
    sizes = {**built.cfg, name: size}
    for sha256 in (None, checksum([True, sizes], built.module.state_dict())):
        with pytest.raises(ValueError, match="damaged"):
            linear_shim().from_bytes(
                changed_header(built.to_bytes(), sizes=sizes, sha256=sha256)
            )


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
def test_weights_that_no_training_gives_are_refused(
    built: LazyTorchShim, value: float
) -> None:
    weight_of(built, "bias").data[1] = value
    with pytest.raises(ValueError, match="bias hold NaN or infinite"):
        linear_shim().from_bytes(built.to_bytes())


def test_updates_leave_nothing_behind(built: LazyTorchShim) -> None:
    """Weights that hold on to those before them fill the memory in a long training."""
    optimizer = Adam(0.01)

    def n_tensors_after_updates(n: int) -> int:
        for _ in range(n):
            inputs = ArgsKwargs(args=(torch.ones(4, 3),), kwargs={})
            output, backprop = built.begin_update(inputs)
            grads = {"grad_tensors": torch.ones(4, 2)}
            backprop(ArgsKwargs(args=((output,),), kwargs=grads))
            built.finish_update(optimizer)
        del output, backprop
        gc.collect()
        # by type, as a look at `__class__` wakes what warns of its own deprecation
        return sum(issubclass(type(one), torch.Tensor) for one in gc.get_objects())

    before = weight_of(built).detach().clone()
    after_few = n_tensors_after_updates(3)
    assert n_tensors_after_updates(20) == after_few
    assert not torch.equal(weight_of(built), before)
