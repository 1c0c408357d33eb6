"""Downloads from a real server that breaks off, has no parts, and changes its file."""

import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Dict, Iterator, List, Optional, Tuple

import pytest

from spacy_elmo_ner.files import download as module
from spacy_elmo_ner.files.download import DownloadError, discard, download

CONTENT = bytes(range(256)) * 2000
HALF = len(CONTENT) // 2


@dataclass
class Site:
    """A file, and how the server gives it.

    breaks: After how many bytes each of the next answers ends.
    """

    content: bytes = CONTENT
    headers: Dict[str, str] = field(default_factory=lambda: {"ETag": '"one"'})
    breaks: List[int] = field(default_factory=list)
    has_parts: bool = True
    heeds_if_range: bool = True
    says_length: bool = True
    status: Optional[int] = None
    url: str = ""
    asked: List[Tuple[Optional[str], Optional[str]]] = field(default_factory=list)


@pytest.fixture
def site(monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    monkeypatch.setattr(module, "PAUSE", 0)
    site = Site()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            wanted, if_range = self.headers["Range"], self.headers["If-Range"]
            site.asked.append((wanted, if_range))
            if site.status is not None:
                self.send_error(site.status)
                return
            begin = 0
            is_same = if_range in site.headers.values() or not site.heeds_if_range
            if wanted and site.has_parts and is_same:
                begin = int(wanted[len("bytes=") : -1])
            size = len(site.content)
            if begin >= size > 0:
                self.send_error(416)
                return
            self.send_response(206 if begin else 200)
            if begin:
                self.send_header("Content-Range", f"bytes {begin}-{size - 1}/{size}")
            if site.says_length:
                self.send_header("Content-Length", str(size - begin))
            for name, value in site.headers.items():
                self.send_header(name, value)
            self.end_headers()
            end = begin + site.breaks.pop(0) if site.breaks else size
            self.wfile.write(site.content[begin:end])

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    site.url = f"http://127.0.0.1:{server.server_port}/weights.hdf5"
    yield site
    server.shutdown()
    thread.join()
    server.server_close()


def break_off(site: Site, path: Path) -> None:
    """Let a download end after half of the file."""
    site.breaks = [HALF, 0, 0, 0, 0]
    with pytest.raises(DownloadError, match=f"{HALF:,} bytes of it are in .*part"):
        download(site.url, path)
    assert not path.exists()
    site.breaks.clear()
    site.asked.clear()


def left(path: Path) -> List[str]:
    return sorted(one.name for one in path.parent.iterdir())


def test_whole_with_progress(site: Site, tmp_path: Path) -> None:
    path = tmp_path / "new" / "file"
    seen: List[Tuple[int, Optional[int]]] = []
    download(site.url, path, progress=lambda done, size: seen.append((done, size)))
    assert path.read_bytes() == CONTENT
    assert left(path) == ["file"]
    assert seen[0] == (0, len(CONTENT)) and seen[-1] == (len(CONTENT), len(CONTENT))
    assert seen == sorted(seen)


def test_broken_off_again_and_again(site: Site, tmp_path: Path) -> None:
    site.breaks = [1000, 0, 5000, 1, 70_000]
    download(site.url, tmp_path / "file")
    assert (tmp_path / "file").read_bytes() == CONTENT
    begins = [wanted for wanted, _ in site.asked]
    assert begins == [None, *(f"bytes={n}-" for n in (1000, 1000, 6000, 6001, 76_001))]


@pytest.mark.parametrize(
    "header", [{"ETag": '"one"'}, {"Last-Modified": "Thu, 01 Jan 1970"}]
)
def test_the_next_call_goes_on(
    site: Site, tmp_path: Path, header: Dict[str, str]
) -> None:
    site.headers = header
    path = tmp_path / "file"
    break_off(site, path)
    seen: List[int] = []
    download(site.url, path, progress=lambda done, size: seen.append(done))
    assert site.asked == [(f"bytes={HALF}-", *header.values())]
    assert seen[0] == HALF and path.read_bytes() == CONTENT
    assert left(path) == ["file"]


def test_a_server_that_ignores_range(site: Site, tmp_path: Path) -> None:
    site.has_parts = False
    site.breaks = [HALF]
    download(site.url, tmp_path / "file")
    assert site.asked == [(None, None), (f"bytes={HALF}-", '"one"')]
    assert (tmp_path / "file").read_bytes() == CONTENT


@pytest.mark.parametrize("heeds_if_range", [True, False])
@pytest.mark.parametrize("size", [len(CONTENT), 100, HALF])
def test_a_file_that_was_changed_in_between(
    site: Site, tmp_path: Path, heeds_if_range: bool, size: int
) -> None:
    break_off(site, tmp_path / "file")
    site.content = CONTENT[::-1][:size]
    site.headers = {"ETag": '"two"'}
    site.heeds_if_range = heeds_if_range
    download(site.url, tmp_path / "file")
    assert (tmp_path / "file").read_bytes() == site.content


@pytest.mark.parametrize("headers", [{}, {"ETag": 'W/"weak"'}])
def test_without_a_sign_of_its_version_it_is_fetched_anew(
    site: Site, tmp_path: Path, headers: Dict[str, str]
) -> None:
    site.headers = headers
    site.breaks = [HALF]
    download(site.url, tmp_path / "file")
    assert site.asked == [(None, None)] * 2
    assert (tmp_path / "file").read_bytes() == CONTENT


def test_what_is_left_of_another_address_is_not_used(
    site: Site, tmp_path: Path
) -> None:
    break_off(site, tmp_path / "file")
    download(site.url + "?other", tmp_path / "file")
    assert site.asked == [(None, None)]
    assert (tmp_path / "file").read_bytes() == CONTENT


def test_all_bytes_are_there_already(site: Site, tmp_path: Path) -> None:
    path = tmp_path / "file"
    break_off(site, path)
    (tmp_path / "file.part").write_bytes(CONTENT)
    download(site.url, path)
    assert path.read_bytes() == CONTENT and len(site.asked) == 1


def test_without_a_length(site: Site, tmp_path: Path) -> None:
    site.says_length = False
    download(site.url, tmp_path / "file")
    assert (tmp_path / "file").read_bytes() == CONTENT


def test_errors(site: Site, tmp_path: Path) -> None:
    path = tmp_path / "file"
    site.status = 404
    with pytest.raises(DownloadError, match="the server answers 404 Not Found"):
        download(site.url, path)
    assert len(site.asked) == 1
    site.status = 503
    with pytest.raises(DownloadError, match="503"):
        download(site.url, path)
    assert len(site.asked) == 1 + module.TRIES
    with pytest.raises(DownloadError, match="refused"):
        download("http://127.0.0.1:9/file", path)
    with pytest.raises(ValueError, match="not an address that begins with http"):
        download("file:///etc/hostname", path)
    discard(path)
    assert not left(path)


def test_one_process_at_a_time(site: Site, tmp_path: Path) -> None:
    fcntl = pytest.importorskip("fcntl")
    with open(tmp_path / "file.part", "wb") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        with pytest.raises(DownloadError, match="Another process is fetching"):
            download(site.url, tmp_path / "file")
