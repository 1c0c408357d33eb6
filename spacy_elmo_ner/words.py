"""What of a Doc is read: the tokens that are words, and of each what a reader sees."""

import re
import unicodedata
from functools import lru_cache
from typing import Iterator, List, Set, Tuple

import numpy as np
from spacy.attrs import IS_SPACE
from spacy.tokens import Doc

# What is invisible beside Unicode's controls and formats, which have categories of their
# own: fillers, selectors of variants, a joiner of graphemes, an empty Braille pattern.
FILLERS = frozenset(
    [0x034F, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x2065, 0x2800, 0x3164, 0xFFA0, 0x16FE4]
    + [*range(0x180B, 0x1810), *range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0)]
)
# Formats that are seen: signs before numbers in Arabic, Syriac and Kaithi.
SIGNS = frozenset(
    [*range(0x600, 0x606), 0x6DD, 0x70F, 0x890, 0x891, 0x8E2, 0x110BD, 0x110CD]
)
# Letters of some scripts, and what makes one emoji of several; but not after Latin letters.
JOINERS = "\u200c\u200d"
NEEDLESS_JOINERS = re.compile(
    f"(?<=[A-Za-z\u00c0-\u024f\u1e00-\u1eff])[{JOINERS}]+|^[{JOINERS}]+|[{JOINERS}]+$"
)
# An address is no name, whatever stands in it. Nor are marks, and what a tokenizer leaves
# of markup together with a word.
NO_NAME = re.compile(
    r"://|^www\.|^[^\s@]+@[^\s@]+\.\w+$|^[\w.-]+\.[a-z]{2,}/|^/\w+/"
    r"|\]\(|\]\[|</|[\"']>|^(\|+|\*+|~~|`+|&\w+;)$"
)
# Texts without any of these have none, and most have not.
HINT_OF_NO_NAME = re.compile(r"[@/|*~`&]|www\.|\]\(|\]\[|[\"']>")
# Elements of HTML, but not whatever stands in angle brackets: those of which there is an
# end in the text, and usual ones. Links of Markdown, and spaces by name.
USUAL_ELEMENTS = (
    "a abbr b big blockquote body br center cite code dd del div dl dt em font footer h1 "
    "h2 h3 h4 h5 h6 head header hr html i img ins li mark nav ol p pre q s section small "
    "span strike strong sub sup table tbody td th thead title tr tt u ul"
).split()
BLOCKS = frozenset(
    "blockquote br dd div dt h1 h2 h3 h4 h5 h6 hr li p pre section table td th title tr"
    " ul ol".split()
)
ELEMENT = re.compile(r"</?([A-Za-z][\w:.-]*)(?:\s[^<>]*)?/?>|<!--.*?-->", re.DOTALL)
END_OF_ELEMENT = re.compile(r"</([A-Za-z][\w:.-]*)\s*>")
LINK = re.compile(
    r"\[([^\[\]\n]+)\](?:\([^()\s]*(?:\s+\"[^\"\n]*\")?\)|\[[^\[\]\s]*\])"
)
SPACE_BY_NAME = re.compile("&(?:nbsp|ensp|emsp|thinsp|shy|zwnj|zwj);")


def visible(text: str) -> str:
    """The text without what nobody sees, and with composed letters (NFC)."""
    if text.isascii() and text.isprintable():
        return text
    return _visible(text)


@lru_cache(maxsize=2**16)
def _visible(text: str) -> str:
    seen = "".join(letter for letter in text if not _is_invisible(letter))
    while True:
        composed = unicodedata.normalize("NFC", NEEDLESS_JOINERS.sub("", seen))
        if composed == seen:
            return seen
        seen = composed


def _is_invisible(letter: str) -> bool:
    if letter.isspace() or letter in JOINERS:
        return False
    code = ord(letter)
    if unicodedata.category(letter) in ("Cc", "Cf"):
        return code not in SIGNS
    return code in FILLERS


def word_places(doc: Doc) -> np.ndarray:
    """Which tokens are words, and not white space, markup or nothing visible: (words,),
    int64."""
    is_word = doc.to_array([IS_SPACE]).ravel() == 0
    text = doc.text
    if not text.isascii():
        is_word &= [bool(visible(token.text)) for token in doc]
    is_word[[i for tokens in _markup(doc) for i in tokens]] = False
    return np.flatnonzero(is_word)


def _markup(doc: Doc) -> Iterator[range]:
    """The tokens of which nothing stands outside of markup."""
    text = doc.text
    spans: List[Tuple[int, int]] = []
    if "<" in text:
        spans += [element.span() for element in _elements(text)]
    if "](" in text or "][" in text:
        for link in LINK.finditer(text):
            spans += [(link.start(), link.start(1)), (link.end(1), link.end())]
    if "&" in text:
        spans += [space.span() for space in SPACE_BY_NAME.finditer(text)]
    for start, end in spans:
        tokens = doc.char_span(start, end, alignment_mode="contract")
        if tokens is not None:
            yield range(tokens.start, tokens.end)


def _elements(text: str) -> Iterator["re.Match[str]"]:
    names = {*USUAL_ELEMENTS, *END_OF_ELEMENT.findall(text)}
    for element in ELEMENT.finditer(text):
        name = element[1]
        if name is None or name in names or name.lower() in names:
            yield element


def block_ends(doc: Doc) -> Set[int]:
    """The last tokens of elements that begin or end a block of text."""
    if "<" not in doc.text:
        return set()
    spans = [
        doc.char_span(*element.span(), alignment_mode="contract")
        for element in _elements(doc.text)
        if (element[1] or "").lower() in BLOCKS
    ]
    return {tokens.end - 1 for tokens in spans if tokens is not None}


def no_names(doc: Doc) -> List[int]:
    """The tokens that are addresses or have markup in them."""
    if not HINT_OF_NO_NAME.search(doc.text):
        return []
    return [i for i, token in enumerate(doc) if is_no_name(token.text)]


def is_no_name(text: str) -> bool:
    """Whether a token is an address or has markup in it."""
    return NO_NAME.search(text) is not None
