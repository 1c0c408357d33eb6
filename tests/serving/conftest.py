import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from contextlib import contextmanager
from pathlib import Path
from typing import Callable, ContextManager, Dict, Iterator, List

import pytest
from spacy.util import is_package

PIPELINE = "en_elmo_ner_sm"
REPOSITORY = Path(__file__).resolve().parents[2]
# what a process and its children connect to, looked up by name or address, a line each
WATCH = """
import os, sys

def note(event, args):
    if event in ("socket.connect", "socket.getaddrinfo", "socket.gethostbyname"):
        place = args[0] if event == "socket.getaddrinfo" else args[-1]
        with open(os.environ["CONNECTIONS"], "a") as file:
            print(repr(place), file=file)

sys.addaudithook(note)
"""


class Server:
    """A command that serves, in a process of its own."""

    def __init__(self, process: "subprocess.Popen[str]", port: int) -> None:
        self.process, self.port = process, port
        self.url = f"http://127.0.0.1:{port}"
        self.log: List[str] = []
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        self.log.extend(iter(self.process.stdout.readline, ""))

    def wait_for(self, path: str) -> None:
        for _ in range(1200):
            assert self.process.poll() is None, "".join(self.log)
            try:
                urllib.request.urlopen(self.url + path, timeout=5).close()
                return
            except OSError:
                time.sleep(0.1)
        raise AssertionError(f"{self.url} does not answer: {''.join(self.log)}")

    def stop(self) -> int:
        self.process.send_signal(signal.SIGINT)
        try:
            return self.process.wait(timeout=30)
        finally:
            self.process.kill()


@pytest.fixture(scope="session")
def pipeline() -> str:
    if not is_package(PIPELINE):
        pytest.skip(f"{PIPELINE} is not installed")
    return PIPELINE


@pytest.fixture(scope="session")
def serving() -> Callable[..., ContextManager[Server]]:
    """Runs a command that serves, for as long as a with statement lasts."""

    @contextmanager
    def run(
        command: str, *options: object, environment: Dict[str, str] = {}  # noqa: B006
    ) -> Iterator[Server]:
        port = free_port()
        words = [command, "--port", str(port), *map(str, options)]
        process = subprocess.Popen(
            [sys.executable, "-m", "spacy_elmo_ner", *words],
            env={**os.environ, **environment},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        server = Server(process, port)
        try:
            server.wait_for("/health" if command == "serve" else "/_stcore/health")
            yield server
        finally:
            server.stop()

    return run


@pytest.fixture
def watched(tmp_path: Path) -> Dict[str, str]:
    """An environment in which Python notes each connection in the file CONNECTIONS."""
    folder = tmp_path / "watch"
    folder.mkdir()
    (folder / "sitecustomize.py").write_text(WATCH, encoding="utf8")
    before = os.environ.get("PYTHONPATH", "")
    return {
        "CONNECTIONS": str(tmp_path / "connections"),
        "PYTHONPATH": os.pathsep.join(filter(None, [str(folder), before])),
    }


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port
