"""A DataFrame → what is found in its texts."""

from pathlib import Path
from typing import Union

from pyspark.sql import DataFrame
from pyspark.sql.functions import inline

from ..pipeline.default_pipeline import NAME
from ..tables.levels import COLUMNS, check_level
from .checks import (
    check_batch_size,
    check_new_columns,
    check_text_column,
    checked_pipeline,
)
from .column import annotations_column, rows_column

BATCH_SIZE = 256
ENTITIES = "entities"
# a temporary column
ROWS = "_spacy_elmo_ner_rows"


def annotate(
    df: DataFrame,
    pipeline: Union[str, Path] = NAME,
    *,
    text_col: str = "text",
    output_level: str = "chunk",
    batch_size: int = BATCH_SIZE,
    as_annotations: bool = False,
    output_col: str = ENTITIES,
) -> DataFrame:
    """Find the entities of a DataFrame's texts, on its Spark workers.

    Each Python process of a worker loads the pipeline once. Rows are those of
    `spacy_elmo_ner.predict`, with its columns: the other columns of the DataFrame are
    repeated in each row, and the row's own text takes the place of the whole one. A null
    is read as an empty text, which has a row at the document level, and none at others.

    Args:
        df: The DataFrame.
        pipeline: An installed package, or a folder, which has to be there on the driver
            and on all workers.
        text_col: The column of texts.
        output_level: A row for each "document", "sentence", "chunk" (an entity) or
            "token".
        batch_size: How many texts a process reads at once.
        as_annotations: Keep the rows as they are, and add a column that has each text's
            entities in the form that Spark NLP's `NerConverter` writes.
        output_col: The name of that column.

    Returns:
        A DataFrame; as always in Spark, nothing is read before an action asks for it.

    Raises:
        ValueError: If there is no such column of strings or no such level, a column is
            there already, or the pipeline cannot be loaded or finds no entities.
    """
    check_level(output_level)
    check_batch_size(batch_size)
    check_text_column(df, text_col)
    if as_annotations:
        if output_level != "chunk":
            raise ValueError(
                f"Annotations are entities, but output_level is {output_level!r}; "
                "leave out output_level or as_annotations."
            )
        return with_annotations(df, pipeline, text_col, output_col, batch_size)
    others = [name for name in df.columns if name != text_col]
    check_new_columns(others, COLUMNS[output_level])
    files = checked_pipeline(pipeline)
    found = rows_column(text_col, output_level, files=files, batch_size=batch_size)
    nested = df.withColumn(ROWS, found).drop(text_col)
    return nested.select("*", inline(ROWS)).drop(ROWS)


def with_annotations(
    df: DataFrame,
    pipeline: Union[str, Path],
    text_col: str,
    output_col: str,
    batch_size: int,
) -> DataFrame:
    """Add a column of Spark NLP's annotations.

    Args:
        df: The DataFrame.
        pipeline: See `annotate`.
        text_col: See `annotate`.
        output_col: See `annotate`.
        batch_size: See `annotate`.

    Returns:
        The DataFrame with one more column.

    Raises:
        ValueError: See `annotate`.
    """
    check_batch_size(batch_size)
    check_text_column(df, text_col)
    check_new_columns(df.columns, [output_col])
    files = checked_pipeline(pipeline)
    found = annotations_column(text_col, output_col, files=files, batch_size=batch_size)
    return df.withColumn(output_col, found)
