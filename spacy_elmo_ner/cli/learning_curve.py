"""`learning-curve`: a picture of how trainings went."""

from pathlib import Path
from typing import List

import srsly
import typer

from ..atomic import replacing
from ..training.loop import HISTORY


def learning_curve(
    picture: Path = typer.Argument(..., help="PNG or SVG file to write"),
    trainings: List[Path] = typer.Argument(..., help="Folders that training wrote"),
) -> None:
    """Draw the score on the development corpus after each evaluation."""
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise ValueError(
            "Pictures need matplotlib; install it with: pip install matplotlib"
        ) from error
    figure = Figure(figsize=(7, 4), layout="constrained")
    axes = figure.add_subplot()
    for folder in trainings:
        if not (folder / HISTORY).is_file():
            raise ValueError(
                f"There is no {HISTORY} in {folder}; name a folder that "
                "`python -m spacy_elmo_ner train` has written."
            )
        # the first evaluation comes after a single update
        history = list(srsly.read_jsonl(folder / HISTORY))[1:]
        steps = [entry["step"] for entry in history]
        scores = [100 * entry["score"] for entry in history]
        axes.plot(steps, scores, marker="o", markersize=3, label=folder.name)
    axes.set(xlabel="updates", ylabel="F1 on the development corpus")
    axes.grid(alpha=0.3)
    axes.legend()
    with replacing(picture) as path:
        figure.savefig(path, format=picture.suffix[1:], dpi=120)
