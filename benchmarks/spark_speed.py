"""Spark's workers beside nlp.pipe: `python -m benchmarks.spark_speed`.

The same texts go through nlp.pipe in one process with one thread and with two, and through
spacy_elmo_ner.spark.annotate on a local Spark with one worker and with two, which have one
thread each. All have loaded the pipeline and read some texts before. Memory is the most
that a process has had resident; the workers' is that of the Python processes.
"""

from pathlib import Path
from typing import Optional

import spacy
import torch
import typer

from .fresh_process import in_fresh_process
from .options import CONLL
from .spark_workers import in_one_process, on_spark
from .texts import real_sentences, zipf_sentences

SENTENCES_A_TEXT = 10

app = typer.Typer(add_completion=False)


@app.command()
def main(
    conll: Optional[Path] = CONLL,
    limit: int = typer.Option(2000, help="Sentences to read."),
    rounds: int = typer.Option(2, help="Rounds; the median counts."),
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
        print(f"| {how} | {n_words / seconds:,.0f} | {memory:,.0f} |", flush=True)


if __name__ == "__main__":
    app()
