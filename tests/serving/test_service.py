"""The service as a real process, and requests by real connections."""

import http.client
import json
import os
import socket
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Callable, Dict, Iterator, List, Tuple

import pytest
import spacy
from typer.testing import CliRunner

from spacy_elmo_ner.cli.app import app
from spacy_elmo_ner.pipeline.components import with_probabilities
from spacy_elmo_ner.serving.found import Found, entities

pytest.importorskip("fastapi", reason='needs pip install "spacy-elmo-ner[serve]"')
pytest.importorskip("uvicorn", reason='needs pip install "spacy-elmo-ner[serve]"')

pytestmark = pytest.mark.slow
NAMES = ["Anna", "Boris", "Clara", "John", "שרה", "Žofia", "O’Neil"]
TEXTS = ["", " \n", "<script>John</script>", "שלום, John Smith נסע לברלין. 😀"] + [
    f"{NAMES[i % 7]} Novak{i} flew to Lima{'.' * (i % 3)} She met John in Berlin."
    for i in range(60)
]
USAGE = 'Send {"text": "…"}'


def ask(port: int, body: bytes, method: str = "POST") -> Tuple[int, Any]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    connection.request(method, "/entities", body)
    response = connection.getresponse()
    return response.status, json.loads(response.read())


@pytest.fixture(scope="module")
def server(serving: Callable[..., Any], pipeline: str) -> Iterator[Any]:
    with serving("serve", pipeline, "--max-texts", 100) as running:
        yield running


def approximately(found: List[Found]) -> List[Any]:
    return [
        {**one, "probability": pytest.approx(one["probability"], abs=1e-3)}
        for one in found
    ]


@pytest.mark.parametrize("workers", [1, 2])
def test_the_same_entities_as_alone(
    workers: int, serving: Callable[..., Any], pipeline: str, watched: Dict[str, str]
) -> None:
    nlp = with_probabilities(spacy.load(pipeline))
    expected = [approximately(entities(nlp(text))) for text in TEXTS]
    assert sum(map(len, expected)) > 100

    def one(place: int) -> None:
        text = json.dumps({"text": TEXTS[place]}).encode()
        assert ask(running.port, text) == (200, {"entities": expected[place]})
        several = json.dumps({"text": TEXTS[place:]}, ensure_ascii=False).encode()
        assert ask(running.port, several) == (200, {"entities": expected[place:]})

    options = ["--workers", workers]
    with serving("serve", pipeline, *options, environment=watched) as running:
        with ThreadPoolExecutor(16) as executor:
            list(executor.map(one, range(len(TEXTS))))
    # no connection of its own
    assert not Path(watched["CONNECTIONS"]).exists()


@pytest.mark.parametrize(
    "body, status, sentence",
    [
        (b"", 400, USAGE),
        (b"John", 400, USAGE),
        (b"[" * 100_000, 400, USAGE),
        (b'{"text": "caf\xe9"}', 400, "is not valid JSON"),
        (b'{"text": "\\ud83d John"}', 400, "is not valid JSON"),
        (b'{"text": null}', 422, USAGE),
        (b'{"text": NaN}', 422, USAGE),
        (b'{"text": 1}', 422, USAGE),
        (b'{"text": ["John", null]}', 422, USAGE),
        (b'{"texts": "John"}', 422, USAGE),
        (b'["John"]', 422, USAGE),
        (
            json.dumps({"text": ["John"] * 101}).encode(),
            413,
            "101 texts, but at most 100",
        ),
        (json.dumps({"text": "a " * 5_000_000}).encode(), 413, "1,000,000 bytes"),
    ],
    ids=lambda value: repr(value)[:30],
)
def test_what_is_wrong_is_said(
    body: bytes, status: int, sentence: str, server: Any
) -> None:
    found, answer = ask(server.port, body)
    assert found == status
    assert sentence in answer["detail"]
    assert ask(server.port, b'{"text": []}') == (200, {"entities": []})


def test_other_methods_and_pages(server: Any) -> None:
    assert ask(server.port, b"", "GET")[0] == 405
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
    # its pages of documentation come from elsewhere
    for path, status in (("/openapi.json", 200), ("/docs", 404), ("/redoc", 404)):
        connection.request("GET", path)
        response = connection.getresponse()
        response.read()
        assert response.status == status


def test_health_by_its_head_alone(server: Any) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
    connection.request("HEAD", "/health")
    response = connection.getresponse()
    assert response.status == 200 and response.read() == b""


def test_what_takes_too_long(serving: Callable[..., Any], pipeline: str) -> None:
    with serving("serve", pipeline, "--timeout", 1) as running:
        body = json.dumps({"text": "John met Anna in Lima. " * 20_000}).encode()
        status, answer = ask(running.port, body)
        assert status == 503 and "within 1 seconds" in answer["detail"]
        with socket.create_connection(("127.0.0.1", running.port)) as connection:
            head = b"POST /entities HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n{"
            connection.sendall(head)
            assert b" 408 " in connection.recv(1000).splitlines()[0]


def test_one_who_goes_disturbs_nobody(server: Any) -> None:
    with socket.create_connection(("127.0.0.1", server.port)) as connection:
        head = b"POST /entities HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n{"
        connection.sendall(head)
    assert ask(server.port, b'{"text": ""}') == (200, {"entities": []})
    time.sleep(0.2)
    assert not any("Traceback" in line for line in server.log)


@pytest.mark.parametrize("command", ["serve", "demo"])
def test_a_port_in_use(command: str, server: Any, repository: Path) -> None:
    pytest.importorskip("streamlit")
    done = subprocess.run(
        [sys.executable, "-m", "spacy_elmo_ner", command, "--port", str(server.port)],
        env=dict(os.environ),
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1
    assert f"port {server.port} (Address already in use)" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    "arguments, code, words",
    [
        # an empty address would be every address of the machine
        (["serve", "--host", ""], 1, "The --host is empty"),
        (["demo", "--host", ""], 1, "The --host is empty"),
        (["serve", "--timeout", "inf"], 2, "--timeout"),
        (["serve", "--timeout", "nan"], 2, "--timeout"),
    ],
)
def test_wrong_options(arguments: List[str], code: int, words: str) -> None:
    pytest.importorskip("streamlit")
    pytest.importorskip("spacy_streamlit")
    done = CliRunner().invoke(app, arguments)
    assert isinstance(done.exception, SystemExit)
    assert done.exit_code == code
    assert words in done.output
