"""Weights on disk: the published HDF5 + options.json, and our single safetensors file.

The safetensors file holds the same arrays under the same names, in float32 or rounded
to float16, the trained start state if there is one, and the content of options.json in
its metadata.
"""

import io
import json
from pathlib import Path
from typing import Dict, Optional, Union

import h5py
import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from ..atomic import replacing, replacing_pair
from .options import ElmoOptions, read_options
from .weights import ElmoWeights, check_arrays

HDF5_SIGNATURE = b"\x89HDF\r\n\x1a\n"
OPTIONS_KEY = "elmo_options"


def read_weights(
    path: Union[str, Path], options: Optional[Union[str, Path]] = None
) -> ElmoWeights:
    """Weights from either kind of file.

    path: an HDF5 file, or a safetensors file of ours.
    options: the HDF5 file's options.json; a safetensors file has its own inside.

    Raises ValueError when a file is missing, damaged or of another kind, when an array
    is missing, contradicts the options, or is not finite.
    """
    path = Path(path)
    if not path.is_file():
        raise ValueError(
            f"There is no ELMo weight file at {path}; check the path, or get the file "
            "from where the weights were published."
        )
    with path.open("rb") as file:
        is_hdf5 = file.read(len(HDF5_SIGNATURE)) == HDF5_SIGNATURE
    if is_hdf5 and options is None:
        raise ValueError(
            f"The ELMo weight file {path} is HDF5 and does not know its own sizes; give "
            "the options.json that was published with it, too."
        )
    if options is None:
        weights = _read_safetensors(path)
    elif is_hdf5:
        weights = ElmoWeights(read_options(options), _read_hdf5(path))
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
    """Write the published format: arrays to `path`, sizes to `options`.

    Raises ValueError for weights that could not be read back, or have what the format
    has not; nothing is written then.
    """
    check_arrays(weights, "The biLM to be written")
    if weights.has_start:
        raise ValueError(
            "The published format has no trained start state, and without it the biLM "
            "would give other vectors; keep it as a .safetensors file, or pre-train it "
            'with start_state = "zeros".'
        )
    # into memory: HDF5 crashes the process where it cannot close a file
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

    half: round the numbers to float16, which takes half the room. They are read as
        float32 again.

    Raises ValueError for weights that could not be read back; nothing is written then.
    """
    check_arrays(weights, "The biLM to be written")
    metadata = {OPTIONS_KEY: json.dumps(weights.options.to_published())}
    arrays = {name: array.contiguous() for name, array in weights.arrays.items()}
    if half:
        arrays = {name: array.half() for name, array in arrays.items()}
        check_arrays(_widened(weights.options, arrays), "The biLM rounded to float16")
    with replacing(Path(path)) as temporary:
        save_file(arrays, str(temporary), metadata=metadata)


def _read_hdf5(path: Path) -> Dict[str, Tensor]:
    arrays: Dict[str, Tensor] = {}

    def read(name: str, node: object) -> None:
        if isinstance(node, h5py.Dataset):
            arrays[name] = torch.from_numpy(node[...])

    try:
        with h5py.File(path, "r") as file:
            file.visititems(read)
    except (OSError, RuntimeError, TypeError) as error:
        raise ValueError(
            f"The ELMo weight file {path} is truncated or damaged ({error}); get it "
            "again and compare its size and checksum with the published ones."
        ) from error
    return arrays


def _read_safetensors(path: Path) -> ElmoWeights:
    try:
        with safe_open(str(path), framework="pt") as file:
            metadata = file.metadata() or {}
            arrays = {name: file.get_tensor(name) for name in file.keys()}
    except SafetensorError as error:
        raise ValueError(
            f"The ELMo weight file {path} is neither HDF5 nor safetensors, or it is "
            f"truncated ({error}); get it again and compare its size and checksum."
        ) from error
    if OPTIONS_KEY not in metadata:
        raise ValueError(
            f"The safetensors file {path} does not hold ELMo options, so it is not a "
            "biLM; make one with `python -m spacy_elmo_ner convert-weights`."
        )
    options = ElmoOptions.from_published(json.loads(metadata[OPTIONS_KEY]))
    return _widened(options, arrays)


def _widened(options: ElmoOptions, arrays: Dict[str, Tensor]) -> ElmoWeights:
    """float16 as float32; any other type as it is, for the check to refuse."""
    return ElmoWeights(
        options,
        {
            name: array.float() if array.dtype == torch.float16 else array
            for name, array in arrays.items()
        },
    )
