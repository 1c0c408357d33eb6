"""The lines of a Doc, and the margin before them, which is not read."""

import re
from typing import Dict, List, NamedTuple, Tuple

from spacy.tokens import Doc

BREAK = re.compile("\r\n|[\n\r\x0b\x0c\x1c-\x1e\x85\u2028\u2029]")
PARAGRAPH_BREAKS = "\x0c\x1c\x1d\u2029"
# The marks of quoted mail, commented code and headings.
MARGIN = re.compile(r"\s*((?:>[ \t]?)+|(?:#+|//+!?|;+|%+|--)(?=\s|$))")
# The same within /* … */.
COMMENT = re.compile(r"\s*(/\*+!?|\*+/|\*(?=\s|$))")
HINT_OF_MARGIN = re.compile(r"[>#/;%]|--")


class Line(NamedTuple):
    """The tokens of a line, and what is around them.

    Attributes:
        start: The first token.
        end: The token after the last.
        width: The line's width in characters.
        margin: The marks in the margin, which are not read.
        gaps: The white-space tokens in the line.
        break_at: The white-space token with the line break, or the Doc's length.
        ends_block: Whether a blank line comes next, or one with another margin.
    """

    start: int
    end: int
    width: int
    margin: str
    gaps: Tuple[int, ...]
    break_at: int
    ends_block: bool


def lines_of(doc: Doc) -> List[Line]:
    """The lines that have more than white space and a margin."""
    margins = margin_tokens(doc)
    lines: List[Line] = []
    start = width = 0
    margin = ""
    gaps: List[int] = []
    for token in doc:
        is_break = token.is_space and BREAK.search(token.text)
        if token.i in margins:
            start, margin = token.i + 1, margins[token.i]
        elif not is_break:
            # a word that is hyphenated across lines has a line break in it
            before, *behind = BREAK.split(token.text_with_ws)
            width = len(behind[-1]) if behind else width + len(before)
            if token.is_space:
                gaps.append(token.i)
        elif token.i > start:
            _end_block_before(lines, margin)
            is_blank = _is_blank(token.text)
            lines.append(
                Line(start, token.i, width, margin, tuple(gaps), token.i, is_blank)
            )
        elif lines:
            # a break as a separate token after another: the line between is empty
            lines[-1] = lines[-1]._replace(ends_block=True)
        if is_break:
            start, width, margin, gaps = token.i + 1, 0, "", []
    if start < len(doc):
        _end_block_before(lines, margin)
        lines.append(Line(start, len(doc), width, margin, tuple(gaps), len(doc), True))
    elif lines:
        lines[-1] = lines[-1]._replace(ends_block=True)
    return lines


def _end_block_before(lines: List[Line], margin: str) -> None:
    if lines and lines[-1].margin != margin:
        lines[-1] = lines[-1]._replace(ends_block=True)


def _is_blank(text: str) -> bool:
    breaks = BREAK.findall(text)
    return len(breaks) > 1 or any(mark in breaks for mark in PARAGRAPH_BREAKS)


def margin_tokens(doc: Doc) -> Dict[int, str]:
    """The tokens in the margin of several successive lines, and the whole margin of
    their line."""
    text = doc.text
    if not (HINT_OF_MARGIN.search(text) and BREAK.search(text)):
        return {}
    # for each line, where its margin begins and ends, and the margin
    found: List[Tuple[int, int, str]] = []
    start = 0
    in_comment = False
    for line in [*BREAK.finditer(text), None]:
        end = len(text) if line is None else line.start()
        in_comment = in_comment or text[start:end].lstrip().startswith("/*")
        mark = (COMMENT if in_comment else MARGIN).match(text, start, end)
        in_comment = in_comment and "*/" not in text[start:end]
        if mark is None:
            found.append((start, start, ""))
        else:
            kind = "*" if mark.re is COMMENT else "".join(mark[1].split())
            found.append((mark.start(1), mark.end(1), kind))
        start = end if line is None else line.end()
    tokens: Dict[int, str] = {}
    kinds = ["", *(margin[:1] for _, _, margin in found), ""]
    for i, (start, end, margin) in enumerate(found):
        if margin and kinds[i + 1] in (kinds[i], kinds[i + 2]):
            marks = doc.char_span(start, end, alignment_mode="contract")
            if marks is not None:
                tokens.update((token.i, margin) for token in marks)
    return tokens
