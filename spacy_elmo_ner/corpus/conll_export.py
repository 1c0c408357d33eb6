"""Docs → a CoNLL file."""

from pathlib import Path
from typing import Iterable, Iterator, List, Union

from spacy.tokens import Doc

from ..files.text_files import MARK, write_lines
from .columns import DOCUMENT_HEADER
from .conll_tags import check_scheme, spans_to_tags
from .docs import to_sentences

# for each width the columns between word and tag, and the header
FILLERS = {2: [], 4: ["-X-", "-X-"]}


def write_conll(
    docs: Iterable[Doc],
    path: Union[str, Path],
    *,
    scheme: str = "iob2",
    columns: int = 4,
    docstart: bool = True,
    separator: str = " ",
) -> None:
    """Write each Doc as a document: sentences, words and entities.

    Args:
        docs: The Docs.
        path: The file.
        scheme: See `conll_lines`.
        columns: See `conll_lines`.
        docstart: See `conll_lines`.
        separator: See `conll_lines`.

    Raises:
        ValueError: If the format cannot express a Doc. No file is written then.
    """
    write_lines(
        path,
        conll_lines(
            docs,
            scheme=scheme,
            columns=columns,
            docstart=docstart,
            separator=separator,
        ),
    )


def conll_lines(
    docs: Iterable[Doc],
    *,
    scheme: str = "iob2",
    columns: int = 4,
    docstart: bool = True,
    separator: str = " ",
) -> Iterator[str]:
    """The lines of a CoNLL file, without line ends.

    Tokens of only spaces, tabs and line breaks are left out.

    Args:
        docs: The Docs.
        scheme: One of `TAG_SCHEMES`; io cannot separate neighbouring entities of one
            type.
        columns: 2 for word and tag, 4 with two placeholders between them.
        docstart: Begin each Doc with a -DOCSTART- line; turn it off if every Doc is a
            single sentence.
        separator: A space or a tab. With tabs, words and labels may hold spaces.

    Returns:
        The lines.

    Raises:
        ValueError: If the format cannot express a Doc.
    """
    check_scheme(scheme)
    if columns not in FILLERS:
        raise ValueError(f"A CoNLL file has 2 or 4 columns, not {columns}.")
    if separator not in (" ", "\t"):
        raise ValueError(
            f"The columns are separated by a space or a tab, not by {separator!r}."
        )
    fillers = FILLERS[columns]
    header = [separator.join([DOCUMENT_HEADER, *fillers, "O"]), ""] * docstart
    return _all_lines(docs, scheme, header, fillers, separator)


def _all_lines(
    docs: Iterable[Doc],
    scheme: str,
    header: List[str],
    fillers: List[str],
    separator: str,
) -> Iterator[str]:
    for number, doc in enumerate(docs, start=1):
        yield from header
        try:
            yield from _lines(doc, scheme, fillers, separator)
        except ValueError as error:
            raise ValueError(f"Doc {number}: {error}") from None


def _lines(doc: Doc, scheme: str, fillers: List[str], separator: str) -> Iterator[str]:
    # a tab would make a space-separated file look tab-separated to its readers
    forbidden = "\t\r\n" if separator == "\t" else " \t\r\n"
    for words, entities in to_sentences(doc):
        _check_fields(words, forbidden)
        labels = [label for _, _, label in entities]
        _check_fields(labels, forbidden)
        for label in labels:
            if label.endswith(" "):
                raise ValueError(
                    f"The label {label!r} ends with a space, which a CoNLL file cannot "
                    "express. Give it another name."
                )
        tags = spans_to_tags(entities, length=len(words), scheme=scheme)
        for word, tag in zip(words, tags, strict=True):
            yield separator.join([word, *fillers, tag])
        yield ""


def _check_fields(fields: Iterable[str], forbidden: str) -> None:
    for field in fields:
        if any(mark in field for mark in forbidden):
            raise ValueError(
                f"{field!r} cannot be written in a column, because it holds a space, a "
                "tab or a line break. Words and labels with spaces can be in columns "
                "separated by tabs (--tabs); for the others, split the token or rename "
                "the label."
            )
        if field.lstrip(MARK).startswith(DOCUMENT_HEADER):
            raise ValueError(
                f"The word {field!r} would be read as the beginning of a document."
            )
