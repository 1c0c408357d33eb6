"""All that is to know of a GPU, in one report: `python -m benchmarks.gpu_check`.

Are vectors and entities those of the CPU, how fast are the pipeline, the biLM and its
pre-training, and how near do they come to what the card can multiply? Beside the
package stand other ways through its recurrence. Weights are random and sentences made.
No way's speed is printed unless its vectors are those of the plain loop.
"""

import warnings
from functools import partial
from pathlib import Path
from typing import Callable, Dict, List, Optional

import numpy as np
import torch
import typer
from spacy.about import __version__ as spacy_version

from .gpu.device import Device
from .gpu.pipeline import check_pipeline
from .gpu.pretraining import time_pretraining
from .gpu.recurrence import time_compiled, time_recurrence
from .gpu.report import Report
from .gpu.vectors import compare_vectors
from .texts import zipf_sentences

# each with the share that it may take of the time that is left when it begins
SECTIONS = {
    "vectors": 0.2,
    "bilm": 0.4,
    "pretraining": 0.4,
    "pipeline": 0.6,
    "compiled": 1.0,
}

app = typer.Typer(add_completion=False)


@app.command()
def main(
    device: str = typer.Option("cuda", help="In torch's words: cuda, cuda:1 or cpu."),
    section: List[str] = typer.Option(list(SECTIONS), help="What to do."),
    size: List[str] = typer.Option(["original", "small"], help="Sizes of the biLM."),
    batch: List[int] = typer.Option([1024, 512, 128, 32], help="Sentences a batch."),
    precision: List[str] = typer.Option(
        ["bfloat16", "float32", "float16", "tf32"], help="Of the biLM."
    ),
    sentences: int = typer.Option(4096, help="Sentences to make."),
    rounds: int = typer.Option(3, help="Rounds; the median counts."),
    update_tokens: List[int] = typer.Option(
        [16384, 65536, 2048], help="Tokens of an update of the pre-training."
    ),
    update_precision: List[str] = typer.Option(["bfloat16", "float32"]),
    config: Path = typer.Option(Path("configs/pretrain.cfg"), help="To pre-train."),
    seconds: float = typer.Option(480.0, help="Most that all may take."),
    output: Optional[Path] = typer.Option(None, help="File for the report, too."),
) -> None:
    """Print the report, section by section."""
    if torch.device(device).type == "cuda" and not torch.cuda.is_available():
        print(
            "torch finds no CUDA device here; to run the same on the CPU, add --device "
            "cpu --size sample --precision float32 --batch 32 --sentences 64 "
            "--update-tokens 512."
        )
        raise typer.Exit(1)
    unknown = sorted({*section} - {*SECTIONS})
    if unknown:
        raise typer.BadParameter(f"no section {unknown[0]}; use {', '.join(SECTIONS)}")
    warnings.filterwarnings("ignore", message=".*(RNN module|weights are random).*")
    report, on, made = (
        Report(output, seconds),
        Device(device, rounds),
        zipf_sentences(sentences),
    )
    report(
        f"# {on}\n\ntorch {torch.__version__}, spaCy {spacy_version}, numpy "
        f"{np.__version__}, {torch.get_num_threads()} threads; "
        f"{sum(map(len, made)):,} made words in {len(made):,} sentences; medians of up "
        f"to {rounds} rounds. Largest products, TFLOP/s:"
    )
    for name in precision:
        peak = report.cell(lambda name=name: f"{on.peak(name) / 1e12:,.1f}")  # type: ignore[misc]
        report(f"- {name}: {peak}")
    bodies: Dict[str, Callable[[], None]] = {
        "vectors": partial(compare_vectors, report, on, size, precision, made),
        "bilm": partial(time_recurrence, report, on, size, precision, batch, made),
        "pretraining": partial(
            time_pretraining, report, on, config, update_precision, update_tokens, made
        ),
        "pipeline": partial(check_pipeline, report, on, size, batch, made),
        "compiled": partial(
            time_compiled, report, on, size[-1:], precision[:1], batch[:1], made
        ),
    }
    for name, share in SECTIONS.items():
        if name in section:
            report.section(name, share, bodies[name])


if __name__ == "__main__":
    app()
