import json
import math
from pathlib import Path
from typing import Any, Dict, Tuple

import h5py
import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from spacy_elmo_ner.bilm.encoder import ElmoEncoder
from spacy_elmo_ner.bilm.options import ElmoOptions
from spacy_elmo_ner.bilm.weight_files import (
    read_weights,
    write_hdf5,
    write_safetensors,
)
from spacy_elmo_ner.bilm.weights import ElmoWeights, set_weights, to_weights
from tests.encoders import to_encoder
from tests.tiny_bilm import OPTIONS


def random_weights(
    options: ElmoOptions = OPTIONS, seed: int = 0, start_state: str = "zeros"
) -> ElmoWeights:
    torch.manual_seed(seed)
    weights = to_weights(ElmoEncoder(options, start_state=start_state))
    for array in weights.arrays.values():
        array.normal_()
    # bit patterns that arithmetic would lose
    some = weights.arrays["CNN_proj/b_proj"]
    some[:3] = torch.tensor([-0.0, 1e-45, math.ldexp(1.0, -30) + 1.0])
    return weights


def bits(weights: ElmoWeights) -> Dict[str, bytes]:
    return {name: array.numpy().tobytes() for name, array in weights.arrays.items()}


@pytest.fixture
def published(tmp_path: Path) -> Tuple[Path, Path]:
    """An HDF5 file and its options.json."""
    paths = tmp_path / "weights.hdf5", tmp_path / "options.json"
    write_hdf5(random_weights(), *paths)
    return paths


@pytest.mark.parametrize("n_characters", [261, 262])
def test_no_bit_is_lost_on_any_way_round(tmp_path: Path, n_characters: int) -> None:
    weights = random_weights(
        ElmoOptions(**{**vars(OPTIONS), "n_characters": n_characters})
    )
    hdf5, options = tmp_path / "a.hdf5", tmp_path / "a.json"
    tensors = tmp_path / "a.safetensors"
    write_hdf5(weights, hdf5, options)
    from_hdf5 = read_weights(hdf5, options)
    write_safetensors(from_hdf5, tensors)
    from_tensors = read_weights(tensors)
    back = to_weights(to_encoder(from_tensors, "test"))
    write_hdf5(back, tmp_path / "b.hdf5", tmp_path / "b.json")
    again = read_weights(tmp_path / "b.hdf5", tmp_path / "b.json")
    for read in (from_hdf5, from_tensors, back, again):
        assert read.options == weights.options
        assert bits(read) == bits(weights)
    assert json.loads(options.read_text()) == json.loads(
        (tmp_path / "b.json").read_text()
    )


@pytest.mark.parametrize("family", ["allennlp", "bilm-tf"])
def test_published_files_come_back_array_for_array(
    shared_data: Path, tmp_path: Path, family: str
) -> None:
    folder = shared_data / "elmo_fixtures" / family
    weights = read_weights(folder / "lm_weights.hdf5", folder / "options.json")
    write_safetensors(weights, tmp_path / "w.safetensors")
    write_hdf5(
        read_weights(tmp_path / "w.safetensors"), tmp_path / "w.hdf5", tmp_path / "o"
    )

    def arrays(path: Path) -> Dict[str, Tuple[np.dtype, bytes]]:
        found: Dict[str, Tuple[np.dtype, bytes]] = {}
        with h5py.File(path, "r") as file:
            file.visititems(
                lambda name, node: (
                    found.update({name: (node.dtype, node[...].tobytes())})
                    if isinstance(node, h5py.Dataset)
                    else None
                )
            )
        return found

    assert arrays(tmp_path / "w.hdf5") == arrays(folder / "lm_weights.hdf5")
    assert json.loads((tmp_path / "o").read_text()) == json.loads(
        (folder / "options.json").read_text()
    )


def test_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no ELMo weight file at .*nowhere.hdf5"):
        read_weights(tmp_path / "nowhere.hdf5", tmp_path / "options.json")


@pytest.mark.parametrize("share", [0.02, 0.5, 0.99])
def test_truncated_hdf5_is_named(published: Tuple[Path, Path], share: float) -> None:
    path, options = published
    whole = path.read_bytes()
    path.write_bytes(whole[: int(len(whole) * share)])
    with pytest.raises(ValueError, match="weights.hdf5 is truncated or damaged"):
        read_weights(path, options)


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"<html>Not found</html>"])
def test_file_that_is_not_hdf5_is_named(
    published: Tuple[Path, Path], content: bytes
) -> None:
    path, options = published
    path.write_bytes(content)
    with pytest.raises(ValueError, match="weights.hdf5 is not an HDF5 file"):
        read_weights(path, options)


def test_hdf5_without_options_asks_for_them(published: Tuple[Path, Path]) -> None:
    with pytest.raises(ValueError, match="give the options.json"):
        read_weights(published[0])


@pytest.mark.parametrize("share", [0.0, 0.001, 0.5, 0.999])
def test_truncated_safetensors_is_named(tmp_path: Path, share: float) -> None:
    path = tmp_path / "weights.safetensors"
    write_safetensors(random_weights(), path)
    whole = path.read_bytes()
    path.write_bytes(whole[: int(len(whole) * share)])
    with pytest.raises(ValueError, match="weights.safetensors .* truncated"):
        read_weights(path)


def test_safetensors_of_something_else_are_named(tmp_path: Path) -> None:
    save_file({"x": torch.zeros(2)}, str(tmp_path / "other.safetensors"))
    with pytest.raises(ValueError, match="not hold ELMo options.*convert-weights"):
        read_weights(tmp_path / "other.safetensors")


DATASET = "RNN_1/RNN/MultiRNNCell/Cell0/LSTMCell/W_P_0"


def test_missing_dataset_is_named(published: Tuple[Path, Path]) -> None:
    with h5py.File(published[0], "a") as file:
        del file[DATASET]
    with pytest.raises(ValueError, match=f"no dataset {DATASET}"):
        read_weights(*published)


def test_shape_that_contradicts_the_options_is_named_with_both_shapes(
    published: Tuple[Path, Path],
) -> None:
    content = json.loads(published[1].read_text())
    content["lstm"]["dim"] = 7
    published[1].write_text(json.dumps(content))
    with pytest.raises(ValueError, match=r"Cell0/LSTMCell/W_0 .*\(6, 20\).*\(6, 28\)"):
        read_weights(*published)


@pytest.mark.parametrize("key,value", [("n_highway", 1), ("filters", [[1, 2]])])
def test_datasets_beyond_the_options_are_named(
    published: Tuple[Path, Path], key: str, value: Any
) -> None:
    content = json.loads(published[1].read_text())
    content["char_cnn"][key] = value
    published[1].write_text(json.dumps(content))
    with pytest.raises(ValueError, match="CNN"):
        read_weights(*published)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_values_that_are_not_finite_are_named(
    published: Tuple[Path, Path], value: float
) -> None:
    with h5py.File(published[0], "a") as file:
        file[DATASET][1, 1] = value
    with pytest.raises(ValueError, match=f"{DATASET} .*NaN or infinite"):
        read_weights(*published)


def test_another_number_format_is_named(published: Tuple[Path, Path]) -> None:
    with h5py.File(published[0], "a") as file:
        array = file[DATASET][...]
        del file[DATASET]
        file[DATASET] = array.astype(np.float64)
    with pytest.raises(ValueError, match=f"{DATASET} .*float64"):
        read_weights(*published)


def test_bad_weights_are_not_written_and_leave_what_was_there(tmp_path: Path) -> None:
    good, bad = random_weights(), random_weights(seed=1)
    bad.arrays[DATASET][0, 0] = np.nan
    hdf5, options = tmp_path / "w.hdf5", tmp_path / "o.json"
    tensors = tmp_path / "w.safetensors"
    write_hdf5(good, hdf5, options)
    write_safetensors(good, tensors)
    before = {path: path.read_bytes() for path in tmp_path.iterdir()}
    with pytest.raises(ValueError, match="NaN"):
        write_hdf5(bad, hdf5, options)
    with pytest.raises(ValueError, match="NaN"):
        write_safetensors(bad, tensors)
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_failed_write_leaves_nothing_behind(tmp_path: Path) -> None:
    (tmp_path / "w.hdf5").mkdir()
    (tmp_path / "w.hdf5" / "file").touch()
    with pytest.raises(OSError):
        write_hdf5(random_weights(), tmp_path / "w.hdf5", tmp_path / "o.json")
    assert [path.name for path in tmp_path.iterdir()] == ["w.hdf5"]


def test_weights_of_another_size_do_not_touch_the_module() -> None:
    encoder = ElmoEncoder(OPTIONS)
    before = bits(to_weights(encoder))
    other = ElmoOptions(**{**vars(OPTIONS), "lstm_width": 6})
    with pytest.raises(ValueError, match="lstm_width is 5 instead of 6"):
        set_weights(encoder, random_weights(other), "other.hdf5")
    assert bits(to_weights(encoder)) == before


def test_a_trained_start_is_kept_with_the_weights(tmp_path: Path) -> None:
    weights = random_weights(start_state="trained")
    assert weights.has_start and len(weights.arrays) == len(random_weights().arrays) + 2
    path = tmp_path / "w.safetensors"
    write_safetensors(weights, path)
    encoder = to_encoder(read_weights(path), str(path))
    assert encoder.start_state == "trained"
    assert bits(to_weights(encoder)) == bits(weights)
    cell = weights.arrays.pop("START/cell")
    with pytest.raises(ValueError, match="no dataset START/cell"):
        write_safetensors(weights, path)
    weights.arrays["START/cell"] = cell[:1]
    with pytest.raises(ValueError, match="START/cell.*shape"):
        set_weights(encoder, weights, "wrong")


def test_a_trained_start_is_never_lost_unsaid(tmp_path: Path) -> None:
    weights = random_weights(start_state="trained")
    plain = ElmoEncoder(OPTIONS)
    before = bits(to_weights(plain))
    with pytest.raises(ValueError, match='w.hdf5 .*set start_state = "trained"'):
        set_weights(plain, weights, "w.hdf5")
    assert bits(to_weights(plain)) == before
    with pytest.raises(ValueError, match="published format has no trained start"):
        write_hdf5(weights, tmp_path / "w.hdf5", tmp_path / "o.json")
    assert not list(tmp_path.iterdir())


def test_without_a_trained_start_it_is_zeros() -> None:
    encoder = ElmoEncoder(OPTIONS, start_state="trained")
    set_weights(encoder, random_weights(start_state="trained"), "w")
    assert encoder.start_cell.any()
    set_weights(encoder, random_weights(), "w")
    assert not encoder.start_hidden.any() and not encoder.start_cell.any()


def test_half_is_the_nearest_float16_and_half_the_size(tmp_path: Path) -> None:
    weights = random_weights()
    exact, half = tmp_path / "exact.safetensors", tmp_path / "half.safetensors"
    write_safetensors(weights, exact)
    write_safetensors(weights, half, half=True)
    again = read_weights(half)
    assert again.options == weights.options
    for name, array in weights.arrays.items():
        assert again.arrays[name].dtype == torch.float32
        expected = array.numpy().astype(np.float16).astype(np.float32)
        np.testing.assert_array_equal(again.arrays[name].numpy(), expected)
    n_bytes = 4 * sum(array.numel() for array in weights.arrays.values())
    assert exact.stat().st_size - half.stat().st_size >= n_bytes // 2


def test_what_float16_cannot_hold_is_named_and_not_written(tmp_path: Path) -> None:
    weights = random_weights()
    weights.arrays["CNN_proj/b_proj"][0] = 1e6
    path = tmp_path / "half.safetensors"
    with pytest.raises(ValueError, match="CNN_proj/b_proj of .* rounded to float16"):
        write_safetensors(weights, path, half=True)
    assert not path.exists()
