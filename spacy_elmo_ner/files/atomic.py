"""Files and folders that appear whole or not at all.

Each is written into a workspace next to its final path and moved from there. Nothing
that we did not write is removed on the way, except a single file that the user named as
output.
"""

import errno
import os
import stat
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Iterable, Iterator, Optional, Tuple, Union

from safetensors import SafetensorError

from .manifest import write_manifest
from .replaceable import check_replaceable
from .streams import is_stream, written_through
from .workspace import (
    LOCK,
    NEW,
    OLD,
    WriteError,
    announce,
    clear_leftovers,
    workspace,
)

NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EIO)


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yield a temporary name, which is moved to `path` when the block ends without error.

    After an error everything is as before. A file keeps its mode and, if allowed, its
    owner. A link stays, and the file that it leads to is replaced. Devices and pipes
    are written to, after the block. Missing parent folders are created.

    Raises:
        WriteError: If the file cannot be written there.
    """
    with _errors_told(path):
        if is_stream(path):
            with written_through(path) as temporary:
                yield temporary
            return
        place = _file_place(path)
        before = place.stat() if place.exists() else None
        with workspace(place) as space:
            temporary = space / place.name
            if temporary.name == LOCK:
                temporary = space / NEW
            yield temporary
            _take_over(before or (space / LOCK).stat(), temporary)
            os.replace(temporary, place)


@contextmanager
def replacing_pair(first: Path, second: Path) -> Iterator[Tuple[Path, Path]]:
    """As `replacing`, for two files that belong together.

    There is never a new file next to an old one. After a kill between the two moves the
    second file is missing, and the next call for it moves both to their final paths.

    Raises:
        ValueError: If both names lead to one file.
        WriteError: If one of them cannot be written.
    """
    if os.path.realpath(first) == os.path.realpath(second):
        raise ValueError(f"{first} is named for two outputs; name two files.")
    place = Path(os.path.realpath(second))
    with replacing(second) as new_second:
        retired = new_second.with_name(OLD)
        try:
            with replacing(first) as new_first:
                yield new_first, new_second
                if place.is_file() and place.read_bytes() != new_second.read_bytes():
                    announce(new_second.parent, new_first, os.path.realpath(first))
                    os.replace(place, retired)
        except BaseException:
            if retired.exists():
                os.replace(retired, place)
            raise


@contextmanager
def replacing_folder(
    folder: Path,
    *,
    force: Optional[bool] = None,
    later: Iterable[str] = (),
    beside: Iterable[str] = (),
) -> Iterator[Path]:
    """As `replacing`, for a folder; the temporary folder exists, and is empty.

    Folders cannot be swapped in one step. After a kill between the two moves,
    `recover`, which the next `replacing_folder` calls, finishes the second one.

    Args:
        folder: The output.
        force: See `check_replaceable`.
        later: See `manifest.Manifest`.
        beside: See `manifest.Manifest`.

    Raises:
        ValueError: See `check_replaceable`.
        WriteError: If the folder cannot be written there.
    """
    place = Path(os.path.realpath(folder))
    check_replaceable(folder, force=force)
    with _errors_told(folder), workspace(place) as space:
        fresh, old = space / NEW, space / OLD
        fresh.mkdir()
        yield fresh
        for file in fresh.rglob("*"):
            if file.is_file():  # safetensors makes files that only their owner may read
                file.chmod(stat.S_IMODE((space / LOCK).stat().st_mode))
        write_manifest(fresh, later=later, beside=beside)
        check_replaceable(folder, force=force, names_only=True)
        if not os.path.lexists(place):
            os.replace(fresh, place)
            return
        if place.is_dir():
            _take_over(place.stat(), fresh)
        os.replace(place, old)
        try:
            os.replace(fresh, place)
        except BaseException:
            os.replace(old, place)
            raise


def recover(path: Path) -> None:
    """Finish or remove what a killed run left while it was writing to `path`."""
    clear_leftovers(Path(os.path.realpath(path)))


def check_writable(path: Path) -> None:
    """Check, before much is computed, that the file can be written.

    Raises:
        WriteError: If it cannot.
    """
    if is_stream(path):
        return
    with _errors_told(path), workspace(_file_place(path)):
        pass


def _file_place(path: Path) -> Path:
    """Where a file is, or will be. Raises WriteError if it may not be written there."""
    place = Path(os.path.realpath(path))
    if place.is_dir():
        raise WriteError(f"{path} is a folder; name a file to write.")
    if place.exists() and not os.access(place, os.W_OK):
        raise WriteError(f"{path} is write-protected; choose another name.")
    return place


@contextmanager
def _errors_told(path: Union[str, Path]) -> Iterator[None]:
    try:
        yield
    except WriteError:
        raise
    except (OSError, SafetensorError) as error:
        number = getattr(error, "errno", None)
        # numpy and safetensors report a full disk without a number, and name no file
        is_of_writing = number in NO_ROOM or (number is None and not _has_name(error))
        if not is_of_writing or isinstance(error, BrokenPipeError):
            raise
        reason = os.strerror(number) if number else f"the disk may be full: {error}"
        raise WriteError(
            f"{path} could not be written ({reason}); what was there before is "
            "unchanged. Make room, or choose another place."
        ) from error


def _has_name(error: Exception) -> bool:
    return isinstance(error, OSError) and (
        type(error) is not OSError or error.filename is not None
    )


def _take_over(before: os.stat_result, path: Path) -> None:
    """Apply mode and owner to a file or folder."""
    now = path.stat()
    if (now.st_uid, now.st_gid) != (before.st_uid, before.st_gid):
        with suppress(OSError):
            os.chown(path, before.st_uid, before.st_gid)
    os.chmod(path, stat.S_IMODE(before.st_mode))
