"""Entities as a stage of pyspark.ml."""

from typing import Any, Dict

from pyspark import keyword_only
from pyspark.ml import Transformer
from pyspark.ml.param import Param, Params, TypeConverters
from pyspark.ml.param.shared import HasInputCol, HasOutputCol
from pyspark.ml.util import DefaultParamsReadable, DefaultParamsWritable
from pyspark.sql import DataFrame

from ..pipeline.default_pipeline import NAME
from .dataframe import BATCH_SIZE, ENTITIES, with_annotations


class ElmoNerTransformer(
    Transformer,
    HasInputCol,
    HasOutputCol,
    DefaultParamsReadable["ElmoNerTransformer"],
    DefaultParamsWritable,
):
    """Adds a column that has each text's entities, as Spark NLP's `NerConverter` does.

    Only its parameters are saved: the pipeline is named, not copied.

    Args:
        inputCol: The column of texts.
        outputCol: The column of annotations.
        pipeline: An installed package, or a folder, which has to be there on the driver
            and on all workers.
        batchSize: How many texts a process reads at once.
    """

    pipeline: "Param[str]" = Param(
        Params._dummy(),
        "pipeline",
        "spaCy pipeline: an installed package, or a folder",
        typeConverter=TypeConverters.toString,
    )
    batchSize: "Param[int]" = Param(
        Params._dummy(),
        "batchSize",
        "how many texts a process reads at once",
        typeConverter=TypeConverters.toInt,
    )

    # what keyword_only was called with
    _input_kwargs: Dict[str, Any]

    @keyword_only
    def __init__(
        self,
        *,
        inputCol: str = "text",
        outputCol: str = ENTITIES,
        pipeline: str = NAME,
        batchSize: int = BATCH_SIZE,
    ) -> None:
        super().__init__()
        self._setDefault(
            inputCol="text", outputCol=ENTITIES, pipeline=NAME, batchSize=BATCH_SIZE
        )
        self._set(**self._input_kwargs)

    def _transform(self, dataset: DataFrame) -> DataFrame:
        return with_annotations(
            dataset,
            self.getOrDefault(self.pipeline),
            self.getInputCol(),
            self.getOutputCol(),
            self.getOrDefault(self.batchSize),
        )

    def setInputCol(self, value: str) -> "ElmoNerTransformer":
        """Set the column of texts."""
        return self._set(inputCol=value)

    def setOutputCol(self, value: str) -> "ElmoNerTransformer":
        """Set the column of annotations."""
        return self._set(outputCol=value)

    def setPipeline(self, value: str) -> "ElmoNerTransformer":
        """Set the pipeline."""
        return self._set(pipeline=value)

    def setBatchSize(self, value: int) -> "ElmoNerTransformer":
        """Set how many texts a process reads at once."""
        return self._set(batchSize=value)
