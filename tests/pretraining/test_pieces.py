import pytest
import torch
from safetensors.torch import load_file

from spacy_elmo_ner.pretraining.pieces import LARGEST, load_pieces, save_pieces

ARRAYS = {
    "scalar": lambda: torch.tensor(3.5),
    "empty": lambda: torch.zeros(0, 4),
    "a@b": lambda: torch.arange(6).reshape(2, 3),
    "half": lambda: torch.randn(5, 7).half(),
    "turned": lambda: torch.randn(30, 20).t(),
    # 2.6 files, and one row too many for half of one
    "large": lambda: torch.randn(10_001, 1_040),
    "long": lambda: torch.randn(4_100_000),
}


@pytest.fixture(scope="module")
def arrays():
    torch.manual_seed(0)
    return {name: make() for name, make in ARRAYS.items()}


def test_arrays_come_back_as_they_were(tmp_path, arrays):
    save_pieces(arrays, tmp_path, "model")
    save_pieces({"other": torch.ones(2)}, tmp_path, "optimizers")
    found = load_pieces(tmp_path, "model")
    assert found.keys() == arrays.keys()
    for name, array in arrays.items():
        assert found[name].dtype == array.dtype
        assert torch.equal(found[name], array), name


def test_no_file_is_larger_than_it_may_be(tmp_path, arrays):
    save_pieces(arrays, tmp_path, "model")
    sizes = [path.stat().st_size for path in tmp_path.iterdir()]
    total = sum(array.numel() * array.element_size() for array in arrays.values())
    assert max(sizes) <= LARGEST == 16_000_000
    assert sum(sizes) < total + 10_000
    # an array of several files stands in each with its own rows alone
    assert len(sizes) <= total // LARGEST + 3


def test_one_row_larger_than_a_file(tmp_path):
    array = torch.randn(2, LARGEST // 4)
    save_pieces({"wide": array}, tmp_path, "model")
    assert torch.equal(load_pieces(tmp_path, "model")["wide"], array)


def test_nothing_is_one_empty_file(tmp_path):
    save_pieces({}, tmp_path, "model")
    (file,) = tmp_path.iterdir()
    assert load_file(str(file)) == {} == load_pieces(tmp_path, "model")
