"""Spark's workers beside nlp.pipe: `python -m benchmarks.spark_speed`.

The same texts go through nlp.pipe in one process with one thread and with two, and through
spacy_elmo_ner.spark.annotate on a local Spark with one worker and with two, each with one
thread. All have loaded the pipeline and read some texts before. Memory is the most
that a process has had resident; the workers' is that of the Python processes.
"""

from itertools import product
from pathlib import Path
from typing import List, Optional

import spacy
import torch
import typer

from .fresh_process import in_fresh_process
from .options import CONLL
from .spark_workers import in_one_process, on_spark
from .texts import real_sentences, zipf_sentences

SENTENCES_A_TEXT = 10
WAYS = [("`nlp.pipe`", "thread", in_one_process), ("Spark", "worker", on_spark)]

app = typer.Typer(add_completion=False)


@app.command()
def main(
    conll: Optional[Path] = CONLL,
    limit: int = typer.Option(2000, help="Sentences to read."),
    rounds: int = typer.Option(2, help="Rounds; the median counts."),
    workers: List[int] = typer.Option(
        [1, 2], help="Workers of Spark, and threads of nlp.pipe."
    ),
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
    for (how, unit, measure), count in product(WAYS, workers):
        seconds, memory = in_fresh_process(measure, texts, count, rounds)
        row = f"{how}, {count} {unit}{'s' if count > 1 else ''}"
        print(f"| {row} | {n_words / seconds:,.0f} | {memory:,.0f} |", flush=True)


if __name__ == "__main__":
    app()
