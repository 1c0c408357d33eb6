"""What lists of names bring: `python -m benchmarks.gazetteer LISTS --train eng.train …`.

Trains the tagger of the default pipeline, on its ELMo, vectors and clusters, with and
without a Gazetteer of the lists that `benchmarks.gazetteer_lists` writes: in the same
updates of the same texts, from nothing or further from what it is. Then F1 on text of
several kinds, as `benchmarks.kinds_of_text` measures it.
"""

import warnings
from itertools import islice
from pathlib import Path
from typing import Any, Iterator, List, cast

import spacy
import typer
from spacy.language import Language
from thinc.api import Adam, concatenate, fix_random_seed, warmup_linear

from spacy_elmo_ner.corpus.reader import create_conll_corpus_v1, read_docs
from spacy_elmo_ner.corpus.text_variants import create_text_variants_v1
from spacy_elmo_ner.elmo.cache_loader import use_elmo_cache
from spacy_elmo_ner.evaluation.raw_report import report_raw_text
from spacy_elmo_ner.features.gazetteer import build_gazetteer_v1
from spacy_elmo_ner.features.gazetteer_terms import load_gazetteer_terms
from spacy_elmo_ner.pipeline.default_pipeline import NAME
from spacy_elmo_ner.pipeline.elmo_ner import ElmoNer
from spacy_elmo_ner.tagger.architecture import build_crf_tagger_v2
from spacy_elmo_ner.tagger.network import TaggerNetwork
from spacy_elmo_ner.torch_shim import LazyTorchShim

from .kinds_of_text import THREE, WNUT17, relabelled_docs, scores
from .options import REAL_CONLL
from .updates import numbered_batches

DROPOUT = 0.5

app = typer.Typer(add_completion=False)


@app.command()
def main(
    lists: Path = typer.Argument(..., help="What `benchmarks.gazetteer_lists` wrote."),
    train: Path = typer.Option(..., help="CoNLL file to train on, such as eng.train."),
    conll: Path = REAL_CONLL,
    wikigold: Path = typer.Option(..., help="wikigold.conll.txt."),
    btc: Path = typer.Option(..., help="A part of the Broad Twitter Corpus."),
    wnut17: Path = typer.Option(..., help="emerging.dev.conll."),
    cache: Path = typer.Option(..., help="Folder for ELMo's layers."),
    further: bool = typer.Option(False, help="Go on from the tagger that is there."),
    updates: int = typer.Option(1000, help="Of each training."),
    seed: List[int] = typer.Option([0], help="Seeds."),
    dropout: List[float] = typer.Option(
        [1.0, 0.3], help="Of the Gazetteer; 1 leaves it out."
    ),
    fold_case: bool = typer.Option(False, help="Of the Gazetteer."),
) -> None:
    """Print F1 with and without lists, a row for each training."""
    warnings.filterwarnings("ignore", category=UserWarning)
    print("| Lists | Seed | eng.testa | raw | WikiGold | Broad Twitter | WNUT-17 |")
    print("| --- | --: | --: | --: | --: | --: | --: |")
    for one in seed:
        for rate in dropout:
            nlp = pipeline(lists, rate, fold_case=fold_case, further=further, seed=one)
            learn(nlp, train, updates, cache, 0.0005 if further else 0.002)
            row = " | ".join(
                f"{f1:.2f}" for f1 in f1s(nlp, conll, wikigold, btc, wnut17)
            )
            name = "none" if rate == 1 else f"dropout {rate}"
            print(f"| {name} | {one} | {row} |", flush=True)


def pipeline(
    lists: Path, dropout: float, *, fold_case: bool, further: bool, seed: int
) -> Language:
    """The default pipeline with a tagger that is to be trained, and with the lists."""
    nlp = spacy.load(NAME)
    fix_random_seed(seed)
    pipe = cast(ElmoNer, nlp.get_pipe("elmo_ner"))
    tok2vec, network = pipe.model.layers
    trained = cast(TaggerNetwork, cast(LazyTorchShim, network.shims[0]).module)
    if dropout < 1:
        gazetteer = build_gazetteer_v1(
            types=sorted(file.stem for file in lists.glob("*.txt")),
            fold_case=fold_case,
            fold_diacritics=True,
            dropout=dropout,
        )
        load_gazetteer_terms(gazetteer, folder=lists)
        known = network.get_dim("nI")
        # joined on the right, where the tagger's new weights are
        tok2vec = concatenate(tok2vec, gazetteer)
        nI = known + gazetteer.get_dim("nO")
    else:
        nI = known = network.get_dim("nI")
    nO = network.get_dim("nO")
    model = build_crf_tagger_v2(tok2vec, precision="auto", nO=nO)
    shim = cast(LazyTorchShim, model.layers[1].shims[0])
    shim.build(nI=nI, nO=nO)
    model.layers[1].set_dim("nI", nI)
    if further:
        module = cast(TaggerNetwork, shim.module)
        for name, weight in module.named_parameters():
            if name.startswith("layers.0.") and weight.shape[-1] == nI:
                weight.data[:, known:] = 0
        module.copy_from(trained)
    pipe.model = model
    return nlp


def learn(nlp: Language, train: Path, updates: int, cache: Path, rate: float) -> None:
    use_elmo_cache(nlp, folder=cache, max_gigabytes=4)
    variants = create_text_variants_v1(raw=1.0, lower=0.1, upper=0.15, title=0.2)
    corpus = create_conll_corpus_v1(path=train, group_by="document", augmenter=variants)
    rates = warmup_linear(rate, warmup_steps=50, total_steps=updates + 20)
    optimizer = Adam(
        cast(Any, rates),  # of a type of its own in each Thinc
        L2=0.0,
        grad_clip=1.0,
        use_averages=True,
    )
    for _, batch in islice(numbered_batches(list(corpus(nlp))), updates):
        nlp.update(batch, sgd=optimizer, drop=DROPOUT)
        optimizer.step_schedules()
    pipe = cast(ElmoNer, nlp.get_pipe("elmo_ner"))
    with pipe.model.use_params(optimizer.averages):
        averaged = pipe.model.to_bytes()
    pipe.model.from_bytes(averaged)


def f1s(
    nlp: Language, conll: Path, wikigold: Path, btc: Path, wnut17: Path
) -> Iterator[float]:
    documents = list(read_docs(conll, vocab=nlp.vocab))
    yield scores(nlp, documents)[2]
    yield list(report_raw_text(nlp, documents).total.scores(whole=100))[2]
    yield scores(nlp, relabelled_docs(nlp, wikigold, {}, None))[2]
    yield scores(nlp, relabelled_docs(nlp, btc, {"MISC": None}, THREE))[2]
    known = {"MISC": None, **WNUT17}
    yield scores(nlp, relabelled_docs(nlp, wnut17, known, THREE))[2]


if __name__ == "__main__":
    app()
