"""Offsets in UTF-16 units, as browsers count them → offsets in characters.

The two differ after the first character beyond U+FFFF, such as an emoji, which is two
units.
"""

from itertools import accumulate
from typing import Dict, List, Optional, Sequence, Tuple

LAST_SINGLE_UNIT = "\uffff"


def unit_offsets(text: str) -> Dict[int, int]:
    """UTF-16 unit → character, wherever a character begins, and at the text's end."""
    sizes = (1 + (character > LAST_SINGLE_UNIT) for character in text)
    return {unit: i for i, unit in enumerate(accumulate(sizes, initial=0))}


def find_utf16(
    text: str, spans: Sequence[Tuple[int, int]]
) -> Optional[List[Tuple[int, int]]]:
    """Convert spans to characters, if they clearly count UTF-16 units.

    They do if characters are impossible or cut a word, and units do neither.

    Returns:
        The spans in characters; None if they count characters, or may do so.
    """
    if max(text, default="") <= LAST_SINGLE_UNIT:
        return None
    characters = unit_offsets(text)
    try:
        converted = [(characters[start], characters[end]) for start, end in spans]
    except KeyError:
        return None
    if any(end > len(text) for _, end in spans):
        return converted
    if not _are_whole(text, spans) and _are_whole(text, converted):
        return converted
    return None


def _are_whole(text: str, spans: Sequence[Tuple[int, int]]) -> bool:
    """Whether the spans that are not empty hold something, and cut no word."""
    return all(
        text[start:end].strip() and not _cuts(text, start) and not _cuts(text, end)
        for start, end in spans
        if start != end
    )


def _cuts(text: str, offset: int) -> bool:
    return text[max(offset - 1, 0) : offset].isalnum() and (
        text[offset : offset + 1].isalnum()
    )
