"""F1 on text of all kinds: `python -m benchmarks.kinds_of_text PIPELINE --conll eng.testa`.

eng.testa as documents, as sentences, as raw text that the pipeline's tokenizer cuts, and
with other capitals, whose gold entities stay; and other corpora, where a predicted entity
with a label that the corpus does not annotate is left out.
"""

from functools import partial
from pathlib import Path
from typing import Callable, Dict, Iterable, List, Optional, cast

import spacy
import typer
from spacy.language import Language
from spacy.scorer import get_ner_prf
from spacy.tokens import Doc

from spacy_elmo_ner.corpus.reader import read_docs, relabelled, to_examples
from spacy_elmo_ner.corpus.text_variants import headline, with_words
from spacy_elmo_ner.evaluation.raw_report import report_raw_text
from spacy_elmo_ner.pipeline.default_pipeline import NAME
from spacy_elmo_ner.pipeline.distillation import ensemble
from spacy_elmo_ner.pipeline.elmo_ner import ElmoNer
from spacy_elmo_ner.text.annotated_labels import judged

from .options import REAL_CONLL

CASES: Dict[str, Callable[[str], str]] = {
    "in lower case": str.lower,
    "in capitals": str.upper,
    "as headlines": partial(headline, short=True),
}
THREE = ["PER", "LOC", "ORG"]
# the entities of WNUT-17 that are none of these are unknown
WNUT17: Dict[str, Optional[str]] = {
    "person": "PER",
    "location": "LOC",
    "corporation": "ORG",
    "group": "ORG",
    "product": None,
    "creative-work": None,
}

app = typer.Typer(add_completion=False)


@app.command()
def main(
    pipeline: List[str] = typer.Argument(None, help=f"Pipelines; {NAME} if none."),
    conll: Path = REAL_CONLL,
    wikigold: Optional[Path] = typer.Option(None, help="wikigold.conll.txt."),
    btc: Optional[Path] = typer.Option(
        None, help="A part of the Broad Twitter Corpus."
    ),
    wnut17: Optional[Path] = typer.Option(None, help="emerging.dev.conll."),
    with_ensemble: bool = typer.Option(
        False, "--ensemble", help="The mean of what the pipelines say, too."
    ),
) -> None:
    """Print a row for each kind of text and pipeline: precision, recall and F1."""
    print(
        "| Text | Pipeline | Precision | Recall | F1 |\n| --- | --- | --: | --: | --: |"
    )
    pipelines = {name: spacy.load(name) for name in pipeline or [NAME]}
    if with_ensemble:
        pipelines["ensemble"] = ensemble_of(pipelines)
    for name, nlp in pipelines.items():
        documents = list(read_docs(conll, vocab=nlp.vocab))
        sentences = read_docs(conll, vocab=nlp.vocab, group_by="sentence")
        print_row("documents", name, scores(nlp, documents))
        print_row("sentences", name, scores(nlp, sentences))
        raw = report_raw_text(nlp, documents).total.scores(whole=100)
        print_row("raw text", name, list(raw))
        for case, change in CASES.items():
            recased = (with_words(doc, change) for doc in documents)
            print_row(case, name, scores(nlp, recased))
        if wikigold:
            print_row(
                "WikiGold", name, scores(nlp, relabelled_docs(nlp, wikigold, {}, None))
            )
        if btc:
            print_row(
                "Broad Twitter", name, scores(nlp, relabelled_docs(nlp, btc, {}, THREE))
            )
        if wnut17:
            gold = relabelled_docs(nlp, wnut17, WNUT17, THREE)
            print_row("WNUT-17", name, scores(nlp, gold))


def ensemble_of(pipelines: Dict[str, Language]) -> Language:
    """One more pipeline; the component that is changed is nobody else's."""
    nlp = spacy.load(next(iter(pipelines)))
    ner = cast(ElmoNer, nlp.get_pipe("elmo_ner"))
    ner.model = ensemble(ner, list(pipelines.values()))
    ner.cfg["temperature"] = 1.0
    return nlp


def relabelled_docs(
    nlp: Language,
    path: Path,
    label_map: Dict[str, Optional[str]],
    labels: Optional[List[str]],
) -> Iterable[Doc]:
    docs = read_docs(path, vocab=nlp.vocab)
    return relabelled(docs, path, labels, label_map)


def scores(nlp: Language, gold: Iterable[Doc]) -> List[float]:
    """Precision, recall and F1 in per cent, on the gold tokens."""
    examples = list(to_examples(gold))
    for example in examples:
        found = nlp.get_pipe("elmo_ner")(example.predicted)
        example.predicted = judged(found, example.reference)
    prf = get_ner_prf(examples)
    return [100 * prf[name] for name in ("ents_p", "ents_r", "ents_f")]


def print_row(text: str, pipeline: str, values: List[float]) -> None:
    columns = " | ".join(f"{value:.2f}" for value in values)
    print(f"| {text} | {Path(pipeline).name} | {columns} |", flush=True)


if __name__ == "__main__":
    app()
