"""Published weights and archives, from files and from a real server."""

import threading
from functools import partial
from hashlib import sha256
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Dict, Iterator

import pytest
from typer.testing import CliRunner, Result

from spacy_elmo_ner.bilm.published import PUBLISHED, PublishedElmo
from spacy_elmo_ner.bilm.weight_files import read_weights
from spacy_elmo_ner.cli.app import app
from tests.bilm.test_allennlp_archive import (
    allennlp_state,
    assert_same,
    needs_safe_torch,
    prefixed,
    write_archive,
)


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["import-elmo", *map(str, arguments)])


@pytest.fixture
def fixture(shared_data: Path) -> Path:
    return shared_data / "elmo_fixtures" / "allennlp"


@pytest.fixture
def address(tmp_path: Path, fixture: Path) -> Iterator[str]:
    """A server of the folder `site`, with the fixture's files in it."""
    site = tmp_path / "site"
    site.mkdir()
    for name in ("options.json", "lm_weights.hdf5"):
        (site / name).write_bytes((fixture / name).read_bytes())

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, format: str, *args: object) -> None:
            pass

    handler = partial(Quiet, directory=str(site))
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def publish(monkeypatch: pytest.MonkeyPatch, address: str, checksum: str) -> None:
    model = PublishedElmo(
        f"{address}/options.json", f"{address}/lm_weights.hdf5", "a test", checksum
    )
    monkeypatch.setitem(PUBLISHED, "small", model)


def test_published_weights_by_name(
    monkeypatch: pytest.MonkeyPatch, address: str, fixture: Path, tmp_path: Path
) -> None:
    right = sha256((fixture / "lm_weights.hdf5").read_bytes()).hexdigest()
    output = tmp_path / "out" / "elmo.safetensors"
    publish(monkeypatch, address, right)
    result = run("small", output)
    assert result.exit_code == 0, result.output
    assert f"SHA-256 {right}, as expected" in result.output
    wanted = read_weights(fixture / "lm_weights.hdf5", fixture / "options.json")
    found = read_weights(output)
    assert found.options == wanted.options
    assert [one.name for one in output.parent.iterdir()] == [output.name]
    before = output.read_bytes()
    publish(monkeypatch, address, "0" * 64)
    result = run("small", output)
    assert result.exit_code == 1 and f"is {right}, not 0000" in result.output
    assert [one.name for one in output.parent.iterdir()] == [output.name]
    assert output.read_bytes() == before


@needs_safe_torch
@pytest.mark.parametrize("by_address", [True, False])
def test_archive(address: str, fixture: Path, tmp_path: Path, by_address: bool) -> None:
    wanted = read_weights(fixture / "lm_weights.hdf5", fixture / "options.json")
    path = write_archive(
        tmp_path / "site" / "model.tar.gz",
        prefixed(allennlp_state(wanted)),
        source=f"{address}/options.json",
    )
    output = tmp_path / "elmo.safetensors"
    source = f"{address}/model.tar.gz" if by_address else path
    result = run(source, output)
    assert result.exit_code == 0, result.output
    assert "which cannot be verified here" in result.output
    assert_same(read_weights(output), wanted)
    assert path.exists()
    local = write_archive(path, prefixed(allennlp_state(wanted)))
    assert "name that file with --options" in run(local, output).output
    sizes = fixture / "options.json"
    assert run(local, output, "--options", sizes).exit_code == 0
    assert run(local, output, "--options", sizes, "--sha256", "12").exit_code == 1


def test_wrong_use(address: str, tmp_path: Path) -> None:
    output = tmp_path / "elmo.safetensors"
    cases: Dict[str, Result] = {
        "ends in .safetensors": run("small", tmp_path / "elmo.hdf5"),
        "the name of published weights": run("huge", output),
        "404": run(f"{address}/missing.tar.gz", output),
    }
    for words, result in cases.items():
        said = " ".join(result.output.replace("│", " ").split())
        assert result.exit_code in (1, 2) and words in said, said
    assert not output.exists()


def test_published_models_have_addresses_of_their_own() -> None:
    files = [file for one in PUBLISHED.values() for file in (one.options, one.weights)]
    assert len(set(files)) == 2 * len(PUBLISHED)
    assert all(file.startswith("https://") for file in files)
    assert PUBLISHED["small"].weights.endswith(
        "/2x1024_128_2048cnn_1xhighway/elmo_2x1024_128_2048cnn_1xhighway_weights.hdf5"
    )


def test_what_was_fetched_from_elsewhere_is_not_taken(
    monkeypatch: pytest.MonkeyPatch, address: str, fixture: Path, tmp_path: Path
) -> None:
    output = tmp_path / "out" / "elmo.safetensors"
    right = sha256((fixture / "lm_weights.hdf5").read_bytes()).hexdigest()
    publish(monkeypatch, address, right)
    weights = f"{address}/lm_weights.hdf5"
    other = PublishedElmo(f"{address}/missing.json", weights + "?other", "a test")
    monkeypatch.setitem(PUBLISHED, "medium", other)
    assert "404" in run("medium", output).output
    # the weights are kept for the next try, in which the options are there
    (kept,) = output.parent.iterdir()
    kept.write_bytes(b"other weights")
    assert run("small", output).exit_code == 0
    assert kept.read_bytes() == b"other weights"
