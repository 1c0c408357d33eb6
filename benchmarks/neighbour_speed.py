"""The default pipeline on cores that it shares: `python -m benchmarks.neighbour_speed`.

Words per second of nlp.pipe, over one stream of sentences, with one thread and with the default threads: alone on the
machine; two processes at once, counted together; beside another torch process that
multiplies matrices with its default threads; and beside plain loops, one for each CPU.
Each process has threads as its environment says (OMP_NUM_THREADS) when it starts, and
none is pinned to a CPU.

The fair share is what a scheduler gives that treats all threads alike: with N threads on
C CPUs beside M busy threads of others, C / (N + M) of a CPU for each, 1 at most. A speed
beside neighbours is compared with that share of the speed with as many threads alone. The
pipeline counts as if it kept all its threads busy; as it does not where it waits for its
longest part, above all in batches of one sentence, it can come to more than its share.

All are measured for the same time, in rounds one after the other, on the same sentences,
read again and again; their words are new each time.
"""

import json
import os
import statistics
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Dict, List, Optional, Tuple

import spacy
import torch
import typer

from spacy_elmo_ner.kernels.cpu_features import usable_cpus

from .neighbours import at_work, end
from .options import CONLL
from .texts import real_sentences, zipf_sentences
from .worker import Worker

ONE, DEFAULT = "1 thread", "default threads"
ALONE, TWO, BESIDE_TORCH, BESIDE_LOOPS = (
    "alone",
    "two processes, together",
    "beside products in torch",
    "beside plain loops",
)
# variables that say how many threads there are, and how they wait
SETTINGS = ("OMP_", "GOMP_", "KMP_", "MKL_")

# where, sentences a batch, threads → words per second in each round
Speeds = Dict[Tuple[str, int, str], List[float]]

app = typer.Typer(add_completion=False)


@app.command()
def main(
    conll: Optional[Path] = CONLL,
    limit: int = typer.Option(128, help="Sentences to read."),
    batch: List[int] = typer.Option([1, 32], help="spaCy's batch_size."),
    rounds: int = typer.Option(5, help="Rounds; the median counts."),
    seconds: float = typer.Option(4.0, help="How long each is measured in a round."),
) -> None:
    """Print words per second alone and beside neighbours, and the shares they are."""
    sentences = zipf_sentences(limit) if conll is None else real_sentences(conll)
    cpus = usable_cpus()
    default = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(SETTINGS)
    }
    environments = {ONE: {**default, "OMP_NUM_THREADS": "1"}, DEFAULT: default}
    neighbours = {BESIDE_TORCH: ("torch", 1), BESIDE_LOOPS: ("loop", cpus)}
    busy: Dict[str, int] = {}
    threads: Dict[str, int] = {}
    speeds: Speeds = {}
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        file = Path(folder) / "sentences.json"
        file.write_text(json.dumps(sentences[:limit]), encoding="utf8")
        text = dict(
            system="default", sentences=str(file), for_seconds=seconds, stream=True
        )
        workers: Dict[str, List[Worker]] = {ONE: [], DEFAULT: []}
        for how in 2 * list(workers):
            worker = Worker(
                Path(sys.executable), "pipelines", Path(folder), environments[how]
            )
            stack.callback(end, worker.process)
            workers[how].append(worker)
        for size in batch:
            # all load the pipeline and meet the batches, so that no measurement waits
            at_once([*workers[ONE], *workers[DEFAULT]], batch=size, **text)

        def measure(where: str, count: int = 1) -> None:
            for size in batch:
                for how, pair in workers.items():
                    answers = at_once(pair[:count], batch=size, **text)
                    threads[how] = min(cpus, int(answers[0]["threads"]))
                    speed = sum(answer["speed"] for answer in answers)
                    speeds.setdefault((where, size, how), []).append(speed)

        for _ in range(rounds):
            measure(ALONE)
            measure(TWO, 2)
            for where, (kind, count) in neighbours.items():
                with at_work(kind, count, default) as busy[where]:
                    measure(where)
    print(
        f"{'Made' if conll is None else conll.name}: {len(sentences[:limit]):,} sentences; "
        f"CPUs: {cpus}; default threads: {threads[DEFAULT]}; spaCy {spacy.__version__}, "
        f"torch {torch.__version__}; medians of {rounds} rounds of {seconds:g} seconds.\n"
    )
    print_table(speeds, threads, busy, cpus)


def at_once(workers: List[Worker], **request: Any) -> List[Dict[str, float]]:
    for worker in workers:
        worker.ask(**request)
    return [worker.answer() for worker in workers]


def fair_share(threads: int, others: int, cpus: int) -> float:
    """Of a CPU, for each of the threads beside so many others."""
    return min(1, cpus / (threads + others))


def print_table(
    speeds: Speeds, threads: Dict[str, int], busy: Dict[str, int], cpus: int
) -> None:
    medians = {what: statistics.median(many) for what, many in speeds.items()}
    print(
        "| where | busy threads beside it | batch | 1 thread, words/s "
        "| default threads, words/s | default / 1 thread | 1 thread, of its fair share "
        "| default threads, of their fair share |"
    )
    print("|---|--:|--:|--:|--:|--:|--:|--:|")
    for where, size in dict.fromkeys((where, size) for where, size, _ in medians):
        one, default = (medians[where, size, how] for how in (ONE, DEFAULT))
        beside, shares = "–", ["–", "–"]
        if where in busy:
            beside = str(busy[where])
            shares = [
                f"{medians[where, size, how] / medians[ALONE, size, how] / share:.2f}"
                for how in (ONE, DEFAULT)
                for share in [fair_share(threads[how], busy[where], cpus)]
            ]
        print(
            f"| {where} | {beside} | {size} | {one:,.0f} | {default:,.0f} "
            f"| {default / one:.2f} | {shares[0]} | {shares[1]} |"
        )


if __name__ == "__main__":
    app()
