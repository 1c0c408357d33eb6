"""Entities of a Spark DataFrame's texts.

dataframe.py    a DataFrame → its rows, or a column of Spark NLP's annotations
transformer.py  the same column as a stage of pyspark.ml
column.py       the column of texts → the column of what is found
schemas.py      its types
checks.py       reporting what is wrong on the driver, before a job runs
worker.py       what Spark's Python processes do: texts → rows, without Spark
"""

try:
    import pandas  # noqa: F401
    import pyarrow  # noqa: F401
    import pyspark  # noqa: F401
except ImportError as error:
    raise ImportError(
        f"spacy_elmo_ner.spark needs pyspark, pandas and pyarrow ({error}); install them "
        'with: pip install "spacy-elmo-ner[spark]"'
    ) from error

from .dataframe import annotate
from .transformer import ElmoNerTransformer

__all__ = ["ElmoNerTransformer", "annotate"]
