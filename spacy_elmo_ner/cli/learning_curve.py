"""`learning-curve`: a picture of how trainings went."""

import math
from pathlib import Path
from typing import Any, Dict, List

import typer

from ..atomic import replacing
from ..progress import read_history

PERPLEXITIES = ("perplexity_forward", "perplexity_backward")


def learning_curve(
    picture: Path = typer.Argument(..., help="PNG or SVG file to write"),
    trainings: List[Path] = typer.Argument(..., help="Folders that training wrote"),
) -> None:
    """Draw what each evaluation found: the score on the development corpus, or a
    pre-training's held-out perplexities."""
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise ValueError(
            "Pictures need matplotlib; install it with: pip install matplotlib"
        ) from error
    figure = Figure(figsize=(7, 4), layout="constrained")
    axes = figure.add_subplot()
    for folder in trainings:
        history = read_history(folder)
        if PERPLEXITIES[0] in history[0]:
            _draw_perplexities(axes, history, folder.name)
        else:
            _draw_scores(axes, history, folder.name)
    axes.grid(alpha=0.3)
    axes.legend()
    with replacing(picture) as path:
        figure.savefig(path, format=picture.suffix[1:], dpi=120)


def _draw_scores(axes: Any, history: List[Dict[str, Any]], name: str) -> None:
    # the first evaluation comes after a single update
    steps = [entry["step"] for entry in history[1:]]
    scores = [100 * entry["score"] for entry in history[1:]]
    axes.plot(steps, scores, marker="o", markersize=3, label=name)
    axes.set(xlabel="updates", ylabel="F1 on the development corpus")


def _draw_perplexities(axes: Any, history: List[Dict[str, Any]], name: str) -> None:
    if _knows_nothing(history):
        history = history[1:]
    words = [entry["words"] for entry in history]
    for key in PERPLEXITIES:
        values = [entry[key] for entry in history]
        label = f"{name}, {key.split('_')[1]}"
        axes.plot(words, values, marker="o", markersize=3, label=label)
    axes.set(xlabel="words read", ylabel="perplexity on held-out text", yscale="log")


def _knows_nothing(history: List[Dict[str, Any]]) -> bool:
    """Whether the first evaluation is of a random softmax: all else would look flat."""
    first, *later = (entry[PERPLEXITIES[0]] or math.inf for entry in history)
    return bool(later) and first > 10 * later[0]
