"""A folder with one file of terms per type."""

from pathlib import Path
from typing import List, Sequence, Union

from ..files.text_files import read_lines

SUFFIX = ".txt"


def check_types(types: Sequence[str]) -> None:
    """Raise ValueError unless each of the types can have a file of its own."""
    if not types or len({*types}) < len(types):
        raise ValueError(
            "Gazetteer needs the names of its lists, each once, such as "
            f'types = ["PER", "LOC"]. It was given {list(types)}.'
        )
    for one in types:
        if (
            not isinstance(one, str)
            or not one
            or one != one.strip()
            or Path(one).name != one
            or "\\" in one
        ):
            raise ValueError(
                f"Gazetteer cannot have a type {one!r}, as its terms are in a file "
                f"{one}{SUFFIX}. Use letters, digits, '-' and '_'."
            )


def read_terms(folder: Union[str, Path], type_: str) -> List[str]:
    """Read the terms of a type, one per line of `folder`/`type_`.txt.

    Args:
        folder: Folder of the files.
        type_: The type.

    Raises:
        ValueError: If there is no such file, or it has no terms or is not UTF-8.
        OSError: If the file cannot be read.
    """
    path = Path(folder) / f"{type_}{SUFFIX}"
    if not path.exists():
        raise ValueError(
            f"The Gazetteer's type {type_!r} has no list: there is no file {path}. "
            "Write it, one term per line, or remove the type from `types`."
        )
    terms = [line.strip() for line in read_lines(path) if line.strip()]
    if not terms:
        raise ValueError(
            f"{path} has no terms. Write one per line, or remove {type_!r} from the "
            "Gazetteer's `types`."
        )
    return terms
