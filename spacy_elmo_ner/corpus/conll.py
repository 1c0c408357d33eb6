"""CoNLL files → documents of sentences with entity spans."""

from pathlib import Path
from typing import Dict, List, NamedTuple, Optional, Sequence, Union

from .bracket_tags import to_iob2
from .column_roles import attribute_of, find_roles
from .columns import DOCUMENT_HEADER, TokenRows, read_columns, to_index
from .conll_tags import (
    OUTSIDE,
    TAG_SCHEMES,
    EntitySpan,
    detect_scheme,
    first_breach,
    tags_to_spans,
)
from .delimiters import DETECT
from .tag_spelling import BRACKETS, find_spelling


class Sentence(NamedTuple):
    """A sentence: its words and its entities."""

    words: List[str]
    entities: List[EntitySpan]


class ConllFormat(NamedTuple):
    """The format of a CoNLL file; "auto" and None are recognized from the file.

    Attributes:
        scheme: One of `TAG_SCHEMES`, or "auto".
        word_column: The words' column, counted from 1, or from -1 for the last.
        tag_column: The tags' column, counted likewise.
        delimiter: See `find_delimiter`.
        pos_column: The column of the parts of speech, counted likewise; None reads none.
    """

    scheme: str = DETECT
    word_column: Optional[int] = None
    tag_column: Optional[int] = None
    delimiter: str = DETECT
    pos_column: Optional[int] = None


class ConllFile(NamedTuple):
    """The documents of a file, and the tag scheme it was read in.

    Attributes:
        documents: Lists of sentences.
        scheme: One of `TAG_SCHEMES`.
        marks_documents: Whether the file marks where its documents begin; otherwise the
            whole file is one document.
        note: A sentence on what was recognized in an unusual layout, or empty.
        pos: The part of speech of each word of the file, if they were read.
    """

    documents: List[List[Sentence]]
    scheme: str
    marks_documents: bool = False
    note: str = ""
    pos: Optional[List[str]] = None


def read_conll(
    path: Union[str, Path],
    *,
    scheme: str = DETECT,
    word_column: Optional[int] = None,
    tag_column: Optional[int] = None,
    delimiter: str = DETECT,
    pos_column: Optional[int] = None,
) -> ConllFile:
    """Read a file with a token and its tag on each line.

    See `read_columns` for the layouts that are understood.

    Args:
        path: The file.
        scheme: One of `TAG_SCHEMES`, or "auto" to recognize it from the tags (see
            `detect_scheme`).
        word_column: The words' column, counted from 1, or from -1 for the last; None to
            recognize it (see `find_roles`).
        tag_column: The tags' column, likewise.
        delimiter: See `find_delimiter`.
        pos_column: The column of the parts of speech, counted likewise; None reads none.

    Raises:
        OSError: If the file cannot be opened.
        ValueError: If it cannot be read as CoNLL. It names the file and the line.
    """
    if scheme != DETECT and scheme not in TAG_SCHEMES:
        raise ValueError(
            f"There is no tag scheme {scheme!r} to read; use one of "
            f"{', '.join((DETECT,) + TAG_SCHEMES)}."
        )
    file = read_columns(
        path,
        delimiter=delimiter,
        tag_column=tag_column,
        first_is_word=word_column == 1,
    )
    if not file.width:
        scheme = detect_scheme([]) if scheme == DETECT else scheme
        return ConllFile([[] for _ in file.documents], scheme, file.marks_documents)
    roles = find_roles(path, file, word_column=word_column, tag_column=tag_column)
    _check_words(path, file.sentences, roles.word)
    tags = read_tags(path, file.sentences, column=roles.tag, attribute=roles.attribute)
    if scheme == DETECT:
        scheme = detect_scheme(tags)
    _check_scheme_kept(path, file.sentences, tags, scheme)
    pos = None
    if pos_column is not None:
        index = to_index(pos_column, file.width, path)
        pos = [row[index] for sentence in file.sentences for row in sentence.rows]
    rest = iter(tags)
    documents = [
        [
            Sentence([row[roles.word] for row in rows], tags_to_spans(next(rest)))
            for _, rows in document
        ]
        for document in file.documents
    ]
    return ConllFile(documents, scheme, file.marks_documents, roles.note, pos)


def read_tags(
    path: Union[str, Path],
    sentences: Sequence[TokenRows],
    *,
    column: int = -1,
    attribute: str = "",
) -> List[List[str]]:
    """Read the tags of a column, or of an attribute in it, as B-PER.

    Args:
        path: The file, for messages.
        sentences: The rows.
        column: Index of the tags' column.
        attribute: The key of the tags within the column, or empty.

    Returns:
        The tags of each sentence.

    Raises:
        ValueError: At the first malformed tag. It names the file and the line.
    """
    fields = [[row[column] for row in rows] for _, rows in sentences]
    if attribute:
        fields = [[_tag_of(field, attribute) for field in line] for line in fields]
        # where O is written out, a token without the attribute has been forgotten
        if all(OUTSIDE not in sentence for sentence in fields):
            fields = [[field or OUTSIDE for field in sentence] for sentence in fields]
    different = {field for sentence in fields for field in sentence}
    spelling = find_spelling(different)
    if spelling is BRACKETS:
        return [
            to_iob2(path, lines, sentence)
            for (lines, _), sentence in zip(sentences, fields, strict=True)
        ]
    tags: Dict[str, str] = {}
    errors: Dict[str, ValueError] = {}
    for field in different:
        try:
            tags[field] = spelling.read(field)
        except ValueError as error:
            errors[field] = error
    if errors:
        first = sentences[0].lines[0]
        for (lines, _), sentence in zip(sentences, fields, strict=True):
            for line, field in zip(lines, sentence, strict=True):
                if field in errors:
                    heading = " If it is a heading, delete the line." * (line == first)
                    raise ValueError(f"{path}, line {line}: {errors[field]}{heading}")
    return [[tags[field] for field in sentence] for sentence in fields]


def _tag_of(field: str, attribute: str) -> str:
    return attribute_of(field, attribute) or ""


def _check_words(
    path: Union[str, Path], sentences: Sequence[TokenRows], column: int
) -> None:
    ordinal = "the first column" if column == 0 else f"column {column + 1}"
    for lines, rows in sentences:
        for line, row in zip(lines, rows, strict=True):
            if not row[column].strip(" "):
                raise ValueError(f"{path}, line {line}: {ordinal}, the word, is empty.")
            if row[column] == DOCUMENT_HEADER:
                raise ValueError(
                    f"{path}, line {line}: {DOCUMENT_HEADER} begins a document only in "
                    "the first column. Delete what is before it."
                )


def _check_scheme_kept(
    path: Union[str, Path],
    sentences: Sequence[TokenRows],
    tags: Sequence[Sequence[str]],
    scheme: str,
) -> None:
    for (lines, _), sentence in zip(sentences, tags, strict=True):
        breach = first_breach(sentence, scheme=scheme)
        if breach:
            i, expected = breach
            raise ValueError(
                f"{path}, line {lines[i]}: the tag {sentence[i]} is where {scheme} "
                f"requires {expected}. Correct the tags, or name the scheme that they "
                f"follow: one of {', '.join(TAG_SCHEMES)}."
            )
