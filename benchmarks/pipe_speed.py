"""nlp.pipe with elmo_ner: `python -m benchmarks.pipe_speed --conll eng.testa`.

Beside it stand the biLM alone, on the sentences that nlp.pipe gives to it in the same
batches, so that one sees what all else costs, and spaCy's own `ner`. Both pipelines
have learnt from the first sentences of the file, so that they find entities; the
biLM's weights are random. The Docs are made beforehand, words and sentences given, and
no word was met before a measurement. No speed is printed unless a pipeline finds the
same entities whatever the batch and the number of processes, and its biLM gives the
same vectors alone.
"""

import cProfile
import pstats
import statistics
import subprocess
import sys
import tempfile
import time
from functools import partial
from pathlib import Path
from typing import Any, Callable, Dict, List, Tuple

import numpy as np
import spacy
import torch
import typer
from spacy.language import Language
from spacy.tokens import Doc
from torch import Tensor

from spacy_elmo_ner.corpus.reader import create_conll_corpus_v1
from spacy_elmo_ner.pipeline.default_pipeline import NAME

from .options import REAL_CONLL
from .pipelines import BATCH, SAMPLE, BiLMAlone, elmo_pipeline, teach
from .texts import Sentences

TAUGHT_SENTENCES = 10 * BATCH
# what the package promises of one text in any two batches
SAME_VECTORS = 1e-6
TIMER = (
    "import time; start = time.perf_counter(); {}; print(time.perf_counter() - start)"
)

app = typer.Typer(add_completion=False)


class Pipeline:
    """A pipeline that has learnt a little, and the Docs that it is to read."""

    def __init__(self, nlp: Language, conll: Path, group_by: str, limit: int) -> None:
        self.nlp = nlp
        corpus = create_conll_corpus_v1(path=conll, group_by=group_by, limit=limit)
        self.docs = [example.predicted for example in corpus(nlp)]
        n_taught = min(limit or TAUGHT_SENTENCES, TAUGHT_SENTENCES)
        lesson = create_conll_corpus_v1(path=conll, limit=n_taught)
        teach(nlp, list(lesson(nlp)))

    def __call__(self, docs: List[Doc], batch: int, processes: int) -> List[Doc]:
        return list(self.nlp.pipe(docs, batch_size=batch, n_process=processes))

    def fresh_docs(self) -> List[Doc]:
        """Docs that no pipeline has read: entities that are there are kept."""
        return [doc.copy() for doc in self.docs]


@app.command()
def main(
    conll: Path = REAL_CONLL,
    size: str = typer.Option(
        "small", help=f'Published size of the biLM, or "{SAMPLE}".'
    ),
    batch: List[int] = typer.Option([32, 256, 1000], help="spaCy's batch_size."),
    threads: List[int] = typer.Option([1, 2], help="Threads of torch."),
    processes: List[int] = typer.Option([1, 2], help="spaCy's n_process."),
    rounds: int = typer.Option(3, help="Rounds; the median counts."),
    starts: int = typer.Option(5, help="Fresh processes for each way to start."),
    group_by: str = typer.Option("sentence", help="A Doc a sentence, or a document."),
    limit: int = typer.Option(0, help="Docs to read at most; 0 for all."),
    profile: int = typer.Option(
        0, help="Print so many functions of elmo_ner that take longest, and no table."
    ),
) -> None:
    """Print words per second of nlp.pipe, and how long it takes to start."""
    torch.set_num_threads(threads[0])
    elmo = Pipeline(elmo_pipeline(size), conll, group_by, limit)
    if profile:
        print_profile(elmo, batch[0], profile)
        return
    own = spacy.blank("en")
    own.add_pipe("ner")
    ner = Pipeline(own, conll, group_by, limit)
    words = sum(len(doc) for doc in elmo.docs)
    print(
        f"{conll.name}: {words:,} words in {len(elmo.docs):,} Docs, each a {group_by}; "
        f"biLM of the {size} size, {settings_of(elmo.nlp)}; "
        f"spaCy {spacy.__version__}, torch {torch.__version__}; medians of {rounds} "
        "rounds.\n"
    )
    print_speeds(elmo, ner, words, batch, threads, processes, rounds)
    print()
    print_starts(elmo.nlp, ner.nlp, starts)


def settings_of(nlp: Language) -> str:
    model = nlp.get_pipe_config("elmo_ner")["model"]
    return (
        f"CrfTagger.v1 of hidden_width {model['hidden_width']}, depth {model['depth']}"
    )


def print_speeds(
    elmo: Pipeline,
    ner: Pipeline,
    words: int,
    batches: List[int],
    threads: List[int],
    processes: List[int],
    rounds: int,
) -> None:
    alone = BiLMAlone(elmo.nlp)
    pipelines = {"elmo_ner": elmo, "ner": ner}
    expected = {}
    for name, pipeline in pipelines.items():
        expected[name] = entities_of(pipeline(pipeline.fresh_docs(), 32, 1))
        print(f"<!-- {name} finds {sum(map(len, expected[name])):,} entities -->")
    calls = {size: calls_of_bilm(elmo, alone, size) for size in batches}
    print(
        "| processes | batch | threads | biLM alone, words/s | `elmo_ner`, words/s "
        "| on top of the biLM | spaCy's `ner`, words/s |"
    )
    print("|--:|--:|--:|--:|--:|--:|--:|")
    for n_process in processes:
        for size in batches:
            # a process that nlp.pipe forks has one thread
            for n_threads in threads if n_process == 1 else [1]:
                torch.set_num_threads(n_threads)
                times: Dict[str, List[float]] = {}
                for _ in range(rounds):
                    if n_process == 1:
                        alone.forget()
                        run: Callable[[], Any] = partial(encode_all, alone, calls[size])
                        times.setdefault("biLM", []).append(timed(run)[0])
                    for name, pipeline in pipelines.items():
                        alone.forget()
                        docs = pipeline.fresh_docs()
                        run = partial(pipeline, docs, size, n_process)
                        taken, read = timed(run)
                        check_entities(name, expected[name], read, size, n_process)
                        times.setdefault(name, []).append(taken)
                print_row(n_process, size, n_threads, words, times)


def print_row(
    processes: int, batch: int, threads: int, words: int, times: Dict[str, List[float]]
) -> None:
    medians = {name: statistics.median(many) for name, many in times.items()}
    bilm, more = "–", "–"
    if "biLM" in medians:
        bilm = f"{words / medians['biLM']:,.0f}"
        more = f"{medians['elmo_ner'] / medians['biLM'] - 1:.0%}"
    print(
        f"| {processes} | {batch} | {threads} | {bilm} "
        f"| {words / medians['elmo_ner']:,.0f} | {more} "
        f"| {words / medians['ner']:,.0f} |",
        flush=True,
    )


def timed(run: Callable[[], Any]) -> Tuple[float, Any]:
    start = time.perf_counter()
    result = run()
    return time.perf_counter() - start, result


def encode_all(alone: BiLMAlone, batches: List[Sentences]) -> List[np.ndarray]:
    with torch.no_grad():
        return [alone(batch) for batch in batches]


def entities_of(docs: List[Doc]) -> List[List[Tuple[int, int, str]]]:
    return [[(ent.start, ent.end, ent.label_) for ent in doc.ents] for doc in docs]


def check_entities(
    name: str, expected: List[Any], docs: List[Doc], batch: int, processes: int
) -> None:
    found = entities_of(docs)
    if found != expected:
        n = sum(one != other for one, other in zip(found, expected, strict=True))
        raise RuntimeError(
            f"With batch_size {batch} and n_process {processes}, {name} finds other "
            f"entities in {n} Docs than with 32 and 1: its speeds cannot be compared."
        )


def calls_of_bilm(pipeline: Pipeline, alone: BiLMAlone, batch: int) -> List[Sentences]:
    """The sentences of each call that nlp.pipe makes to its biLM.

    Raises RuntimeError unless the biLM alone gives the vectors that nlp.pipe got.
    """
    calls: List[Sentences] = []
    vectors: List[np.ndarray] = []

    def record(module: Any, inputs: Tuple[Any, ...], output: Tensor) -> None:
        types, sentences = inputs[:2]
        calls.append([[types[i] for i in sentence] for sentence in sentences])
        vectors.append(output.numpy())

    alone.forget()
    hook = alone.network.register_forward_hook(record)
    pipeline(pipeline.fresh_docs(), batch, 1)
    hook.remove()
    alone.forget()
    pairs = zip(vectors, encode_all(alone, calls), strict=True)
    difference = max(np.abs(one - other).max() for one, other in pairs)
    print(f"<!-- batch {batch}, biLM alone: largest difference {difference:.1e} -->")
    if not difference <= SAME_VECTORS:
        raise RuntimeError(
            f"The biLM alone gives vectors that differ by {difference:.1e} from "
            "those in nlp.pipe: their speeds cannot be compared."
        )
    return calls


def print_starts(elmo: Language, ner: Language, starts: int) -> None:
    """How long it takes until a pipeline is there, in fresh processes."""
    with tempfile.TemporaryDirectory() as folder:
        elmo.to_disk(f"{folder}/elmo_ner")
        ner.to_disk(f"{folder}/ner")
        codes = {
            "`import spacy`": "import spacy",
            '`spacy.blank("en").add_pipe("ner")`': (
                'import spacy; spacy.blank("en").add_pipe("ner")'
            ),
            '`spacy.blank("en").add_pipe("elmo_ner")`': (
                'import spacy; spacy.blank("en").add_pipe("elmo_ner")'
            ),
            "`spacy.load`, `ner`": f"import spacy; spacy.load({folder + '/ner'!r})",
            "`spacy.load`, `elmo_ner`": (
                f"import spacy; spacy.load({folder + '/elmo_ner'!r})"
            ),
            f"`spacy.load`, `{NAME}`": f"import spacy; spacy.load({NAME!r})",
        }
        times: Dict[str, List[float]] = {}
        for _ in range(starts):
            for what, code in codes.items():
                times.setdefault(what, []).append(seconds_in_fresh_process(code))
    print(f"| in a fresh process, import included, median of {starts} | seconds |")
    print("|---|--:|")
    for what, many in times.items():
        print(f"| {what} | {statistics.median(many):.2f} |")


def seconds_in_fresh_process(code: str) -> float:
    result = subprocess.run(
        [sys.executable, "-c", TIMER.format(code)],
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return float(result.stdout.split()[-1])


def print_profile(elmo: Pipeline, batch: int, count: int) -> None:
    docs = elmo.fresh_docs()
    elmo(docs, batch, 1)
    BiLMAlone(elmo.nlp).forget()
    docs = elmo.fresh_docs()
    profile = cProfile.Profile()
    profile.runcall(elmo, docs, batch, 1)
    pstats.Stats(profile).sort_stats("tottime").print_stats(count)


if __name__ == "__main__":
    app()
