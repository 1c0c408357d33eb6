"""`convert-weights`: published ELMo weights ⇄ one safetensors file."""

from pathlib import Path

import typer

from ..elmo.weight_files import read_weights, write_hdf5, write_safetensors

SAFETENSORS_SUFFIX = ".safetensors"


def convert_weights(
    source: Path = typer.Argument(..., help="HDF5 file, or safetensors file of ours"),
    output: Path = typer.Argument(
        ...,
        help="File to write: safetensors if it ends in .safetensors, HDF5 otherwise",
    ),
    options: Path = typer.Option(
        ...,
        help="The options.json that goes with the HDF5 file: read with an HDF5 source, "
        "written with an HDF5 output",
    ),
) -> None:
    """Convert ELMo weights between the published format and ours, bit for bit."""
    from_safetensors = source.suffix == SAFETENSORS_SUFFIX
    to_safetensors = output.suffix == SAFETENSORS_SUFFIX
    if from_safetensors == to_safetensors:
        raise ValueError(
            f"{source} and {output} have the same format, so there is nothing to "
            f"convert; let one of the two end in {SAFETENSORS_SUFFIX}."
        )
    weights = read_weights(source, None if from_safetensors else options)
    output.parent.mkdir(parents=True, exist_ok=True)
    if to_safetensors:
        write_safetensors(weights, output)
    else:
        options.parent.mkdir(parents=True, exist_ok=True)
        write_hdf5(weights, output, options)
    n_values = sum(array.numel() for array in weights.arrays.values())
    typer.echo(f"{output}: {len(weights.arrays)} arrays, {n_values:,} values")
