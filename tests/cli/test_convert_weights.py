import pytest

from spacy_elmo_ner.cli.convert_weights import convert_weights
from spacy_elmo_ner.elmo.weight_files import read_weights


def test_published_weights_go_there_and_back(shared_data, tmp_path, capsys):
    folder = shared_data / "elmo_fixtures" / "allennlp"
    source, options = folder / "lm_weights.hdf5", folder / "options.json"
    tensors = tmp_path / "new" / "elmo.safetensors"
    convert_weights(source, tensors, options)
    back = tmp_path / "back" / "weights.hdf5", tmp_path / "back" / "options.json"
    convert_weights(tensors, *back)
    original, again = read_weights(source, options), read_weights(*back)
    assert again.options == original.options
    for name, array in original.arrays.items():
        assert array.numpy().tobytes() == again.arrays[name].numpy().tobytes()
    assert "33 arrays" in capsys.readouterr().out


@pytest.mark.parametrize("suffix", ["hdf5", "safetensors"])
def test_same_format_on_both_sides_is_an_error(tmp_path, suffix):
    with pytest.raises(ValueError, match="same format"):
        convert_weights(
            tmp_path / f"a.{suffix}", tmp_path / f"b.{suffix}", tmp_path / "o.json"
        )
