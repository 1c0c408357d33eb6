"""Whether a file is plain text or has annotated words."""

import re
from itertools import islice
from pathlib import Path
from typing import List

from ..corpus.formats import READERS
from .texts import STDIN

TAG = re.compile(r"O|[A-Za-z]-\S+|\S+-[A-Z]")
LINES_TO_TELL = 100


def is_annotated(path: Path) -> bool:
    """Whether a file has words in columns, or Docs.

    Its name says so, or most of its first lines end in a tag. A pipe is plain text.
    """
    if path.is_dir() or path.suffix in READERS:
        return True
    if str(path) == STDIN or not path.is_file():
        return False
    with path.open(encoding="utf-8-sig", errors="replace") as file:
        lines = [line.split() for line in islice(file, LINES_TO_TELL)]
    lines = [line for line in lines if line]
    tagged = [line for line in lines if len(line) > 1 and TAG.fullmatch(_last(line))]
    return 2 * len(tagged) > len(lines)


def _last(fields: List[str]) -> str:
    """The last field of a line: of columns, or of tokens as in word|tag."""
    return fields[-1].rsplit("|", 1)[-1]
