"""The direction in which a text is read."""

import unicodedata


def direction(text: str) -> str:
    """The direction of the first letter that has one, as in browsers with dir=auto."""
    for letter in text:
        kind = unicodedata.bidirectional(letter)
        if kind in ("R", "AL"):
            return "rtl"
        if kind == "L":
            return "ltr"
    return "ltr"
