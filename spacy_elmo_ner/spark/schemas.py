"""Types of what is found: the columns of a level, and Spark NLP's annotations."""

from typing import Any, Dict

from pyspark.sql.types import (
    ArrayType,
    DataType,
    DoubleType,
    FloatType,
    IntegerType,
    MapType,
    StringType,
    StructField,
    StructType,
)

from ..tables.levels import COLUMNS
from .worker import Row

INTEGERS = ("sentence", "chunk", "token", "start", "end")
TYPES: Dict[str, DataType] = {
    **dict.fromkeys(INTEGERS, IntegerType()),
    **dict.fromkeys(("text", "tag", "label"), StringType()),
    **dict.fromkeys(("probability", "chunk_probability"), DoubleType()),
    **dict.fromkeys(("entities", "labels"), ArrayType(StringType())),
    "probabilities": ArrayType(DoubleType()),
}

# what Spark NLP's NerConverter writes in `annotatorType`, and into the metadata of its
# column, by which later stages know their input
ANNOTATOR_TYPE = "chunk"
# `Annotation.dataType` of Spark NLP
ANNOTATION = StructType(
    [
        StructField("annotatorType", StringType()),
        StructField("begin", IntegerType(), False),
        StructField("end", IntegerType(), False),
        StructField("result", StringType()),
        StructField("metadata", MapType(StringType(), StringType())),
        StructField("embeddings", ArrayType(FloatType(), False)),
    ]
)


def level_type(level: str) -> StructType:
    """The type of a level's rows.

    Args:
        level: One of `tables.levels.LEVELS`.

    Returns:
        A field for each of its columns, in their order.
    """
    return StructType([StructField(name, TYPES[name]) for name in COLUMNS[level]])


def annotation(chunk: Row) -> Dict[str, Any]:
    """A row of the level "chunk" as NerConverter writes it.

    Args:
        chunk: The row.

    Returns:
        The fields of `ANNOTATION`. `end` is the entity's last character. There is a
        confidence where the entity has a probability.
    """
    metadata = {
        "entity": chunk["label"],
        "sentence": str(chunk["sentence"]),
        "chunk": str(chunk["chunk"]),
    }
    if chunk["probability"] is not None:
        metadata["confidence"] = str(chunk["probability"])
    return {
        "annotatorType": ANNOTATOR_TYPE,
        "begin": chunk["start"],
        "end": chunk["end"] - 1,
        "result": chunk["text"],
        "metadata": metadata,
        "embeddings": [],
    }
