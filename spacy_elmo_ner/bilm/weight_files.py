"""Weights on disk: the published HDF5 + options.json, and our single safetensors file.

The safetensors file holds the same arrays under the same names, in float32 or rounded
to float16, the trained start state if there is one, and the content of options.json in
its metadata.
"""

import io
import json
import math
from pathlib import Path
from reprlib import repr as short
from typing import Dict, List, Optional, Tuple, Union

import h5py
import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor

from ..files.atomic import replacing, replacing_pair
from ..files.checksum import checksum
from ..files.reading import reading, refuse_pointer
from .options import (
    MAX_FILE,
    ElmoOptions,
    parse_json,
    parse_options,
    read_options,
)
from .weights import Described, ElmoWeights, check_arrays, check_described

HDF5_SIGNATURE = b"\x89HDF\r\n\x1a\n"
OPTIONS_KEY = "elmo_options"
# beside the options, which ignore it
CHECKSUM_KEY = "sha256"
# groups and datasets in an HDF5 file; the largest biLM that the options allow has fewer
MAX_NODES = 10_000
REMEDY = "get it again and compare its size and checksum with the published ones"


def read_weights(
    path: Union[str, Path], options: Optional[Union[str, Path]] = None
) -> ElmoWeights:
    """Read weights from either kind of file.

    Names, shapes, types and storage are checked before anything is read, and nothing
    outside of the file is read, so that no file, however crafted, takes more memory
    than its own size.

    Args:
        path: An HDF5 file, or a safetensors file of ours.
        options: The HDF5 file's options.json; a safetensors file has its own inside.

    Raises:
        ValueError: If a file is missing, damaged or of another kind, or if an array is
            missing, contradicts the options, or has values that are not finite.
    """
    path = Path(path)
    if not path.is_file():
        raise ValueError(
            f"There is no ELMo weight file at {path}; check the path, or get the file "
            "from where the weights were published."
        )
    refuse_pointer(path)
    with path.open("rb") as file:
        is_hdf5 = file.read(len(HDF5_SIGNATURE)) == HDF5_SIGNATURE
    if is_hdf5 and options is None:
        raise ValueError(
            f"The ELMo weight file {path} is HDF5, which does not hold its own sizes; "
            "also give the options.json that was published with it."
        )
    if options is None:
        weights = _read_safetensors(path)
    elif is_hdf5:
        weights = _read_hdf5(path, read_options(options))
    else:
        raise ValueError(
            f"An options file was given, but {path} is not an HDF5 file or is damaged; "
            "give the HDF5 file published with the options, or, for a safetensors file, "
            "no options, because it holds its own."
        )
    check_arrays(weights, str(path))
    return weights


def write_hdf5(
    weights: ElmoWeights, path: Union[str, Path], options: Union[str, Path]
) -> None:
    """Write the published format.

    Args:
        weights: The biLM.
        path: The file of its arrays.
        options: The file of its sizes.

    Raises:
        ValueError: If the weights could not be read back, or have something that the
            format lacks. Nothing is written then.
    """
    check_arrays(weights, "The biLM to be written")
    if weights.has_start:
        raise ValueError(
            "The published format has no trained start state, and without it the biLM "
            "would give different vectors; keep it as a .safetensors file, or "
            'pre-train it with start_state = "zeros".'
        )
    # into memory: HDF5 crashes the process if it cannot close a file
    image = io.BytesIO()
    with h5py.File(image, "w") as file:
        for name, array in weights.arrays.items():
            file.create_dataset(name, data=array.numpy())
    published = json.dumps(weights.options.to_published(), indent=2)
    with replacing_pair(Path(path), Path(options)) as (arrays_file, options_file):
        options_file.write_text(published + "\n", encoding="utf8")
        arrays_file.write_bytes(image.getbuffer())


def write_safetensors(
    weights: ElmoWeights, path: Union[str, Path], *, half: bool = False
) -> None:
    """Write our single-file format.

    Args:
        weights: The biLM.
        path: The file.
        half: Round the numbers to float16, which takes half the space. They are read
            back as float32.

    Raises:
        ValueError: If the weights could not be read back. Nothing is written then.
    """
    check_arrays(weights, "The biLM to be written")
    arrays = {name: array.contiguous() for name, array in weights.arrays.items()}
    if half:
        arrays = {name: array.half() for name, array in arrays.items()}
        check_arrays(_widened(weights.options, arrays), "The biLM rounded to float16")
    published = weights.options.to_published()
    described = {**published, CHECKSUM_KEY: checksum(published, arrays)}
    metadata = {OPTIONS_KEY: json.dumps(described)}
    with replacing(Path(path)) as temporary:
        save_file(arrays, str(temporary), metadata=metadata)


def _read_hdf5(path: Path, options: ElmoOptions) -> ElmoWeights:
    with reading(path, REMEDY), h5py.File(path, "r") as file:
        datasets = _datasets(file, path)
        described = {
            # a dataset without any values has no shape
            name: Described(dataset.shape or (), str(dataset.dtype))
            for name, dataset in datasets.items()
        }
        check_described(options, described, str(path))
        _check_storage(datasets, path)
        arrays = {
            name: torch.from_numpy(dataset[...]) for name, dataset in datasets.items()
        }
    return ElmoWeights(options, arrays)


def _datasets(file: h5py.File, path: Path) -> Dict[str, h5py.Dataset]:
    """Find the datasets by name, without reading any data or following any link.

    Raises:
        ValueError: For a link, which may lead to any other file.
    """
    found: Dict[str, h5py.Dataset] = {}
    groups: List[Tuple[str, h5py.Group]] = [("", file)]
    n_nodes = 0
    while groups:
        prefix, group = groups.pop()
        for key in group:
            name = prefix + key
            n_nodes += 1
            if n_nodes > MAX_NODES:
                # there may be no end: a group can contain itself
                raise ValueError(
                    f"The ELMo weight file {path} holds more groups and datasets than "
                    "any biLM; get it from where the weights were published."
                )
            if not isinstance(group.get(key, getlink=True), h5py.HardLink):
                raise ValueError(
                    f"{short(name)} of the ELMo weight file {path} is a link to another "
                    "place, which is not followed; get a file that holds its datasets "
                    "itself."
                )
            node = group[key]
            if isinstance(node, h5py.Group):
                groups.append((name + "/", node))
            elif isinstance(node, h5py.Dataset):
                found[name] = node
    return found


def _check_storage(datasets: Dict[str, h5py.Dataset], path: Path) -> None:
    """Check that every byte of the datasets is in the file, as it is.

    Then they take no more memory than the file's size, and come from nowhere else.

    Raises:
        ValueError: If one is not.
    """
    room = path.stat().st_size
    for name, dataset in datasets.items():
        layout = dataset.id.get_create_plist()
        chunk = math.prod(dataset.chunks or (0,)) * dataset.dtype.itemsize
        if (
            layout.get_nfilters()
            or layout.get_external_count()
            or layout.get_layout() == h5py.h5d.VIRTUAL
            or dataset.id.get_storage_size() < dataset.nbytes
            or chunk > room
        ):
            raise ValueError(
                f"The dataset {name} of {path} is compressed, in another file, or "
                "incomplete, none of which the published format allows; rewrite it "
                "with `h5repack -f NONE -l CONTI`, or get the published file."
            )
    if sum(dataset.nbytes for dataset in datasets.values()) > room:
        raise ValueError(
            f"The ELMo weight file {path} is smaller than its datasets together; "
            f"{REMEDY}."
        )


def _read_safetensors(path: Path) -> ElmoWeights:
    _check_header(path)
    with reading(path, REMEDY), safe_open(str(path), framework="pt") as file:
        metadata = file.metadata() or {}
        if OPTIONS_KEY not in metadata:
            raise ValueError(
                f"The safetensors file {path} does not hold ELMo options, so it is not a "
                "biLM; make one with `python -m spacy_elmo_ner convert-weights`."
            )
        published = parse_json(metadata[OPTIONS_KEY], path)
        options = parse_options(published, path)
        slices = {name: file.get_slice(name) for name in file.keys()}
        described = {
            name: Described(tuple(one.get_shape()), _dtype_name(one.get_dtype()))
            for name, one in slices.items()
        }
        check_described(options, described, str(path), dtypes=("float32", "float16"))
        arrays = {name: file.get_tensor(name) for name in slices}
    # files written by version 0.1.0 have none
    saved = published.get(CHECKSUM_KEY)
    if saved not in (None, checksum(options.to_published(), arrays)):
        raise ValueError(
            f"The ELMo weight file {path} is damaged: its arrays are not those that were "
            f"written; {REMEDY}."
        )
    return _widened(options, arrays)


def _check_header(path: Path) -> None:
    """Check that a safetensors file's header is no larger than a biLM's.

    It is parsed as a whole.

    Raises:
        ValueError: If it is larger.
    """
    with path.open("rb") as file:
        size = int.from_bytes(file.read(8), "little")
    if size > MAX_FILE:
        raise ValueError(
            f"The ELMo weight file {path} is neither HDF5 nor the safetensors file of "
            f"a biLM, or it is truncated or damaged: it claims to begin with {size:,} "
            f"bytes of description; {REMEDY}."
        )


def _dtype_name(name: str) -> str:
    return {"F32": "float32", "F16": "float16"}.get(name, name)


def _widened(options: ElmoOptions, arrays: Dict[str, Tensor]) -> ElmoWeights:
    """float16 as float32; any other type as it is, for the check to reject."""
    return ElmoWeights(
        options,
        {
            name: array.float() if array.dtype == torch.float16 else array
            for name, array in arrays.items()
        },
    )
