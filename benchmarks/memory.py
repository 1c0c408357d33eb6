"""Peak resident memory: `python -m benchmarks.memory PICTURE`.

A long stream of sentences, in which most words are new, goes through nlp.pipe, beside
the same stream without any component, as spaCy itself keeps every word. Then come a
very long Doc, sentences of very many characters, and training. Each has a process of
its own, so that one peak does not hide another. The weights are random.
"""

import platform
from pathlib import Path
from typing import Any, Dict, List, Optional, Tuple

import spacy
import torch
import typer
from spacy.language import Language
from spacy.tokens import Doc

from .fresh_process import in_fresh_process, peak
from .pipelines import SAMPLE, elmo_pipeline, initialize, made_examples
from .texts import zipf_sentences

# of zipf_sentences
MEAN_LENGTH = 14

Curve = List[Tuple[int, float]]

app = typer.Typer(add_completion=False)


@app.command()
def main(
    picture: Path = typer.Argument(..., help="PNG or SVG file to write."),
    size: str = typer.Option(
        "small", help=f'Published size of the biLM, or "{SAMPLE}".'
    ),
    words: int = typer.Option(1_000_000, help="Words of the stream."),
    step: int = typer.Option(50_000, help="Words from one measurement to the next."),
    doc_tokens: int = typer.Option(100_000, help="Tokens of the long Doc."),
    characters: int = typer.Option(44_000, help="Characters of the long sentences."),
    updates: int = typer.Option(50, help="Updates of the training."),
    batch: int = typer.Option(32, help="Sentences of an update."),
    threads: int = typer.Option(1, help="Threads of torch."),
) -> None:
    """Print how much memory predicting and training take, and draw it."""
    print(
        f"Peak resident memory on {platform.system()} in MB; biLM of the {size} size, "
        f"threads of torch: {threads}; spaCy {spacy.__version__}, "
        f"torch {torch.__version__}.\n"
    )
    curves = {
        name: in_fresh_process(stream, of_size, words, step, threads)
        for name, of_size in (("`elmo_ner`", size), ("no component", None))
    }
    print_curves(curves)
    letters = characters // 2
    parts: Dict[str, Tuple[float, float]] = {}
    for name, tokens in (
        (f"a Doc of {doc_tokens:,} tokens", long_text(doc_tokens)),
        (f"a token of {characters:,} characters", ["x" * characters]),
        (f"{letters:,} tokens without punctuation", ["x"] * letters),
    ):
        parts[name] = in_fresh_process(read_doc, size, tokens, threads)
    for kind, frozen in (("frozen", True), ("fine-tuned", False)):
        name = f"{updates} updates of {batch} sentences, biLM {kind}"
        parts[name] = in_fresh_process(train, size, frozen, updates, batch, threads)
    print_parts(parts)
    draw(picture, curves, parts)


def load(size: Optional[str], threads: int, **settings: Any) -> Language:
    torch.set_num_threads(threads)
    if size is None:
        return spacy.blank("en")
    nlp = elmo_pipeline(size, **settings)
    initialize(nlp, made_examples(nlp, [["Rome", "fell"]]))
    return nlp


def stream(size: Optional[str], words: int, step: int, threads: int) -> Curve:
    """Peaks after so many words."""
    nlp = load(size, threads)
    curve = [(0, peak())]
    seen = 0
    while seen < words:
        # each seed has other words, so that more come up than are kept
        sentences = zipf_sentences(max(1, step // MEAN_LENGTH), seed=len(curve))
        docs = (Doc(nlp.vocab, words=sentence) for sentence in sentences)
        seen += sum(len(doc) for doc in nlp.pipe(docs))
        curve.append((seen, peak()))
    return curve


def long_text(n_tokens: int) -> List[str]:
    sentences = zipf_sentences(n_tokens // MEAN_LENGTH + 1)
    return [word for sentence in sentences for word in [*sentence, "."]][:n_tokens]


def read_doc(size: str, tokens: List[str], threads: int) -> Tuple[float, float]:
    """Peaks before and after the Doc of these tokens, without sentence boundaries."""
    nlp = load(size, threads)
    loaded = peak()
    nlp(Doc(nlp.vocab, words=tokens))
    return loaded, peak()


def train(
    size: str, frozen: bool, updates: int, batch: int, threads: int
) -> Tuple[float, float]:
    """Peaks before and after a training."""
    nlp = load(size, threads, frozen=frozen)
    examples = made_examples(nlp, zipf_sentences(updates * batch))
    optimizer = nlp.create_optimizer()
    loaded = peak()
    for start in range(0, len(examples), batch):
        nlp.update(examples[start : start + batch], sgd=optimizer)
    return loaded, peak()


def print_curves(curves: Dict[str, Curve]) -> None:
    print(f"| words so far | {' | '.join(curves)} |")
    print("|--:|" + "--:|" * len(curves))
    for row in zip(*curves.values(), strict=True):
        print(f"| {row[0][0]:,} | {' | '.join(f'{mb:,.0f}' for _, mb in row)} |")


def print_parts(parts: Dict[str, Tuple[float, float]]) -> None:
    print("\n| what | before | peak | added |")
    print("|---|--:|--:|--:|")
    for name, (before, after) in parts.items():
        print(f"| {name} | {before:,.0f} | {after:,.0f} | {after - before:,.0f} |")


def draw(
    picture: Path, curves: Dict[str, Curve], parts: Dict[str, Tuple[float, float]]
) -> None:
    # kept out of the processes that are measured
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7, 6), layout="constrained")
    stream_axes, part_axes = figure.subplots(2, 1)
    for name, curve in curves.items():
        stream_axes.plot(*zip(*curve, strict=True), marker="o", ms=3, label=name)
    stream_axes.set(xlabel="words read", ylabel="peak, MB", ylim=0)
    stream_axes.grid(alpha=0.3)
    stream_axes.legend()
    before = [one for one, _ in parts.values()]
    added = [after - one for one, after in parts.values()]
    part_axes.barh(list(parts), before, label="before")
    part_axes.barh(list(parts), added, left=before, label="added")
    part_axes.invert_yaxis()
    part_axes.set(xlabel="peak, MB")
    part_axes.legend()
    figure.savefig(picture, dpi=120)


if __name__ == "__main__":
    app()
