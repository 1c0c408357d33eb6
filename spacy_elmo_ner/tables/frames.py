"""Texts → DataFrames of their documents, sentences, entities or tokens."""

from collections import deque
from functools import lru_cache
from pathlib import Path
from typing import Any, Deque, Dict, Iterator, List, Optional, Union

from spacy.language import Language
from spacy.tokens import Doc

from ..pipeline.loading import load
from .levels import COLUMNS, check_level, names_beside, rows
from .library import pandas as pd
from .pipelines import line_is_sentence, sets_entities, settings_of_call
from .progress import progress_bar
from .sources import Batch, Texts, read_batches

BATCH_SIZE = 256
# the others hold strings and lists
DTYPES = {
    **dict.fromkeys(("sentence", "token", "start", "end"), "int64"),
    "chunk": "Int64",  # tokens outside have none
    **dict.fromkeys(("probability", "chunk_probability"), "float64"),
}


def predict(
    texts: Texts,
    output_level: str = "chunk",
    *,
    pipeline: Union[Language, str, Path, None] = None,
    text_column: Optional[str] = None,
    batch_size: int = BATCH_SIZE,
    progress: Optional[bool] = None,
    probabilities: bool = False,
) -> pd.DataFrame:
    """Find the entities of texts, as a table.

    The columns are those of `tables.levels.rows`. The index says which text a row
    belongs to: it is the index of a Series or DataFrame, or counts the texts from 0.
    The other columns of a DataFrame come before those of the entities; one with the
    same name gets the suffix _input. A missing text (None, NaN, NA) is read as an empty
    one, which has a row at the document level, and none at others.

    Args:
        texts: A text; a list or an iterator of texts; a pandas Series; or a DataFrame
            that has a column of texts.
        output_level: A row for each "document", "sentence", "chunk" (an entity) or
            "token".
        pipeline: A pipeline that sets `doc.ents`, or its folder or package; None is the
            default one, which stays loaded.
        text_column: The DataFrame's column of texts. If left out, it is the one named
            text, or else the only one that holds strings.
        batch_size: How many texts are read at once.
        progress: Whether a bar on standard error counts the texts; None shows it if
            that is a terminal, after two seconds.
        probabilities: Whether `elmo_ner` computes the probabilities of entities and
            tokens, which takes time. Without it, their columns are empty, unless the
            component's own settings ask for them.

    Returns:
        The table, in the order of the texts.

    Raises:
        ValueError: If there is no such level or column, a row holds something other
            than a text or one that is too long, or the pipeline cannot be loaded or
            finds no entities.
    """
    frames = predict_frames(
        texts,
        output_level,
        pipeline=pipeline,
        text_column=text_column,
        batch_size=batch_size,
        progress=progress,
        probabilities=probabilities,
    )
    return pd.concat(list(frames))


def predict_frames(
    texts: Texts,
    output_level: str = "chunk",
    *,
    pipeline: Union[Language, str, Path, None] = None,
    text_column: Optional[str] = None,
    batch_size: int = BATCH_SIZE,
    progress: Optional[bool] = None,
    probabilities: bool = False,
) -> Iterator[pd.DataFrame]:
    """Like `predict`, with a table for each batch of texts. If they come from an
    iterator, only a few batches are in memory, and the words that spaCy's vocabulary
    keeps.

    Args:
        texts: See `predict`.
        output_level: See `predict`.
        pipeline: See `predict`.
        text_column: See `predict`.
        batch_size: How many texts a table has rows for.
        progress: See `predict`.
        probabilities: See `predict`.

    Returns:
        The tables, all with the same columns. There is at least one.

    Raises:
        ValueError: See `predict`. What is wrong with an iterator's texts is raised when
            they are read, after the tables before them.
    """
    check_level(output_level)
    if batch_size < 1:
        raise ValueError(f"batch_size is {batch_size}; it has to be 1 or more.")
    nlp = pipeline if isinstance(pipeline, Language) else _load(pipeline)
    batches = read_batches(texts, text_column, size=batch_size, longest=nlp.max_length)
    is_known = not isinstance(texts, str) and hasattr(texts, "__len__")
    total = len(texts) if is_known else None  # type: ignore[arg-type]
    return _frames(
        nlp,
        batches,
        output_level,
        progress_bar(progress, total=total),
        size=batch_size,
        probabilities=probabilities,
    )


def _load(pipeline: Union[str, Path, None]) -> Language:
    return _default_pipeline() if pipeline is None else load(pipeline)


@lru_cache(maxsize=1)
def _default_pipeline() -> Language:
    return load()


def _frames(
    nlp: Language,
    batches: Iterator[Batch],
    level: str,
    bar: Any,
    *,
    size: int,
    probabilities: bool,
) -> Iterator[pd.DataFrame]:
    waiting: Deque[Batch] = deque()

    def texts() -> Iterator[str]:
        for batch in batches:
            waiting.append(batch)
            yield from batch.texts

    by_line = line_is_sentence(nlp)
    finds_entities = False
    settings = settings_of_call(nlp, probabilities=probabilities)
    docs: List[Doc] = []
    # one stream, so that the component may read several batches at a time
    stream = nlp.pipe(texts(), batch_size=size, component_cfg=settings)
    with bar:
        for doc in stream:
            docs.append(doc)
            if len(docs) == len(waiting[0].texts):
                finds_entities = finds_entities or sets_entities(nlp, docs)
                found = [
                    list(rows(one, level, line_is_sentence=by_line)) for one in docs
                ]
                yield _frame(waiting.popleft().beside, found, level)
                bar.update(len(docs))
                docs = []
        for batch in waiting:  # the only one, if there are no texts
            yield _frame(batch.beside, [], level)


def _frame(
    beside: pd.DataFrame, found: List[List[Dict[str, Any]]], level: str
) -> pd.DataFrame:
    columns = list(COLUMNS[level])
    table = pd.DataFrame(
        [row for of_text in found for row in of_text], columns=columns, dtype=object
    )
    table = table.astype({name: DTYPES[name] for name in columns if name in DTYPES})
    places = [place for place, of_text in enumerate(found) for _ in of_text]
    beside = beside.iloc[places]
    table.index = beside.index
    beside = beside.set_axis(
        names_beside(list(beside.columns), columns), axis="columns"
    )
    return pd.concat([beside, table], axis="columns")
