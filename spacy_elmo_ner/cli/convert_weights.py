"""`convert-weights`: ELMo weights, also those of a pipeline, from or to the published
format."""

from pathlib import Path
from typing import Optional

import typer
from spacy.util import is_package

from ..bilm.weight_files import read_weights, write_hdf5, write_safetensors
from ..bilm.weights import ElmoWeights
from ..elmo.loader import elmo_weights_of
from ..pipeline import default_pipeline
from .escapes import echo
from .loading import load_pipeline
from .outputs import check_distinct

SAFETENSORS_SUFFIX = ".safetensors"


def convert_weights(
    source: Path = typer.Argument(
        ..., help="HDF5 file, safetensors file of ours, or name or folder of a pipeline"
    ),
    output: Path = typer.Argument(
        ...,
        help="File to write: safetensors if it ends in .safetensors, HDF5 otherwise",
    ),
    options: Optional[Path] = typer.Option(
        None,
        help="The options.json that goes with the HDF5 file: read with an HDF5 source, "
        "written with an HDF5 output",
    ),
    half: bool = typer.Option(
        False, help="Round the numbers to float16; for a safetensors output"
    ),
) -> None:
    """Convert ELMo weights between the published format and ours. The conversion is
    exact, or rounds to half the size with --half. The source may also be a pipeline
    with ELMo in it.
    """
    is_named = str(source) == default_pipeline.NAME or is_package(str(source))
    is_pipeline = not source.is_file() and (source.is_dir() or is_named)
    from_hdf5 = not is_pipeline and source.suffix != SAFETENSORS_SUFFIX
    to_safetensors = output.suffix == SAFETENSORS_SUFFIX
    if (
        not is_pipeline
        and from_hdf5 != to_safetensors
        and not (to_safetensors and half)
    ):
        raise ValueError(
            f"{source} and {output} have the same format, so there is nothing to "
            f"convert; give one of them a name ending in {SAFETENSORS_SUFFIX}."
        )
    if half and not to_safetensors:
        raise ValueError(
            f"{output} would be in the published format, which is float32; leave out "
            f"--half, or give the output a name ending in {SAFETENSORS_SUFFIX}."
        )
    if options is None and (from_hdf5 or not to_safetensors):
        raise ValueError(
            "An HDF5 file does not hold its own sizes; name its options.json with "
            "--options."
        )
    is_written = options is not None and not to_safetensors
    check_distinct(
        [output, options if is_written else None],
        [source, None if is_written else options],
    )
    if is_pipeline:
        weights = elmo_weights_of(load_pipeline(str(source)), str(source))
    else:
        weights = read_weights(source, options if from_hdf5 else None)
    if to_safetensors:
        write_safetensors(weights, output, half=half)
    else:
        assert options is not None
        write_hdf5(weights, output, options)
    n_values = sum(array.numel() for array in weights.arrays.values())
    echo(f"{output}: {len(weights.arrays)} arrays, {n_values:,} values")
    if half:
        echo(f"largest rounding error: {_largest_difference(weights, output):.1e}")


def _largest_difference(weights: ElmoWeights, path: Path) -> float:
    rounded = read_weights(path).arrays
    return max(
        float((array - rounded[name]).abs().max())
        for name, array in weights.arrays.items()
    )
