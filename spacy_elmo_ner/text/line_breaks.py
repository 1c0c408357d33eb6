"""Where a line break in running text ends a sentence, and where it only wraps a line."""

import re
from typing import List, Optional, Set

from spacy.tokens import Doc

from .lines import BREAK, Line
from .sentence_ends import ends_sentence

BULLET = re.compile(r"[-–—*•·>#|]|\(?(\d+|[a-z])[.)]")
HYPHENATED = re.compile(r"[^\W\d_][-\u2010\u00ad]$")
# Lines are wrapped at up to this width. In text with longer ones, lines are paragraphs
# or sentences.
WIDEST = 120
# With shorter lines the width says nothing, so the punctuation has to decide.
NARROWEST = 40
# The share of full lines in text that was wrapped throughout.
MOSTLY = 0.9


def sentence_breaks(doc: Doc, lines: List[Line]) -> Set[int]:
    """The tokens with a line break at which a sentence ends.

    A blank line always ends one. A single break does not if the line was wrapped: the
    next line starts with a small letter, or is the indented rest of a list item; or a
    hyphen ends the line; or the line is about as wide as the widest of its block,
    counting the next word; or all lines are short, and punctuation in a later line ends
    the sentence. Headlines, names in lists, and speakers' lines stand alone: in a block
    where most lines have no small word, and which was not wrapped throughout, sentences
    continue only between lines that have one.
    """
    if len(lines) < 2:
        return {line.break_at for line in lines}
    found: Set[int] = set()
    block: List[Line] = []
    for line in lines:
        block.append(line)
        if line.ends_block:
            found.add(line.break_at)
            found.update(_breaks_within(doc, block))
            block = []
    return found


def _breaks_within(doc: Doc, block: List[Line]) -> Set[int]:
    width = max(line.width for line in block)
    letters = "".join(doc[block[0].start : block[-1].end].text.split())
    # if all letters are capitals, or none are, the case of a word says nothing
    has_cases = not letters.isupper() and not letters.islower()
    # a block whose lines are mostly names or headlines is a list of them, unless it was
    # wrapped at some width throughout
    n_prose = sum(_has_small_word(doc, line) for line in block)
    is_list = has_cases and 2 * n_prose < len(block) and not _is_justified(doc, block)
    found: Set[int] = set()
    # whether punctuation ends the sentence that continues in the next line
    is_ended = False
    for line, after in reversed(list(zip(block, block[1:], strict=False))):
        is_ended = is_ended or _has_end(doc, after)
        goes_on = width <= WIDEST and _goes_on(
            doc, line, after, has_cases=has_cases, is_list=is_list
        )
        if goes_on is None:
            goes_on = (
                is_ended if width < NARROWEST else _is_full(doc, line, after, width)
            )
        if not goes_on:
            found.add(line.break_at)
    return found


def _is_justified(doc: Doc, block: List[Line]) -> bool:
    """Whether hardly any of several lines had room for the next one's first word."""
    pairs = list(zip(block, block[1:], strict=False))
    width = max(line.width for line in block)
    n_full = sum(_is_full(doc, line, after, width) for line, after in pairs)
    return len(pairs) > 1 and n_full >= MOSTLY * len(pairs)


def _goes_on(
    doc: Doc, line: Line, after: Line, *, has_cases: bool, is_list: bool
) -> Optional[bool]:
    """Whether the next line's words tell that a sentence continues in it; None if they
    do not tell."""
    first = doc[after.start].text
    is_speaker = after.start + 1 < after.end and doc[after.start + 1].text == ":"
    if BULLET.fullmatch(first) or is_speaker:
        return False
    is_item = BULLET.fullmatch(doc[line.start].text) is not None
    if is_item and _indent(doc, line) < _indent(doc, after):
        return True
    if HYPHENATED.search(doc[line.start : line.end].text):
        return True
    if has_cases and first[:1].islower():
        return True
    if is_list and not (_has_small_word(doc, line) and _has_small_word(doc, after)):
        return False
    return None


def _indent(doc: Doc, line: Line) -> int:
    before = doc[line.start - 1] if line.start else None
    return len(BREAK.split(before.text)[-1]) if before and before.is_space else 0


def _has_small_word(doc: Doc, line: Line) -> bool:
    return any(token.text.islower() for token in doc[line.start : line.end])


def _has_end(doc: Doc, line: Line) -> bool:
    """Whether a sentence ends in the line."""
    return any(ends_sentence(doc, i) for i in range(line.start + 1, line.end + 1))


def _is_full(doc: Doc, line: Line, after: Line, width: int) -> bool:
    """Whether the line had no room for the next word."""
    return line.width + 1 + len(doc[after.start].text) > width
