"""What a few sentences teach: `python -m benchmarks.few_sentences TRAIN DEV`.

Trains on the first sentences of a corpus and evaluates on another part of it, whatever its
labels: the default component, the same with a tagger that begins from nothing, and spaCy's
own `ner` with no vectors, each in the same updates.
"""

import random
import statistics
import warnings
from pathlib import Path
from typing import Any, Dict, Iterator, List

import spacy
import typer
from spacy.language import Language
from spacy.training import Example
from spacy.training.batchers import minibatch_by_words
from thinc.api import Adam, fix_random_seed

from spacy_elmo_ner.corpus.reader import read_docs, to_examples

WORDS_OF_BATCH = 500
DROPOUT = {"ner": 0.1, "elmo_ner": 0.5}
SYSTEMS: Dict[str, Dict[str, Any]] = {
    "elmo_ner": {"name": "elmo_ner"},
    "elmo_ner, trained_tagger = false": {
        "name": "elmo_ner",
        "initialize": {"trained_tagger": False},
    },
    "spaCy's ner": {"name": "ner"},
}

app = typer.Typer(add_completion=False)


@app.command()
def main(
    train: Path = typer.Argument(..., help="Corpus to train on."),
    dev: Path = typer.Argument(..., help="Corpus to evaluate on."),
    sentences: List[int] = typer.Option([100, 300, 1000], help="How many to train on."),
    updates: List[int] = typer.Option([10, 50, 100, 300], help="When to evaluate."),
    seeds: int = typer.Option(1, help="Trainings of each; the mean counts."),
    limit: int = typer.Option(0, help="Evaluate on so many sentences, 0 for all."),
) -> None:
    """Print F1 after some updates, a row for each system and number of sentences."""
    warnings.filterwarnings("ignore", category=UserWarning)
    columns = " | ".join(f"{n} updates" for n in updates)
    print(f"| Sentences | System | {columns} |")
    print("| --: | --- |" + " --: |" * len(updates))
    for n in sentences:
        for name, system in SYSTEMS.items():
            runs = [
                list(learn(system, train, dev, n, updates, limit, seed))
                for seed in range(seeds)
            ]
            means = map(statistics.mean, zip(*runs, strict=True))
            row = " | ".join(f"{100 * f1:.1f}" for f1 in means)
            print(f"| {n} | {name} | {row} |", flush=True)


def learn(
    system: Dict[str, Any],
    train: Path,
    dev: Path,
    n: int,
    updates: List[int],
    limit: int,
    seed: int,
) -> Iterator[float]:
    """F1 after each of the numbers of updates."""
    fix_random_seed(seed)
    nlp = spacy.blank("en")
    nlp.add_pipe(system["name"])
    examples, gold = read(nlp, train, n), read(nlp, dev, limit)
    nlp.config["initialize"]["components"][system["name"]] = system.get(
        "initialize", {}
    )
    nlp.initialize(lambda: examples)
    optimizer = Adam(0.001, L2=0.0, grad_clip=1.0)
    done = 0
    while True:
        random.shuffle(examples)
        for batch in minibatch_by_words(examples, WORDS_OF_BATCH):
            nlp.update(batch, sgd=optimizer, drop=DROPOUT[system["name"]])
            done += 1
            if done in updates:
                fresh = [Example(one.x.copy(), one.y) for one in gold]
                yield nlp.evaluate(fresh)["ents_f"] or 0.0
            if done >= max(updates):
                return


def read(nlp: Language, path: Path, limit: int) -> List[Example]:
    docs = read_docs(path, vocab=nlp.vocab, group_by="sentence")
    return list(to_examples(docs, limit=limit))


if __name__ == "__main__":
    app()
