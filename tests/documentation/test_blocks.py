"""What the documentation shows is run, page by page, from its top to its end."""

import inspect
import os
import re
import shutil
import subprocess
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path
from typing import Any, Dict, List, Tuple

import pytest
from spacy import registry
from spacy.util import is_package
from thinc.api import Config
from typer.testing import CliRunner

from spacy_elmo_ner.cli.app import app
from tests.documentation.fenced_blocks import (
    PAGES,
    REPOSITORY,
    Block,
    blocks_of,
    commands_in,
)

PIPELINE = "en_elmo_ner_sm"
RUN = ("python", "sh")
# what is read, not run
SHOWN = ("ini", "json", "text", "jsonnet", "scala")


@pytest.fixture
def workplace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with some of what a checkout has, to which pages may add."""
    for name in ("assets/sample", "configs"):
        shutil.copytree(REPOSITORY / name, tmp_path / name)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run_python(block: Block, names: Dict[str, Any]) -> str:
    # as long as the block in its page, so that a traceback names the line there
    code = "\n" * block.line + block.text
    with redirect_stdout(StringIO()) as printed:
        exec(compile(code, str(block.page), "exec"), names)
    return printed.getvalue()


def run_shell(block: Block) -> str:
    """Run commands of ours in this process, since another takes seconds to begin."""
    printed = ""
    for words in commands_in(block.text):
        assert words[:3] == ["python", "-m", "spacy_elmo_ner"], (
            f"{block}: only commands of spacy_elmo_ner are run here. Say above the others "
            "why they are not: <!-- not run: … -->"
        )
        done = CliRunner().invoke(app, words[3:])
        assert done.exit_code == 0, f"{block}: {done.output[-2000:]}"
        printed += done.stdout
    return printed


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_page_does_what_it_says(page: Path, workplace: Path) -> None:
    blocks = blocks_of(page)
    run = [one for one in blocks if one.language in RUN and one.reason is None]
    if not run:
        return
    if not is_package(PIPELINE):
        pytest.skip(f"{PIPELINE} is not installed")
    names: Dict[str, Any] = {"__name__": page.stem}
    printed = ""
    for block in blocks:
        if block in run:
            is_python = block.language == "python"
            printed = run_python(block, names) if is_python else run_shell(block)
        elif block.language == "text" and block.reason is None:
            assert printed == block.text, f"{block}: what was printed is another text"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_blocks_have_a_known_language_and_correct_syntax(page: Path) -> None:
    for block in blocks_of(page):
        assert block.language in RUN + SHOWN, f"{block}: {block.language!r}"
        if block.language == "python":
            compile(block.text, str(block), "exec")
        elif block.language == "sh" and os.name == "posix":
            subprocess.run(["bash", "-n", "-c", block.text], check=True)


def functions_in(config: Any) -> List[Tuple[str, str, Dict[str, Any]]]:
    """(registry, name, arguments) of each block that a function is called for."""
    if not isinstance(config, dict):
        return []
    found = [one for value in config.values() for one in functions_in(value)]
    for key in config:
        if key.startswith("@"):
            rest = {name: config[name] for name in config if name != key}
            found.append((key[1:], config[key], rest))
    return found


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_settings_of_config_blocks_are_known(page: Path) -> None:
    for block in blocks_of(page):
        if block.language != "ini" or block.reason is not None:
            continue
        config = Config().from_str(with_parents(block.text), interpolate=False)
        for kind, name, arguments in functions_in(config):
            known = signature_of(kind, name)
            assert {*arguments} <= {*known}, f"{block}: {name} has {', '.join(known)}"


def with_parents(text: str) -> str:
    """A part of a config, made one that can be read by itself."""
    sections = re.findall(r"(?m)^\[([\w.]+)\]", text)
    parents = {
        ".".join(section.split(".")[:length])
        for section in sections
        for length in range(1, section.count(".") + 1)
    } - {*sections}
    return "".join(f"[{name}]\n\n" for name in sorted(parents)) + text


def signature_of(kind: str, name: str) -> List[str]:
    return list(inspect.signature(getattr(registry, kind).get(name)).parameters)


def test_readme_is_short() -> None:
    assert len((REPOSITORY / "README.md").read_bytes()) <= 6_000
