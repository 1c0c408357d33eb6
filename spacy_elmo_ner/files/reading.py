"""Reading files that may be damaged: every error names the file."""

from contextlib import contextmanager
from pathlib import Path
from typing import Iterator

GIT_LFS = b"version https://git-lfs.github.com/spec/"
# characters kept of a library's message; some quote the file's content
LONGEST = 300


@contextmanager
def reading(path: Path, remedy: str) -> Iterator[None]:
    """Turn whatever a library raises over a file's content into a ValueError.

    Errors that already name the file are passed on unchanged.

    Args:
        path: The file that the block reads.
        remedy: What to do about a damaged file, as the end of a sentence.

    Raises:
        ValueError: If the file is damaged, or Git LFS has not fetched it.
        OSError: If it cannot be opened.
    """
    refuse_pointer(path)
    try:
        yield
    except Exception as error:
        # zlib, msgpack, HDF5, numpy and JSON raise a dozen error types for foreign
        # bytes
        if isinstance(error, OSError) and error.filename is not None:
            raise
        if isinstance(error, ValueError) and str(path) in str(error):
            raise
        raise ValueError(
            f"{path} is truncated or damaged ({reason(error)}); {remedy}."
        ) from error


def refuse_pointer(path: Path) -> None:
    """Check that the file is not a pointer left in its place by Git LFS.

    Raises:
        ValueError: If it is one.
    """
    if not path.is_file():
        return
    with path.open("rb") as file:
        is_pointer = file.read(len(GIT_LFS)) == GIT_LFS
    if is_pointer:
        raise ValueError(
            f"{path} is only a Git LFS pointer to the file; fetch the file itself with "
            "`git lfs pull`."
        )


def reason(error: BaseException) -> str:
    """An error's message, in one line; its class if it has none."""
    if isinstance(error, EOFError):
        return "it ends too early"
    if isinstance(error, MemoryError):
        return "it asks for more memory than there is"
    words = " ".join(str(error).split()).rstrip(".") or type(error).__name__
    said = "".join(one if one.isprintable() else "�" for one in words)
    return said if len(said) <= LONGEST else said[:LONGEST] + " …"
