"""What is read of a Doc: the tokens that are words, and what a reader sees of each."""

import html
import re
import unicodedata
from functools import lru_cache
from typing import Iterable, Iterator, List, Set, Tuple

import numpy as np
from numpy.typing import NDArray
from spacy.attrs import IS_SPACE
from spacy.tokens import Doc

from .invisible import INVISIBLE, NEEDLESS_JOINERS
from .lines import margin_tokens

# An address is not a name, whatever it contains, nor is a file path.
ADDRESS = re.compile(
    r"(?<![\w+.-])[A-Za-z][\w+.-]*://[^\s<>\"|\]]+|\bwww\.[^\s<>\"|\]]+"
    r"|(?<![^\s@<>()\[\]\"',;:])[^\s@<>()\[\]\"',;:]+@[\w-]+(?:\.[\w-]+)+"
    r"|(?<![\w.-])[\w-]+(?:\.[\w-]+)*\.[a-z]{2,}/[^\s<>\"|\]]*"
    r"|(?<![\w/<.])(?:~|\.{1,2})?/\w[\w.-]*/[\w./-]*"
    r"|(?<![\w/.-])(?:[\w.-]+/)+[\w.-]*\.[a-z][a-z0-9]{0,3}\b"
    r"|(?:\b[A-Za-z]:|\\)\\[^\s<>\"|]+"
)
# Marks are not names either, nor is markup that a tokenizer leaves attached to a word.
LEFT_OF_MARKUP = re.compile(
    r"\]\(|\]\[|</|[\"']>|[\w\]]\{|^(?:\|+|\*+|[-=]+>|(?:\\[nrt])+)$"
    r"|^(?:\*\*|__|~~|`)|(?:\*\*|__|~~|`)$"
)
# Texts without any of these have neither, like most texts.
HINT_OF_NO_NAME = re.compile(r"[@/\\|*~`{]|__|[-=]>|www\.|\]\[|[\"']>")
# HTML elements, but not everything in angle brackets: those with an end tag in the
# text, and common ones. Markdown links.
USUAL_ELEMENTS = (
    "a abbr b big blockquote body br center cite code dd del div dl dt em font footer h1 "
    "h2 h3 h4 h5 h6 head header hr html i img ins li mark nav ol p pre q s section small "
    "span strike strong sub sup table tbody td th thead title tr tt u ul"
).split()
BLOCKS = frozenset(
    "blockquote br dd div dt h1 h2 h3 h4 h5 h6 hr li p pre section table td th title tr"
    " ul ol".split()
)
ELEMENT = re.compile(
    r"</?([A-Za-z][\w:.-]*)(?:\s[^<>]*)?/?>|<!--(?:(?!<!--).)*?-->", re.DOTALL
)
END_OF_ELEMENT = re.compile(r"</([A-Za-z][\w:.-]*)\s*>")
LINK = re.compile(
    r"!?\[((?:[^\[\]\n]|\n(?!\s*\n))+)\](?:\([^()\s]*(?:\s+\"[^\"\n]*\")?\)|\[[^\[\]\s]*\])"
)
# Bold and italics in Markdown and LaTeX
EMPHASIS = re.compile(
    r"(?<![\w\\])(\*{1,3}|_{1,3}|~~|`{1,3})(?=\S)"
    r"((?:[^\n]|\n(?!\s*\n)){1,300}?)(?<=\S)\1(?!\w)"
)
HINT_OF_EMPHASIS = re.compile("[*_`]|~~")
COMMAND = re.compile(r"\\[A-Za-z]+\*?(?:\[[^\]\n]*\])?\{")
# the end of a line within a word
HYPHENATION = re.compile(r"([-\u2010\u00ad])\s+(?=(.?))")
# Texts without any of these look as they are written.
ODD = re.compile(r"[^\s\x20-\x7e]|&")


def visible(text: str) -> str:
    """A token as it looks: without invisible characters, with composed letters (NFC),
    with HTML entities resolved, and in one line."""
    if text.isascii() and text.isprintable() and "&" not in text:
        return text
    return _visible(text)


@lru_cache(maxsize=2**16)
def _visible(text: str) -> str:
    while True:
        seen = HYPHENATION.sub(_hyphen_within, html.unescape(text))
        seen = NEEDLESS_JOINERS.sub("", INVISIBLE.sub("", seen))
        seen = unicodedata.normalize("NFC", seen)
        if seen == text:
            return seen
        text = seen


def _hyphen_within(end_of_line: "re.Match[str]") -> str:
    hyphen, letter = end_of_line.groups()
    return "" if letter.islower() else hyphen


def word_places(doc: Doc) -> NDArray[np.int64]:
    """Which tokens are words, and not white space, markup or nothing visible: (words,)."""
    is_word = doc.to_array([IS_SPACE]).ravel() == 0
    text = doc.text
    if ODD.search(text):
        is_word &= [bool(visible(token.text).strip()) for token in doc]
    is_word[[i for tokens in _markup(doc) for i in tokens]] = False
    is_word[list(margin_tokens(doc))] = False
    return np.flatnonzero(is_word)


def has_words(docs: Iterable[Doc]) -> bool:
    """Whether any of the Docs has a word."""
    return any(len(word_places(doc)) for doc in docs)


def _markup(doc: Doc) -> Iterator[range]:
    """The tokens that consist of markup alone."""
    text = doc.text
    spans: List[Tuple[int, int]] = []
    if "<" in text:
        spans += [element.span() for element in _elements(text)]
    for link in _links(text):
        spans += [(link.start(), link.start(1)), (link.end(1), link.end())]
    if HINT_OF_EMPHASIS.search(text):
        for words in EMPHASIS.finditer(text):
            spans += [(words.start(), words.start(2)), (words.end(2), words.end())]
    if "\\" in text:
        spans += [command.span() for command in COMMAND.finditer(text)]
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


def _links(text: str) -> Iterator["re.Match[str]"]:
    return LINK.finditer(text) if "](" in text or "][" in text else iter(())


def link_texts(doc: Doc) -> Set[int]:
    """The tokens within the texts of links."""
    spans = [
        doc.char_span(*link.span(1), alignment_mode="contract")
        for link in _links(doc.text)
    ]
    return {token.i for tokens in spans for token in tokens or ()}


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


def no_names(doc: Doc) -> Set[int]:
    """The tokens that are part of an address or have markup in them."""
    text = doc.text
    if not HINT_OF_NO_NAME.search(text):
        return set()
    found = {i for i, token in enumerate(doc) if LEFT_OF_MARKUP.search(token.text)}
    for address in ADDRESS.finditer(text):
        tokens = doc.char_span(*address.span(), alignment_mode="expand")
        found.update(token.i for token in tokens or ())
    return found


def is_no_name(text: str) -> bool:
    """Whether a token is an address or has markup in it."""
    return bool(ADDRESS.search(text) or LEFT_OF_MARKUP.search(text))
