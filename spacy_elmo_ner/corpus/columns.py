"""Text in columns, as in CoNLL: one token per line, blank lines between sentences.

Format: Tjong Kim Sang and De Meulder, "Introduction to the CoNLL-2003 Shared Task"
(2003). Differences between existing files are levelled out here: line ends, byte order
marks, delimiters, comments, the form of the document header, a first column of
numbers, and sentences on a line of their own.
"""

import re
from pathlib import Path
from typing import List, NamedTuple, Optional, Sequence, Union

from ..files.text_files import MARK, read_lines
from .delimiters import DETECT, QUOTING, SPACES, TAB, Delimiter, find_delimiter
from .joined_tokens import BAR, are_joined, count_bars, find_unequal, split_tokens
from .tag_spelling import Spelling, find_spelling

DOCUMENT_HEADER = "-DOCSTART-"
# fields that hold nothing
PLACEHOLDERS = ("-X-", "-", "_", "")

_HEADER = re.compile(rf"{MARK}?{DOCUMENT_HEADER}(?!\w)")
_ASSIGNMENT = re.compile(r"#[ \t]*[\w.:]+ ?=")
_COMMENT = re.compile(r"#+[ \t]+\S|#(begin|end) document\b|#[\w.:]+ ?=")
# the comments of CoNLL-U and of CoNLL-2012
_DOCUMENT_COMMENT = re.compile(r"# *newdoc\b|#begin document\b")
# a token's number; in CoNLL-U also a multiword token's (1-2) or an empty node's (1.1)
_NUMBER = re.compile(r"[0-9]+([-.][0-9]+)?")


class TokenRows(NamedTuple):
    """One sentence: the columns of each token, and the line of each token."""

    lines: List[int]
    rows: List[List[str]]


class ColumnFile(NamedTuple):
    """Documents, each a list of sentences.

    Attributes:
        documents: The documents.
        marks_documents: Whether the file marks where its documents begin; otherwise the
            whole file is one document.
        width: Columns of every row, 0 if there are none.
        numbered: Whether the first column has a number in every row, so that the words
            stand elsewhere.
        counted: Whether these numbers count the tokens. CoNLL-U's multiword tokens
            (1-2) and empty nodes (1.1), which are not tokens, are left out then.
    """

    documents: List[List[TokenRows]]
    marks_documents: bool
    width: int
    numbered: bool
    counted: bool

    @property
    def sentences(self) -> List[TokenRows]:
        """The sentences of all documents."""
        return [sentence for document in self.documents for sentence in document]


def read_columns(
    path: Union[str, Path],
    *,
    delimiter: str = DETECT,
    tag_column: Optional[int] = None,
    first_is_word: bool = False,
) -> ColumnFile:
    """Read the rows of a file, before anything is known about their columns.

    A line that begins with -DOCSTART- begins a document, whatever its other columns; so
    do the comments "# newdoc" and "#begin document". Tokens before the first of these
    form a document of their own.

    Args:
        path: The file.
        delimiter: See `find_delimiter`.
        tag_column: The column where a tag tells the token "#" from a comment, counted
            as `to_index` does; None is the last.
        first_is_word: Whether numbers in the first column are words.

    Raises:
        OSError: If the file cannot be opened.
        ValueError: If the text is not UTF-8; if a row has fewer than two columns, or
            another number of columns than the first row. It names the file and the
            line.
    """
    lines = read_lines(path)
    layout = _find_layout(path, lines, delimiter, tag_column, first_is_word)
    documents: List[List[TokenRows]] = []
    sentence: Optional[TokenRows] = None
    marks_documents = False
    for number, line in enumerate(lines, start=1):
        is_comment = sentence is None and layout.is_comment(line)
        if _HEADER.match(line) or (is_comment and _DOCUMENT_COMMENT.match(line)):
            documents.append([])
            marks_documents = True
            sentence = None
        elif layout.delimiter.is_blank(line):
            sentence = None
        elif not is_comment:
            if not documents:
                documents.append([])
            if sentence is None:
                sentence = TokenRows([], [])
                documents[-1].append(sentence)
            if _is_after_heading(sentence, line, layout):
                raise ValueError(
                    f"{path}, line {sentence.lines[0]}: a comment follows, and there is "
                    "no tag in the last column, so it seems to be a heading. Delete the "
                    "line."
                )
            for row in layout.split(line):
                _check_row(row, line, layout, f"{path}, line {number}")
                sentence.lines.append(number)
                sentence.rows.append(row)
            if layout.bars:
                sentence = None
    file = ColumnFile(documents, marks_documents, layout.width, layout.numbered, False)
    return _without_what_is_not_counted(file) if _counts(file) else file


def to_index(column: int, width: int, path: Union[str, Path]) -> int:
    """Convert a column's number to its index in a row.

    Columns count from 1, and from -1 for the last.

    Args:
        column: The number.
        width: Columns of a row.
        path: The file, for messages.

    Raises:
        ValueError: If rows of this width do not have the column.
    """
    index = column - 1 if column > 0 else width + column
    if column == 0 or not 0 <= index < width:
        raise ValueError(
            f"{path} has no column {column}. Its tokens have {width} columns; count "
            "them from 1, or backwards from -1 for the last."
        )
    return index


class _Layout(NamedTuple):
    """What all lines of a file have in common.

    Attributes:
        bars: See `joined_tokens`; 0 if a line is a token.
        tag: Index of the column that tells a token from a comment.
    """

    delimiter: Delimiter
    bars: int
    width: int
    numbered: bool
    tag: int
    spelling: Spelling

    def split(self, line: str) -> List[List[str]]:
        if self.bars:
            return split_tokens(line, self.bars)
        return [self.delimiter.split(line)]

    def is_comment(self, line: str) -> bool:
        """Whether a line is not a token, at a place where a sentence may begin.

        Words may begin with "#", too. So a line that may be a token is one, and a line
        that may be a token without one of its columns is not silently skipped.
        """
        if not line.startswith("#") or self.bars:
            return False
        if self.numbered:
            return True
        row = self.delimiter.split(line)
        lost_columns = (
            1 < len(row) < self.width
            and self.spelling.knows(row[-1])
            and not _ASSIGNMENT.match(line)
        )
        is_token = lost_columns or _is_token(row, self.width, self.tag, self.spelling)
        return not is_token and bool(_COMMENT.match(line))


def _find_layout(
    path: Union[str, Path],
    lines: Sequence[str],
    delimiter: str,
    tag_column: Optional[int],
    first_is_word: bool,
) -> _Layout:
    tokens = [line for line in lines if line.strip(" \t") and not _HEADER.match(line)]
    bars = 0
    if delimiter in (DETECT, BAR) and are_joined(tokens):
        if any(" " in line.strip(" ") for line in tokens):
            bars = count_bars(tokens)
            unequal = find_unequal(tokens, bars)
            if unequal:
                raise ValueError(
                    f"{path}, line {lines.index(unequal) + 1}: in {unequal!r} tokens "
                    "have more parts than others in the file, so the words cannot be "
                    "told. Give every token the same number, such as word|tag."
                )
        else:
            delimiter = BAR
    for mark in QUOTING if Path(path).suffix == ".csv" and delimiter == DETECT else ():
        if tokens and all(mark in line and TAB not in line for line in tokens):
            raise ValueError(
                f"{path}: every line has {mark!r}. If it separates the columns, name it "
                f"(--delimiter {_quoted(mark)})."
            )
    # comments may hold anything
    doubtful = [line for line in tokens if line.startswith("#")]
    tokens = [line for line in tokens if not line.startswith("#")] or tokens
    found = find_delimiter(tokens, delimiter)
    if bars:
        rows = [row for line in tokens for row in split_tokens(line, bars)]
    else:
        rows = [found.split(line) for line in tokens if not found.is_blank(line)]
    width = len(rows[0]) if rows else 0
    tag = -1
    if tag_column is not None and width:
        tag = to_index(tag_column, width, path)
    spelling = find_spelling(row[tag] for row in rows if len(row) == width)
    rows += [
        row
        for row in map(found.split, doubtful)
        if _is_token(row, width, tag, spelling)
    ]
    numbered = not first_is_word and width > 2 and _are_numbered(rows)
    return _Layout(found, bars, width, numbered, tag, spelling)


def _is_token(row: Sequence[str], width: int, tag: int, spelling: Spelling) -> bool:
    """Whether a row that begins with "#" has a tag, and is not "# text = …"."""
    is_assignment = row[0] == "#" and row[2:3] == ["="]
    return len(row) == width and spelling.knows(row[tag]) and not is_assignment


def is_number(field: str) -> bool:
    """Whether a field numbers a token, or what CoNLL-U has besides tokens."""
    return bool(_NUMBER.fullmatch(field))


def _are_numbered(rows: Sequence[Sequence[str]]) -> bool:
    # a number before columns that hold nothing is a word
    return all(is_number(row[0]) for row in rows) and any(
        row[1:2] and row[1] not in PLACEHOLDERS for row in rows
    )


def _counts(file: ColumnFile) -> bool:
    """Whether the numbers of each sentence rise by one, with enough of them to show
    it."""
    if not file.numbered:
        return False
    numbers = [
        [int(row[0]) for row in sentence.rows if row[0].isdigit()]
        for sentence in file.sentences
    ]
    if not all(numbers):
        return False
    steps = [list(range(n[0], n[0] + len(n))) for n in numbers]
    evident = any(len(n) > 1 for n in numbers) or all(n == [1] for n in numbers)
    return steps == numbers and evident


def _without_what_is_not_counted(file: ColumnFile) -> ColumnFile:
    documents: List[List[TokenRows]] = []
    for document in file.documents:
        documents.append([])
        for lines, rows in document:
            counted = [i for i, row in enumerate(rows) if row[0].isdigit()]
            if counted:
                documents[-1].append(
                    TokenRows([lines[i] for i in counted], [rows[i] for i in counted])
                )
    return file._replace(documents=documents, counted=True)


def _quoted(mark: str) -> str:
    # a semicolon ends a shell command
    return f"'{mark}'" if mark == ";" else mark


def _is_after_heading(sentence: TokenRows, line: str, layout: _Layout) -> bool:
    """Whether a comment follows a single row without a tag."""
    if len(sentence.rows) != 1 or layout.bars:
        return False
    (row,) = sentence.rows
    return not layout.spelling.knows(row[layout.tag]) and layout.is_comment(line)


def _check_row(row: List[str], line: str, layout: _Layout, place: str) -> None:
    width, mark = layout.width, layout.delimiter.mark
    tab_among_spaces = mark == SPACES and TAB in line.strip(" \t")
    if len(row) == width > 1 and not tab_among_spaces:
        return
    if tab_among_spaces or (mark == TAB not in line and len(line.split()) == width):
        before, here = ("spaces", "tabs") if mark == SPACES else ("tabs", "spaces")
        raise ValueError(
            f"{place}: {here} separate the columns, but {before} in the lines before. "
            "Use the same throughout, or, if tabs and spaces both separate columns, "
            "set the delimiter to whitespace (--delimiter whitespace)."
        )
    if line.startswith("#") and _COMMENT.match(line):
        raise ValueError(
            f"{place}: {line!r} is not a token with a tag, and comments can only come "
            "before a sentence. Correct the token, or move or delete the comment."
        )
    if len(row) < 2:
        found = [m for m in QUOTING if m in line.strip(m)]
        example = f" {_quoted(found[0])}" if found else ""
        raise ValueError(
            f"{place}: {row[0]!r} stands alone. A line needs at least two columns, the "
            "word first and the tag last, with spaces or tabs between them. Name what "
            f"else separates them (--delimiter{example})."
        )
    raise ValueError(
        f"{place}: {len(row)} columns, but the lines before have {width}. Every "
        "token of a file needs the same number."
    )
