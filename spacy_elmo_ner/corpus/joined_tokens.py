"""One sentence per line: `Anna|NNP|I-PER lives|VBZ|O`, as WikiNER has it.

Nothman et al., "Learning multilingual named entity recognition from Wikipedia" (2013).
"""

from typing import List, Optional, Sequence

from .conll_tags import split_tag

BAR = "|"


def are_joined(lines: Sequence[str]) -> bool:
    """Whether every token of every line is joined with its tag.

    A line of columns, the last of which is the tag, does not count.
    """
    return (
        bool(lines)
        and not any("\t" in line for line in lines)
        and all(_is_joined(field) for line in lines for field in line.split(" "))
        and not _are_rows(lines)
    )


def count_bars(lines: Sequence[str]) -> int:
    """How many bars join a token with its annotation; a word may be a bar itself."""
    return min(field.count(BAR) for line in lines for field in line.split(" ") if field)


def find_unequal(lines: Sequence[str], bars: int) -> Optional[str]:
    """A line whose words seem to hold tags, if at least half of all words do.

    A word may hold a bar, but most words do not.
    """
    words = [(row[0], line) for line in lines for row in split_tokens(line, bars)]
    odd = [line for word, line in words if BAR in word and word.strip(BAR)]
    return odd[0] if odd and 2 * len(odd) >= len(words) else None


def split_tokens(line: str, bars: int) -> List[List[str]]:
    """The rows of a sentence: word, the columns between, and tag."""
    return [field.rsplit(BAR, bars) for field in line.split(" ") if field]


def _is_joined(field: str) -> bool:
    _, bar, tag = field.rpartition(BAR)
    return not field or (bool(bar) and _is_tag(tag))


def _are_rows(lines: Sequence[str]) -> bool:
    rows = [[field for field in line.split(" ") if field] for line in lines]
    width = len(rows[0])
    return width > 1 and all(len(row) == width and _is_tag(row[-1]) for row in rows)


def _is_tag(field: str) -> bool:
    try:
        return bool(split_tag(field))
    except ValueError:
        return False
