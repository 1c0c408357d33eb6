"""Files and folders that appear whole or not at all.

Each is written into a workspace beside its place and moved from there. Nothing that we
did not write is removed on the way, but for a single file that the user named as output.
"""

import errno
import os
import shutil
import stat
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Iterable, Iterator, Optional, Tuple, Union

from safetensors import SafetensorError

from .workspace import (
    LOCK,
    NEW,
    OLD,
    WriteError,
    announce,
    clear_leftovers,
    workspace,
)
from .written import MARKER, changed_in, has_list, mark, stranger_in, written_in

NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EIO)


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A temporary name, moved to `path` when the block ends without error.

    After an error all is as it was. A file keeps its mode and, where that is allowed,
    its owner. A link stays, and what it leads to is replaced. Devices and pipes are
    written to, after the block. Folders above that are missing are made.

    Raises WriteError where there is no writing.
    """
    with _errors_told(path):
        if is_stream(path):
            with _written_through(path) as temporary:
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

    A new one never stands beside an old one. After a kill between the moves the second
    is missing, and the next call for it brings both to their places.
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
    """As `replacing`, for a folder; the temporary one is there, and empty.

    Folders cannot be exchanged in one step. What a kill between the two moves leaves
    is brought to its end by `recover`, which the next `replacing_folder` calls.

    force, and the errors: see `check_replaceable`.
    later, beside: see `written.Written`.
    """
    place = Path(os.path.realpath(folder))
    check_replaceable(folder, force=force)
    with _errors_told(folder), workspace(place) as space:
        fresh, old = space / NEW, space / OLD
        fresh.mkdir()
        yield fresh
        for file in fresh.rglob("*"):
            if file.is_file():  # safetensors writes for its user alone
                file.chmod(stat.S_IMODE((space / LOCK).stat().st_mode))
        mark(fresh, later=later, beside=beside)
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


def check_replaceable(
    folder: Path, *, force: Optional[bool] = None, names_only: bool = False
) -> None:
    """Raise ValueError if there is something at `folder` that we did not write, or that
    was changed since.

    force: whether the user wants to lose it. None where a command has no such option.
    names_only: do not read the files to see whether they were changed.
    """
    place = Path(os.path.realpath(folder))
    clear_leftovers(place)
    here = Path(os.path.realpath(os.getcwd()))
    if place == here or place in here.parents:
        raise ValueError(
            f"{folder} is the folder that you are in, or one above it; name a new one."
        )
    for above in place.parents:
        if os.path.lexists(above) and not above.is_dir():
            raise ValueError(f"{folder} cannot be written: {above} is a file.")
    if force is True or not os.path.lexists(place):
        return
    remedy = "Choose another name, or move away what is there"
    remedy += "." if force is None else ", or give --force to lose it."
    if not place.is_dir():
        raise ValueError(f"{folder} is a file already. {remedy}")
    stranger = stranger_in(place)
    if stranger is not None and written_in(place) is None and has_list(place):
        raise ValueError(
            f"{folder / MARKER} is damaged, so that it is not known what else in that "
            f"folder spacy_elmo_ner wrote. {remedy}"
        )
    if stranger is not None and not has_list(place):
        raise ValueError(
            f"{folder} is there already, and spacy_elmo_ner did not write it, or an "
            f"older version did. {remedy}"
        )
    if stranger is not None:
        raise ValueError(
            f"{folder} holds {stranger}, which spacy_elmo_ner did not write. {remedy}"
        )
    changed = None if names_only else changed_in(place)
    if changed is not None:
        raise ValueError(
            f"{folder / changed} was changed after spacy_elmo_ner wrote it. {remedy}"
        )


def check_is_no_file(folder: Path) -> None:
    """Raise ValueError where a folder is to be, in which others are written."""
    if os.path.lexists(folder) and not folder.is_dir():
        raise ValueError(f"The output {folder} is a file; name a folder.")


def recover(path: Path) -> None:
    """Finish or remove what a killed run left that was writing to `path`."""
    clear_leftovers(Path(os.path.realpath(path)))


def check_writable(path: Path) -> None:
    """Raise WriteError, before much is computed, if the file cannot be written."""
    if is_stream(path):
        return
    with _errors_told(path), workspace(_file_place(path)):
        pass


def _file_place(path: Path) -> Path:
    """Where a file is, or is to be; raises WriteError if it may not be written there."""
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
        # numpy and safetensors tell of a full disk without a number
        is_of_writing = number in NO_ROOM or (number is None and not _has_name(error))
        if not is_of_writing or isinstance(error, BrokenPipeError):
            raise
        reason = os.strerror(number) if number else f"the disk may be full: {error}"
        raise WriteError(
            f"{path} could not be written ({reason}); what was there before is as it "
            "was. Make room, or choose another place."
        ) from error


def _has_name(error: Exception) -> bool:
    return isinstance(error, OSError) and (
        type(error) is not OSError or error.filename is not None
    )


def _take_over(before: os.stat_result, path: Path) -> None:
    """Give mode and owner to a file or folder."""
    now = path.stat()
    if (now.st_uid, now.st_gid) != (before.st_uid, before.st_gid):
        with suppress(OSError):
            os.chown(path, before.st_uid, before.st_gid)
    os.chmod(path, stat.S_IMODE(before.st_mode))


@contextmanager
def _written_through(path: Path) -> Iterator[Path]:
    with TemporaryDirectory() as folder:
        temporary = Path(folder) / (path.name or NEW)
        yield temporary
        number = _descriptor(path)
        # a file that is open already goes on behind what is in it
        name = path if number is None else os.dup(number)
        with temporary.open("rb") as source, open(name, "wb", buffering=0) as stream:
            shutil.copyfileobj(source, stream)


def is_stream(path: Path) -> bool:
    """Whether it is a device or a pipe, or /dev/stdout and its like."""
    try:
        mode = os.stat(path).st_mode
    except (FileNotFoundError, NotADirectoryError):
        return False
    if stat.S_ISREG(mode):
        return _descriptor(path) is not None
    return not stat.S_ISDIR(mode)


def _descriptor(path: Path) -> Optional[int]:
    """The number of this process's open file that the path leads to."""
    name = os.path.abspath(path)
    own = f"/proc/{os.getpid()}/fd"
    while True:
        parent, last = os.path.split(name)
        if os.path.realpath(parent) == own:
            return int(last)
        if not os.path.islink(name):
            return None
        name = os.path.join(parent, os.readlink(name))
