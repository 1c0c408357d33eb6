"""Lists of terms, and where they are in a Doc."""

import re
import unicodedata
from functools import lru_cache
from itertools import accumulate, islice
from typing import Any, Dict, Iterable, Iterator, List, NamedTuple, Sequence, Tuple

import srsly
from spacy.tokens import Doc
from thinc.model import deserialize_attr, serialize_attr

from ..nodes import AnyModel
from ..text.words import visible, word_places

# Terms and texts are compared by these pieces and not by tokens, so that it does not
# matter how a tokenizer splits "Saint-Denis", "U.S." or "AT&T".
PIECE = re.compile(r"\w+|[^\w\s]")
# characters that are typed one way and printed another
PLAIN = str.maketrans("\u2018\u2019\u02bc\u2010\u2011\u2012\u2013", "'''----")
# letters that Unicode does not treat as others with a mark
STROKES = str.maketrans("łŁøØđĐħĦı", "lLoOdDhHi")


class Match(NamedTuple):
    """A term of a list in a Doc: its type, and its first and last token."""

    type: int
    first: int
    last: int


@lru_cache(maxsize=2**16)
def fold(text: str, *, case: bool, diacritics: bool) -> str:
    """A text in the form in which it is compared.

    Args:
        text: The text of a term or of a token.
        case: Whether capitals equal small letters.
        diacritics: Whether letters with marks equal those without.
    """
    text = visible(text).strip().translate(PLAIN)
    if case:
        text = text.casefold()
    if diacritics and not text.isascii():
        letters = unicodedata.normalize("NFD", text.translate(STROKES))
        text = "".join(one for one in letters if unicodedata.category(one) != "Mn")
    return unicodedata.normalize("NFC", text)


class TermLists:
    """Terms of several types, folded, as pieces with spaces between them."""

    def __init__(self, lists: Sequence[Iterable[str]] = ()):
        """
        Args:
            lists: The folded terms of each type.
        """
        # the types that a term has, one bit each; none if it is only the start of terms
        self.types: Dict[str, int] = {}
        self.n_types = len(lists)
        for i, terms in enumerate(lists):
            for term in terms:
                self._add(PIECE.findall(term), 1 << i)

    def _add(self, pieces: List[str], type_: int) -> None:
        begin = ""
        for begin in accumulate(pieces, "{} {}".format):
            self.types.setdefault(begin, 0)
        if begin:
            self.types[begin] |= type_

    def of_type(self, type_: int) -> List[str]:
        """The terms of a type, sorted."""
        return sorted(term for term, types in self.types.items() if types >> type_ & 1)

    def matches(self, doc: Doc, *, case: bool, diacritics: bool) -> List[Match]:
        """Find the terms that are whole tokens of a Doc.

        Terms of one type do not overlap: the first one counts, and of two that start
        together the longer. White space and markup do not matter between words.

        Args:
            doc: The Doc.
            case: See `fold`; as the terms were folded.
            diacritics: Likewise.
        """
        pieces, firsts, lasts = _pieces(doc, case=case, diacritics=diacritics)
        found: List[Match] = []
        # for each type the place after its last term
        free = [0] * self.n_types
        for start, first in enumerate(firsts):
            if first < 0 or pieces[start] not in self.types:
                continue
            for stop, types in reversed(list(self._terms_from(pieces, start))):
                for i in _bits(types):
                    if lasts[stop - 1] >= 0 and free[i] <= start:
                        found.append(Match(i, first, lasts[stop - 1]))
                        free[i] = stop
        return found

    def _terms_from(self, pieces: List[str], start: int) -> Iterator[Tuple[int, int]]:
        """Where terms that start at a piece end, and their types, shortest first."""
        begins = accumulate(islice(pieces, start, None), "{} {}".format)
        for stop, begin in enumerate(begins, start + 1):
            types = self.types.get(begin)
            if types is None:
                return
            yield stop, types

    def to_bytes(self) -> bytes:
        lists = [self.of_type(i) for i in range(self.n_types)]
        data: bytes = srsly.msgpack_dumps(lists)
        return data

    @classmethod
    def from_bytes(cls, data: bytes) -> "TermLists":
        return cls(srsly.msgpack_loads(data))


def _pieces(
    doc: Doc, *, case: bool, diacritics: bool
) -> Tuple[List[str], List[int], List[int]]:
    """A Doc's pieces, and for each the token that starts and the token that ends with
    it, or -1."""
    parts: List[str] = []
    begins: Dict[int, int] = {}
    ends: Dict[int, int] = {}
    length = 0
    before = -1
    for i in word_places(doc).tolist():
        word = fold(doc[i].text, case=case, diacritics=diacritics)
        if not word:
            continue
        # letters that a tokenizer has split, as in "can|not", are one piece
        if before != i - 1 or doc[before].whitespace_:
            parts.append(" ")
            length += 1
        begins[length] = i
        parts.append(word)
        length += len(word)
        ends[length] = before = i
    found = list(PIECE.finditer("".join(parts)))
    return (
        [piece[0] for piece in found],
        [begins.get(piece.start(), -1) for piece in found],
        [ends.get(piece.end(), -1) for piece in found],
    )


def _bits(number: int) -> Iterator[int]:
    """The places of the bits that are 1."""
    while number:
        lowest = number & -number
        yield lowest.bit_length() - 1
        number ^= lowest


@serialize_attr.register(TermLists)
def _to_bytes(_: Any, value: TermLists, name: str, model: AnyModel) -> bytes:
    return value.to_bytes()


@deserialize_attr.register(TermLists)
def _from_bytes(_: Any, value: bytes, name: str, model: AnyModel) -> TermLists:
    return TermLists.from_bytes(value)
