"""Where a line break in running text ends a sentence, and where it only wraps a line."""

import re
from typing import List, NamedTuple, Set

from spacy.tokens import Doc

from .sentence_ends import ends_sentence

BREAK = re.compile("\r\n|[\n\r\x0b\x0c\x85\u2028\u2029]")
PARAGRAPH_BREAKS = "\x0c\u2029"
BULLET = re.compile(r"[-–—*•·>#|]|\(?(\d+|[a-z])[.)]")
# Lines are wrapped at some width. In text with longer ones they are paragraphs or sentences.
WIDEST = 120
# With shorter ones the width says nothing, and the punctuation has to.
NARROWEST = 40
# A wrapped line is filled up to so much of the width, at least, with the next word.
FILLED = 0.75


class Line(NamedTuple):
    """Tokens start to end, and what stands behind them.

    width: in characters.
    break_at: the white-space token with the line break, or the Doc's length.
    ends_block: whether a blank line comes next.
    """

    start: int
    end: int
    width: int
    break_at: int
    ends_block: bool


def sentence_breaks(doc: Doc) -> Set[int]:
    """The tokens with a line break at which a sentence ends.

    At a blank line it does. A single break is passed over where the line was wrapped:
    the next one begins with a small letter; or lines are about as wide as the widest of
    their block, when the next word is counted to them; or they are short, and punctuation
    ends a sentence that they begin. So headlines, and short lines of lists, stand alone.
    """
    lines = _lines(doc)
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


def _lines(doc: Doc) -> List[Line]:
    lines: List[Line] = []
    start = width = 0
    for token in doc:
        if token.is_space and BREAK.search(token.text):
            if token.i > start:
                lines.append(
                    Line(start, token.i, width, token.i, _is_blank(token.text))
                )
            elif lines:
                # a break of its own token behind another: the line between is empty
                lines[-1] = lines[-1]._replace(ends_block=True)
            start, width = token.i + 1, 0
        else:
            width += len(token.text_with_ws)
    if start < len(doc):
        lines.append(Line(start, len(doc), width, len(doc), True))
    elif lines:
        lines[-1] = lines[-1]._replace(ends_block=True)
    return lines


def _is_blank(text: str) -> bool:
    breaks = BREAK.findall(text)
    return len(breaks) > 1 or any(mark in breaks for mark in PARAGRAPH_BREAKS)


def _breaks_within(doc: Doc, block: List[Line]) -> Set[int]:
    width = max(line.width for line in block)
    found: Set[int] = set()
    # whether the sentence that goes on in the next line is ended by punctuation
    is_ended = False
    for line, after in reversed(list(zip(block, block[1:], strict=False))):
        is_ended = is_ended or _has_end(doc, after)
        if width > WIDEST or not _is_wrapped(doc, line, after, width, is_ended):
            found.add(line.break_at)
    return found


def _has_end(doc: Doc, line: Line) -> bool:
    """Whether a sentence ends in the line."""
    return any(ends_sentence(doc, i) for i in range(line.start + 1, line.end + 1))


def _is_wrapped(doc: Doc, line: Line, after: Line, width: int, is_ended: bool) -> bool:
    first = doc[after.start].text
    if BULLET.fullmatch(first):
        return False
    if first[:1].islower():
        return True
    if width < NARROWEST:
        return is_ended
    return line.width + 1 + len(first) > FILLED * width
