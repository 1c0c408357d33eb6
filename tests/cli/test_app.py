import subprocess
import sys
from pathlib import Path
from typing import List

import pytest
from typer.testing import CliRunner

from spacy_elmo_ner import __version__
from spacy_elmo_ner.cli.app import app


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", *arguments], capture_output=True, text=True
    )


@pytest.mark.parametrize("prefix", [["spacy_elmo_ner"], ["spacy", "elmo"]], ids=str)
def test_a_command_by_itself_and_below_spacys(
    prefix: List[str], tmp_path: Path
) -> None:
    source, output = tmp_path / "a.conll", tmp_path / "a.spacy"
    source.write_text("Anna B-PER\nsings O\n", "utf8")
    done = run(*prefix, "convert", str(source), str(output))
    assert done.returncode == 0, done.stderr
    assert output.is_file()
    source.write_text("Anna B-PER\nsings\n", "utf8")
    wrong = run(*prefix, "convert", str(source), str(output))
    assert wrong.returncode == 1
    assert f"{source}, line 2" in wrong.stderr
    assert "Traceback" not in wrong.stderr


def test_spacys_own_commands_are_still_there() -> None:
    listed = run("spacy", "--help").stdout
    for name in ("elmo", "train", "debug", "project"):
        assert f" {name} " in listed


def test_version_and_exit_codes(tmp_path: Path) -> None:
    versions = [
        run(*name, "--version") for name in (["spacy_elmo_ner"], ["spacy", "elmo"])
    ]
    for done in versions:
        assert (done.returncode, done.stdout) == (0, f"spacy-elmo-ner {__version__}\n")
    codes = {
        "--help": 0,
        "entities --help": 0,
        "entities": 2,
        "visualize page.html": 2,
        "entities --no-such-option": 2,
        "no-such-command": 2,
        f"entities --file {tmp_path / 'missing'}": 1,
    }
    for arguments, code in codes.items():
        assert CliRunner().invoke(app, arguments.split()).exit_code == code, arguments


def test_what_errors_quote_goes_out_escaped(tmp_path: Path) -> None:
    shown = (
        CliRunner().invoke(app, ["entities", "--file", "no\x1b[31m\udcffname"]).output
    )
    assert "There is no file no\\x1b[31m\\udcffname" in shown
    shown = CliRunner().invoke(app, ["debug", str(tmp_path / "\x1b[2Jconfig")]).output
    assert "\x1b[2J" not in shown and "\\x1b[2Jconfig" in "".join(shown.split())


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
@pytest.mark.parametrize("arguments", ["--version", "--help", "convert --help"])
def test_standard_output_without_room_and_without_a_reader(arguments: str) -> None:
    command = [sys.executable, "-m", "spacy_elmo_ner", *arguments.split()]
    with open("/dev/full", "w") as full:
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True)
    assert (done.returncode, done.stderr) == (1, "No space left on device.\n")
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        process.stdout.close()
        assert process.stderr.read() == ""
        # rich, where it prints the help, ends with 1 by itself
        codes = (141,) if arguments == "--version" else (1, 141)
        assert process.wait() in codes


def test_names_and_labels_go_out_escaped(tmp_path: Path) -> None:
    source, output = tmp_path / "a\x1b[2J.conll", tmp_path / "b\x1b[2J.conll"
    source.write_text("Anna B-P\x1b[2JR\nsings O\n", "utf8")
    result = CliRunner().invoke(app, ["convert", str(source), str(output)])
    assert result.exit_code == 0
    assert "\x1b" not in result.output
    assert "b\\x1b[2J.conll" in result.output and "P\\x1b[2JR 1" in result.output
