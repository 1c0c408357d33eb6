"""What a few sentences teach: `python -m benchmarks.few_sentences run RESULTS TRAIN DEV`.

Trains on the first sentences of a corpus and evaluates on another part of it, whatever its
labels, in the same batches: elmo_ner with the settings of `init-config`, and spaCy's own
`ner` with those of `spacy init config`, for efficiency without vectors and for accuracy
with some. No state is chosen on what is evaluated on. Each training is a line of the
results; those that are there are not run again. `table RESULTS` makes a table and a picture.
"""

import statistics
import time
import warnings
from itertools import groupby
from pathlib import Path
from typing import Any, Dict, Iterator, List, Optional, Tuple

import srsly
import typer
from matplotlib.figure import Figure
from spacy.cli.init_config import init_config
from spacy.language import Language
from spacy.training import Example
from spacy.util import load_model_from_config, registry
from thinc.api import Config, Optimizer, fix_random_seed

from spacy_elmo_ner.cli.init_config import filled
from spacy_elmo_ner.corpus.reader import read_docs, to_examples

from .updates import numbered_batches

EVALUATED_TOGETHER = 64
ELMO_NER, NEW_TAGGER, NER, NER_VECTORS = SYSTEMS = (
    "elmo_ner",
    "elmo_ner, trained_tagger = false",
    "spaCy's ner",
    "spaCy's ner, GloVe",
)
# what own-labels.md says of such a tagger
NEW_TAGGER_RATE, NEW_TAGGER_DROPOUT = 0.003, 0.3
Line = Dict[str, Any]

app = typer.Typer(add_completion=False)


@app.command()
def run(
    results: Path = typer.Argument(..., help="JSONL file to add to."),
    train: Path = typer.Argument(..., help="Corpus to train on."),
    dev: Path = typer.Argument(..., help="Corpus to evaluate on."),
    system: List[str] = typer.Option([ELMO_NER, NEW_TAGGER, NER], help="Of SYSTEMS."),
    vectors: Optional[Path] = typer.Option(None, help="Pipeline with ner's vectors."),
    sentences: List[int] = typer.Option([100, 300, 1000], help="Of TRAIN; 0 for all."),
    updates: List[int] = typer.Option([10, 50, 100, 300], help="When to evaluate."),
    seed: List[int] = typer.Option([0], help="One training of each."),
    limit: int = typer.Option(0, help="Evaluate on so many sentences, 0 for all."),
) -> None:
    """Train what is not in the results yet, one after the other."""
    warnings.filterwarnings("ignore", category=UserWarning)
    done = read(results) if results.exists() else []
    for of_seed, n, name in (
        (s, n, name) for s in seed for n in sentences for name in system
    ):
        asked = {"corpus": train.name, "sentences": n, "system": name, "seed": of_seed}
        if any(asked.items() <= line.items() for line in done):
            continue
        start = time.process_time()
        fix_random_seed(of_seed)
        nlp, optimizer, dropout = system_of(name, vectors)
        examples, gold = examples_of(nlp, train, n), examples_of(nlp, dev, limit)
        nlp.initialize(lambda: examples)  # noqa: B023
        scores = learn(nlp, optimizer, dropout, examples, gold, updates)
        line = {
            **asked,
            "evaluated_on": len(gold),
            "f1": {str(n): f1 for n, f1 in scores},
            "minutes": (time.process_time() - start) / 60,
        }
        with results.open("a", encoding="utf8") as file:
            file.write(srsly.json_dumps(line) + "\n")
        print(line, flush=True)


def system_of(name: str, vectors: Optional[Path]) -> Tuple[Language, Optimizer, float]:
    """A pipeline that is not initialized, its optimizer, and the dropout."""
    if name in (ELMO_NER, NEW_TAGGER):
        config = filled("en", {})
        if name == NEW_TAGGER:
            config["initialize"]["components"]["elmo_ner"] = {"trained_tagger": False}
            config["training"]["optimizer"]["learn_rate"] = NEW_TAGGER_RATE
            config["training"]["dropout"] = NEW_TAGGER_DROPOUT
    else:
        optimize = "accuracy" if name == NER_VECTORS else "efficiency"
        config = init_config(lang="en", pipeline=["ner"], optimize=optimize, gpu=False)
        config["paths"]["vectors"] = str(vectors) if name == NER_VECTORS else None
    nlp = load_model_from_config(Config(config), auto_fill=True)
    training = registry.resolve(
        {"optimizer": nlp.config["training"]["optimizer"]}, validate=False
    )
    return nlp, training["optimizer"], nlp.config["training"]["dropout"]


def learn(
    nlp: Language,
    optimizer: Optimizer,
    dropout: float,
    examples: List[Example],
    gold: List[Example],
    updates: List[int],
) -> Iterator[Tuple[int, float]]:
    """F1 after each of the numbers of updates."""
    for done, batch in numbered_batches(examples):
        nlp.update(batch, sgd=optimizer, drop=dropout)
        optimizer.step_schedules()
        if done in updates:
            fresh = [Example(one.x.copy(), one.y) for one in gold]
            with nlp.use_params(optimizer.averages or {}):
                scores = nlp.evaluate(fresh, batch_size=EVALUATED_TOGETHER)
            yield done, scores["ents_f"] or 0.0
        if done >= max(updates):
            return


def examples_of(nlp: Language, path: Path, limit: int) -> List[Example]:
    docs = read_docs(path, vocab=nlp.vocab, group_by="sentence")
    return list(to_examples(docs, limit=limit))


@app.command()
def table(
    results: Path = typer.Argument(..., help="What `run` wrote."),
    picture: Optional[Path] = typer.Option(None, help="PNG or SVG file to write."),
) -> None:
    """Print F1 after some updates, mean and deviation over the seeds, and draw the last."""
    lines = sorted(read(results), key=place)
    updates = list(lines[0]["f1"])
    columns = " | ".join(f"{n} updates" for n in updates)
    print(f"| Corpus | Sentences | System | Seeds | {columns} | Minutes |")
    print("| --- | --: | --- | --: |" + " --: |" * len(updates) + " --: |")
    last: Dict[str, Dict[str, List[Tuple[int, float]]]] = {}
    for (corpus, n, system), runs in groupby(lines, place):
        of_seeds = list(runs)
        scores = [[100 * one["f1"][at] for one in of_seeds] for at in updates]
        minutes = statistics.mean(one["minutes"] for one in of_seeds)
        cells = " | ".join(map(mean_and_deviation, scores))
        name = SYSTEMS[system]
        print(
            f"| {corpus} | {n or 'all'} | {name} | {len(of_seeds)} | {cells} "
            f"| {minutes:.1f} |"
        )
        if n:
            points = last.setdefault(corpus, {}).setdefault(name, [])
            points.append((n, statistics.mean(scores[-1])))
    if picture is not None:
        draw(picture, last, updates[-1])


def place(line: Line) -> Tuple[str, int, int]:
    return line["corpus"], line["sentences"], SYSTEMS.index(line["system"])


def mean_and_deviation(values: List[float]) -> str:
    mean = f"{statistics.mean(values):.1f}"
    return f"{mean} ± {statistics.stdev(values):.1f}" if len(values) > 1 else mean


def draw(
    picture: Path,
    curves: Dict[str, Dict[str, List[Tuple[int, float]]]],
    updates: str,
) -> None:
    figure = Figure(figsize=(4.5 * len(curves), 4), layout="constrained")
    all_axes = figure.subplots(1, len(curves), sharey=True, squeeze=False)[0]
    for axes, (corpus, of_systems) in zip(all_axes, curves.items(), strict=True):
        for name, points in of_systems.items():
            axes.semilogx(*zip(*points, strict=True), marker="o", ms=3, label=name)
        axes.set(xlabel="sentences", title=corpus)
        axes.grid(which="both", alpha=0.3)
        axes.legend()
    all_axes[0].set(ylabel=f"F1 after {updates} updates", ylim=(0, 100))
    figure.savefig(picture, dpi=100)


def read(results: Path) -> List[Line]:
    lines: List[Line] = list(srsly.read_jsonl(results))
    return lines


if __name__ == "__main__":
    app()
