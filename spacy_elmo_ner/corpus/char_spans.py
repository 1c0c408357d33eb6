"""Spans of an annotation tool → characters of the text that they annotate."""

import json
import re
from typing import Any, List, NamedTuple, Optional, Tuple

from .utf16_offsets import find_utf16, unit_offsets


class CharSpan(NamedTuple):
    """Characters start to end (exclusive) of a text."""

    start: int
    end: int
    label: str


class _RawSpan(NamedTuple):
    """A span as the file has it.

    Attributes:
        start: Its first character, or UTF-16 unit.
        end: The one after its last.
        label: Its label.
        own: The text that it claims to hold, if any.
    """

    start: int
    end: int
    label: str
    own: Optional[str]


def read_spans(text: str, entries: List[Any]) -> Tuple[List[CharSpan], bool]:
    """Read the spans of a text.

    Args:
        text: The text.
        entries: The spans as a file has them.

    Returns:
        The spans in characters, and whether their offsets were found to count UTF-16
        units.

    Raises:
        ValueError: If one is not a span, lies outside the text, or does not hold the
            text that it claims.
    """
    spans = [_read_span(span) for span in entries]
    bare = [span for span in spans if span.own is None]
    converted = find_utf16(text, [(span.start, span.end) for span in bare])
    offsets = iter(converted or [(span.start, span.end) for span in bare])
    found = []
    for span in spans:
        start, end = next(offsets) if span.own is None else _find_own(text, span)
        if not 0 <= start <= end <= len(text):
            raise ValueError(
                f"the span from {start} to {end} ({span.label}) is not inside the text, "
                f"which has {len(text)} characters."
            )
        found.append(CharSpan(start, end, span.label))
    return found, converted is not None


def _read_span(span: Any) -> _RawSpan:
    own = None
    if isinstance(span, list) and len(span) >= 3:
        start, end, label = span[:3]
    elif isinstance(span, dict):
        start = span.get("start", span.get("start_offset"))
        end = span.get("end", span.get("end_offset"))
        label = span.get("label", span.get("labels"))
        own = span.get("text")
    else:
        start = end = label = None
    if isinstance(label, list) and len(label) == 1:
        label = label[0]
    # bool is an int
    if type(start) is not int or type(end) is not int or not isinstance(label, str):
        raise ValueError(
            f"{shorten(json.dumps(span))} is not a span. It needs a start and an end, in "
            "characters, and one label."
        )
    if not label.strip():
        raise ValueError(f"the span from {start} to {end} has an empty label.")
    return _RawSpan(start, end, label, own if isinstance(own, str) else None)


def _find_own(text: str, span: _RawSpan) -> Tuple[int, int]:
    """Find where a span is that says what text it holds.

    This tells characters from UTF-16 units.
    """
    start, end, _, own = span
    assert own is not None
    piece = text[max(start, 0) : end]
    if _is_same(piece, own):
        return start, end
    characters = unit_offsets(text)
    first, last = characters.get(start, 0), characters.get(end, 0)
    if first < last and _is_same(text[first:last], own):
        return first, last
    raise ValueError(
        f"the span from {start} to {end} is given as {shorten(own)!r}, but the text "
        f"there is {shorten(piece)!r}. Export the annotations again."
    )


def _is_same(text: str, own: str) -> bool:
    # Label Studio writes a line break as a backslash and an n
    return re.sub(r"\s|\\n", "", text) == re.sub(r"\s|\\n", "", own)


def trim(text: str, span: CharSpan) -> CharSpan:
    """The span without white space at its ends."""
    start, end = span.start, span.end
    while start < end and text[start].isspace():
        start += 1
    while start < end and text[end - 1].isspace():
        end -= 1
    return CharSpan(start, end, span.label)


def quote(text: str, span: CharSpan) -> str:
    """What a span holds and where it is, for messages."""
    piece = shorten(text[span.start : span.end])
    return f"{piece!r} ({span.label}, {span.start} to {span.end})"


def shorten(text: str) -> str:
    """A text that may be long, for messages."""
    return text if len(text) <= 60 else text[:59] + "…"
