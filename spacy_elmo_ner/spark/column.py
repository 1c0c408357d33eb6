"""The column of texts → a column of what is found in them."""

from functools import partial
from typing import Any, Callable, Iterable, Iterator, List

import pandas as pd
import torch
from pyspark import TaskContext
from pyspark.sql import Column
from pyspark.sql.functions import col, pandas_udf  # type: ignore[attr-defined]
from pyspark.sql.types import ArrayType, StructType

from .schemas import ANNOTATION, ANNOTATOR_TYPE, annotation, level_type
from .worker import PipelineFiles, Row, find

Find = Callable[[Iterable[Any]], List[List[Row]]]


def rows_column(
    text_col: str, level: str, *, files: PipelineFiles, batch_size: int
) -> Column:
    """The rows of each text, as an array of structs.

    Args:
        text_col: The column of texts.
        level: One of `tables.levels.LEVELS`.
        files: The pipeline.
        batch_size: See `worker.find`.

    Returns:
        The column.
    """
    rows = partial(find, files=files, level=level, batch_size=batch_size)
    return _column(text_col, rows, level_type(level))


def annotations_column(
    text_col: str, name: str, *, files: PipelineFiles, batch_size: int
) -> Column:
    """The entities of each text, as an array of Spark NLP's annotations.

    Args:
        text_col: The column of texts.
        name: What the column is called.
        files: The pipeline.
        batch_size: See `worker.find`.

    Returns:
        The column, with the metadata by which Spark NLP's stages know their input.
    """

    def annotations(texts: Iterable[Any]) -> List[List[Row]]:
        found = find(texts, files=files, level="chunk", batch_size=batch_size)
        return [[annotation(chunk) for chunk in chunks] for chunks in found]

    column = _column(text_col, annotations, ANNOTATION)
    return column.alias(name, metadata={"annotatorType": ANNOTATOR_TYPE})


# A function of the one column, not a mapInPandas of all: only the texts go to Python.
# The other columns stay in Spark, whatever their types; in pandas, large integers would
# lose their last digits as soon as one in their column is null.
def _column(text_col: str, rows: Find, element: StructType) -> Column:
    def in_batches(batches: Iterator[pd.Series]) -> Iterator[pd.Series]:
        task = TaskContext.get()
        if task is not None:
            torch.set_num_threads(task.cpus())
        for texts in batches:
            yield pd.Series(rows(texts), dtype=object)

    function = pandas_udf(in_batches, ArrayType(element))
    # otherwise Spark may call it again for each use of the column
    once = function.asNondeterministic()
    name = text_col.replace("`", "``")
    column: Column = once(col(f"`{name}`"))
    return column
