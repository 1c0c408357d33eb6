import json
import re
from pathlib import Path

import pytest
import spacy
import torch
from spacy.language import Language

from spacy_elmo_ner.bilm.weight_files import read_weights
from spacy_elmo_ner.bilm.weights import to_weights
from spacy_elmo_ner.cli.convert_weights import convert_weights
from spacy_elmo_ner.elmo.loader import elmo_nodes


def test_published_weights_go_there_and_back(
    shared_data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
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
def test_same_format_on_both_sides_is_an_error(tmp_path: Path, suffix: str) -> None:
    with pytest.raises(ValueError, match="same format"):
        convert_weights(
            tmp_path / f"a.{suffix}",
            tmp_path / f"b.{suffix}",
            tmp_path / "o.json",
            half=False,
        )


def test_half_the_size_with_its_error_told(
    shared_data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
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


def test_what_cannot_be_asked_for(tmp_path: Path) -> None:
    hdf5, tensors = tmp_path / "a.hdf5", tmp_path / "a.safetensors"
    with pytest.raises(ValueError, match="is float32; leave out --half"):
        convert_weights(tensors, hdf5, tmp_path / "o.json", half=True)
    for source, output in ((hdf5, tensors), (tensors, hdf5)):
        with pytest.raises(ValueError, match="name its options.json"):
            convert_weights(source, output, None, half=False)


def test_elmo_of_a_pipeline_is_written(tmp_path: Path) -> None:
    nlp = elmo_pipeline()
    nlp.to_disk(tmp_path / "pipeline")
    tensors = tmp_path / "elmo.safetensors"
    hdf5, options = tmp_path / "weights.hdf5", tmp_path / "options.json"
    convert_weights(tmp_path / "pipeline", tensors, None, half=False)
    convert_weights(tmp_path / "pipeline", hdf5, options, half=False)
    (node,) = elmo_nodes(nlp)
    expected = to_weights(node.shims[0].module.encoder)
    for found in (read_weights(tensors), read_weights(hdf5, options)):
        assert found.options == expected.options
        for name, array in expected.arrays.items():
            assert torch.equal(found.arrays[name], array)


def test_elmo_of_an_installed_pipeline_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    nlp = elmo_pipeline()
    package = tmp_path / "en_pipeline"
    package.mkdir()
    nlp.to_disk(package / "en_pipeline-0.0.0")
    (package / "meta.json").write_text(json.dumps({**nlp.meta, "version": "0.0.0"}))
    (package / "__init__.py").write_text(
        "from spacy.util import load_model_from_init_py\n"
        "def load(**options):\n"
        "    return load_model_from_init_py(__file__, **options)\n"
    )
    info = tmp_path / "en_pipeline-0.0.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(
        "Metadata-Version: 2.1\nName: en_pipeline\nVersion: 0\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    tensors = tmp_path / "elmo.safetensors"
    convert_weights(Path("en_pipeline"), tensors, None, half=False)
    (node,) = elmo_nodes(nlp)
    expected = to_weights(node.shims[0].module.encoder)
    for name, array in read_weights(tensors).arrays.items():
        assert torch.equal(expected.arrays[name], array)


def test_a_pipeline_without_elmo_is_told(tmp_path: Path) -> None:
    spacy.blank("en").to_disk(tmp_path / "pipeline")
    with pytest.raises(ValueError, match="pipeline has 0 components or features"):
        convert_weights(tmp_path / "pipeline", tmp_path / "a.safetensors", None, False)


def elmo_pipeline() -> Language:
    tok2vec = {
        "@architectures": "spacy_elmo_ner.Elmo.v1",
        "lstm_width": 8,
        "projection_width": 4,
        "filters": [[1, 4], [2, 4]],
    }
    nlp = spacy.blank("en")
    nlp.add_pipe("tok2vec", config={"model": tok2vec})
    nlp.initialize()
    return nlp
