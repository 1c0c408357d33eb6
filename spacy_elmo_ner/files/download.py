"""Files from the network, resumed where they broke off.

What has been received is kept in `NAME.part` next to the file, and what is known about
it in `NAME.part.json`. The server is asked for the rest only if the file is still the
same (RFC 9110, section 13.1.5), and its answer is checked.
"""

import http.client
import json
import os
import re
import time
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any, Callable, Dict, Iterator, Mapping, NamedTuple, Optional
from urllib.error import HTTPError
from urllib.parse import urlsplit
from urllib.request import Request, urlopen

from .atomic import NO_ROOM, replacing
from .workspace import try_lock

BLOCK = 1 << 16
TIMEOUT = 30.0  # seconds without a byte
TRIES = 4  # in a row that bring no byte
PAUSE = 1.0  # seconds before the second try; twice as long before each further one
BROKEN = (OSError, http.client.HTTPException)
TRANSIENT = (408, 429, 500, 502, 503, 504)

Progress = Callable[[int, Optional[int]], None]
"""Is called with the bytes that are there, and with all if their number is known."""


class DownloadError(OSError):
    """A file could not be downloaded; the message says why and what is kept of it."""


class _Version(NamedTuple):
    """What tells one version of a file on a server from another."""

    url: str
    etag: Optional[str]
    modified: Optional[str]
    size: Optional[int]

    @property
    def validator(self) -> Optional[str]:
        """For If-Range, which does not allow weak tags."""
        if self.etag is not None and not self.etag.startswith("W/"):
            return self.etag
        return self.modified


def download(
    url: str, path: Path, *, progress: Progress = lambda done, all: None
) -> None:
    """Download a file that is not there yet.

    Args:
        url: Its http or https address.
        path: Where to save it.
        progress: Is called for each block.

    Raises:
        ValueError: For any other kind of address.
        DownloadError: If the file cannot be downloaded. What has been received is kept
            for the next call, if the server can tell later whether the file is the
            same.
    """
    if urlsplit(url).scheme not in ("http", "https"):
        raise ValueError(
            f"{url} is not an address that begins with http:// or https://."
        )
    path.parent.mkdir(parents=True, exist_ok=True)
    with _partial_file(path) as part:
        failures = 0
        while True:
            before = _size(part)
            try:
                if _fetch(url, part, _note_of(path), progress):
                    break
                reason = "the connection ended too early"
            except HTTPError as error:
                reason = f"the server answers {error.code} {error.reason}"
                if error.code not in TRANSIENT:
                    raise DownloadError(
                        f"{url} cannot be fetched: {reason}."
                    ) from error
            except (OSError, http.client.HTTPException) as error:
                if getattr(error, "errno", None) in NO_ROOM:
                    raise
                reason = str(getattr(error, "reason", "") or error) or repr(error)
            now = _size(part)
            failures = 0 if now > before else failures + 1
            if failures == TRIES:
                raise DownloadError(
                    f"{url} cannot be fetched: {reason}. {now:,} bytes of it are in "
                    f"{part.name}; run the same command to continue from there."
                )
            time.sleep(PAUSE * 2 ** max(failures - 1, 0))
    _part_of(path).replace(path)
    with suppress(FileNotFoundError):
        _note_of(path).unlink()


def discard(path: Path) -> None:
    """Remove a file, and what is left of its partial download."""
    for one in (path, _part_of(path), _note_of(path)):
        with suppress(FileNotFoundError):
            one.unlink()


def _part_of(path: Path) -> Path:
    return path.with_name(path.name + ".part")


def _note_of(path: Path) -> Path:
    return path.with_name(path.name + ".part.json")


@contextmanager
def _partial_file(path: Path) -> Iterator[IO[bytes]]:
    """The partial file, open for appending; one process has it at a time."""
    with open(_part_of(path), "ab") as part:
        if not try_lock(part, without=True):
            raise DownloadError(f"Another process is fetching {path}; wait for it.")
        yield part


def _size(part: IO[bytes]) -> int:
    part.flush()
    return os.fstat(part.fileno()).st_size


def _fetch(url: str, part: IO[bytes], note: Path, progress: Progress) -> bool:
    """Ask for what is missing; return whether the file is complete then."""
    known = _read_note(note, url)
    if known is None or known.validator is None:
        part.truncate(0)
    have = _size(part)
    headers = {"Accept-Encoding": "identity"}
    if known is not None and known.validator is not None and have:
        headers.update({"Range": f"bytes={have}-", "If-Range": known.validator})
    try:
        response = urlopen(Request(url, headers=headers), timeout=TIMEOUT)
    except HTTPError as error:
        if error.code != 416:
            raise
        # there are no more bytes than we have, which may be all of them
        if known is not None and known.size == have:
            return True
        part.truncate(0)
        return False
    with response:
        if response.status == 206:
            size = None if known is None else _rest(known, response.headers, have)
            if size is None:
                part.truncate(0)
                return False
        else:
            part.truncate(0)
            have, size = 0, _length(response.headers)
            _write_note(note, url, size, response.headers)
        progress(have, size)
        while block := response.read(BLOCK):
            part.write(block)
            have += len(block)
            progress(have, size)
    return size is None or have == size


def _length(headers: Mapping[str, str]) -> Optional[int]:
    length = headers.get("Content-Length", "")
    return int(length) if length.isdecimal() else None


def _rest(known: _Version, headers: Mapping[str, str], have: int) -> Optional[int]:
    """The size of the whole file, if a response has the missing part."""
    found = re.fullmatch(
        r"bytes (\d+)-(\d+)/(\d+)", headers.get("Content-Range", "").strip()
    )
    if found is None:
        return None
    begin, last, size = map(int, found.groups())
    # the response need not repeat them
    is_same = (
        headers.get("ETag", known.etag) == known.etag
        and headers.get("Last-Modified", known.modified) == known.modified
        and known.size in (size, None)
    )
    return size if is_same and begin == have and last == size - 1 else None


def _write_note(
    note: Path, url: str, size: Optional[int], headers: Mapping[str, str]
) -> None:
    version = _Version(url, headers.get("ETag"), headers.get("Last-Modified"), size)
    with replacing(note) as temporary:
        temporary.write_text(json.dumps(version._asdict()), encoding="utf8")


def _read_note(note: Path, url: str) -> Optional[_Version]:
    """What is known about the partial file; None if it is from another address."""
    try:
        content: Dict[str, Any] = json.loads(note.read_text(encoding="utf8"))
        version = _Version(**content)
    except (OSError, ValueError, TypeError):
        return None
    return version if version.url == url else None
