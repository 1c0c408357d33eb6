"""Can its probabilities be trusted: `python -m benchmarks.calibration PICTURE --conll eng.testa`.

The default pipeline's temperature is fitted on one half of the documents and measured on
the other, and the reverse; each cell has both. Beside it stand two confidences that are made of the same
scores in the ways of others: the mean over an entity's tokens of the softmax over the
emissions, of the tag (Flair's tagger) or of the likeliest tag (Spark NLP's NerDL), which
know nothing of transitions. They get a temperature, too, fitted in the same way.
"""

from functools import partial
from pathlib import Path
from typing import Callable, Dict, List, NamedTuple, Sequence

import numpy as np
import typer
from matplotlib.figure import Figure
from numpy.typing import NDArray
from spacy.training import Example

from spacy_elmo_ner.cli.loading import ner_of
from spacy_elmo_ner.corpus.reader import create_conll_corpus_v1
from spacy_elmo_ner.evaluation.calibration import (
    bins_of,
    expected_calibration_error,
    risk_coverage_area,
)
from spacy_elmo_ner.evaluation.guesses import Guess, compare
from spacy_elmo_ner.evaluation.temperature import fit_temperature
from spacy_elmo_ner.kernels.threads import own_threads
from spacy_elmo_ner.pipeline.decoding import Entities, decode
from spacy_elmo_ner.pipeline.default_pipeline import load_default_pipeline
from spacy_elmo_ner.pipeline.elmo_ner import ElmoNer
from spacy_elmo_ner.tagger.potentials import Potentials

# documents that the network reads together
BATCH = 16
# draws of a perfectly calibrated outcome, for what chance alone does to the error
DRAWS = 200

app = typer.Typer(add_completion=False)


class Scored(NamedTuple):
    """Documents, and what the network made of them."""

    examples: List[Example]
    potentials: Potentials


class Scorer:
    """The confidence of each entity found, whose temperature may change: the network has
    read the documents once.

    Args:
        ner: The component.
        scored: Batches of documents.
        confidence: Of the entities of a batch at a temperature.
    """

    def __init__(
        self,
        ner: ElmoNer,
        scored: Sequence[Scored],
        confidence: Callable[[ElmoNer, Scored, float], List[Entities]],
    ) -> None:
        self.ner, self.scored, self.confidence = ner, scored, confidence

    def __call__(self, temperature: float) -> List[Guess]:
        found: List[Guess] = []
        for batch in self.scored:
            entities = self.confidence(self.ner, batch, temperature)
            found += compare(
                batch.examples,
                [(one.spans, one.probabilities or []) for one in entities],
            )
        return found


def of_paths(ner: ElmoNer, batch: Scored, temperature: float) -> List[Entities]:
    """Ours: the share of all paths."""
    return decode(
        [example.predicted for example in batch.examples],
        batch.potentials,
        ner.scheme,
        addresses=bool(ner.cfg["addresses"]),
        temperature=temperature,
        of_spans=True,
    )


def of_emissions(
    ner: ElmoNer, batch: Scored, temperature: float, *, of_likeliest: bool
) -> List[Entities]:
    """A mean over the tokens of the softmax over emissions."""
    softmax = (batch.potentials.emissions / temperature).softmax(1).numpy()
    words = iter(np.split(softmax, np.cumsum(_n_words(batch))[:-1]))
    result = []
    for found, places in zip(
        of_paths(ner, batch, 1.0), batch.potentials.rows.words_of_docs, strict=True
    ):
        of_doc = next(words)
        confidences = []
        for start, end, label in found.spans:
            first, last = np.searchsorted(places, [start, end]).tolist()
            rows = of_doc[first:last]
            tags = ner.scheme.span_tags(last - first, label)
            chosen = rows.max(1) if of_likeliest else rows[np.arange(len(tags)), tags]
            confidences.append(float(chosen.mean()))
        result.append(Entities(found.spans, confidences))
    return result


def _n_words(batch: Scored) -> List[int]:
    return [len(words) for words in batch.potentials.rows.words_of_docs]


CONFIDENCES: Dict[str, Callable[[ElmoNer, Scored, float], List[Entities]]] = {
    "share of all paths (ours)": of_paths,
    "softmax of the tags (Flair's way)": partial(of_emissions, of_likeliest=False),
    "softmax of the likeliest tags (Spark NLP's way)": partial(
        of_emissions, of_likeliest=True
    ),
}


@app.command()
def main(
    picture: Path = typer.Argument(..., help="PNG or SVG file to write."),
    conll: Path = typer.Option(..., help="CoNLL file with documents: eng.testa."),
    bins: int = typer.Option(10, help="Bins of the expected calibration error."),
    limit: int = typer.Option(0, help="Documents to read at most; 0 for all."),
) -> None:
    """Print errors of calibration and areas under the risk-coverage curve, and draw the
    reliability.
    """
    nlp = load_default_pipeline()
    ner = ner_of(nlp)
    corpus = create_conll_corpus_v1(path=conll, group_by="document", limit=limit)
    examples = list(corpus(nlp))
    middle = len(examples) // 2
    pairings = {
        "first and second half": (examples[:middle], examples[middle:]),
        "every other document": (examples[::2], examples[1::2]),
    }
    print(f"{conll.name}: {len(examples)} documents, {bins} bins.\n")
    print(
        "| halves | confidence | temperatures | ECE, equal width | ECE, equal mass "
        "| by chance alone | area under risk-coverage |"
    )
    print("|---|---|--:|--:|--:|--:|--:|")
    curves: Dict[str, List[Guess]] = {}
    for halves, parts in pairings.items():
        read = [scored(ner, part) for part in parts]
        for name, confidence in CONFIDENCES.items():
            one, other = (Scorer(ner, half, confidence) for half in read)
            for_other, for_one = fit_temperature(one), fit_temperature(other)
            for how, temperatures in (
                ("as it is", (1.0, 1.0)),
                ("fitted", (for_one, for_other)),
            ):
                guesses = [one(temperatures[0]), other(temperatures[1])]
                print_row(halves, f"{name}, {how}", temperatures, guesses, bins)
                curves[f"{name}, {how}"] = [*guesses[0], *guesses[1]]
    draw(picture, curves, bins)


def scored(ner: ElmoNer, examples: List[Example]) -> List[Scored]:
    found = []
    with own_threads():
        for start in range(0, len(examples), BATCH):
            batch = examples[start : start + BATCH]
            docs = [example.predicted for example in batch]
            found.append(Scored(batch, ner.model.predict(docs)))
    return found


def print_row(
    halves: str,
    name: str,
    temperatures: Sequence[float],
    guesses: Sequence[Sequence[Guess]],
    bins: int,
) -> None:
    """Print what was measured on the one half, and on the other."""
    columns = [measures(half, bins) for half in guesses]
    cells = [[f"{temperature:.3g}" for temperature in temperatures]]
    cells += [[f"{value:.4f}" for value in pair] for pair in zip(*columns, strict=True)]
    row = " | ".join(" / ".join(cell) for cell in cells)
    print(f"| {halves} | {name} | {row} |", flush=True)


def measures(guesses: Sequence[Guess], bins: int) -> List[float]:
    probabilities = np.array([one.probability for one in guesses])
    right = np.array([one.is_right for one in guesses])
    errors = [
        expected_calibration_error(
            bins_of(probabilities, right, bins, equal_mass=equal_mass)
        )
        for equal_mass in (False, True)
    ]
    area = risk_coverage_area(probabilities, right)
    return [*errors, by_chance(probabilities, bins), area]


def by_chance(probabilities: NDArray[np.float64], bins: int) -> float:
    """The error, of bins of equal width, that outcomes have which are drawn with these
    very probabilities: the mean of some draws."""
    random = np.random.default_rng(0)
    errors = [
        expected_calibration_error(
            bins_of(
                probabilities, random.random(len(probabilities)) < probabilities, bins
            )
        )
        for _ in range(DRAWS)
    ]
    return float(np.mean(errors))


def draw(picture: Path, curves: Dict[str, List[Guess]], bins: int) -> None:
    """The share that is right over the probability, both halves together."""
    figure = Figure(figsize=(7, 5), layout="constrained")
    axes = figure.add_subplot()
    axes.plot([0, 1], [0, 1], color="gray", linestyle=":")
    for number, (name, guesses) in enumerate(curves.items()):
        found = bins_of(
            [one.probability for one in guesses],
            [one.is_right for one in guesses],
            bins,
        )
        axes.plot(
            [one.probability for one in found],
            [one.right for one in found],
            marker="o",
            color=f"C{number // 2}",
            linestyle="-" if number % 2 else "--",
            label=name,
        )
    axes.set(xlabel="confidence", ylabel="share of entities that is right")
    axes.grid(alpha=0.3)
    axes.legend(fontsize=8)
    picture.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(picture, dpi=120)


if __name__ == "__main__":
    app()
