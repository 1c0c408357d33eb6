"""How a file spells its tags: B-PER, b-PER, B_PER, PER-B or PER_B → B-PER.

A file uses one spelling, so it is found from all of its tags: I-B alone could be
either order. Labels stay as they are written, in capitals or not. Brackets are a
spelling, too; the tags of a sentence are read together then (see `bracket_tags`).
"""

import re
from typing import Iterable, NamedTuple, Pattern, Tuple

from .bracket_tags import BRACKET_TAG, STAR, are_brackets
from .conll_tags import OUTSIDE, PREFIXES, split_tag

_LETTER = f"(?P<letter>[{PREFIXES}{PREFIXES.lower()}])"
PATTERNS = tuple(
    re.compile(pattern, re.DOTALL)
    for pattern in (
        f"{_LETTER}-(?P<label>.+)",
        f"{_LETTER}_(?P<label>.+)",
        f"(?P<label>.+)-{_LETTER}",
        f"(?P<label>.+)_{_LETTER}",
    )
)
MISSING = ("-", "_", "")
_NESTED = re.compile(rf".+[|+/,;&]{_LETTER}[-_].+", re.DOTALL)
_BRACKETS = re.compile(r"\(.+|\*\)*|.*\)", re.DOTALL)


class Spelling(NamedTuple):
    """The pattern of tags with labels, and the tags outside entities."""

    pattern: Pattern[str]
    outside: Tuple[str, ...]

    def knows(self, tag: str) -> bool:
        """Whether a tag has this spelling."""
        return tag in self.outside or bool(self.pattern.fullmatch(tag))

    def read(self, tag: str) -> str:
        """Read a tag as B-PER or O.

        Raises:
            ValueError: If it has another spelling.
        """
        if tag in self.outside:
            return OUTSIDE
        match = self.pattern.fullmatch(tag)
        if match and _NESTED.fullmatch(tag):
            raise ValueError(
                f"The tag {tag!r} combines the tags of nested entities, but a token "
                "can have only one. Keep one of them."
            )
        if match:
            return f"{match['letter'].upper()}-{match['label']}"
        if tag in MISSING:
            raise ValueError(
                f"The tag is {tag!r}, which says nothing. Write O for a token outside "
                "entities; only a .spacy file can mark a tag as unknown."
            )
        if tag and _BRACKETS.fullmatch(tag):
            raise ValueError(
                f"The tag {tag!r} is in the bracket notation of CoNLL-2012, but most "
                "tags of the file are not. Spell all of them alike."
            )
        split_tag(tag)  # says what a tag is
        raise ValueError(
            f"The tag {tag!r} is spelled differently from the other tags of the file. "
            "Spell all of them alike."
        )


BRACKETS = Spelling(BRACKET_TAG, (STAR,))


def find_spelling(tags: Iterable[str]) -> Spelling:
    """The spelling of most of the different tags; B-PER if several would do.

    A lower-case o is a tag only if the letters of other tags are lower-case.
    """
    different = set(tags)
    if are_brackets(different):
        return BRACKETS
    matches = [
        [match for match in map(pattern.fullmatch, different) if match]
        for pattern in PATTERNS
    ]
    best = max(matches, key=len)
    small = any(match["letter"].islower() for match in best)
    outside = (OUTSIDE, OUTSIDE.lower()) if small else (OUTSIDE,)
    return Spelling(PATTERNS[matches.index(best)], outside)
