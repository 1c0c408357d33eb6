"""The biLM in AllenNLP's model.tar.gz.

Nothing is unpacked under the names in the archive: the few members that are needed are
read as streams, and the parameters without running pickle's code.
"""

import pickle
import tarfile
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import IO, Any, Dict, Iterator, List, Mapping, Optional

import torch
from torch import Tensor

from ..files.reading import reading
from .allennlp_state import find_prefixes, from_allennlp
from .options import MAX_FILE, ElmoOptions, parse_json, parse_options
from .weights import ElmoWeights, check_arrays

CONFIG, PARAMETERS = "config.json", "weights.th"
# where AllenNLP kept the files that a model's config names, and the list of them
FILES = "fta/"
OPTIONS_KEY = "options_file"
REMEDY = "get the archive again, or archive the model again"
# bytes when unpacked, far more than in the largest published model
MAX_UNPACKED = 1 << 33
MAX_MEMBERS = 10_000
# the first torch that reads parameters without running code named by a file
SAFE_TORCH = (1, 13)


class ElmoArchive:
    """The parts of an archive that make up a biLM.

    Attributes:
        path: The archive.
        parameters: All parameters of the model.
        options: The content of options.json, if it is in the archive.
        options_source: Where it is according to the model's config.
    """

    def __init__(self, path: Path) -> None:
        """Read an archive.

        Raises:
            OSError: If the file cannot be opened.
            ValueError: If it is not an AllenNLP archive, or is damaged.
        """
        self.path = path
        self.options: Optional[Dict[str, Any]] = None
        with reading(path, REMEDY), tarfile.open(path, "r:*") as archive:
            members = _members(archive, path)
            config = _json(archive, members, CONFIG, path)
            self.options_source = _only(_values_of(config, OPTIONS_KEY), path)
            for name in members:
                if name.startswith(FILES) and name.endswith("." + OPTIONS_KEY):
                    self.options = _json(archive, members, name, path)
            if PARAMETERS not in members:
                raise ValueError(f"The archive {path} has no {PARAMETERS}; {REMEDY}.")
            with _unpacked(archive, members[PARAMETERS]) as file:
                self.parameters = _parameters(file, path)

    def to_weights(self, options: ElmoOptions) -> ElmoWeights:
        """The biLM of the archive, fine-tuned if the model's was.

        Raises:
            ValueError: If there is none, more than one, or one with other sizes.
        """
        prefixes = find_prefixes(self.parameters)
        if len(prefixes) != 1:
            raise ValueError(
                f"The archive {self.path} has {len(prefixes)} ELMos with their "
                "parameters, but exactly one is needed."
            )
        with reading(self.path, REMEDY):
            weights = from_allennlp(self.parameters, options, prefix=prefixes[0])
        check_arrays(weights, str(self.path))
        return weights

    def read_options(self) -> Optional[ElmoOptions]:
        """The sizes, if the archive has them.

        Raises:
            ValueError: If they contradict the format.
        """
        if self.options is None:
            return None
        return parse_options(self.options, self.path)


def _members(archive: tarfile.TarFile, path: Path) -> Dict[str, tarfile.TarInfo]:
    """The plain files, without links, devices and whatever else there may be."""
    members: Dict[str, tarfile.TarInfo] = {}
    unpacked = 0
    for count, member in enumerate(archive):
        unpacked += member.size
        if count == MAX_MEMBERS or unpacked > MAX_UNPACKED:
            raise ValueError(
                f"The archive {path} holds more than any AllenNLP model; {REMEDY}."
            )
        if member.isreg():
            members[member.name[2:] if member.name[:2] == "./" else member.name] = (
                member
            )
    return members


def _json(
    archive: tarfile.TarFile,
    members: Mapping[str, tarfile.TarInfo],
    name: str,
    path: Path,
) -> Dict[str, Any]:
    member = members.get(name)
    if member is None or member.size > MAX_FILE:
        found = "no" if member is None else "too large a"
        raise ValueError(
            f"The archive {path} has {found} {name}, so it is not AllenNLP's; give the "
            "model.tar.gz that `allennlp train` wrote."
        )
    file = archive.extractfile(member)
    assert file is not None  # it is a plain file
    return parse_json(file.read().decode("utf8"), path)


def _values_of(config: Any, key: str) -> List[str]:
    """All values of a key, wherever it occurs."""
    if isinstance(config, list):
        return [value for one in config for value in _values_of(one, key)]
    if not isinstance(config, dict):
        return []
    found = [config[key]] if isinstance(config.get(key), str) else []
    return found + [v for one in config.values() for v in _values_of(one, key)]


def _only(values: List[str], path: Path) -> str:
    if len(set(values)) != 1:
        raise ValueError(
            f"The config of the archive {path} names {len(set(values))} ELMos, but "
            "exactly one is needed."
        )
    return values[0]


@contextmanager
def _unpacked(archive: tarfile.TarFile, member: tarfile.TarInfo) -> Iterator[IO[bytes]]:
    """A member as a separate file, since torch seeks in it back and forth."""
    source = archive.extractfile(member)
    assert source is not None
    with TemporaryDirectory() as folder:
        place = Path(folder) / PARAMETERS
        with place.open("wb") as file:
            while block := source.read(1 << 20):
                file.write(block)
        with place.open("rb") as opened:
            yield opened


def _parameters(file: IO[bytes], path: Path) -> Dict[str, Tensor]:
    version = tuple(int(part) for part in torch.__version__.split(".")[:2])
    if version < SAFE_TORCH:
        raise ValueError(
            f"The parameters in {path} are a pickle, which torch {torch.__version__} "
            "can only read by running whatever code it names. Import the archive with "
            "torch 1.13 or newer; every version can read the file that this makes."
        )
    try:
        loaded = torch.load(file, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        raise ValueError(
            f"The {PARAMETERS} in {path} is damaged, or holds something other than "
            f"arrays, which is not read because it could run code; {REMEDY}."
        ) from error
    if not isinstance(loaded, dict) or not all(
        isinstance(name, str) and isinstance(one, Tensor)
        for name, one in loaded.items()
    ):
        raise ValueError("its parameters are something other than named arrays")
    return loaded
