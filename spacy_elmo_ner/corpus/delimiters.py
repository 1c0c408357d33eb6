"""What separates the columns of a line."""

import csv
import re
from dataclasses import dataclass
from typing import List, Sequence

DETECT = "auto"
TAB = "\t"
SPACES = " "
WHITE_SPACE = "whitespace"
NAMES = {
    "tab": TAB,
    r"\t": TAB,
    "space": SPACES,
    WHITE_SPACE: WHITE_SPACE,
}
# in files with these, a field may be in quotation marks, as spreadsheets write it
QUOTING = (",", ";")


@dataclass(frozen=True)
class Delimiter:
    """What separates the columns of a line.

    Attributes:
        mark: A tab, a space (runs of spaces), WHITE_SPACE (runs of spaces and tabs), or
            any other characters.
    """

    mark: str

    def is_blank(self, line: str) -> bool:
        """Whether a line has no columns."""
        more = "" if self.mark == WHITE_SPACE else self.mark
        return not line.strip(" \t" + more)

    def split(self, line: str) -> List[str]:
        """The columns of a line."""
        if self.mark == WHITE_SPACE:
            return re.split("[ \t]+", line.strip(" \t"))
        if self.mark == SPACES:
            return [field for field in line.rstrip(" \t").split(" ") if field]
        if self.mark == TAB:
            word, *others = line.split(TAB)
            return [word, *(field.strip(" ") for field in others)]
        if self.mark in QUOTING and '"' in line:
            (fields,) = csv.reader([line], delimiter=self.mark)
            return [field.strip(" ") for field in fields]
        return [field.strip(" ") for field in line.split(self.mark)]


def find_delimiter(lines: Sequence[str], delimiter: str = DETECT) -> Delimiter:
    """Find the delimiter of a file.

    Args:
        lines: Lines with tokens.
        delimiter: "tab", "space" (any number of them), "whitespace" (tabs and spaces),
            the characters themselves, such as ",", or "auto": tabs if the first line
            has one, otherwise spaces.

    Raises:
        ValueError: If the name is none of these.
    """
    if delimiter == DETECT:
        return Delimiter(TAB if lines and TAB in lines[0].rstrip() else SPACES)
    if delimiter not in NAMES and (not delimiter or delimiter.isalnum()):
        raise ValueError(
            f"There is no delimiter {delimiter!r}. Use auto, tab, space, whitespace "
            "(tabs and spaces), or the characters themselves, such as ','."
        )
    return Delimiter(NAMES.get(delimiter, delimiter))
