"""Ours beside other systems for named entities: `python -m benchmarks.peers`.

Words per second of each from plain text to entities, tokenization included, in the way
its users call it, on one core: with one thread, in batches of one sentence and of more.
Words are those of the file; the sentences are joined with spaces. Each system in each
precision has a process of its own and is loaded from files; all read the same sentences a
whole number of times in each round, in turn. The weights are random, in published sizes;
ours meets all words anew each time. The speed of CPU time is what the same work would
reach on a core of its own. Systems that are not installed are left out; `pip install
".[peers]"` brings them.
"""

import json
import os
import statistics
import sys
import tempfile
from contextlib import ExitStack, redirect_stdout
from pathlib import Path
from typing import Dict, List, Optional

import torch
import typer

from .fresh_process import in_fresh_process
from .neighbours import end
from .peer_systems import PEERS
from .texts import real_sentences
from .worker import Worker

SAMPLE = Path("assets/sample/dev.conll")
ONE_CORE = {
    "OMP_NUM_THREADS": "1",
    "TOKENIZERS_PARALLELISM": "false",
    # all that is read lies in a folder
    "HF_HUB_OFFLINE": "1",
}

# batch → what a worker measured in each round
Answers = Dict[int, List[Dict[str, float]]]

app = typer.Typer(add_completion=False)


@app.command()
def main(
    conll: Path = typer.Option(SAMPLE, help="CoNLL file to read, such as eng.testa."),
    limit: int = typer.Option(32, help="Sentences to read."),
    system: List[str] = typer.Option(list(PEERS), help="Systems to measure."),
    batch: List[int] = typer.Option([1, 32], help="Sentences a batch."),
    rounds: int = typer.Option(3, help="Rounds; the median counts."),
    seconds: float = typer.Option(
        2.0, help="How long each is measured in a round at least."
    ),
) -> None:
    """Print speed, memory and size of each system in each precision."""
    for name in system:
        if name not in PEERS:
            raise typer.BadParameter(f"{name!r} is none of {', '.join(PEERS)}.")
    sentences = real_sentences(conll)[:limit]
    print(
        f"{conll.name}: {len(sentences):,} sentences, {sum(map(len, sentences)):,} words; "
        f"one thread; torch {torch.__version__}; medians of {rounds} rounds of at least "
        f"{seconds:g} seconds.\n"
    )
    os.environ.update(ONE_CORE)
    missing: Dict[str, str] = {}
    answers: Dict[str, Answers] = {}
    with tempfile.TemporaryDirectory() as place, ExitStack() as stack:
        file = Path(place) / "sentences.json"
        file.write_text(json.dumps(sentences), encoding="utf8")
        workers: Dict[str, Worker] = {}
        sizes: Dict[str, float] = {}
        for name in system:
            folder = Path(place) / str(len(sizes) + len(missing))
            folder.mkdir()
            reason = in_fresh_process(build, name, folder)
            if reason:
                missing[name] = reason
                continue
            sizes[name] = megabytes(folder)
            for precision in PEERS[name].precisions:
                worker = Worker(Path(sys.executable), "peer_systems", folder)
                stack.callback(end, worker.process)
                workers[f"{name}, {precision}"] = worker
        for _ in range(rounds):
            for size in batch:
                for key, worker in workers.items():
                    answer = worker.run(
                        system=key,
                        batch=size,
                        sentences=str(file),
                        for_seconds=seconds,
                        whole=True,
                    )
                    answers.setdefault(key, {}).setdefault(size, []).append(answer)
    print_header(batch)
    for name in system:
        peer = PEERS[name]
        if name in missing:
            cells = [f"not installed: {missing[name]}", *["–"] * (2 + 2 * len(batch))]
            print(f"| {name} | {peer.published} | {' | '.join(cells)} |")
            continue
        for precision in peer.precisions:
            cells = cells_of(answers[f"{name}, {precision}"])
            print(
                f"| {name} | {peer.published} | {precision} | {sizes[name]:,.0f} "
                f"| {' | '.join(cells)} |"
            )


def build(name: str, folder: Path) -> Optional[str]:
    """Write a system's files; returns why it cannot be had, if so."""
    try:
        # libraries print to standard output as they please
        with redirect_stdout(sys.stderr):
            PEERS[name].build(folder)
    except ImportError as error:
        return str(error)
    return None


def megabytes(folder: Path) -> float:
    return sum(path.stat().st_size for path in folder.rglob("*")) / 1e6


def print_header(batches: List[int]) -> None:
    speeds = [
        heading
        for size in batches
        for heading in (f"batch {size}, words/s", "of CPU time")
    ]
    headings = ["system", "sizes of", "precision", "on disk, MB", "peak memory, MB"]
    print(f"| {' | '.join([*headings, *speeds])} |")
    print("|---|---|---|" + "--:|" * (2 + len(speeds)))


def cells_of(answers: Answers) -> List[str]:
    """The peak, then for each batch the speed and that of CPU time."""
    peak = max(answer["peak"] for many in answers.values() for answer in many)
    medians = [
        statistics.median(answer[what] for answer in many)
        for many in answers.values()
        for what in ("speed", "cpu_speed")
    ]
    return [f"{value:,.0f}" for value in (peak, *medians)]


if __name__ == "__main__":
    app()
