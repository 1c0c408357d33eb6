"""Each command that the documentation shows is one that there is, with these options."""

import configparser
import importlib
import json
import re
from pathlib import Path
from typing import Any, Dict, List, Tuple

import pytest
import srsly
import typer
from spacy.cli._util import app as spacy_app
from spacy.util import is_package
from thinc.api import Config

from spacy_elmo_ner.cli.app import app
from tests.documentation.fenced_blocks import (
    PAGES,
    REPOSITORY,
    blocks_of,
    commands_in,
    inline_commands,
)

# pages are written for the newest spaCy and torch; what they show runs in older ones, too
pytestmark = pytest.mark.skipif(
    not is_package("weasel"), reason="this spaCy lacks some of the commands"
)
PROGRAMS = {"python", ".venv/bin/python", ".venv-allennlp/bin/python"}
# of the shell and of others
FOREIGN = {
    "awk",
    "cd",
    "curl",
    "docker",
    "git",
    "head",
    "mkdir",
    "spark-submit",
    "venv-pack",
} | {
    "pre-commit",
    "pytest",
    "zcat",
}


def parse(command: Any, words: List[str]) -> Any:
    """The context of a command, or of the command of a group that the words name."""
    command, words = command_named(command, words)
    return command.make_context(command.name, words)


def command_named(command: Any, words: List[str]) -> Tuple[Any, List[str]]:
    """The command that the words name, and the rest of them."""
    while hasattr(command, "commands") and words and not words[0].startswith("-"):
        assert words[0] in command.commands, f"there is no command {words[0]}"
        command, words = command.commands[words[0]], words[1:]
    return command, words


def check_names(command: Any, words: List[str]) -> None:
    """The command and its options, whatever is missing and whatever their values."""
    command, words = command_named(command, words)
    known = {name for one in command.params for name in one.opts + one.secondary_opts}
    for word in words:
        is_setting = "." in word and command.ignore_unknown_options
        if word.startswith("--") and not is_setting:
            assert word in {*known, "--help"}, f"there is no option {word}"


def check_module(name: str, words: List[str], *, is_whole: bool) -> None:
    if name.startswith("benchmarks."):
        parse(typer.main.get_command(importlib.import_module(name).app), words)
    elif name == "spacy_elmo_ner" or words[:1] == ["elmo"]:
        ours = typer.main.get_command(app)
        words = words[1:] if words[:1] == ["elmo"] else words
        if not is_whole or "--help" in words:
            check_names(ours, words)
            return
        context = parse(ours, words)
        if context.args:
            check_overrides(context.params["config_path"], context.args)
    elif name == "spacy" and words[:2] == ["project", "run"]:
        project = srsly.read_yaml(REPOSITORY / "project.yml")
        steps = {*project["workflows"], *(one["name"] for one in project["commands"])}
        assert words[2] in steps
        check_variables(words[3:], project["vars"])
    elif name == "spacy":
        # its files need not be there
        check_names(typer.main.get_command(spacy_app), words)
    else:
        assert name in {
            "build",
            "pip",
            "pytest",
            "timeit",
        }, f"there is no module {name}"


def check_variables(words: List[str], variables: Dict[str, Any]) -> None:
    for word in words:
        if word.startswith("--vars."):
            assert word[len("--vars.") :] in variables, word


def check_overrides(path: Path, words: List[str]) -> None:
    """Settings that a config of ours has."""
    names, values = words[::2], words[1::2]
    assert len(names) == len(values)
    assert all(name.startswith("--") for name in names)
    if not (REPOSITORY / path).is_file():
        return
    config = Config().from_disk(REPOSITORY / path, interpolate=False)
    for name in names:
        *sections, key = name[len("--") :].split(".")
        place: Any = config
        for section in sections:
            place = place[section]
        assert key in place, f"{path} has no {name}"
    for value in values:
        if value.startswith(("[", "{")):
            json.loads(value)


def check_install(words: List[str]) -> None:
    setup = configparser.ConfigParser()
    setup.read(REPOSITORY / "setup.cfg", encoding="utf8")
    for word in words:
        if word.startswith(("./", ".[")) or word == ".":
            folder, _, extras = word.rstrip("]").partition("[")
            assert (REPOSITORY / folder).is_dir()
            known = setup["options.extras_require"] if extras else {}
            assert all(extra in known for extra in extras.split(",") if extra), word


def check(words: List[str], *, is_whole: bool = True) -> None:
    program, *rest = words
    if program == "torchrun":
        program, rest = "python", rest[rest.index("-m") :]
    if program == "make":
        targets = (
            (REPOSITORY / "Makefile").read_text("utf8").replace("$(VENV)", ".venv")
        )
        targets = targets.replace("$(VENV_ALLENNLP)", ".venv-allennlp")
        for target in (word for word in rest if "=" not in word):
            assert re.search(rf"(?m)^[^\t#=]*{re.escape(target)}\b[^=\n]*:", targets)
    elif program == "spacy":
        check_module("spacy", rest, is_whole=is_whole)
    elif program.rpartition("/")[2] == "pip":
        check_install(rest[1:])
    elif program in PROGRAMS and rest[0] == "-m":
        check_module(rest[1], rest[2:], is_whole=is_whole)
    elif program in PROGRAMS and rest[0] == "-c":
        compile(rest[1], "-c", "exec")
    elif program in PROGRAMS:
        assert (REPOSITORY / rest[0]).is_file()
    else:
        assert program in FOREIGN or (REPOSITORY / program).is_file(), program


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_commands_exist_with_their_options(page: Path) -> None:
    blocks = [block for block in blocks_of(page) if block.language == "sh"]
    shown = [(str(block), block.text, True) for block in blocks]
    shown += [(page.name, line, False) for line in inline_commands(page)]
    for place, script, is_whole in shown:
        for words in commands_in(script):
            try:
                check(words, is_whole=is_whole)
            except Exception as error:
                raise AssertionError(f"{place}: {' '.join(words)}: {error}") from error


@pytest.mark.parametrize(
    "line",
    [
        "python -m spacy_elmo_ner entitys",
        "python -m spacy_elmo_ner entities --no-such-option",
        "python -m spacy_elmo_ner convert a.conll",
        "python -m spacy_elmo_ner train configs/sample.cfg -o out --paths.trian a",
        "for x in 1 2; do python -m spacy_elmo_ner nothing; done",
        "python -m spacy no-such-command",
        "python -m spacy package a b --no-such-option",
        "spacy project run no-such-workflow",
        "spacy project run all . --vars.no_such_variable 1",
        "python -m benchmarks.memory a.png --no-such-option",
        "make no-such-target",
        'pip install ".[no_such_extra]"',
        "python scripts/no_such_script.py",
        "python -c 'import'",
        "no-such-program",
    ],
)
def test_a_command_that_is_not_there_is_found(line: str) -> None:
    with pytest.raises(BaseException):  # noqa: B017
        for words in commands_in(line):
            check(words)
