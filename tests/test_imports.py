"""Imports run one way, so that a subpackage can be read without those above it."""

import ast
from pathlib import Path
from typing import Dict, Set

import pytest

# what each subpackage may import beside itself and what is for all; `cli` may import all
MAY_IMPORT: Dict[str, Set[str]] = {
    "text": set(),
    "files": set(),
    "tables": {"text", "pipeline"},
    "spark": {"tables", "pipeline"},
    "kernels": set(),
    "bilm": {"kernels"},
    "elmo": {"bilm", "kernels", "text"},
    "features": {"bilm", "kernels", "text"},
    "tagger": {"kernels", "text"},
    "corpus": {"text"},
    "evaluation": {"corpus", "text"},
    "pretraining": {"bilm", "kernels", "training", "corpus"},
    "training": set(),
    "serving": {"pipeline", "tables", "text"},
    "pipeline": {"elmo", "features", "tagger", "kernels", "text"},
}
FOR_ALL = {"files", "nodes", "torch_shim"}


def subpackages_imported(repository: Path) -> Dict[str, Set[str]]:
    package = repository / "spacy_elmo_ner"
    found: Dict[str, Set[str]] = {}
    for file in package.rglob("*.py"):
        parts = file.relative_to(package).with_suffix("").parts
        for node in ast.walk(ast.parse(file.read_text(encoding="utf8"))):
            if not isinstance(node, ast.ImportFrom):
                continue
            if node.level:
                base = parts[: len(parts) - node.level]
                target = [*base, *(node.module or "").split(".")]
            elif (node.module or "").startswith("spacy_elmo_ner."):
                target = (node.module or "").split(".")[1:]
            else:
                continue
            found.setdefault(parts[0], set()).add(target[0])
    return found


@pytest.mark.parametrize("subpackage", MAY_IMPORT)
def test_a_subpackage_imports_only_those_below_it(
    repository: Path, subpackage: str
) -> None:
    imported_there = subpackages_imported(repository).get(subpackage, set())
    assert imported_there <= MAY_IMPORT[subpackage] | FOR_ALL | {subpackage}


def test_every_subpackage_has_its_rule(repository: Path) -> None:
    package = repository / "spacy_elmo_ner"
    folders = {file.parent.name for file in package.glob("*/__init__.py")}
    assert folders == set(MAY_IMPORT) | {"cli"}


def imported(file: Path) -> Set[str]:
    """Top packages that a file imports by their full names."""
    names: Set[str] = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and not node.level:
            names.add((node.module or "").split(".")[0])
    return names


def test_torch_alone_where_spacy_and_thinc_have_no_business(repository: Path) -> None:
    for subpackage in ("kernels", "bilm"):
        for file in (repository / "spacy_elmo_ner" / subpackage).glob("*.py"):
            assert not imported(file) & {"spacy", "thinc"}, file


def test_files_are_written_without_torch(repository: Path) -> None:
    """It takes seconds to import."""
    for file in (repository / "spacy_elmo_ner" / "files").glob("*.py"):
        assert "torch" not in imported(file) or file.name == "checksum.py"


def test_imports_within_the_package_are_relative(repository: Path) -> None:
    for file in (repository / "spacy_elmo_ner").rglob("*.py"):
        # Streamlit runs it as a script, which has no package
        if file.name != "demo_script.py":
            assert "spacy_elmo_ner" not in imported(file), file
