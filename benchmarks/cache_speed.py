"""Training on a frozen biLM with a cache: `python -m benchmarks.cache_speed --conll FILE`.

The first epoch encodes each sentence and keeps its layers on disk, the others read
them. Beside it stands the same tagger on static vectors that are as wide as the biLM's
layers. Weights and vectors are random, batches are the same.
"""

import tempfile
import time
from pathlib import Path
from typing import Dict, List

import numpy as np
import spacy
import torch
import typer
from spacy.language import Language
from spacy.training import Example

from spacy_elmo_ner.corpus.reader import create_conll_corpus_v1
from spacy_elmo_ner.elmo.cache_loader import create_elmo_cache_v1

from .pipelines import BATCH, SAMPLE, TAGGER, bilm_of, elmo_pipeline, initialize

app = typer.Typer(add_completion=False)


@app.command()
def main(
    conll: Path = typer.Option(..., help="CoNLL file to train on, such as eng.testa."),
    size: str = typer.Option(
        "original",
        help=f'Published size of the biLM, or "{SAMPLE}".',
    ),
    limit: int = typer.Option(0, help="Sentences to read at most; 0 for all."),
    epochs: int = typer.Option(4, help="Epochs, of which the first fills the cache."),
    threads: int = typer.Option(2, help="Threads of torch."),
) -> None:
    """Print seconds an epoch, and what the cache takes."""
    torch.set_num_threads(threads)
    cached = elmo_pipeline(size, frozen=True)
    examples = read(cached, conll, limit)
    optimizer = initialize(cached, examples)
    width = bilm_of(cached).width
    static = static_pipeline(examples, width)
    static_examples = read(static, conll, limit)
    static_optimizer = initialize(static, static_examples)
    seconds: Dict[str, List[float]] = {"cached ELMo": [], "static vectors": []}
    with tempfile.TemporaryDirectory() as folder:
        create_elmo_cache_v1(folder=Path(folder), max_gigabytes=100.0)(cached)
        # in turn, so that both have the same company
        for _ in range(epochs):
            seconds["cached ELMo"].append(train(cached, examples, optimizer))
            seconds["static vectors"].append(
                train(static, static_examples, static_optimizer)
            )
        taken = sum(file.stat().st_size for file in Path(folder).rglob("*"))
    words = sum(len(example) for example in examples)
    print(
        f"{conll.name}: {words:,} words in {len(examples):,} sentences; biLM of the "
        f"{size} size, {width} values a token; batches of {BATCH}; threads of torch: "
        f"{threads}; spaCy {spacy.__version__}, torch {torch.__version__}.\n"
    )
    print("| seconds | " + "".join(f"epoch {i + 1} | " for i in range(epochs)))
    print("|---" + "|--:" * epochs + "|")
    for name, many in seconds.items():
        print(f"| {name} | " + " | ".join(f"{one:.1f}" for one in many) + " |")
    first, *later = seconds["cached ELMo"]
    beside = np.median(seconds["static vectors"][1:])
    print(
        f"\nAn epoch that reads the cache takes {np.median(later) / beside:.2f} times "
        f"one with static vectors, and {first / np.median(later):.1f} times less than "
        f"one that encodes. A token takes {taken / words / 1000:.1f} kB on disk and "
        f"{(np.median(later) - beside) / words * 1e6:.0f} µs more than a static vector."
    )


def read(nlp: Language, conll: Path, limit: int) -> List[Example]:
    return list(create_conll_corpus_v1(path=conll, limit=limit)(nlp))


def static_pipeline(examples: List[Example], width: int) -> Language:
    """The default tagger on random vectors for the examples' words."""
    nlp = spacy.blank("en")
    words = {token.lower_ for example in examples for token in example.reference}
    random = np.random.default_rng(0)
    for word in sorted(words):
        vector = random.normal(size=width).astype("float32")
        nlp.vocab.set_vector(word, vector)  # type: ignore[arg-type]
    tok2vec = {"@architectures": "spacy_elmo_ner.StaticVectors.v1"}
    model = {**TAGGER, "tok2vec": tok2vec}
    nlp.add_pipe("elmo_ner", config={"model": model})
    return nlp


def train(nlp: Language, examples: List[Example], optimizer: object) -> float:
    """Seconds of an epoch."""
    start = time.perf_counter()
    for i in range(0, len(examples), BATCH):
        nlp.update(examples[i : i + BATCH], sgd=optimizer)  # type: ignore[arg-type]
    return time.perf_counter() - start


if __name__ == "__main__":
    app()
