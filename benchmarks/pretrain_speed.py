"""Pre-training: `python -m benchmarks.pretrain_speed`.

Words a second of whole updates on made text, and how near they come to what the machine
can multiply: the operations of all products in an update, counted by torch as they are
done, against one large product that is measured in the same rounds.
"""

import statistics
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Any, Dict, List, Tuple

import torch
import typer
from spacy.util import load_config
from torch.utils.flop_counter import FlopCounterMode

from spacy_elmo_ner.bilm.encoder import N_BOUNDARIES
from spacy_elmo_ner.pretraining.loop import Reporter, pretrain
from spacy_elmo_ner.pretraining.precision import usable_training_precision
from spacy_elmo_ner.pretraining.processes import Processes
from spacy_elmo_ner.pretraining.settings import Settings, read_settings

from .corpora import made_corpus
from .texts import MEAN_LENGTH, zipf_sentences

# updates before the measured ones: memory is taken, kernels are made
WARM = 3
# rows and columns of the large product
SIDE = 4096

app = typer.Typer(add_completion=False)


@app.command()
def main(
    config: Path = typer.Argument(Path("configs/pretrain.cfg")),
    precision: List[str] = typer.Option(["float32", "bfloat16"]),
    device: str = typer.Option("cpu", help="As torch names it: cuda."),
    updates: int = typer.Option(10, help="Measured updates a round."),
    rounds: int = typer.Option(3, help="Rounds; the median counts."),
    side: int = typer.Option(SIDE, help="Rows and columns of the large product."),
) -> None:
    """Print a row for each precision that the device has."""
    on = Processes(torch.device(device))
    with tempfile.TemporaryDirectory() as folder:
        settings = read_settings(load_config(config).interpolate())
        n_updates = (WARM + updates) * on.count
        n_tokens = n_updates * settings.training.batch_tokens
        settings = made_text(Path(folder), settings, n_tokens)
        say(
            on,
            f"{config}: updates of {settings.training.batch_tokens:,} words in each of "
            f"{on.count} processes; torch {torch.__version__}, {torch.get_num_threads()} "
            f"threads, {on.device}; medians of {rounds} rounds of about {updates} "
            "updates.\n\n| precision | words/s | million operations a word | operations/s "
            "| of large products | share |\n|---|--:|--:|--:|--:|--:|",
        )
        for name in precision:
            if usable_training_precision(name, on.device) != name:
                continue
            training = replace(settings.training, precision=name)
            say(on, row(replace(settings, training=training), on, rounds, side))


def say(processes: Processes, line: str) -> None:
    if processes.rank == 0:
        print(line, flush=True)


def made_text(folder: Path, settings: Settings, n_tokens: int) -> Settings:
    """The settings, for one epoch over about so many made tokens, none of them held out."""
    count = round(n_tokens / (MEAN_LENGTH + N_BOUNDARIES))
    return made_corpus(folder, settings, zipf_sentences(count))


def row(settings: Settings, processes: Processes, rounds: int, side: int) -> str:
    dtype = getattr(torch, settings.training.precision)
    speeds, peaks = [], []
    for _ in range(rounds):
        speeds.append(words_per_second(settings, processes))
        processes.wait()
        peaks.append(product_peak(dtype, processes.device, side))
    operations = operations_per_word(settings, processes)
    speed = statistics.median(speeds)
    [peak] = processes.sum(statistics.median(peaks))
    return (
        f"| {settings.training.precision} | {speed:,.0f} | {operations / 1e6:.2f} "
        f"| {speed * operations / 1e9:,.1f} G | {peak / 1e9:,.1f} G "
        f"| {speed * operations / peak:.0%} |"
    )


def words_per_second(settings: Settings, processes: Processes) -> float:
    marks: List[Tuple[float, int]] = []

    def report(entry: Dict[str, Any]) -> None:
        if processes.device.type == "cuda":
            torch.cuda.synchronize(processes.device)
        marks.append((time.perf_counter(), entry["words"]))

    pretrain_anew(settings, processes, report)
    (start, before), (end, after) = marks[WARM - 1], marks[-1]
    return (after - before) / (end - start)


def operations_per_word(settings: Settings, processes: Processes) -> float:
    """Of all products: a multiplication and an addition are two."""
    words: List[int] = []
    with FlopCounterMode(display=False) as counter:
        pretrain_anew(settings, processes, lambda entry: words.append(entry["words"]))
    [operations] = processes.sum(counter.get_total_flops())
    return operations / words[-1]


def pretrain_anew(settings: Settings, processes: Processes, report: Reporter) -> None:
    def updates_alone(entry: Dict[str, Any]) -> None:
        if "perplexity_forward" not in entry:
            report(entry)

    with tempfile.TemporaryDirectory() as folder:
        pretrain(settings, Path(folder), processes, updates_alone)


def product_peak(dtype: torch.dtype, device: torch.device, side: int) -> float:
    """Operations a second of one large product."""
    one = torch.randn(side, side, device=device).to(dtype)
    out = torch.mm(one, one)
    times = []
    for _ in range(3):
        start = time.perf_counter()
        torch.mm(one, one, out=out)
        if device.type == "cuda":
            torch.cuda.synchronize(device)
        times.append(time.perf_counter() - start)
    return 2 * side**3 / min(times)


if __name__ == "__main__":
    app()
