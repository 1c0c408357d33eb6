"""Docstrings in Google's form speak of parameters and attributes that exist."""

import ast
import re
from pathlib import Path
from typing import Dict, Iterator, Set, Tuple, Union

Node = Union[ast.FunctionDef, ast.ClassDef]
SECTIONS = ("Args", "Attributes", "Returns", "Yields", "Raises")
SECTION = re.compile(rf"^({'|'.join(SECTIONS)}):$", re.MULTILINE)
ENTRY = re.compile(r"^    (\*{0,2}\w+): ", re.MULTILINE)
# what would be an entry, but is in no section: "width: ...", or "start, end: ..."
LOOSE = re.compile(r"^(\w+)(?:, \w+)*: ", re.MULTILINE)


def documented(package: Path) -> Iterator[Tuple[str, Node, Dict[str, str]]]:
    """Place, function or class, and the sections of its docstring."""
    for file in sorted(package.rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf8"))):
            if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
                parts = SECTION.split(ast.get_docstring(node) or "")
                sections = dict(zip(parts[1::2], parts[2::2], strict=True))
                place = f"{file.relative_to(package)}, {node.name}"
                yield place, node, sections


def parameters(node: Node) -> Set[str]:
    if isinstance(node, ast.ClassDef):
        made = [one for one in node.body if isinstance(one, ast.FunctionDef)]
        return set().union(*(parameters(f) for f in made if f.name == "__init__"))
    given = node.args
    named = [*given.posonlyargs, *given.args, *given.kwonlyargs]
    starred = {f"*{given.vararg.arg}"} if given.vararg else set()
    starred |= {f"**{given.kwarg.arg}"} if given.kwarg else set()
    return {one.arg for one in named} | starred


def attributes(node: Node) -> Set[str]:
    """Fields, properties, and what methods set."""
    found: Set[str] = set()
    for inner in ast.walk(node):
        if isinstance(inner, ast.AnnAssign) and isinstance(inner.target, ast.Name):
            found.add(inner.target.id)
        elif isinstance(inner, ast.Attribute) and isinstance(inner.ctx, ast.Store):
            found.add(inner.attr)
    return found


def test_what_docstrings_name_is_there(repository: Path) -> None:
    n_named = 0
    for place, node, sections in documented(repository / "spacy_elmo_ner"):
        for section, known in (("Args", parameters), ("Attributes", attributes)):
            named = set(ENTRY.findall(sections.get(section, "")))
            assert named <= known(node), f"{place}: {named - known(node)}"
            n_named += len(named)
    assert n_named > 100


def test_parameters_are_described_in_sections(repository: Path) -> None:
    for place, node, _ in documented(repository / "spacy_elmo_ner"):
        known = parameters(node)
        if isinstance(node, ast.ClassDef):
            known |= attributes(node)
        loose = known & set(LOOSE.findall(ast.get_docstring(node) or ""))
        assert not loose, f"{place}: {loose} belong into Args: or Attributes:"
