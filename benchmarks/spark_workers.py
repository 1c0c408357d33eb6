"""What benchmarks.spark_speed measures, in a module that Spark's workers import."""

import os
import statistics
import sys
import time
from typing import Any, Callable, Iterator, List, Tuple

import pandas as pd
import spacy
import torch

from .fresh_process import peak

PIPELINE = "en_elmo_ner_sm"
PARTITIONS = 4

Texts = List[str]


def in_one_process(texts: Texts, threads: int, rounds: int) -> Tuple[float, float]:
    torch.set_num_threads(threads)
    nlp = spacy.load(PIPELINE)
    seconds = median_seconds(lambda: [doc.ents for doc in nlp.pipe(texts)], rounds)
    return seconds, peak()


def on_spark(texts: Texts, workers: int, rounds: int) -> Tuple[float, float]:
    from pyspark.sql import SparkSession
    from pyspark.sql.functions import pandas_udf  # type: ignore[attr-defined]

    from spacy_elmo_ner.spark import annotate

    os.environ["SPARK_LOCAL_IP"] = "127.0.0.1"
    os.environ["PYSPARK_PYTHON"] = sys.executable
    options = {
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.driver.memory": "512m",
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
    }
    builder = SparkSession.Builder().master(f"local[{workers}]")
    for name, value in options.items():
        builder = builder.config(name, value)
    spark = builder.getOrCreate()
    spark.sparkContext.setLogLevel("ERROR")
    rows = [(text,) for text in texts]
    df = spark.createDataFrame(rows, "text string").repartition(PARTITIONS).cache()
    df.count()
    write = annotate(df, PIPELINE).write.format("noop").mode("overwrite")
    seconds = median_seconds(write.save, rounds)
    # asked in a column, too: tasks of another kind have processes of their own
    memories = df.select(pandas_udf(peaks, "double")("text").alias("peak")).collect()
    most = max(row.peak for row in memories)
    spark.stop()
    return seconds, most


def peaks(batches: Iterator[pd.Series]) -> Iterator[pd.Series]:
    for batch in batches:
        yield pd.Series([peak()] * len(batch))


def median_seconds(run: Callable[[], Any], rounds: int) -> float:
    run()
    seconds = []
    for _ in range(rounds):
        start = time.perf_counter()
        run()
        seconds.append(time.perf_counter() - start)
    return statistics.median(seconds)
