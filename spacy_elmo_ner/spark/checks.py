"""Reporting what is wrong on the driver, before a job runs."""

from pathlib import Path
from typing import Iterable, Union

from pyspark.sql import DataFrame
from pyspark.sql.types import StringType

from ..tables.pipelines import no_entities, sets_entities
from .worker import PipelineFiles, loaded


def checked_pipeline(pipeline: Union[str, Path]) -> PipelineFiles:
    """Load a pipeline here, to see that it is one.

    Args:
        pipeline: A folder, or an installed package.

    Returns:
        What the Python processes of the workers have to load.

    Raises:
        ValueError: If it cannot be loaded, or finds no entities.
    """
    name, changed = str(pipeline), 0
    folder = Path(pipeline).absolute()
    if folder.is_dir():
        name = str(folder)
        changed = max(path.stat().st_mtime_ns for path in [folder, *folder.rglob("*")])
    files = PipelineFiles(name, changed)
    nlp = loaded(files)
    if not sets_entities(nlp, []):
        raise no_entities(nlp)
    return files


def check_text_column(df: DataFrame, text_col: str) -> None:
    """Check that a DataFrame has a column of texts.

    Args:
        df: The DataFrame.
        text_col: The column.

    Raises:
        ValueError: If it has no such column, or one of another type.
    """
    types = [field.dataType for field in df.schema.fields if field.name == text_col]
    if len(types) != 1:
        many = "more than one column" if types else "no column"
        columns = ", ".join(map(repr, df.columns)) or "none"
        raise ValueError(
            f"The DataFrame has {many} {text_col!r}; its columns are: {columns}."
        )
    if not isinstance(types[0], StringType):
        raise ValueError(
            f"The column {text_col!r} is of the type {types[0].simpleString()}, not "
            "string; name the column that has the texts, or cast this one."
        )


def check_new_columns(before: Iterable[str], new: Iterable[str]) -> None:
    """Check that no column would be there twice. Spark ignores case.

    Args:
        before: The columns that are kept.
        new: Those that are added.

    Raises:
        ValueError: If some have the same name.
    """
    added = {name.lower() for name in new}
    both = [name for name in before if name.lower() in added]
    if both:
        raise ValueError(
            f"The DataFrame already has {', '.join(map(repr, both))}, a name that the "
            "results need; rename it with df.withColumnRenamed, or drop it."
        )


def check_batch_size(batch_size: int) -> None:
    """Check a number of texts.

    Args:
        batch_size: The number.

    Raises:
        ValueError: If it is less than 1.
    """
    if batch_size < 1:
        raise ValueError(f"The batch size is {batch_size}; it has to be 1 or more.")
