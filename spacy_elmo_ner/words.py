"""What of a Doc is read: the tokens that are words, and of each what a reader sees."""

import re
import unicodedata
from typing import List

import numpy as np
from spacy.attrs import IS_SPACE
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
# Texts without any of these have none, and most have not.
HINT_OF_NO_NAME = re.compile(r"://|www\.|@|\]\(|</|[\"']>")
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
    is_word = doc.to_array([IS_SPACE]).ravel() == 0
    text = doc.text
    if not text.isascii():
        is_word &= [bool(visible(token.text)) for token in doc]
    if "<" in text or "](" in text:
        is_word[_markup_tokens(doc)] = False
    return np.flatnonzero(is_word)


def _markup_tokens(doc: Doc) -> List[int]:
    """The tokens of which nothing stands outside of markup."""
    spans = [match.span() for match in ELEMENT.finditer(doc.text)]
    for link in LINK.finditer(doc.text):
        spans += [(link.start(), link.start(1)), (link.end(1), link.end())]
    found: List[int] = []
    for start, end in spans:
        tokens = doc.char_span(start, end, alignment_mode="contract")
        if tokens is not None:
            found += range(tokens.start, tokens.end)
    return found


def no_names(doc: Doc) -> List[int]:
    """The tokens that are addresses or have markup in them."""
    if not HINT_OF_NO_NAME.search(doc.text):
        return []
    return [i for i, token in enumerate(doc) if is_no_name(token.text)]


def is_no_name(text: str) -> bool:
    """Whether a token is an address or has markup in it."""
    return NO_NAME.search(text) is not None
