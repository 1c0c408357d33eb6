"""Docs → a CoNLL file."""

from pathlib import Path
from typing import Iterable, Iterator, List, Union

from spacy.tokens import Doc

from ..elmo.atomic import replacing
from .columns import DOCUMENT_HEADER
from .docs import to_sentences
from .tag_dialects import check_dialect, spans_to_tags

# what each width has between word and tag, and the header that belongs to it
FILLERS = {2: [], 4: ["-X-", "-X-"]}


def write_conll(
    docs: Iterable[Doc],
    path: Union[str, Path],
    *,
    dialect: str = "iob2",
    columns: int = 4,
    docstart: bool = True,
    separator: str = " ",
) -> None:
    """Write each Doc as a document: sentences, words and entities.

    dialect: one of `TAG_DIALECTS`; io cannot keep neighbours of one type apart.
    columns: 2 for word and tag, 4 with two placeholders between them. docstart: begin
    each Doc with a -DOCSTART- line; leave it out when every Doc is only a sentence.
    separator: a space, or a tab, with which words may hold spaces.

    Raises ValueError when a Doc cannot be said in the format; no file is written then.
    """
    check_dialect(dialect)
    if columns not in FILLERS:
        raise ValueError(f"A CoNLL file has 2 or 4 columns, not {columns}.")
    if separator not in (" ", "\t"):
        raise ValueError(
            f"The columns are separated by a space or a tab, not by {separator!r}."
        )
    fillers = FILLERS[columns]
    with replacing(Path(path)) as temporary:
        with temporary.open("w", encoding="utf-8", newline="\n") as file:
            for number, doc in enumerate(docs, start=1):
                if docstart:
                    header = [DOCUMENT_HEADER, *fillers, "O"]
                    file.write(separator.join(header) + "\n\n")
                try:
                    file.writelines(_lines(doc, dialect, fillers, separator))
                except ValueError as error:
                    raise ValueError(f"Doc {number}: {error}") from None


def _lines(doc: Doc, dialect: str, fillers: List[str], separator: str) -> Iterator[str]:
    for words, entities in to_sentences(doc):
        tags = spans_to_tags(entities, length=len(words), dialect=dialect)
        for word, tag in zip(words, tags, strict=True):
            _check_field(word, separator)
            _check_field(tag, separator)
            yield separator.join([word, *fillers, tag]) + "\n"
        yield "\n"


def _check_field(field: str, separator: str) -> None:
    if any(mark in field for mark in (separator, "\n", "\r")):
        raise ValueError(
            f"{field!r} cannot stand in a column, for it holds a separator or a line "
            "break. Separate the columns with tabs, or tokenise further."
        )
    if field.startswith(DOCUMENT_HEADER):
        raise ValueError(f"{field!r} as a word would be read as a document's header.")
