"""The fenced blocks of README.md, CONTRIBUTING.md, model cards and the pages of docs/."""

import re
import shlex
from pathlib import Path
from textwrap import dedent
from typing import Iterator, List, NamedTuple, Optional

REPOSITORY = Path(__file__).resolve().parents[2]
PAGES = [
    REPOSITORY / "README.md",
    REPOSITORY / "CONTRIBUTING.md",
    *sorted((REPOSITORY / "assets").glob("*/README.md")),
    *sorted((REPOSITORY / "docs").glob("*.md")),
]
NOT_RUN = re.compile(r"<!-- not run: (.+) -->")
OPERATORS = {";", "&", "&&", "|", "||", "(", ")"}
REDIRECTIONS = {">", ">>", "<", "2>", "&>"}
KEYWORDS = {"do", "then", "else", "!"}


class Block(NamedTuple):
    """A fenced block.

    reason: why it is not run, as the comment above it says; None for one that is run.
    """

    page: Path
    line: int
    language: str
    text: str
    reason: Optional[str]

    def __str__(self) -> str:
        return f"{self.page.relative_to(REPOSITORY)}, line {self.line}"


def blocks_of(page: Path) -> List[Block]:
    return list(_blocks(page, page.read_text(encoding="utf8").splitlines()))


def _blocks(page: Path, lines: List[str]) -> Iterator[Block]:
    start: Optional[int] = None
    for number, line in enumerate(lines):
        fence = re.match(r"\s*```+ *(\w*)", line)
        if fence and start is None:
            start, language = number, fence[1]
        elif fence and start is not None:
            above = next((one for one in reversed(lines[:start]) if one.strip()), "")
            comment = NOT_RUN.fullmatch(above.strip())
            text = dedent("\n".join(lines[start + 1 : number]) + "\n")
            reason = comment[1] if comment else None
            yield Block(page, start + 1, language, text, reason)
            start = None
    assert start is None, f"{page}: the fence of line {start} is not closed"


def inline_commands(page: Path) -> List[str]:
    """Commands in running text that are written out in full."""
    outside = re.sub(r"```.*?```", "", page.read_text(encoding="utf8"), flags=re.S)
    spans = re.findall(r"`((?:python -m|spacy|make) [^`]+)`", outside)
    return [" ".join(span.split()) for span in spans if "…" not in span]


def commands_in(script: str) -> Iterator[List[str]]:
    """The words of each simple command of a shell script."""
    for line in script.replace("\\\n", " ").splitlines():
        lexer = shlex.shlex(line, posix=True, punctuation_chars=True)
        lexer.wordchars += ":,@$%^+!"
        words: List[str] = []
        for word in [*lexer, ";"]:
            if word not in OPERATORS:
                words.append(word)
                continue
            yield from _simple(words)
            words = []


def _simple(words: List[str]) -> Iterator[List[str]]:
    while words and (words[0] in KEYWORDS or re.match(r"\w+=", words[0])):
        words = words[1:]
    for place, word in enumerate(words):
        if word in REDIRECTIONS:
            words = words[:place]
            break
    if words and words[0] not in {"for", "done", "fi"}:
        yield words
