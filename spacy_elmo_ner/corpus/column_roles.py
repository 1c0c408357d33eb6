"""Which columns of a file hold the words and the tags."""

from itertools import groupby
from pathlib import Path
from typing import List, NamedTuple, Optional, Sequence, Union

from .columns import PLACEHOLDERS, ColumnFile, is_number, to_index
from .tag_spelling import find_spelling

SEPARATOR, EQUALS = "|", "="
# English and German phrases, whose tags look like those of entities
CHUNKS = frozenset("NP VP PP ADJP ADVP SBAR PRT CONJP INTJ LST UCP NC VC PC AC".split())


class Roles(NamedTuple):
    """Indices of columns.

    Attributes:
        word: The column of the words.
        tag: The column of the tags.
        attribute: The key of the tags in a column such as `SpaceAfter=No|name=B-PER`,
            or empty.
        note: A sentence on what was recognized. It is empty if the word is the first
            column, the tag is the last, and no other column has entity tags.
    """

    word: int
    tag: int
    attribute: str
    note: str


def find_roles(
    path: Union[str, Path],
    file: ColumnFile,
    *,
    word_column: Optional[int] = None,
    tag_column: Optional[int] = None,
) -> Roles:
    """Find the columns of the words and of the tags.

    The word is in the first column, or in the second if the first counts the tokens.
    The tag is in the last column. If the first column counts, the tag may also be right
    after the word, as in GermEval and Universal NER, and that is used if both are
    possible. If the last column says nothing, the tag is in the only column that is all
    tags.

    Args:
        path: The file, for messages.
        file: Its rows.
        word_column: A number as `to_index` takes it, or None to recognize the column.
        tag_column: Likewise.

    Raises:
        ValueError: If a column is not there; if the first column has numbers that count
            nothing, or names of sentences; if several columns could have the tags.
    """
    if word_column is not None:
        word = to_index(word_column, file.width, path)
    elif file.counted:
        word = 1
    elif file.numbered:
        raise ValueError(
            f"{path}: the first column has nothing but numbers, and they do not count "
            "the tokens of each sentence (1, 2, 3 …), so the words cannot be recognized. Name "
            "their column, which may be the first (--word-column)."
        )
    else:
        _check_first_column(path, file)
        word = 0
    if tag_column is not None:
        tag = to_index(tag_column, file.width, path)
    else:
        tag = _find_tag_column(path, file, word)
    if word == tag:
        raise ValueError(
            f"{path}: column {word + 1} cannot hold both the words and the tags. Name "
            "the columns (--word-column, --tag-column)."
        )
    if word_column is None:
        _check_words_vary(path, file, word, tag)
    attribute = _find_attribute(path, _fields(file, tag))
    note = ""
    recognized = (word_column, tag_column) == (None, None)
    unusual = (word, tag, attribute) != (0, file.width - 1, "")
    others = tag_column is None and any(
        _has_entities(_fields(file, column))
        for column in range(file.width)
        if column not in (word, tag)
    )
    if (recognized and unusual) or others:
        what = f"the attribute {attribute} of column" if attribute else "column"
        note = (
            f"{path} is read with the words in column {word + 1} and the tags in {what} "
            f"{tag + 1} of {file.width}; --word-column and --tag-column name others."
        )
    return Roles(word, tag, attribute, note)


def attribute_of(field: str, key: str) -> Optional[str]:
    """The value of `key` in `SpaceAfter=No|name=B-PER`; None if it is not there."""
    for part in field.split(SEPARATOR):
        name, equals, value = part.partition(EQUALS)
        if equals and name == key:
            return value
    return None


def _check_first_column(path: Union[str, Path], file: ColumnFile) -> None:
    """Check that a first column that counts the tokens does so in all lines."""
    columns = [[row[0] for row in rows] for _, rows in file.sentences]
    count = sum(
        column == [str(i) for i in range(1, len(column) + 1)]
        for column in columns
        if len(column) > 1
    )
    if file.width < 3 or 2 * count <= len(columns):
        return
    for (lines, _), column in zip(file.sentences, columns, strict=True):
        for line, field in zip(lines, column, strict=True):
            if not is_number(field):
                raise ValueError(
                    f"{path}, line {line}: {field!r} is in the first column, which "
                    "counts the tokens of other sentences (1, 2, 3 …). Correct the "
                    "line, or name the words' column (--word-column)."
                )


def _check_words_vary(
    path: Union[str, Path], file: ColumnFile, word: int, tag: int
) -> None:
    """Check that the column of words does not hold names of sentences or documents.

    Such names are the same throughout every sentence. Or, if sentences are not
    separated, they come in runs, and none comes back later, while the words beside them
    differ. A "ha ha ha" among other sentences does neither.
    """
    columns = [
        column
        for column in range(int(file.counted), file.width)
        if column not in (word, tag) and _may_be_words(_fields(file, column))
    ]
    rows = [row for sentence in file.sentences for row in sentence.rows]
    long = [rows for _, rows in file.sentences if len(rows) > 1]
    by_sentence = all(len({row[word] for row in rows}) == 1 for rows in long)
    runs = [list(run) for _, run in groupby(rows, key=lambda row: row[word])]
    by_run = len(runs) == len({run[0][word] for run in runs}) and (
        2 * len(runs) <= len(rows)
        or all(any(c.isdigit() for c in run[0][word]) for run in runs)
    )
    groups = long if by_sentence else runs if by_run else []
    for column in columns:
        if any(len({row[column] for row in group}) > 1 for group in groups):
            raise ValueError(
                f"{path}: column {word + 1} repeats values such as "
                f"{groups[0][0][word]!r} from token to token, while column "
                f"{column + 1} differs, so it seems to name sentences or documents. "
                f"Name the words' column, which may be {word + 1} (--word-column)."
            )


def _may_be_words(fields: Sequence[str]) -> bool:
    return not _are_tags(fields) and not all(map(is_number, set(fields)))


def _has_entities(fields: Sequence[str]) -> bool:
    """Whether these are tags with labels, and not the tags of chunks."""
    different = set(fields)
    if not _are_tags(fields):
        return False
    spelling = find_spelling(different)
    matches = [spelling.pattern.fullmatch(field) for field in different]
    labels = {match["label"] for match in matches if match}
    # a closing bracket has no label
    return bool(labels - CHUNKS - {None})


def _find_tag_column(path: Union[str, Path], file: ColumnFile, word: int) -> int:
    last = file.width - 1
    if file.counted and word + 1 < last and _are_tags(_fields(file, word + 1)):
        return word + 1
    if not set(_fields(file, last)).issubset(PLACEHOLDERS):
        return last
    others = [
        column
        for column in range(file.counted, last)
        if column != word and _are_tags(_fields(file, column))
    ]
    if len(others) > 1:
        raise ValueError(
            f"{path}: the last column has no tags, and the columns "
            f"{' and '.join(str(column + 1) for column in others)} could both have "
            "them. Name the one to read (--tag-column)."
        )
    return others[0] if others else last


def _find_attribute(path: Union[str, Path], fields: Sequence[str]) -> str:
    """The key whose values are all tags, if the fields are lists of attributes."""
    lists = all(field in PLACEHOLDERS or EQUALS in field for field in set(fields))
    if not lists or _are_tags(fields):
        return ""
    keys = {
        part.partition(EQUALS)[0]
        for field in set(fields)
        for part in field.split(SEPARATOR)
        if EQUALS in part
    }
    values = {key: [attribute_of(field, key) for field in set(fields)] for key in keys}
    found = sorted(
        key for key in keys if _are_tags([v for v in values[key] if v is not None])
    )
    if len(found) > 1:
        raise ValueError(
            f"{path}: the attributes {' and '.join(found)} could both be the tags. "
            "Delete those that are not to be read."
        )
    return found[0] if found else ""


def _are_tags(fields: Sequence[str]) -> bool:
    """Whether all of these are tags of one kind."""
    spelling = find_spelling(fields)
    return bool(fields) and all(spelling.knows(field) for field in set(fields))


def _fields(file: ColumnFile, column: int) -> List[str]:
    return [row[column] for sentence in file.sentences for row in sentence.rows]
