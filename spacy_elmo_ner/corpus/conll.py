"""CoNLL files → documents of sentences with entity spans."""

from pathlib import Path
from typing import List, NamedTuple, Union

from .columns import TokenRows, read_columns
from .conll_tags import (
    TAG_SCHEMES,
    EntitySpan,
    detect_scheme,
    first_breach,
    split_tag,
    tags_to_spans,
)

DETECT = "auto"


class Sentence(NamedTuple):
    words: List[str]
    entities: List[EntitySpan]


class ConllFile(NamedTuple):
    """The documents of a file and the tag scheme it was read in."""

    documents: List[List[Sentence]]
    scheme: str


def read_conll(path: Union[str, Path], *, scheme: str = DETECT) -> ConllFile:
    """Read a file with the word in the first column and the tag in the last.

    scheme: "auto" finds it from the tags (see `detect_scheme`), and one of
    `TAG_SCHEMES` demands it. See `read_columns` for the layouts that are understood.

    Raises OSError, and ValueError that names the file and the line.
    """
    documents = read_columns(path)
    sentences = [sentence for document in documents for sentence in document]
    check_tag_forms(path, sentences)
    if scheme == DETECT:
        scheme = detect_scheme(_tags(sentence) for sentence in sentences)
    elif scheme not in TAG_SCHEMES:
        raise ValueError(
            f"There is no tag scheme {scheme!r} to read; take one of "
            f"{', '.join((DETECT,) + TAG_SCHEMES)}."
        )
    _check_scheme_kept(path, sentences, scheme)
    return ConllFile(
        [[_to_sentence(rows) for rows in document] for document in documents], scheme
    )


def check_tag_forms(
    path: Union[str, Path], sentences: List[TokenRows], *, column: int = -1
) -> None:
    """Raise ValueError, with file and line, for the first malformed tag of a column."""
    for line, rows in sentences:
        for i, row in enumerate(rows):
            try:
                split_tag(row[column])
            except ValueError as error:
                raise ValueError(f"{path}, line {line + i}: {error}") from None


def _check_scheme_kept(
    path: Union[str, Path], sentences: List[TokenRows], scheme: str
) -> None:
    for sentence in sentences:
        tags = _tags(sentence)
        breach = first_breach(tags, scheme=scheme)
        if breach:
            i, expected = breach
            raise ValueError(
                f"{path}, line {sentence.line + i}: the tag {tags[i]} stands where "
                f"{scheme} has {expected}. Correct the tags, or name the scheme that "
                f"they are in: one of {', '.join(TAG_SCHEMES)}."
            )


def _to_sentence(sentence: TokenRows) -> Sentence:
    words = [row[0] for row in sentence.rows]
    return Sentence(words, tags_to_spans(_tags(sentence)))


def _tags(sentence: TokenRows) -> List[str]:
    return [row[-1] for row in sentence.rows]
