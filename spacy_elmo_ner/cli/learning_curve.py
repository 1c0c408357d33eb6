"""`learning-curve`: a picture of how training went."""

import math
from pathlib import Path
from typing import Any, Dict, List, Optional

import typer

from ..files.atomic import replacing
from ..training.progress import HISTORY, read_history
from .outputs import check_distinct

PERPLEXITIES = ("perplexity_forward", "perplexity_backward")


def learning_curve(
    picture: Path = typer.Argument(..., help="PNG or SVG file to write"),
    trainings: List[Path] = typer.Argument(..., help="Folders that training wrote"),
) -> None:
    """Draw what each evaluation found: the score on the development corpus, or the
    held-out perplexities of pre-training.
    """
    check_distinct([picture], [folder / HISTORY for folder in trainings])
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise ValueError(
            "Pictures need matplotlib; install it with: pip install matplotlib"
        ) from error
    figure = Figure(figsize=(7, 4), layout="constrained")
    kind = picture.suffix[1:].lower()
    if kind not in figure.canvas.get_supported_filetypes():
        raise ValueError(
            f"{picture} is not a picture; use a name ending in .png or .svg."
        )
    axes = figure.add_subplot()
    names: List[str] = []
    for folder in trainings:
        history = read_history(folder)
        name = folder.resolve().name.encode("utf8", "replace").decode("utf8")
        try:
            if PERPLEXITIES[0] in history[0]:
                names += _draw_perplexities(axes, history, name)
            else:
                names += _draw_scores(axes, history, name)
        except (KeyError, TypeError, ValueError) as error:
            raise ValueError(
                f"The {HISTORY} in {folder} is not what training writes; name a "
                "folder of `python -m spacy_elmo_ner train` or `pretrain`."
            ) from error
    axes.grid(alpha=0.3)
    # matplotlib leaves names that begin with an underscore out of a legend, and reads
    # those with two dollars as formulas
    legend = axes.legend(axes.lines, [str(i) for i in range(len(names))])
    for text, name in zip(legend.get_texts(), names, strict=True):
        text.set(text=name, parse_math=False)
    with replacing(picture) as path:
        figure.savefig(path, format=kind, dpi=120)


def _draw_scores(axes: Any, history: List[Dict[str, Any]], name: str) -> List[str]:
    """Returns the names of the lines."""
    # the first evaluation comes after a single update
    history = history[1:] or history
    steps = [_number(entry["step"]) for entry in history]
    scores = [100 * _number(entry["score"]) for entry in history]
    axes.plot(steps, scores, marker="o", markersize=3)
    axes.set(xlabel="updates", ylabel="F1 on the development corpus")
    return [name]


def _draw_perplexities(
    axes: Any, history: List[Dict[str, Any]], name: str
) -> List[str]:
    if _knows_nothing(history):
        history = history[1:]
    words = [_number(entry["words"]) for entry in history]
    for key in PERPLEXITIES:
        values = [_number(entry[key]) for entry in history]
        axes.plot(words, values, marker="o", markersize=3)
    axes.set(xlabel="words read", ylabel="perplexity on held-out text", yscale="log")
    return [f"{name}, {key.split('_')[1]}" for key in PERPLEXITIES]


def _number(value: Optional[float]) -> float:
    return math.nan if value is None else float(value)


def _knows_nothing(history: List[Dict[str, Any]]) -> bool:
    """Whether the first evaluation is of a random softmax: all else would look flat."""
    first, *later = (entry[PERPLEXITIES[0]] or math.inf for entry in history)
    return bool(later) and first > 10 * later[0]
