"""What probabilities cost: `python -m benchmarks.probability_cost --conll eng.testa`."""

import statistics
import time
from pathlib import Path
from typing import Any, Dict, List

import torch
import typer

from spacy_elmo_ner.cli.loading import ner_of
from spacy_elmo_ner.corpus.reader import create_conll_corpus_v1
from spacy_elmo_ner.pipeline.default_pipeline import load_default_pipeline

from .options import REAL_CONLL

WAYS: Dict[str, Dict[str, Any]] = {
    "none": {},
    "of entities (`scores_key`)": {"scores_key": "scores"},
    "of entities and tokens (`probabilities`)": {"probabilities": True},
}

app = typer.Typer(add_completion=False)


@app.command()
def main(
    conll: Path = REAL_CONLL,
    rounds: int = typer.Option(3, help="Rounds; the median counts."),
    limit: int = typer.Option(0, help="Docs to read at most; 0 for all."),
) -> None:
    """Print words per second of the default pipeline's nlp.pipe, and of the 3 best
    readings."""
    torch.set_num_threads(1)
    nlp = load_default_pipeline()
    ner = ner_of(nlp)
    corpus = create_conll_corpus_v1(path=conll, group_by="document", limit=limit)
    docs = [example.predicted for example in corpus(nlp)]
    words = sum(map(len, docs))
    list(nlp.pipe(doc.copy() for doc in docs))  # all words are known from here on
    seconds: Dict[str, List[float]] = {}
    for _ in range(rounds):
        for name, settings in WAYS.items():
            fresh = [doc.copy() for doc in docs]
            start = time.perf_counter()
            list(nlp.pipe(fresh, component_cfg={ner.name: {**settings}}))
            seconds.setdefault(name, []).append(time.perf_counter() - start)
        start = time.perf_counter()
        ner.k_best(docs, 3)
        seconds.setdefault("the 3 best readings (`k_best`)", []).append(
            time.perf_counter() - start
        )
    print("| probabilities | words per second | time |")
    print("|---|--:|--:|")
    least = statistics.median(seconds["none"])
    for name, many in seconds.items():
        middle = statistics.median(many)
        print(f"| {name} | {words / middle:,.0f} | {middle / least - 1:+.0%} |")


if __name__ == "__main__":
    app()
