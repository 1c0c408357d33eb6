"""Weight files that were made to harm: refused before they take memory, and nothing
outside of them is read."""

import json
import struct
from pathlib import Path
from typing import Any, Callable, Dict, List, Tuple

import h5py
import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from spacy_elmo_ner.bilm.options import read_options
from spacy_elmo_ner.bilm.weight_files import (
    read_weights,
)
from spacy_elmo_ner.bilm.weights import published_datasets
from tests.damage.limited import limited
from tests.tiny_bilm import OPTIONS, write_tiny_bilm

NAME = "CNN_proj/W_proj"
SHAPE = (6, 3)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A biLM as w.hdf5 with o.json, and as w.safetensors."""
    write_tiny_bilm(tmp_path)
    return tmp_path


def refused(folder: Path, text: str) -> None:
    with pytest.raises(ValueError, match=text) as error:
        read_weights(folder / "w.hdf5", folder / "o.json")
    assert str(folder / "w.hdf5") in str(error.value)


def replaced(folder: Path, make: Callable[[h5py.File], Any]) -> None:
    with h5py.File(folder / "w.hdf5", "a") as file:
        del file[NAME]
        make(file)


VALUES = np.ones(SHAPE, dtype="float32")


@pytest.mark.parametrize(
    "storage",
    [
        {"compression": "gzip", "data": VALUES},
        {"compression": "gzip", "shape": SHAPE, "fillvalue": 7},
        {"compression": "lzf", "shuffle": True, "data": VALUES},
        {"fletcher32": True, "data": VALUES},
        {"scaleoffset": 2, "data": VALUES},
        # promised, but never written
        {"chunks": (1, 3), "shape": SHAPE},
        {"shape": SHAPE, "fillvalue": 7},
        # one chunk of 4 GB for 18 values
        {"chunks": (32_000, 32_000), "maxshape": (None, None), "shape": SHAPE},
    ],
)
def test_a_dataset_that_is_not_in_the_file_as_it_is(
    folder: Path, storage: Dict[str, Any]
) -> None:
    replaced(folder, lambda file: file.create_dataset(NAME, dtype="float32", **storage))
    refused(folder, f"{NAME} .*h5repack")


def test_chunks_that_are_all_there_are_read(folder: Path) -> None:
    before = read_weights(folder / "w.hdf5", folder / "o.json")
    replaced(
        folder,
        lambda file: file.create_dataset(
            NAME, data=before.arrays[NAME].numpy(), chunks=(2, 3)
        ),
    )
    after = read_weights(folder / "w.hdf5", folder / "o.json")
    assert torch.equal(before.arrays[NAME], after.arrays[NAME])


@pytest.fixture
def secret(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("other") / "secret.bin"
    path.write_bytes(VALUES.tobytes())
    return path


def test_external_storage_is_not_read(folder: Path, secret: Path) -> None:
    replaced(
        folder,
        lambda file: file.create_dataset(
            NAME, SHAPE, "float32", external=[(str(secret), 0, VALUES.nbytes)]
        ),
    )
    refused(folder, f"{NAME} .*in another file")


def test_a_virtual_dataset_is_not_read(folder: Path, secret: Path) -> None:
    other = secret.with_name("other.hdf5")
    with h5py.File(other, "w") as file:
        file["x"] = VALUES
    layout = h5py.VirtualLayout(SHAPE, "float32")
    layout[...] = h5py.VirtualSource(other, "x", SHAPE)
    replaced(folder, lambda file: file.create_virtual_dataset(NAME, layout))
    refused(folder, f"{NAME} .*in another file")


@pytest.mark.parametrize("name", [NAME, "CNN_proj", "more", "CNN/more"])
@pytest.mark.parametrize("kind", ["external", "soft", "dangling"])
def test_links_are_not_followed(
    folder: Path, secret: Path, name: str, kind: str
) -> None:
    other = secret.with_name("other.hdf5")
    with h5py.File(other, "w") as file:
        file["x"] = VALUES
    links = {
        "external": h5py.ExternalLink(other, "x"),
        "soft": h5py.SoftLink("/char_embed"),
        "dangling": h5py.SoftLink("/nowhere"),
    }
    with h5py.File(folder / "w.hdf5", "a") as file:
        if name in file:
            del file[name]
        file[name] = links[kind]
    refused(folder, f"{name}.*is a link")


@pytest.mark.parametrize("name", ["CNN_proj/again", "loop"])
def test_a_group_that_holds_itself_ends(folder: Path, name: str) -> None:
    with h5py.File(folder / "w.hdf5", "a") as file:
        file[name] = file[name.split("/")[0]] if "/" in name else file["/"]
    refused(folder, "more groups and datasets than any biLM")


@pytest.mark.parametrize(
    "dtype", [">f4", "float16", "int32", "S4", h5py.string_dtype(), h5py.ref_dtype]
)
def test_another_type_is_refused(folder: Path, dtype: Any) -> None:
    replaced(folder, lambda file: file.create_dataset(NAME, SHAPE, dtype))
    refused(folder, f"{NAME} .*holds")


def test_a_dataset_without_any_values_is_refused(folder: Path) -> None:
    replaced(folder, lambda file: file.create_dataset(NAME, data=h5py.Empty("float32")))
    refused(folder, NAME)


BOMBS: List[Dict[str, Any]] = [
    {"compression": "gzip", "chunks": (1000, 1024)},
    {"fillvalue": 3.0},
    {"chunks": (1000, 1024)},
]


@pytest.mark.slow
def test_hdf5_that_promises_gigabytes(folder: Path) -> None:
    bombs: List[Tuple[Path, str]] = []
    for rows in (1_000_000, 10_000_000):
        for name in (NAME, "char_embed", "more"):
            for storage in BOMBS:
                path = folder / f"{len(bombs)}.hdf5"
                path.write_bytes((folder / "w.hdf5").read_bytes())
                with h5py.File(path, "a") as file:
                    if name in file:
                        del file[name]
                    file.create_dataset(name, (rows, 1024), "float32", **storage)
                assert path.stat().st_size < 1_000_000
                bombs.append((path, name))
    options = str(folder / "o.json")
    said = limited([f"read_weights({str(path)!r}, {options!r})" for path, _ in bombs])
    for line, (path, name) in zip(said, bombs, strict=True):
        assert path.name in line and name in line


@pytest.mark.slow
def test_gigabytes_that_the_options_promise_too(folder: Path) -> None:
    published = OPTIONS.to_published()
    published["lstm"]["projection_dim"] = 60_000
    published["char_cnn"]["filters"] = [[1, 60_000]]
    (folder / "o.json").write_text(json.dumps(published))
    datasets = published_datasets(read_options(folder / "o.json"))
    with h5py.File(folder / "bomb.hdf5", "w") as file:
        for name, (shape, _) in datasets.items():
            chunks = tuple(min(size, 1000) for size in shape)
            file.create_dataset(
                name, shape, "float32", chunks=chunks, compression="gzip"
            )
    paths = f"{str(folder / 'bomb.hdf5')!r}, {str(folder / 'o.json')!r}"
    (said,) = limited([f"read_weights({paths})"])
    assert "bomb.hdf5" in said and "h5repack" in said


HUGE = [10**9, 2**63, 10**300]
SIZES = [
    ("lstm", "n_layers"),
    ("lstm", "dim"),
    ("lstm", "projection_dim"),
    ("char_cnn", "n_highway"),
    ("char_cnn", "n_characters"),
    ("char_cnn", "max_characters_per_token"),
]


def changed(published: Dict[str, Any]) -> List[Dict[str, Any]]:
    """Options of absurd sizes."""
    found = []
    for huge in HUGE:
        for section, key in SIZES:
            found.append(json.loads(json.dumps(published)))
            found[-1][section][key] = huge
        for filters in ([[1, huge]], [[huge, 2]], [[1, 2]] * 20_000, "x" * 9_000):
            found.append(json.loads(json.dumps(published)))
            found[-1]["char_cnn"]["filters"] = filters
        found.append(json.loads(json.dumps(published)))
        found[-1]["char_cnn"]["embedding"]["dim"] = huge
    return found


def test_absurd_sizes_are_refused_with_the_files_name(folder: Path) -> None:
    for published in changed(OPTIONS.to_published()):
        (folder / "o.json").write_text(json.dumps(published))
        with pytest.raises(ValueError, match="o.json") as error:
            read_weights(folder / "w.hdf5", folder / "o.json")
        assert len(str(error.value)) < 500 + len(str(folder))
        save_file(
            {"x": torch.zeros(2)},
            folder / "w.safetensors",
            metadata={"elmo_options": json.dumps(published)},
        )
        with pytest.raises(ValueError, match="w.safetensors") as error:
            read_weights(folder / "w.safetensors")
        assert len(str(error.value)) < 500 + len(str(folder))


@pytest.mark.parametrize(
    "content",
    [
        b"[" * 200_000,
        b'{"a":' * 200_000,
        b"\xff\xfe\x00",
        b"null",
        b"{" + b" " * 2_000_000 + b"}",
        b'{"lstm": 1' + b"0" * 10_000 + b"}",
        b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 3\n",
    ],
)
def test_options_that_are_no_options(folder: Path, content: bytes) -> None:
    (folder / "o.json").write_bytes(content)
    with pytest.raises(ValueError, match="o.json"):
        read_options(folder / "o.json")


@pytest.mark.parametrize("name", ["w.hdf5", "w.safetensors"])
def test_a_pointer_of_git_lfs_is_named_as_such(folder: Path, name: str) -> None:
    (folder / name).write_bytes(
        b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 3\n"
    )
    options = folder / "o.json" if name == "w.hdf5" else None
    with pytest.raises(ValueError, match=f"{name} .*git lfs pull"):
        read_weights(folder / name, options)


def with_header(path: Path, change: Callable[[Dict[str, Any]], None]) -> None:
    data = path.read_bytes()
    size = int.from_bytes(data[:8], "little")
    header = json.loads(data[8 : 8 + size])
    change(header)
    encoded = json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(encoded)) + encoded + data[8 + size :])


def test_claims_of_a_safetensors_header(folder: Path) -> None:
    path = folder / "w.safetensors"
    whole = path.read_bytes()

    def shape(header: Dict[str, Any]) -> None:
        header[NAME]["shape"] = [10**6, 10**6]

    def offsets(header: Dict[str, Any]) -> None:
        header[NAME]["data_offsets"] = [0, 10**15]

    def dtype(header: Dict[str, Any]) -> None:
        header[NAME]["dtype"] = "I32"

    def more(header: Dict[str, Any]) -> None:
        header["__metadata__"]["more"] = "x" * 2_000_000

    for change in (shape, offsets, dtype, more):
        path.write_bytes(whole)
        with_header(path, change)
        with pytest.raises(ValueError, match="w.safetensors"):
            read_weights(path)
    for size in (2**63, 99_000_000):
        path.write_bytes(struct.pack("<Q", size) + whole[8:])
        with pytest.raises(ValueError, match="w.safetensors"):
            read_weights(path)


def test_changed_arrays_and_options_are_refused(folder: Path) -> None:
    """The numbers are as good as any others: only the checksum tells."""
    path = folder / "w.safetensors"
    whole = path.read_bytes()
    path.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    with pytest.raises(ValueError, match="w.safetensors is damaged"):
        read_weights(path)
    path.write_bytes(whole)

    def clip(header: Dict[str, Any]) -> None:
        metadata = header["__metadata__"]
        metadata["elmo_options"] = metadata["elmo_options"].replace("3.0", "4.0")

    with_header(path, clip)
    with pytest.raises(ValueError, match="w.safetensors is damaged"):
        read_weights(path)


def test_files_of_before_have_no_checksum_and_are_read(folder: Path) -> None:
    weights = read_weights(folder / "w.safetensors")
    save_file(
        weights.arrays,
        folder / "old.safetensors",
        metadata={"elmo_options": json.dumps(weights.options.to_published())},
    )
    old = read_weights(folder / "old.safetensors")
    assert old.options == weights.options
    assert all(
        torch.equal(old.arrays[name], weights.arrays[name]) for name in old.arrays
    )
