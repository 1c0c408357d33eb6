"""What of a Doc is read: the tokens that are words, and of each what a reader sees."""

import re
import unicodedata
from typing import Set

import numpy as np
from spacy.tokens import Doc

# Soft hyphens, zero-width spaces, marks of direction, byte order marks. The two joiners are
# letters of some scripts, but not of Latin.
INVISIBLE = re.compile(
    "[\u00ad\u061c\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff]"
    "|(?<=[A-Za-z\u00c0-\u024f\u1e00-\u1eff])[\u200c\u200d]"
    "|^[\u200c\u200d]+$"
)
# An address is no name, whatever stands in it. Nor is what a tokenizer leaves of markup
# together with a word.
NO_NAME = re.compile(r"://|^www\.|^\S+@\S+\.\w+$|\]\(|</|[\"']>")
# Elements of HTML, but not whatever stands in angle brackets, and links of Markdown.
ELEMENT = re.compile(
    r"</?(a|abbr|b|big|blockquote|body|br|center|cite|code|dd|del|div|dl|dt|em|font|"
    r"footer|h[1-6]|head|header|hr|html|i|img|ins|li|mark|nav|ol|p|pre|q|s|section|small|"
    r"span|strike|strong|sub|sup|table|tbody|td|th|thead|title|tr|tt|u|ul)"
    r"(\s[^<>]*)?/?>",
    re.IGNORECASE,
)
LINK = re.compile(r"\[([^\[\]\n]+)\]\([^()\s]*\)")


def visible(text: str) -> str:
    """The text without what nobody sees, and with composed letters (NFC)."""
    if text.isascii():
        return text
    return unicodedata.normalize("NFC", INVISIBLE.sub("", text))


def word_places(doc: Doc) -> np.ndarray:
    """Which tokens are words, and not white space, markup or nothing visible: (words,),
    int64."""
    markup = _markup_tokens(doc)
    places = [
        i
        for i, token in enumerate(doc)
        if not token.is_space and i not in markup and visible(token.text)
    ]
    return np.array(places, dtype=np.int64)


def _markup_tokens(doc: Doc) -> Set[int]:
    """The tokens of which nothing stands outside of markup."""
    text = doc.text
    if "<" not in text and "](" not in text:
        return set()
    spans = [match.span() for match in ELEMENT.finditer(text)]
    for link in LINK.finditer(text):
        spans += [(link.start(), link.start(1)), (link.end(1), link.end())]
    found: Set[int] = set()
    for start, end in spans:
        tokens = doc.char_span(start, end, alignment_mode="contract")
        if tokens is not None:
            found.update(range(tokens.start, tokens.end))
    return found


def is_no_name(text: str) -> bool:
    """Whether a token is an address or has markup in it."""
    return NO_NAME.search(text) is not None
