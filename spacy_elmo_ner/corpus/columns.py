"""Text in columns: one token a line, blank lines between sentences, as CoNLL has it.

Format: Tjong Kim Sang and De Meulder, "Introduction to the CoNLL-2003 Shared Task"
(2003). What differs between the files that are about is evened out here: line ends,
byte order mark, spaces or tabs, and the form of the document header.
"""

from pathlib import Path
from typing import List, NamedTuple, Union

DOCUMENT_HEADER = "-DOCSTART-"


class TokenRows(NamedTuple):
    """One sentence: `rows[i]` are the columns of the file's line `line + i`."""

    line: int
    rows: List[List[str]]


def read_columns(path: Union[str, Path]) -> List[List[TokenRows]]:
    """Documents, each a list of sentences, each a list of token rows.

    A line whose first column is -DOCSTART- begins a document, whatever its other
    columns; tokens before the first such line are a document of their own. When the
    first token's line has a tab the columns are what stands between tabs, otherwise
    between runs of spaces. Only LF and CR LF end a line, and a word may hold any other
    character.

    Raises OSError when the file cannot be opened, and ValueError that names file and
    line when the text is not UTF-8, or when a row has no word, fewer than two columns
    or another number of columns than the first row.
    """
    documents: List[List[TokenRows]] = []
    sentence: List[List[str]] = []
    tabs = False
    width = 0
    for number, line in enumerate(_decode(Path(path)).split("\n"), start=1):
        line = line[:-1] if line.endswith("\r") else line
        is_header = line.replace("\t", " ").split(" ", 1)[0] == DOCUMENT_HEADER
        if is_header or not line.strip(" \t"):
            sentence = []
            if is_header:
                documents.append([])
            continue
        tabs = tabs if width else "\t" in line
        row = _split(line, tabs)
        width = width or len(row)
        _check_row(row, width, f"{path}, line {number}")
        if not documents:
            documents.append([])
        if not sentence:
            documents[-1].append(TokenRows(number, sentence))
        sentence.append(row)
    return documents


def _decode(path: Path) -> str:
    data = path.read_bytes()
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        # the decoder counts from after a byte order mark, which it has dropped
        offset = error.start + len(data) - len(error.object)
        line = data.count(b"\n", 0, offset) + 1
        raise ValueError(
            f"{path}, line {line}: the byte 0x{data[offset]:02x} at offset {offset} is "
            "not UTF-8. Convert the file to UTF-8 first."
        ) from None


def _split(line: str, tabs: bool) -> List[str]:
    if not tabs:
        return [field for field in line.split(" ") if field]
    word, *others = line.split("\t")
    return [word, *(field.strip(" ") for field in others)]


def _check_row(row: List[str], width: int, place: str) -> None:
    if not row[0].strip(" "):
        raise ValueError(f"{place}: the first column, the word, is empty.")
    if len(row) < 2:
        raise ValueError(
            f"{place}: {row[0]!r} stands alone. A line needs at least two columns, the "
            "word first and the tag last, with spaces or tabs between them."
        )
    if len(row) != width:
        raise ValueError(
            f"{place}: {len(row)} columns, but the lines before have {width}. Every "
            "token of a file needs the same number."
        )
