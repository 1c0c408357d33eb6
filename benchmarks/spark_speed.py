"""Spark's workers beside nlp.pipe: `python -m benchmarks.spark_speed`.

The same texts go through nlp.pipe in one process with one thread and with two, and through
spacy_elmo_ner.spark.annotate on a local Spark with one worker and with two, which have one
thread each. All have loaded the pipeline and read some texts before. Memory is the most
that a process has had resident; the workers' is that of the Python processes.
"""

import os
import statistics
import sys
import time
from pathlib import Path
from typing import Any, Callable, Iterator, List, Optional, Tuple

import pandas as pd
import spacy
import torch
import typer

from .fresh_process import in_fresh_process, peak
from .texts import real_sentences, zipf_sentences

PIPELINE = "en_elmo_ner_sm"
SENTENCES_A_TEXT = 10
PARTITIONS = 8

Texts = List[str]

app = typer.Typer(add_completion=False)


@app.command()
def main(
    conll: Optional[Path] = typer.Option(
        None, help="CoNLL file to read, such as eng.testa; made sentences if left out."
    ),
    limit: int = typer.Option(3000, help="Sentences to read."),
    rounds: int = typer.Option(3, help="Rounds; the median counts."),
) -> None:
    """Print words per second, and the memory of a process."""
    import pyspark

    some = zipf_sentences(limit) if conll is None else real_sentences(conll)[:limit]
    texts = [
        " ".join(
            word
            for sentence in some[start : start + SENTENCES_A_TEXT]
            for word in sentence
        )
        for start in range(0, len(some), SENTENCES_A_TEXT)
    ]
    n_words = sum(map(len, some))
    print(
        f"{'Made' if conll is None else conll.name}: {n_words:,} words in {len(texts):,} "
        f"texts; spaCy {spacy.__version__}, torch {torch.__version__}, pyspark "
        f"{pyspark.__version__}; medians of {rounds} rounds.\n"
    )
    print("| how | words/s | MB of a process |")
    print("|---|--:|--:|")
    for how, measure, count in (
        ("`nlp.pipe`, 1 thread", in_one_process, 1),
        ("`nlp.pipe`, 2 threads", in_one_process, 2),
        ("Spark, 1 worker", on_spark, 1),
        ("Spark, 2 workers", on_spark, 2),
    ):
        seconds, memory = in_fresh_process(measure, texts, count, rounds)
        print(f"| {how} | {n_words / seconds:,.0f} | {memory:,.0f} |")


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


if __name__ == "__main__":
    app()
