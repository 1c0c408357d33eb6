"""The stage of pyspark.ml, in Pipelines that are saved and loaded."""

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

TEXTS = ["Anna met Bob.", None, "Bob met Anna Anna."]


def test_in_a_pipeline_that_is_saved_and_loaded(
    spark: "SparkSession", ruler: Path, tmp_path: Path
) -> None:
    from pyspark.ml import Pipeline, PipelineModel
    from pyspark.ml.feature import SQLTransformer

    from spacy_elmo_ner.spark import ElmoNerTransformer, annotate

    df = spark.createDataFrame([(one,) for one in TEXTS], "words string")
    ner = ElmoNerTransformer(inputCol="words", outputCol="ner", pipeline=str(ruler))
    count = SQLTransformer(statement="SELECT *, size(ner) AS n FROM __THIS__")
    model = Pipeline(stages=[ner, count]).fit(df)
    found = model.transform(df)
    expected = annotate(
        df, ruler, text_col="words", as_annotations=True, output_col="ner"
    )
    assert found.select("words", "ner").collect() == expected.collect()
    assert [row.n for row in found.collect()] == [1, 0, 2]
    assert found.schema["ner"].metadata == {"annotatorType": "chunk"}
    model.write().overwrite().save(str(tmp_path / "model"))
    again = PipelineModel.load(str(tmp_path / "model"))
    assert again.transform(df).collect() == found.collect()


def test_all_parameters_are_saved(
    spark: "SparkSession", ruler: Path, tmp_path: Path
) -> None:
    from spacy_elmo_ner.spark import ElmoNerTransformer

    ner = ElmoNerTransformer(batchSize=7).setPipeline(str(ruler)).setInputCol("words")
    ner.save(str(tmp_path / "ner"))
    again = ElmoNerTransformer.load(str(tmp_path / "ner"))
    assert again.uid == ner.uid
    values = {param.name: again.getOrDefault(param) for param in again.params}
    assert values == dict(
        batchSize=7, inputCol="words", outputCol="entities", pipeline=str(ruler)
    )
    copied = again.copy({again.outputCol: "ner"})
    assert copied.setBatchSize(9).getOutputCol() == "ner"
    assert again.getOutputCol() == "entities"


def test_a_wrong_parameter_is_said_before_a_job_runs(
    spark: "SparkSession", ruler: Path
) -> None:
    from spacy_elmo_ner.spark import ElmoNerTransformer

    df = spark.createDataFrame([(one,) for one in TEXTS], "words string")
    ner = ElmoNerTransformer(pipeline=str(ruler))
    with pytest.raises(ValueError, match="no column 'text'"):
        ner.transform(df)
    ner.setInputCol("words").setOutputCol("Words")
    with pytest.raises(ValueError, match="already has 'words'"):
        ner.transform(df)
    with pytest.raises(ValueError, match="batch size is 0"):
        ner.setOutputCol("ner").setBatchSize(0).transform(df)
    with pytest.raises(TypeError):
        ner.setBatchSize("many")  # type: ignore[arg-type]
