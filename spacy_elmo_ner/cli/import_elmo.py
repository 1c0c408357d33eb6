"""`import-elmo`: published ELMo weights, and those in an AllenNLP archive."""

from hashlib import sha256 as sha256_of
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Optional

import typer
from tqdm import tqdm

from ..bilm.allennlp_archive import ElmoArchive
from ..bilm.options import ElmoOptions, read_options
from ..bilm.published import PUBLISHED
from ..bilm.weight_files import read_weights, write_safetensors
from ..bilm.weights import ElmoWeights
from ..files.download import discard, download
from ..files.file_checksum import file_checksum
from .convert_weights import SAFETENSORS_SUFFIX
from .escapes import echo
from .outputs import check_outputs

SCHEMES = ("http://", "https://")


def import_elmo(
    source: str = typer.Argument(
        ...,
        help=f"Published weights: {', '.join(PUBLISHED)}; or AllenNLP's model.tar.gz, "
        "as a file or URL",
    ),
    output: Path = typer.Argument(..., help="The .safetensors file to write"),
    options: Optional[Path] = typer.Option(
        None, help="The options.json of the ELMo in an archive that lacks it"
    ),
    sha256: Optional[str] = typer.Option(
        None, "--sha256", help="Checksum that the weights or the archive must have"
    ),
) -> None:
    """Make a weight file from published ELMo weights, or from the ELMo in an AllenNLP
    model. The download is kept beside the output until that is written: if it is
    interrupted, the same command resumes it.
    """
    if output.suffix != SAFETENSORS_SUFFIX:
        raise typer.BadParameter(
            "The weights are written to one file whose name ends in "
            f"{SAFETENSORS_SUFFIX}, unlike {output}; convert-weights turns it into the "
            "published form."
        )
    is_file = Path(source).is_file()
    if not is_file and source not in PUBLISHED and not source.startswith(SCHEMES):
        raise ValueError(
            f"{source} is not a file, an address or the name of published weights; the "
            f"names are {', '.join(PUBLISHED)}."
        )
    check_outputs([output], [source if is_file else None, options])
    if is_file:
        weights = read_source(source, Path(source), options, sha256)
    else:
        published = PUBLISHED.get(source)
        url = published.weights if published else source
        # a partial download from one URL is not taken for that of another
        name = f"{output.name}.{sha256_of(url.encode()).hexdigest()[:8]}.download"
        fetched = output.with_name(name)
        if not fetched.exists():
            fetch(url, fetched)
        try:
            weights = read_source(source, fetched, options, sha256)
        except ValueError:
            discard(fetched)
            raise
    write_safetensors(weights, output)
    if not is_file:
        discard(fetched)
    n_values = sum(array.numel() for array in weights.arrays.values())
    echo(f"{output}: {len(weights.arrays)} arrays, {n_values:,} values")


def read_source(
    source: str, path: Path, options: Optional[Path], sha256: Optional[str]
) -> ElmoWeights:
    """Read what is at `path`, after checking its checksum.

    Args:
        source: What the user calls it.
        path: The file.
        options: A file with its sizes.
        sha256: The checksum that it must have.

    Raises:
        ValueError: If it has another checksum, or cannot be read.
    """
    published = None if Path(source) == path else PUBLISHED.get(source)
    wanted = sha256 or (published.sha256 if published else None)
    found = file_checksum(path)
    if wanted is not None and found != wanted.lower():
        raise ValueError(
            f"The SHA-256 of {source} is {found}, not {wanted}; it was damaged in "
            "transit, or is not the file you want."
        )
    verified = "as expected" if wanted else "which cannot be verified here"
    if published is None:
        archive = ElmoArchive(path)
        weights = archive.to_weights(sizes_of(archive, options))
    else:
        weights = _with_options(path, published.options, options)
    echo(f"{source}: SHA-256 {found}, {verified}; names, sizes and values were checked")
    return weights


def sizes_of(archive: ElmoArchive, options: Optional[Path]) -> ElmoOptions:
    """The sizes of an archive's ELMo: from a file, the archive, or where its config
    says.

    Raises:
        ValueError: If they cannot be found.
    """
    if options is not None:
        return read_options(options)
    own = archive.read_options()
    if own is not None:
        return own
    if not archive.options_source.startswith(SCHEMES):
        raise ValueError(
            f"The archive {archive.path} does not hold the ELMo's options, which were at "
            f"{archive.options_source}; name that file with --options."
        )
    with TemporaryDirectory() as folder:
        place = Path(folder) / "options.json"
        download(archive.options_source, place)
        return read_options(place)


def fetch(url: str, path: Path) -> None:
    """Download with a progress bar, on a terminal."""
    with tqdm(unit="B", unit_scale=True, disable=None, desc=path.name) as bar:

        def show(done: int, size: Optional[int]) -> None:
            bar.total = size
            bar.update(done - bar.n)

        download(url, path, progress=show)


def _with_options(path: Path, url: str, options: Optional[Path]) -> ElmoWeights:
    """HDF5 weights with the options from a file or their URL."""
    if options is not None:
        return read_weights(path, options)
    with TemporaryDirectory() as folder:
        place = Path(folder) / "options.json"
        download(url, place)
        return read_weights(path, place)
