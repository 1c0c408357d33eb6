"""Files that may be damaged: what goes wrong while one is read names it."""

from contextlib import contextmanager
from pathlib import Path
from typing import Iterator

GIT_LFS = b"version https://git-lfs.github.com/spec/"
# characters of a library's message; some quote the file's content
LONGEST = 300


@contextmanager
def reading(path: Path, remedy: str) -> Iterator[None]:
    """Turn whatever a library raises over a file's content into a ValueError.

    path: the file that the block reads.
    remedy: what to do about a damaged one, as the end of a sentence.

    An OSError of a file that cannot be opened and a ValueError that names the file pass
    as they are. Raises ValueError, and at once for a file that Git LFS has not fetched.
    """
    refuse_pointer(path)
    try:
        yield
    except Exception as error:
        # zlib, msgpack, HDF5, numpy and JSON raise a dozen kinds for foreign bytes
        if isinstance(error, OSError) and error.filename is not None:
            raise
        if isinstance(error, ValueError) and str(path) in str(error):
            raise
        raise ValueError(
            f"{path} is truncated or damaged ({reason(error)}); {remedy}."
        ) from error


def refuse_pointer(path: Path) -> None:
    """Raise ValueError if Git LFS has left a pointer in the place of the file."""
    if not path.is_file():
        return
    with path.open("rb") as file:
        is_pointer = file.read(len(GIT_LFS)) == GIT_LFS
    if is_pointer:
        raise ValueError(
            f"{path} is only a pointer of Git LFS to the file; fetch the file itself "
            "with `git lfs pull`."
        )


def reason(error: BaseException) -> str:
    """What an error says, in one line; its kind where it says nothing."""
    if isinstance(error, EOFError):
        return "it ends too early"
    if isinstance(error, MemoryError):
        return "it asks for more memory than there is"
    words = " ".join(str(error).split()).rstrip(".") or type(error).__name__
    said = "".join(one if one.isprintable() else "�" for one in words)
    return said if len(said) <= LONGEST else said[:LONGEST] + " …"
