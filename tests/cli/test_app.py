import subprocess
import sys

import pytest


def run(*arguments):
    return subprocess.run(
        [sys.executable, "-m", *arguments], capture_output=True, text=True
    )


@pytest.mark.parametrize("prefix", [["spacy_elmo_ner"], ["spacy", "elmo"]], ids=str)
def test_a_command_by_itself_and_below_spacys(prefix, tmp_path):
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


def test_spacys_own_commands_are_still_there():
    listed = run("spacy", "--help").stdout
    for name in ("elmo", "train", "debug", "project"):
        assert f" {name} " in listed
