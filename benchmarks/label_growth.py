"""How the cost of elmo_ner grows with labels: `python -m benchmarks.label_growth PICTURE`.

One batch of sentences goes through nlp.update and through nlp.pipe, with ever more
labels. The tagger is light and reads letters only, so that it is the CRF that grows. Its
scores are random: all tags are about as likely, which is the most that a decoder can
have to do. No cost is printed unless a sentence has the same entities alone and in the
batch.
"""

import itertools
import statistics
import time
from pathlib import Path
from typing import Any, Callable, Dict, List, NamedTuple, Union, cast

import numpy as np
import spacy
import torch
import typer
from matplotlib.figure import Figure
from spacy.language import Language
from spacy.tokens import Doc, Span
from spacy.training import Example

from spacy_elmo_ner.pipeline.elmo_ner import ElmoNer
from spacy_elmo_ner.tagger.network import TaggerNetwork
from spacy_elmo_ner.torch_shim import LazyTorchShim

from .pipelines import TAGGER, initialize
from .texts import Sentences, zipf_sentences

SCHEMES = ["BILUO", "BIO"]
# An entity begins at every fifth token.
APART, LONG = 5, 2

app = typer.Typer(add_completion=False)


@app.command()
def main(
    picture: Path = typer.Argument(..., help="PNG or SVG file to write."),
    labels: List[int] = typer.Option(
        [4, 10, 30, 100, 300, 1000], help="Numbers of labels."
    ),
    batch: int = typer.Option(32, help="Sentences of the batch."),
    length: int = typer.Option(40, help="Tokens a sentence."),
    threads: int = typer.Option(1, help="Threads of torch."),
    rounds: int = typer.Option(5, help="Rounds; the median counts."),
) -> None:
    """Print and draw the seconds of an update and of decoding."""
    torch.set_num_threads(threads)
    words = itertools.chain.from_iterable(zipf_sentences(batch * length))
    sentences = [list(itertools.islice(words, length)) for _ in range(batch)]
    print(
        f"Seconds of a batch of {batch} sentences of {length} tokens; threads of torch: "
        f"{threads}; spaCy {spacy.__version__}, torch {torch.__version__}; medians of "
        f"{rounds} rounds.\n"
    )
    print(
        "| tag scheme | labels | tags | update | decoding "
        "| decoding with probabilities |"
    )
    print("|---|--:|--:|--:|--:|--:|")
    curves: Dict[str, List[Point]] = {}
    for scheme in SCHEMES:
        curves[scheme] = []
        for n_labels in labels:
            point = measure(load(scheme, n_labels), sentences, n_labels, rounds)
            curves[scheme].append(point)
            costs = " | ".join(f"{cost:.3g}" for cost in point.costs.values())
            print(f"| {scheme} | {n_labels} | {point.tags} | {costs} |", flush=True)
    draw(picture, curves)


class Point(NamedTuple):
    """costs: what was done → seconds of a batch."""

    labels: int
    tags: int
    costs: Dict[str, float]


def load(scheme: str, n_labels: int) -> Language:
    nlp = spacy.blank("en")
    tok2vec = {"@architectures": "spacy_elmo_ner.CharCnn.v1"}
    config = {"tag_scheme": scheme, "model": {**TAGGER, "tok2vec": tok2vec}}
    component = cast(ElmoNer, nlp.add_pipe("elmo_ner", config=config))
    for i in range(n_labels):
        component.add_label(f"L{i}")
    return nlp


def measure(nlp: Language, sentences: Sentences, n_labels: int, rounds: int) -> Point:
    """Raises RuntimeError if a sentence has other entities alone than in the batch."""
    component = cast(ElmoNer, nlp.get_pipe("elmo_ner"))
    examples = made_examples(nlp, sentences)
    optimizer = initialize(nlp, examples)
    scatter(nlp)

    def fresh_docs(n: int) -> List[Doc]:
        return [example.predicted.copy() for example in examples[:n]]

    def decode(n: int = len(sentences)) -> List[Any]:
        docs = component.pipe(fresh_docs(n), batch_size=len(sentences))
        return [[(ent.start, ent.end, ent.label_) for ent in doc.ents] for doc in docs]

    together = decode()
    if not any(together) or decode(1) != together[:1]:
        raise RuntimeError(
            f"With {n_labels} labels a sentence has other entities alone than in a "
            "batch, or there are none: the costs cannot be compared."
        )

    def decode_with_probabilities() -> None:
        component.cfg["scores_key"] = "scores"
        decode()
        component.cfg["scores_key"] = None

    work: Dict[str, Callable[[], Any]] = {
        "decoding": decode,
        "decoding with probabilities": decode_with_probabilities,
        "update": lambda: nlp.update(examples, sgd=optimizer),
    }
    costs = {name: seconds(run, rounds) for name, run in work.items()}
    order = ["update", "decoding", "decoding with probabilities"]
    return Point(
        n_labels, len(component.scheme.tags), {name: costs[name] for name in order}
    )


def made_examples(nlp: Language, sentences: Sentences) -> List[Example]:
    """A Doc for each sentence, with entities of all labels."""
    labels = cast(ElmoNer, nlp.get_pipe("elmo_ner")).labels
    random = np.random.default_rng(0)
    examples = []
    for words in sentences:
        starts: List[Union[bool, int, None]] = [i == 0 for i in range(len(words))]
        gold = Doc(nlp.vocab, words=words, sent_starts=starts)
        gold.set_ents(
            [
                Span(
                    gold,
                    start,
                    start + LONG,
                    label=labels[random.integers(len(labels))],
                )
                for start in range(0, len(words) - LONG + 1, APART)
            ]
        )
        examples.append(Example(Doc(nlp.vocab, words=words, sent_starts=starts), gold))
    return examples


def scatter(nlp: Language) -> None:
    """Give the tagger random scores."""
    component = cast(ElmoNer, nlp.get_pipe("elmo_ner"))
    (shim,) = component.model.get_ref("output_layer").shims
    network = cast(TaggerNetwork, cast(LazyTorchShim, shim).module)
    with torch.no_grad():
        for parameter in (network.output.weight, network.output.bias):
            parameter.normal_()
        for parameter in (network.transitions, network.start, network.end):
            parameter.normal_()


def seconds(run: Callable[[], Any], rounds: int) -> float:
    times = []
    for _ in range(rounds + 1):
        start = time.perf_counter()
        run()
        times.append(time.perf_counter() - start)
    # the first is left out: memory is asked for then
    return statistics.median(times[1:])


def draw(picture: Path, curves: Dict[str, List[Point]]) -> None:
    figure = Figure(figsize=(9, 4), layout="constrained")
    all_axes = figure.subplots(1, len(curves), sharey=True)
    for axes, (scheme, points) in zip(all_axes, curves.items(), strict=True):
        for name in points[0].costs:
            xs, ys = [p.labels for p in points], [p.costs[name] for p in points]
            axes.loglog(xs, ys, marker="o", ms=3, label=name)
        axes.set(xlabel="labels", title=scheme)
        axes.grid(which="both", alpha=0.3)
        axes.legend()
    all_axes[0].set(ylabel="seconds a batch")
    figure.savefig(picture, dpi=100)


if __name__ == "__main__":
    app()
