"""How the cost of elmo_ner grows: `python -m benchmarks.growth PICTURE`.

The same words go through nlp.pipe, cut into ever longer sentences and then in ever
larger batches, in one process and in several; that Docs are pickled from process to
process and back counts. The Docs are made beforehand, words given, a sentence each,
and no word was met before a measurement. No cost is printed unless a sentence has the
same entities in any batch and any number of processes.
"""

import itertools
import statistics
import time
from pathlib import Path
from typing import Any, Dict, Iterable, List, NamedTuple

import spacy
import torch
import typer
from matplotlib.figure import Figure
from spacy.language import Language
from spacy.tokens import Doc

from .pipelines import BATCH, SAMPLE, BiLMAlone, elmo_pipeline, made_examples, teach
from .texts import Sentences, zipf_sentences

TAUGHT_SENTENCES = 10 * BATCH
# fewer than made sentences have, so that enough of them are made
LEAST_MEAN_LENGTH = 10

app = typer.Typer(add_completion=False)


@app.command()
def main(
    picture: Path = typer.Argument(..., help="PNG or SVG file to write."),
    size: str = typer.Option(SAMPLE, help=f'Published size, or "{SAMPLE}".'),
    words: int = typer.Option(60_000, help="Words of each measurement."),
    length: List[int] = typer.Option(
        [5, 10, 20, 50, 100, 200, 500], help="Tokens a sentence."
    ),
    batch: List[int] = typer.Option(
        [1, 4, 16, 64, 256, 1024], help="spaCy's batch_size, in sentences."
    ),
    usual_batch: int = typer.Option(32, help="The batch_size while sentences grow."),
    processes: List[int] = typer.Option([1, 2], help="spaCy's n_process."),
    threads: int = typer.Option(1, help="Threads of torch."),
    rounds: int = typer.Option(3, help="Rounds; the median counts."),
) -> None:
    """Print and draw the cost against the sentences' length and against the batch."""
    torch.set_num_threads(threads)
    nlp = load(size)
    made = zipf_sentences(words // LEAST_MEAN_LENGTH + 1)
    stream = list(itertools.islice(itertools.chain.from_iterable(made), words))
    usual = cut(stream, map(len, made))
    print(
        f"Seconds per 1,000 words of nlp.pipe with elmo_ner; biLM of the {size} size, "
        f"threads of torch: {threads}; {len(stream):,} words, {len(set(stream)):,} of "
        f"them different; spaCy {spacy.__version__}, torch {torch.__version__}; medians "
        f"of {rounds} rounds.\n"
    )
    columns = " | ".join(f"n_process {n}" for n in processes)
    print(f"| tokens a sentence | batch | {columns} |")
    print("|--:|--:|" + "--:|" * len(processes))
    by_length, by_batch = [], []
    for n in length:
        reader = Reader(nlp, cut(stream, itertools.repeat(n)), usual_batch)
        by_length.append(reader.point(n, usual_batch, processes, rounds))
        print_row(f"{n}", usual_batch, by_length[-1])
    reader = Reader(nlp, usual, usual_batch)
    for n in batch:
        by_batch.append(reader.point(n, n, processes, rounds))
        print_row(f"{len(stream) / len(usual):.1f} on average", n, by_batch[-1])
    draw(
        picture,
        {
            f"tokens a sentence, in batches of {usual_batch}": by_length,
            "sentences a batch, of all lengths": by_batch,
        },
    )


class Point(NamedTuple):
    """x: what grows; costs: seconds per 1,000 words of each number of processes."""

    x: int
    costs: Dict[int, float]


class Reader:
    """Some sentences, read by a pipeline in one way or another."""

    def __init__(self, nlp: Language, sentences: Sentences, batch: int) -> None:
        self.nlp, self.sentences = nlp, sentences
        self.bilm = BiLMAlone(nlp)
        self.entities = entities_of(nlp.pipe(self.fresh_docs(), batch_size=batch))
        if not any(self.entities):
            raise RuntimeError(
                "The pipeline finds no entities, so that it cannot be seen whether it "
                "finds the same in any batch; pass more words."
            )

    def fresh_docs(self) -> List[Doc]:
        """Docs that no pipeline has read: entities that are there are kept."""
        vocab = self.nlp.vocab
        return [
            Doc(vocab, words=words, sent_starts=[i == 0 for i in range(len(words))])
            for words in self.sentences
        ]

    def point(self, x: int, batch: int, processes: List[int], rounds: int) -> Point:
        times: Dict[int, List[float]] = {n: [] for n in processes}
        for _ in range(rounds):
            for n in processes:
                times[n].append(self.seconds(batch, n))
        thousands = sum(map(len, self.sentences)) / 1000
        return Point(
            x, {n: statistics.median(many) / thousands for n, many in times.items()}
        )

    def seconds(self, batch: int, processes: int) -> float:
        """Raises RuntimeError if the entities are not those found at first."""
        docs = self.fresh_docs()
        self.bilm.forget()
        start = time.perf_counter()
        read = list(self.nlp.pipe(docs, batch_size=batch, n_process=processes))
        taken = time.perf_counter() - start
        if entities_of(read) != self.entities:
            raise RuntimeError(
                f"With batch_size {batch} and n_process {processes} there are other "
                "entities than before: the costs cannot be compared."
            )
        return taken


def load(size: str) -> Language:
    nlp = elmo_pipeline(size)
    teach(nlp, made_examples(nlp, zipf_sentences(TAUGHT_SENTENCES)))
    return nlp


def cut(words: List[str], lengths: Iterable[int]) -> Sentences:
    """Sentences of these lengths, until there are no words left."""
    rest = iter(words)
    pieces = (list(itertools.islice(rest, length)) for length in lengths)
    return list(itertools.takewhile(bool, pieces))


def entities_of(docs: Iterable[Doc]) -> List[Any]:
    return [[(ent.start, ent.end, ent.label_) for ent in doc.ents] for doc in docs]


def print_row(length: str, batch: int, point: Point) -> None:
    costs = " | ".join(f"{cost:.3g}" for cost in point.costs.values())
    print(f"| {length} | {batch} | {costs} |", flush=True)


def draw(picture: Path, panels: Dict[str, List[Point]]) -> None:
    figure = Figure(figsize=(9, 4), layout="constrained")
    all_axes = figure.subplots(1, len(panels), sharey=True)
    for axes, (name, points) in zip(all_axes, panels.items(), strict=True):
        for n in points[0].costs:
            xs, ys = [point.x for point in points], [point.costs[n] for point in points]
            axes.loglog(xs, ys, marker="o", ms=3, label=f"n_process {n}")
        axes.set(xlabel=name)
        axes.grid(which="both", alpha=0.3)
        axes.legend()
    all_axes[0].set(ylabel="seconds per 1,000 words")
    figure.savefig(picture, dpi=120)


if __name__ == "__main__":
    app()
