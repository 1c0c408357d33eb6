"""A label that en_elmo_ner_sm learns: `python -m benchmarks.new_label FIN5 eng.testa RAW`.

FIN5's loan agreements have roles, such as Lender, as PER: here they are a label of their
own, and the only one that the first sentences annotate. After each update the pipeline
rehearses: it stays close to what it said of raw text before. Printed are the F1 of the
labels that it had, on other text, and of the new one on the sentences that follow. The
learning rate falls linearly to 0.
"""

import random
import warnings
from itertools import islice, product
from pathlib import Path
from typing import List, cast

import spacy
import typer
from spacy.language import Language
from spacy.tokens import Span
from spacy.training import Example
from spacy.vocab import Vocab
from thinc.api import fix_random_seed

from spacy_elmo_ner.corpus.reader import read_docs, to_examples
from spacy_elmo_ner.pipeline.averaging import average_weights
from spacy_elmo_ner.pipeline.elmo_ner import ElmoNer
from spacy_elmo_ner.text.annotated_labels import set_annotated_labels

from .updates import numbered_batches

LABEL, ANNOTATED = "ROLE", "PER"
DROPOUT = 0.5

app = typer.Typer(add_completion=False)


@app.command()
def main(
    agreements: Path = typer.Argument(..., help="FIN5, or another corpus with PER."),
    old: Path = typer.Argument(..., help="Corpus to measure the old labels on."),
    raw: Path = typer.Argument(
        ..., help="Corpus to rehearse on; its gold is not read."
    ),
    sentences: int = typer.Option(200, help="Of the agreements to train on."),
    updates: List[int] = typer.Option([90], help="Updates of each training."),
    rate: List[float] = typer.Option([0.001], help="Learning rates at the start."),
    share: List[float] = typer.Option(
        [1.0, 0.7],
        help="How much the trained weights count in a mean with those before.",
    ),
    seed: int = typer.Option(0, help="Seed of each training."),
    limit: int = typer.Option(
        0, help="Measure on at most this many sentences; 0 for all."
    ),
) -> None:
    """Print a row for each training, with and without rehearsal, and for each mean."""
    warnings.filterwarnings("ignore", category=UserWarning)
    print("| Rate | Rehearsal | Updates | Share | Old labels | New label |")
    print("| --: | --- | --: | --: | --: | --: |")
    nlp = spacy.load("en_elmo_ner_sm")
    known = examples_of(nlp, old)[: limit or None]
    roles = with_new_label(examples_of(nlp, agreements))
    train, held_out = roles[:sentences], roles[sentences:][: limit or None]
    text = [Example(one.x, one.x.copy()) for one in examples_of(nlp, raw)]
    print(f"| – | – | 0 | – | {f1(nlp, known):.2f} | – |", flush=True)
    for of_run, rehearse, n in product(rate, (False, True), updates):
        fix_random_seed(seed)
        trained = learn_label(train, text if rehearse else [], n, of_run)
        for of_trained in share:
            mean = mean_with_start(trained, of_trained)
            print(
                f"| {of_run} | {'yes' if rehearse else 'no'} | {n} | {of_trained} "
                f"| {f1(mean, known):.2f} | {f1(mean, held_out):.1f} |",
                flush=True,
            )


def learn_label(
    train: List[Example], text: List[Example], updates: int, rate: float
) -> Language:
    """The pipeline after so many updates, with rehearsal on the text if there is any."""
    nlp = start_with_label(train[0].x.vocab)
    train = list(train)
    optimizer = nlp.resume_training()
    for number, batch in islice(numbered_batches(train), updates):
        optimizer.learn_rate = rate * (1 - (number - 1) / updates)
        nlp.update(batch, sgd=optimizer, drop=DROPOUT)
        if text:
            some = random.sample(text, min(2 * len(batch), len(text)))
            nlp.rehearse(some, sgd=optimizer)
    return nlp


def start_with_label(vocab: Vocab) -> Language:
    nlp = spacy.load("en_elmo_ner_sm", vocab=vocab)
    cast(ElmoNer, nlp.get_pipe("elmo_ner")).add_label(LABEL)
    return nlp


def mean_with_start(trained: Language, share: float) -> Language:
    if share == 1:
        return trained
    return average_weights(
        [start_with_label(trained.vocab), trained], [1 - share, share]
    )


def examples_of(nlp: Language, path: Path) -> List[Example]:
    return list(to_examples(read_docs(path, vocab=nlp.vocab, group_by="sentence")))


def with_new_label(examples: List[Example]) -> List[Example]:
    """Gold that has the new label alone, and says so."""
    for example in examples:
        gold = example.reference
        roles = [ent for ent in gold.ents if ent.label_ == ANNOTATED]
        gold.set_ents(
            [Span(gold, ent.start, ent.end, label=LABEL) for ent in roles],
            default="outside",
        )
        set_annotated_labels(gold, [LABEL])
    return examples


def f1(nlp: Language, examples: List[Example]) -> float:
    """Of the labels that the gold annotates."""
    fresh = [Example(one.x.copy(), one.y) for one in examples]
    return 100 * float(nlp.evaluate(fresh, batch_size=64)["ents_f"] or 0.0)


if __name__ == "__main__":
    app()
