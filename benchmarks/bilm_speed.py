"""The biLM against AllenNLP's: `python -m benchmarks.bilm_speed`.

Both have the same random weights in a published size and read the same sentences, in
turn, each in a process and an environment of its own. No speed is printed unless
their vectors agree.
"""

import json
import statistics
import tempfile
from pathlib import Path
from typing import Any, Dict, List, Optional

import numpy as np
import torch
import typer

from spacy_elmo_ner.bilm.encoder import ElmoEncoder
from spacy_elmo_ner.bilm.options import ElmoOptions
from spacy_elmo_ner.bilm.weight_files import write_hdf5
from spacy_elmo_ner.bilm.weights import to_weights

from .options import CONLL
from .texts import Sentences, real_sentences, zipf_sentences
from .worker import Worker

FILTERS = ((1, 32), (2, 32), (3, 64), (4, 128), (5, 256), (6, 512), (7, 1024))
SIZES = {
    "small": dict(n_highway=1, lstm_width=1024, projection_width=128),
    "original": dict(n_highway=2, lstm_width=4096, projection_width=512),
}
# AllenNLP's own results differ by that much between torch versions
BETWEEN_VERSIONS, SAME_VERSION = 1e-4, 1e-5
COMPARED_SENTENCES = 64

app = typer.Typer(add_completion=False)


@app.command()
def main(
    conll: Optional[Path] = CONLL,
    size: List[str] = typer.Option(list(SIZES), help="Published sizes to measure."),
    batch: List[int] = typer.Option([1, 32, 128], help="Sentences a batch."),
    threads: List[int] = typer.Option([1, 2], help="Threads of torch."),
    rounds: int = typer.Option(3, help="Rounds; the median counts."),
    seconds: float = typer.Option(10.0, help="How long AllenNLP may take for a round."),
    allennlp_python: Path = typer.Option(
        Path(".venv-allennlp/bin/python"), help="The Python that has AllenNLP."
    ),
    python: Path = typer.Option(Path(".venv/bin/python"), help="The Python for ours."),
) -> None:
    """Print words per second of AllenNLP, and how many times that ours has."""
    if conll is None:
        text, sentences = "made", zipf_sentences(3250)
    else:
        text, sentences = conll.name, real_sentences(conll)
    print(
        "| size | text | batch | threads | AllenNLP, words/s | ours, words new "
        "| ours, words kept | bfloat16 | int8 | nn.LSTM alone | products alone |"
    )
    print("|---|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|")
    for name in size:
        with tempfile.TemporaryDirectory() as folder:
            measure_size(
                name, Path(folder), text, sentences, batch, threads, rounds, seconds,
                theirs=allennlp_python, ours=python,
            )  # fmt: skip


def measure_size(
    name: str,
    folder: Path,
    text: str,
    sentences: Sentences,
    batches: List[int],
    threads: List[int],
    rounds: int,
    seconds: float,
    *,
    theirs: Path,
    ours: Path,
) -> None:
    torch.manual_seed(0)
    options = ElmoOptions(filters=FILTERS, **SIZES[name])  # type: ignore[arg-type]
    write_hdf5(
        to_weights(ElmoEncoder(options)),
        folder / "weights.hdf5",
        folder / "options.json",
    )
    allennlp, own = (Worker(python, "systems", folder) for python in (theirs, ours))
    file = folder / "sentences.json"
    compare_vectors(allennlp, own, sentences, folder)
    for size in batches:
        for n_threads in threads:
            setting = dict(threads=n_threads, batch=size, sentences=str(file))
            some = affordable(allennlp, sentences, seconds, setting)
            file.write_text(json.dumps(some), encoding="utf8")
            words = sum(len(sentence) for sentence in some)
            times: Dict[str, List[float]] = {}
            for _ in range(rounds):
                for column, worker, extra in (
                    ("allennlp", allennlp, {}),
                    ("ours", own, {}),
                    ("ours kept", own, {"keep": True}),
                    ("bfloat16 kept", own, {"keep": True}),
                    ("int8 kept", own, {"keep": True}),
                    ("nn.LSTM", own, {}),
                    ("products", own, {}),
                ):
                    system = column.split()[0]
                    answer = worker.run(system=system, **setting, **extra)
                    times.setdefault(column, []).append(answer["seconds"])
            medians = {key: statistics.median(many) for key, many in times.items()}
            base = medians.pop("allennlp")
            ratios = " | ".join(f"{base / one:.1f}×" for one in medians.values())
            print(
                f"| {name} | {text}, {words:,} words | {size} | {n_threads} "
                f"| {words / base:,.0f} | {ratios} |",
                flush=True,
            )


def affordable(
    allennlp: Worker, sentences: Sentences, seconds: float, setting: Dict[str, Any]
) -> Sentences:
    """As many of the first sentences as AllenNLP reads in that time, in whole batches."""
    size = setting["batch"]
    trial = sentences[: max(size, 8)]
    Path(setting["sentences"]).write_text(json.dumps(trial), encoding="utf8")
    taken = allennlp.run(system="allennlp", **setting)["seconds"]
    speed = sum(len(sentence) for sentence in trial) / taken
    n, words = 0, 0
    while n < len(sentences) and words < speed * seconds:
        words += sum(len(sentence) for sentence in sentences[n : n + size])
        n += size
    return sentences[:n]


def compare_vectors(
    allennlp: Worker, own: Worker, sentences: Sentences, folder: Path
) -> None:
    """Raise RuntimeError unless both systems give the same vectors."""
    file = folder / "sentences.json"
    file.write_text(json.dumps(sentences[:COMPARED_SENTENCES]), encoding="utf8")

    def vectors(worker: Worker, system: str) -> np.ndarray:
        path = folder / "vectors.npy"
        worker.run(
            system=system, threads=1, batch=32, sentences=str(file), vectors=str(path)
        )
        loaded: np.ndarray = np.load(path)
        return loaded

    expected = vectors(allennlp, "allennlp")
    exact = vectors(own, "ours")
    for found, bound, where in (
        (exact, BETWEEN_VERSIONS, "this environment"),
        (vectors(allennlp, "ours"), SAME_VERSION, "AllenNLP's environment"),
    ):
        difference = np.abs(found - expected).max()
        print(f"<!-- largest difference in {where}: {difference:.1e} -->")
        if not difference <= bound:
            raise RuntimeError(
                f"Our vectors in {where} differ from AllenNLP's by {difference:.1e}, "
                f"more than {bound:.0e}: their speeds cannot be compared."
            )
    for precision in ("bfloat16", "int8"):
        rounded = vectors(own, precision)
        cosine = (rounded * exact).sum(1) / (
            np.linalg.norm(rounded, axis=1) * np.linalg.norm(exact, axis=1)
        )
        print(
            f"<!-- {precision}, cosine: mean {cosine.mean():.5f}, "
            f"least {cosine.min():.5f} -->"
        )


if __name__ == "__main__":
    app()
