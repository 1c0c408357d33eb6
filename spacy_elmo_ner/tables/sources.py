"""What `predict` takes → batches of texts, with what stands beside each."""

from itertools import islice
from typing import Any, Iterable, Iterator, List, Mapping, NamedTuple, Optional, Union

from .library import pandas as pd

Texts = Union[str, Iterable[Any], pd.Series, pd.DataFrame]

DOCUMENT = "document"
TEXT = "text"


class Batch(NamedTuple):
    """Texts, and a row for each with its index and the columns beside it."""

    texts: List[str]
    beside: pd.DataFrame


def read_batches(
    texts: Texts, text_column: Optional[str], *, size: int, longest: int
) -> Iterator[Batch]:
    """Split texts into batches, of which there is at least one, if only an empty one.

    What has a length is checked before this returns, an iterator as it is read.

    Args:
        texts: A text, several, or a table that has them.
        text_column: The column of a DataFrame that has the texts; see `find_column`.
        size: Texts per batch.
        longest: The most characters in a text.

    Returns:
        The batches. The index is the table's own, or counts the texts.

    Raises:
        ValueError: If something is not a text, or too long, or no column has the texts.
    """
    if isinstance(texts, str):
        texts = [texts]
    if isinstance(texts, pd.Series):
        texts = texts.to_frame(TEXT)
    elif text_column is not None and not isinstance(texts, pd.DataFrame):
        raise ValueError(
            f"text_column is {text_column!r}, but there is no DataFrame; leave it out."
        )
    if isinstance(texts, pd.DataFrame):
        place = find_column(texts, text_column)
    elif isinstance(texts, (bytes, Mapping)) or not isinstance(texts, Iterable):
        raise ValueError(
            f"The texts are of the type {type(texts).__name__}; give a text, a list or "
            "iterator of texts, or a pandas Series or DataFrame."
        )
    else:
        place = 0
    if hasattr(texts, "__len__"):
        for part in _parts(texts, size):
            _batch(part, place, longest)
    return (_batch(part, place, longest) for part in _parts(texts, size))


def find_column(table: pd.DataFrame, name: Optional[str]) -> int:
    """The number of the column that has the texts: the named one, else the one called
    text, else the only one that holds strings.

    Raises:
        ValueError: If there is none, or more than one.
    """
    columns = list(table.columns)
    if name is None and TEXT in columns:
        name = TEXT
    if name is not None:
        places = [place for place, one in enumerate(columns) if one == name]
    else:
        places = [i for i in range(len(columns)) if _is_text(table.iloc[:, i])]
    if len(places) == 1:
        return places[0]
    found = (
        f"the columns are {', '.join(map(repr, columns))}" if columns else "no column"
    )
    if name is None:
        raise ValueError(
            f"It is not clear which column has the texts; {found}. Name it: "
            'text_column="…".'
        )
    many = "more than one column" if places else "no column"
    raise ValueError(f"There is {many} {name!r}; {found}.")


def _is_text(column: pd.Series) -> bool:
    some = column.dropna().head(1)
    return len(some) > 0 and isinstance(some.iloc[0], str)


def _parts(texts: Texts, size: int) -> Iterator[pd.DataFrame]:
    if isinstance(texts, pd.DataFrame):
        for start in range(0, len(texts) or 1, size):
            yield texts.iloc[start : start + size]
        return
    cells = iter(texts)
    start = 0
    while True:
        some = list(islice(cells, size))
        if start and not some:
            return
        index = pd.RangeIndex(start, start + len(some))
        yield pd.Series(some, index=index, dtype=object).to_frame(TEXT)
        start += size


def _batch(part: pd.DataFrame, place: int, longest: int) -> Batch:
    texts = [
        _text(cell, label, longest)
        for label, cell in zip(part.index, part.iloc[:, place], strict=True)
    ]
    others = [i for i in range(part.shape[1]) if i != place]
    beside = part.iloc[:, others]
    if beside.index.nlevels == 1 and beside.index.name is None:
        beside = beside.rename_axis(index=DOCUMENT)
    return Batch(texts, beside)


def _text(cell: Any, label: Any, longest: int) -> str:
    if not isinstance(cell, str):
        if pd.api.types.is_scalar(cell) and pd.isna(cell):
            return ""
        shown = repr(cell)
        shown = shown if len(shown) <= 40 else shown[:40] + "…"
        raise ValueError(
            f"Row {label!r} holds {shown}, of the type {type(cell).__name__}, which is "
            "not text; make it a string, or leave the row out."
        )
    if len(cell) > longest:
        raise ValueError(
            f"Row {label!r} has {len(cell):,} characters, more than the {longest:,} that "
            "the pipeline's max_length allows; cut it into several texts, or load the "
            "pipeline, raise nlp.max_length and give pipeline=nlp."
        )
    try:
        cell.encode("utf8")
    except UnicodeEncodeError as error:
        raise ValueError(
            f"Row {label!r} holds half a character (a lone surrogate, at position "
            f"{error.start}); read the text as UTF-8."
        ) from error
    return str(cell)  # a tokenizer makes nothing of a subclass, such as numpy's
