"""Every command, used wrongly: a sentence that names what is wrong, no traceback."""

import re
import shutil
from pathlib import Path
from typing import List

import pytest
import spacy
from typer.testing import CliRunner

from spacy_elmo_ner.cli.app import app

COMMANDS = (
    "convert vectors convert-weights import-elmo init-config debug train pretrain learning-curve "
    "prune average evaluate calibrate errors entities uncertain visualize clean"
).split()

# how each command is given an input; the other inputs are right
READERS = [
    "convert {} out.spacy",
    "convert {} out.conll",
    "convert-weights {} out.safetensors --options options.json",
    "import-elmo {} out.safetensors",
    "init-config out.cfg --train {}",
    "debug {}",
    "debug sample.cfg --paths.train {} --paths.dev {}",
    "debug sample.cfg --code {}",
    "train {} -o out",
    "train sample.cfg -o out --paths.train {} --paths.dev {}",
    "train sample.cfg -o out --code {}",
    "pretrain {} -o out",
    "learning-curve out.png {}",
    "prune {} out --words 5",
    "average out ruler {}",
    "evaluate {} gold.conll",
    "evaluate ruler {}",
    "evaluate ruler gold.conll --code {}",
    "errors {} gold.conll",
    "errors ruler {}",
    "errors ruler gold.conll --train {}",
    "entities -m {} John",
    "entities -m ruler -f {}",
    "visualize out.html -m {} -t John",
    "visualize out.html -m ruler -f {}",
]
WRONG_INPUTS = ["missing", "folder", "binary", "utf16", "empty", "no\udcffname"]

# how each command is given an output
WRITERS = [
    "convert gold.conll {}",
    "init-config {} --force",
    "prune ruler {} --words 5",
    "average {} ruler ruler",
    "evaluate ruler gold.conll -o {}",
    "evaluate ruler gold.conll --predictions {}",
    "errors ruler gold.conll -o {}",
    "errors ruler gold.conll --page {}",
    "visualize {} -m ruler -t John",
    "pretrain pretrain.cfg -o {}",
]

# options, and wrong values of theirs
NUMBERS = {
    "prune ruler out --words": "-3 0 x 1.5",
    "convert gold.conll out.conll --columns": "-3 0 x 1.5 7",
    "evaluate ruler gold.conll --gpu-id": "-2 x 1.5",
    "train sample.cfg -o out --gpu-id": "-2 x 1.5",
    "visualize out.html -m ruler -t John --limit": "-3 x 1.5",
    "pretrain pretrain.cfg -o out --training.epochs": "-3 0 x",
    "pretrain pretrain.cfg -o out --model.lstm_width": "-3 0 x 1.5",
    "pretrain pretrain.cfg -o out --device": "abacus cuda:x meta",
    "convert gold.conll out.conll --group-by": "abacus",
    "convert gold.conll out.conll --scheme": "abacus",
    "convert gold.conll out.conll --read-scheme": "abacus",
    "evaluate ruler gold.conll --group-by": "abacus",
}


@pytest.fixture(scope="module")
def inputs(tmp_path_factory: pytest.TempPathFactory, repository: Path) -> Path:
    """A folder with right inputs and wrong ones."""
    folder = tmp_path_factory.mktemp("inputs")
    nlp = spacy.blank("en")
    ruler = nlp.add_pipe("entity_ruler")
    ruler.add_patterns([{"label": "PER", "pattern": "John"}])
    nlp.to_disk(folder / "ruler")
    (folder / "gold.conll").write_text("John B-PER\nsings O\n", "utf8")
    for config in ("sample.cfg", "pretrain.cfg"):
        shutil.copy(repository / "configs" / config, folder)
    (folder / "folder").mkdir()
    (folder / "empty").touch()
    (folder / "binary").write_bytes(bytes(range(256)) * 4)
    (folder / "utf16").write_bytes("John B-PER\n".encode("utf16"))
    return folder


@pytest.fixture
def place(inputs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, a copy of that one."""
    place = shutil.copytree(inputs, tmp_path / "place")
    monkeypatch.chdir(place)
    return place


def refuse(arguments: List[str]) -> str:
    """What a command says that ends with an error: its words, on one line."""
    result = CliRunner().invoke(app, arguments)
    assert isinstance(result.exception, SystemExit), result.exception
    assert result.exit_code in (1, 2)
    assert "Traceback" not in result.output
    output = re.sub(r"\x1b\[[\d;]*m|[│╭╮╰╯─]", " ", result.output)
    return " ".join(output.split())


@pytest.mark.parametrize("command", COMMANDS)
def test_without_arguments(command: str, place: Path) -> None:
    before = sorted(place.rglob("*"))
    said = refuse([command])
    assert "Missing argument" in said or "Give a text, a --file" in said
    assert "--no-such-option" in refuse([command, "--no-such-option"]) or command in (
        "debug",
        "train",
        "pretrain",
    )
    assert sorted(place.rglob("*")) == before


@pytest.mark.parametrize("name", WRONG_INPUTS)
@pytest.mark.parametrize("command", READERS)
def test_input(command: str, name: str, place: Path) -> None:
    said = refuse([part.format(name) for part in command.split()])
    assert name.replace("\udcff", r"\udcff") in said or (
        # spaCy's words for a setting, typer's for a file, and ours where all are empty
        re.search("half a character|no�name|no section|no text in the input", said)
    )


@pytest.mark.parametrize("name", ["gold.conll/out", "folder"])
@pytest.mark.parametrize("command", WRITERS)
def test_output(command: str, name: str, place: Path) -> None:
    if name == "folder":
        Path("folder", "mine").touch()
        if command.startswith(("prune", "pretrain")):
            pytest.skip("the output is to be a folder")
    before = {p: p.is_file() and p.read_bytes() for p in place.rglob("*")}
    assert name.split("/")[0] in refuse([p.format(name) for p in command.split()])
    assert {p: p.is_file() and p.read_bytes() for p in place.rglob("*")} == before


@pytest.mark.parametrize(
    "command, value",
    [
        (command, value)
        for command, values in NUMBERS.items()
        for value in values.split()
    ],
)
def test_value(command: str, value: str, place: Path) -> None:
    before = sorted(place.rglob("*"))
    arguments = command.split()
    said = refuse([*arguments, value])
    assert value in said or arguments[-1] in said
    assert sorted(place.rglob("*")) == before


@pytest.mark.parametrize("content", ["", "[nlp\n", "[nlp]\nlang = 'xx'\n", "text"])
@pytest.mark.parametrize(
    "command", ["debug {}", "train {} -o out", "pretrain {} -o out"]
)
def test_config(command: str, content: str, place: Path) -> None:
    Path("my.cfg").write_text(content, "utf8")
    said = refuse([part.format("my.cfg") for part in command.split()])
    assert "my.cfg" in said or "section" in said or "'xx'" in said
    assert not Path("out").exists()


@pytest.mark.parametrize(
    "command",
    [
        "convert gold.conll gold.conll",
        "convert gold.conll folder/../gold.conll",
        "convert gold.conll link",
        "convert gold.conll hard",
        "evaluate ruler gold.conll -o gold.conll",
        "evaluate ruler gold.conll --predictions link",
        "evaluate ruler gold.conll -o out --predictions out",
        "visualize gold.conll -m ruler --file gold.conll",
        "convert-weights a.safetensors a.safetensors --half",
        "convert-weights a.hdf5 a.safetensors --options a.safetensors",
        "convert-weights a.safetensors a.hdf5 --options a.hdf5",
        "prune ruler ruler --words 5 --force",
    ],
)
def test_an_output_that_is_an_input_or_another_output(
    command: str, place: Path
) -> None:
    Path("link").symlink_to("gold.conll")
    Path("hard").hardlink_to("gold.conll")
    Path("a.safetensors").write_text("mine")
    Path("a.hdf5").write_text("mine")
    before = {p: p.is_file() and p.read_bytes() for p in place.rglob("*")}
    said = refuse(command.split())
    assert re.search("is also (an input|another output) of this command", said)
    assert {p: p.is_file() and p.read_bytes() for p in place.rglob("*")} == before


@pytest.mark.parametrize(
    "command", ["debug sample.cfg", "train sample.cfg -o out", "pretrain {} -o out"]
)
def test_a_setting_without_its_section(command: str, place: Path) -> None:
    arguments = command.format("pretrain.cfg").split()
    result = CliRunner().invoke(app, [*arguments, "--max_steps", "3"])
    assert result.exit_code == 2
    said = refuse([*arguments, "--max_steps", "3"])
    assert "--max_steps" in said and "give its section" in said
    assert not Path("out").exists()


@pytest.mark.parametrize(
    "command", ["train sample.cfg --force -o", "train sample.cfg -o", "pretrain {} -o"]
)
def test_a_file_where_the_output_is_to_be_a_folder(command: str, place: Path) -> None:
    Path("out").write_text("mine")
    said = refuse([*command.format("pretrain.cfg").split(), "out"])
    assert "The output out is a file; name a folder." in said
    assert Path("out").read_text() == "mine"


@pytest.mark.parametrize("option", ["-o", "--predictions"])
def test_where_evaluate_cannot_write_is_told_before_it_reads(
    option: str, place: Path
) -> None:
    said = refuse(["evaluate", "missing", "missing.conll", option, "empty/scores"])
    assert "empty/scores cannot be written" in said


@pytest.mark.parametrize("command", ["debug sample.cfg", "train sample.cfg -o out"])
def test_a_key_that_spacy_would_drop(command: str, place: Path) -> None:
    for setting, near in {
        "training.max_stepz": "did you mean max_steps?",
        "initialize.vector": "did you mean vectors?",
        "nlp.abacus": "use one of lang",
    }.items():
        said = refuse([*command.split(), f"--{setting}", "3"])
        assert f"a key {setting.split('.')[1]}, which" in said and near in said
    assert not Path("out").exists()
