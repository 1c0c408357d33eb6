from pathlib import Path
from typing import Callable, Dict

import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor

from spacy_elmo_ner.pretraining.shards import MAX_SHARD_BYTES, load_shards, save_shards

ARRAYS: Dict[str, Callable[[], torch.Tensor]] = {
    "scalar": lambda: torch.tensor(3.5),
    "empty": lambda: torch.zeros(0, 4),
    "a@b": lambda: torch.arange(6).reshape(2, 3),
    "half": lambda: torch.randn(5, 7).half(),
    "transposed": lambda: torch.randn(30, 20).t(),
    # 2.6 files, and one row too many for half of one
    "large": lambda: torch.randn(10_001, 1_040),
    "long": lambda: torch.randn(4_100_000),
}


@pytest.fixture(scope="module")
def arrays() -> Dict[str, Tensor]:
    torch.manual_seed(0)
    return {name: make() for name, make in ARRAYS.items()}


def test_arrays_come_back_as_they_were(
    tmp_path: Path, arrays: Dict[str, Tensor]
) -> None:
    save_shards(arrays, tmp_path, "model")
    save_shards({"other": torch.ones(2)}, tmp_path, "optimizers")
    found = load_shards(tmp_path, "model")
    assert found.keys() == arrays.keys()
    for name, array in arrays.items():
        assert found[name].dtype == array.dtype
        assert torch.equal(found[name], array), name


def test_no_file_is_larger_than_it_may_be(
    tmp_path: Path, arrays: Dict[str, Tensor]
) -> None:
    save_shards(arrays, tmp_path, "model")
    sizes = [path.stat().st_size for path in tmp_path.iterdir()]
    total = sum(array.numel() * array.element_size() for array in arrays.values())
    assert max(sizes) <= MAX_SHARD_BYTES == 16_000_000
    assert sum(sizes) < total + 10_000
    # an array of several files stands in each with its own rows alone
    assert len(sizes) <= total // MAX_SHARD_BYTES + 3


def test_one_row_larger_than_a_file(tmp_path: Path) -> None:
    array = torch.randn(2, MAX_SHARD_BYTES // 4)
    save_shards({"wide": array}, tmp_path, "model")
    assert torch.equal(load_shards(tmp_path, "model")["wide"], array)


def test_nothing_is_one_empty_file(tmp_path: Path) -> None:
    save_shards({}, tmp_path, "model")
    (file,) = tmp_path.iterdir()
    assert load_file(str(file)) == {} == load_shards(tmp_path, "model")
