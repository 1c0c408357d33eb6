"""One ELMo for two components: `python -m benchmarks.shared_elmo PIPELINE --conll FILE`.

The pipeline, as `configs/shared_elmo.cfg` trains it, stands beside itself with an ELMo in
each component: spaCy replaces the listeners by copies, so both say the same. They read
the same Docs in turn, words new each time, on one thread. Memory is the peak of a process
of its own that loads the pipeline from disk, and then reads the file as a stream.
"""

import statistics
import tempfile
import time
from pathlib import Path
from typing import Any, Dict, List, Tuple

import spacy
import torch
import typer
from spacy.language import Language
from spacy.tokens import Doc
from spacy.training import Example

from spacy_elmo_ner.corpus.conll import ConllFormat
from spacy_elmo_ner.corpus.reader import read_docs

from .fresh_process import in_fresh_process, peak
from .options import REAL_CONLL
from .pipelines import forget_all_words

SHARED, EACH = "one ELMo for both", "one ELMo each"
ALONE = "one ELMo, `elmo_ner` alone"
# Docs of the stream that are read together
STREAMED = 16
# the listeners of configs/shared_elmo.cfg
LISTENERS = {"tagger": "model.tok2vec", "elmo_ner": "model.tok2vec.elmo"}
Read = List[Tuple[List[str], List[Tuple[int, int, str]]]]

app = typer.Typer(add_completion=False)


@app.command()
def main(
    pipeline: Path = typer.Argument(..., help="Folder of the trained pipeline."),
    conll: Path = REAL_CONLL,
    pos_column: int = typer.Option(2, help="Its column of parts of speech."),
    limit: int = typer.Option(0, help="Docs to read at most; 0 for all."),
    rounds: int = typer.Option(3, help="Rounds; the median counts."),
) -> None:
    """Print what both find, and what they take of time, memory and disk."""
    torch.set_num_threads(1)
    shared = spacy.load(pipeline)
    gold = gold_docs(shared, conll, pos_column, limit)
    print_scores(shared, gold)
    with tempfile.TemporaryDirectory() as folder:
        shared.to_disk(f"{folder}/{SHARED}")
        each = with_one_each(spacy.load(pipeline))
        each.to_disk(f"{folder}/{EACH}")
        if read(shared, gold)[1] != read(each, gold)[1]:
            raise RuntimeError("They do not say the same: their speeds say nothing.")
        speeds = words_per_second({SHARED: shared, EACH: each}, gold, rounds)
        print("\n| | words/s | loaded, MB | reading, MB | on disk, MB |")
        print("|---|--:|--:|--:|--:|")
        for name in (SHARED, EACH):
            loaded, reading = in_fresh_process(
                peaks, f"{folder}/{name}", conll, pos_column, limit
            )
            print(
                f"| {name} | {speeds[name]:,.0f} | {loaded:,.0f} | {reading:,.0f} "
                f"| {size_of(Path(folder, name)):,.0f} |"
            )
        print(f"| {ALONE} | {speeds[ALONE]:,.0f} | | | |")


def gold_docs(nlp: Language, conll: Path, pos_column: int, limit: int) -> List[Doc]:
    format = ConllFormat(pos_column=pos_column)
    docs = list(read_docs(conll, vocab=nlp.vocab, format=format))
    return docs[:limit] if limit else docs


def bare(doc: Doc, nlp: Language) -> Doc:
    """Words and sentences, as a tokenizer and a sentencizer would give them."""
    starts: List[Any] = [token.is_sent_start for token in doc]
    return Doc(nlp.vocab, words=[token.text for token in doc], sent_starts=starts)


def print_scores(nlp: Language, gold: List[Doc]) -> None:
    scores = nlp.evaluate([Example(bare(doc, nlp), doc) for doc in gold])
    print(
        f"{sum(map(len, gold)):,} words in {len(gold):,} Docs: entities' F1 "
        f"{100 * scores['ents_f']:.2f}, parts of speech {100 * scores['tag_acc']:.2f} %"
    )


def with_one_each(nlp: Language) -> Language:
    for component, path in LISTENERS.items():
        nlp.replace_listeners("tok2vec", component, [path])
    nlp.remove_pipe("tok2vec")
    return nlp


def read(nlp: Language, gold: List[Doc]) -> Tuple[float, Read]:
    """Seconds, and what was found. No word was met before."""
    forget_all_words(nlp)
    docs = [bare(doc, nlp) for doc in gold]
    start = time.perf_counter()
    found = list(nlp.pipe(docs))
    seconds = time.perf_counter() - start
    return seconds, [
        (
            [token.tag_ for token in doc],
            [(ent.start, ent.end, ent.label_) for ent in doc.ents],
        )
        for doc in found
    ]


def words_per_second(
    pipelines: Dict[str, Language], gold: List[Doc], rounds: int
) -> Dict[str, float]:
    seconds: Dict[str, List[float]] = {}
    for _ in range(rounds):
        for name, nlp in pipelines.items():
            seconds.setdefault(name, []).append(read(nlp, gold)[0])
        with pipelines[SHARED].select_pipes(disable="tagger"):
            seconds.setdefault(ALONE, []).append(read(pipelines[SHARED], gold)[0])
    words = sum(map(len, gold))
    return {name: words / statistics.median(many) for name, many in seconds.items()}


def peaks(folder: str, conll: Path, pos_column: int, limit: int) -> Tuple[float, float]:
    torch.set_num_threads(1)
    nlp = spacy.load(folder)
    loaded = peak()
    docs = (bare(doc, nlp) for doc in gold_docs(nlp, conll, pos_column, limit))
    for _ in nlp.pipe(docs, batch_size=STREAMED):
        pass
    return loaded, peak()


def size_of(folder: Path) -> float:
    return sum(one.stat().st_size for one in folder.rglob("*") if one.is_file()) / 1e6


if __name__ == "__main__":
    app()
