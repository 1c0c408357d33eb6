"""Where white space separates the columns of a table."""

from itertools import groupby
from typing import List, Set, Tuple

from spacy.tokens import Doc

from .lines import Line


def column_gaps(doc: Doc, lines: List[Line]) -> Set[int]:
    """The tokens between two columns, and at the ends of rows.

    Several successive lines are the rows of a table if they have equally many tabs, or
    wide gaps that end at the same places. But if there is nothing else between words,
    and not all lines are alike, it is white space like any other.
    """
    found: Set[int] = set()
    layouts = [_layout(doc, line) for line in lines]
    is_uniform = len(set(layouts)) == 1
    numbered = zip(layouts, lines, strict=True)
    for layout, group in groupby(numbered, key=lambda pair: pair[0]):
        rows = [row for _, row in group]
        if len(rows) < 2 or not layout:
            continue
        if is_uniform or any(_has_plain_space(doc, row) for row in rows):
            for row in rows:
                found.update([*row.gaps, row.break_at])
    return found


def _layout(doc: Doc, line: Line) -> Tuple[int, ...]:
    """Where the next column begins after each gap; -1 at a tab."""
    start = doc[line.start].idx
    return tuple(
        -1 if "\t" in doc[i].text else doc[i + 1].idx - start
        for i in line.gaps
        if line.start < i < line.end - 1
    )


def _has_plain_space(doc: Doc, line: Line) -> bool:
    return any(
        token.whitespace_ and not token.is_space and not token.nbor().is_space
        for token in doc[line.start : line.end - 1]
    )
