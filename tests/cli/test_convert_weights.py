import re

import pytest

from spacy_elmo_ner.cli.convert_weights import convert_weights
from spacy_elmo_ner.elmo.weight_files import read_weights


def test_published_weights_go_there_and_back(shared_data, tmp_path, capsys):
    folder = shared_data / "elmo_fixtures" / "allennlp"
    source, options = folder / "lm_weights.hdf5", folder / "options.json"
    tensors = tmp_path / "new" / "elmo.safetensors"
    convert_weights(source, tensors, options, half=False)
    back = tmp_path / "back" / "weights.hdf5", tmp_path / "back" / "options.json"
    convert_weights(tensors, *back, half=False)
    original, again = read_weights(source, options), read_weights(*back)
    assert again.options == original.options
    for name, array in original.arrays.items():
        assert array.numpy().tobytes() == again.arrays[name].numpy().tobytes()
    assert "33 arrays" in capsys.readouterr().out


@pytest.mark.parametrize("suffix", ["hdf5", "safetensors"])
def test_same_format_on_both_sides_is_an_error(tmp_path, suffix):
    with pytest.raises(ValueError, match="same format"):
        convert_weights(
            tmp_path / f"a.{suffix}",
            tmp_path / f"b.{suffix}",
            tmp_path / "o.json",
            half=False,
        )


def test_half_the_size_with_its_error_told(shared_data, tmp_path, capsys):
    folder = shared_data / "elmo_fixtures" / "allennlp"
    exact, half = tmp_path / "exact.safetensors", tmp_path / "half.safetensors"
    source, options = folder / "lm_weights.hdf5", folder / "options.json"
    convert_weights(source, exact, options, half=False)
    convert_weights(exact, half, None, half=True)
    direct = tmp_path / "direct.safetensors"
    convert_weights(source, direct, options, half=True)
    assert direct.read_bytes() == half.read_bytes()
    told = re.findall(r"largest rounding error: (\S+)", capsys.readouterr().out)
    arrays, rounded = read_weights(exact).arrays, read_weights(half).arrays
    error = max(float((arrays[name] - rounded[name]).abs().max()) for name in arrays)
    assert told == [f"{error:.1e}"] * 2 and 0 < error < 1e-2


def test_what_cannot_be_asked_for(tmp_path):
    hdf5, tensors = tmp_path / "a.hdf5", tmp_path / "a.safetensors"
    with pytest.raises(ValueError, match="is float32; leave out --half"):
        convert_weights(tensors, hdf5, tmp_path / "o.json", half=True)
    for source, output in ((hdf5, tensors), (tensors, hdf5)):
        with pytest.raises(ValueError, match="name its options.json"):
            convert_weights(source, output, None, half=False)
