"""AllenNLP's archives: the same biLM comes out, and nothing else happens."""

import io
import json
import tarfile
from pathlib import Path
from typing import Any, Dict, Optional

import numpy as np
import pytest
import torch
from torch import Tensor

from spacy_elmo_ner.bilm.allennlp_archive import SAFE_TORCH, ElmoArchive
from spacy_elmo_ner.bilm.allennlp_state import find_prefixes, from_allennlp
from spacy_elmo_ner.bilm.options import read_options
from spacy_elmo_ner.bilm.weight_files import read_weights
from spacy_elmo_ner.bilm.weights import ElmoWeights

PREFIX = "text_field_embedder.token_embedder_elmo._elmo."
TORCH = tuple(int(part) for part in torch.__version__.split(".")[:2])
needs_safe_torch = pytest.mark.skipif(
    TORCH < SAFE_TORCH, reason=f"torch {torch.__version__} reads pickles only"
)


@pytest.fixture
def fixture(shared_data: Path) -> Path:
    return shared_data / "elmo_fixtures" / "allennlp"


def allennlp_state(weights: ElmoWeights) -> Dict[str, Tensor]:
    """What AllenNLP's modules make of published arrays, gate by gate."""
    arrays, options = weights.arrays, weights.options
    root = "_elmo_lstm._token_embedder."
    embedding = torch.zeros(262, options.char_embedding_width)
    embedding[1:] = arrays["char_embed"]
    state = {root + "_char_embedding_weights": embedding}
    for i in range(len(options.filters)):
        state[f"{root}char_conv_{i}.weight"] = torch.from_numpy(
            np.transpose(arrays[f"CNN/W_cnn_{i}"].numpy()[0], (2, 1, 0)).copy()
        )
        state[f"{root}char_conv_{i}.bias"] = arrays[f"CNN/b_cnn_{i}"]
    for i in range(options.n_highway):
        for kind, part in (("W", "weight"), ("b", "bias")):
            halves = (
                arrays[f"CNN_high_{i}/{kind}_{one}"].t()
                for one in ("transform", "carry")
            )
            transform, carry = halves
            name = f"{root}_highways._layers.{i}.{part}"
            state[name] = torch.cat([transform, carry * -1])
    state[root + "_projection.weight"] = arrays["CNN_proj/W_proj"].T
    state[root + "_projection.bias"] = arrays["CNN_proj/b_proj"]
    n, width = options.lstm_width, options.projection_width
    for d, direction in enumerate(("forward", "backward")):
        for layer in range(options.n_layers):
            group = f"RNN_{d}/RNN/MultiRNNCell/Cell{layer}/LSTMCell/"
            name = f"_elmo_lstm._elmo_lstm.{direction}_layer_{layer}."
            W, B = arrays[group + "W_0"].T, arrays[group + "B"].clone()
            B[2 * n : 3 * n] += 1
            order = [
                *range(n),
                *range(2 * n, 3 * n),
                *range(n, 2 * n),
                *range(3 * n, 4 * n),
            ]
            state[name + "input_linearity.weight"] = W[order][:, :width]
            state[name + "state_linearity.weight"] = W[order][:, width:]
            state[name + "state_linearity.bias"] = B[order]
            state[name + "state_projection.weight"] = arrays[group + "W_P_0"].T
    return state


def assert_same(found: ElmoWeights, wanted: ElmoWeights) -> None:
    assert found.options == wanted.options
    assert set(found.arrays) == set(wanted.arrays)
    for name, array in wanted.arrays.items():
        exact = not name.endswith("/B")
        torch.testing.assert_close(
            found.arrays[name], array, rtol=0, atol=0 if exact else 1e-7
        )


def test_parameters_of_allennlps_own_module(fixture: Path) -> None:
    elmo = pytest.importorskip("allennlp.modules.elmo", reason="AllenNLP is absent")
    files = fixture / "options.json", fixture / "lm_weights.hdf5"
    module = elmo.Elmo(*map(str, files), num_output_representations=1)
    state = module.state_dict()
    assert find_prefixes(state) == ("",)
    wanted = read_weights(files[1], files[0])
    assert_same(from_allennlp(state, wanted.options), wanted)
    for name, array in allennlp_state(wanted).items():
        assert torch.equal(state[name], array), name


def write_archive(
    path: Path,
    state: Any,
    *,
    options: Optional[Path] = None,
    source: str = "/data/options.json",
) -> Path:
    config = {"model": {"text_field_embedder": {"elmo": {"options_file": source}}}}
    buffer = io.BytesIO()
    torch.save(state, buffer)
    files = {
        "config.json": json.dumps(config).encode(),
        "weights.th": buffer.getvalue(),
    }
    if options is not None:
        name = "fta/model.text_field_embedder.elmo.options_file"
        files[name] = options.read_bytes()
    with tarfile.open(path, "w:gz") as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return path


def prefixed(state: Dict[str, Tensor]) -> Dict[str, Tensor]:
    named = {PREFIX + name: array for name, array in state.items()}
    return {**named, "encoder.weight": torch.zeros(3)}


@needs_safe_torch
@pytest.mark.parametrize("has_options", [True, False])
def test_archive(fixture: Path, tmp_path: Path, has_options: bool) -> None:
    options = fixture / "options.json"
    wanted = read_weights(fixture / "lm_weights.hdf5", options)
    path = write_archive(
        tmp_path / "model.tar.gz",
        prefixed(allennlp_state(wanted)),
        options=options if has_options else None,
    )
    archive = ElmoArchive(path)
    own = archive.read_options()
    assert (own is not None) == has_options
    assert archive.options_source == "/data/options.json"
    assert_same(archive.to_weights(own or read_options(options)), wanted)


class Evil:
    """Its pickle writes a file when it is loaded."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> Any:
        return (open, (str(self.path), "w"))


def test_a_pickle_that_runs_code_is_not_read(tmp_path: Path) -> None:
    state = {PREFIX + "x": torch.zeros(2), "evil": Evil(tmp_path / "written")}
    path = write_archive(tmp_path / "model.tar.gz", state)
    with pytest.raises(
        ValueError, match="model.tar.gz .*(could run code|1.13 or newer)"
    ):
        ElmoArchive(path)
    assert not (tmp_path / "written").exists()


def test_members_that_would_lie_outside(tmp_path: Path) -> None:
    path = tmp_path / "model.tar.gz"
    with tarfile.open(path, "w:gz") as archive:
        for name in ("../outside", str(tmp_path / "absolute"), "config.json"):
            member = tarfile.TarInfo(name)
            if name == "config.json":
                member.type, member.linkname = tarfile.SYMTYPE, "../outside"
            archive.addfile(member)
    with pytest.raises(ValueError, match="has no config.json, so it is not AllenNLP"):
        ElmoArchive(path)
    assert sorted(tmp_path.iterdir()) == [path]
    assert not (tmp_path.parent / "outside").exists()


@needs_safe_torch
def test_what_is_wrong_is_said(fixture: Path, tmp_path: Path) -> None:
    path = tmp_path / "model.tar.gz"
    path.write_bytes(b"no archive")
    with pytest.raises(ValueError, match="model.tar.gz is truncated or damaged"):
        ElmoArchive(path)
    options = read_options(fixture / "options.json")
    with pytest.raises(ValueError, match="has 0 ELMos with their parameters"):
        ElmoArchive(write_archive(path, {"a": torch.zeros(1)})).to_weights(options)
    with pytest.raises(ValueError, match="something other than named arrays"):
        ElmoArchive(write_archive(path, [torch.zeros(1)]))
    state = prefixed(
        allennlp_state(
            read_weights(fixture / "lm_weights.hdf5", fixture / "options.json")
        )
    )
    state.pop(PREFIX + "_elmo_lstm._token_embedder._projection.bias")
    with pytest.raises(
        ValueError, match="_projection.bias of AllenNLP's model is missing"
    ):
        ElmoArchive(write_archive(path, state)).to_weights(options)
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ValueError, match="truncated or damaged"):
        ElmoArchive(path)
