"""The HTTP service under load: `python -m benchmarks.service_load`.

Clients, each a thread with a connection of its own, ask for the entities of one text after
the other, on the loopback interface alone. Each answer has to be what the pipeline finds in
that text alone. The clients share the machine's CPUs with the service.
"""

import http.client
import json
import statistics
import subprocess
import sys
import threading
import time
from itertools import count
from pathlib import Path
from typing import Any, Dict, List, NamedTuple, Optional

import psutil
import spacy
import typer

from spacy_elmo_ner.kernels.cpu_features import usable_cpus
from spacy_elmo_ner.pipeline.components import with_probabilities
from spacy_elmo_ner.serving.found import entities

from .options import CONLL
from .texts import real_sentences, zipf_sentences

HOST = "127.0.0.1"
# of the least sure entity, alone and in a batch
TOLERANCE = 1e-3

app = typer.Typer(add_completion=False)


class Load(NamedTuple):
    """What the clients have seen."""

    seconds: float
    latencies: List[float]
    errors: List[str]


@app.command()
def main(
    conll: Optional[Path] = CONLL,
    limit: int = typer.Option(1_000, help="Texts, each a sentence."),
    clients: int = typer.Option(50, help="Clients at once."),
    seconds: float = typer.Option(60.0, help="How long they ask."),
    warm_up: float = typer.Option(
        15.0, help="Seconds before, in which memory fills with threads and words."
    ),
    workers: List[int] = typer.Option([1, 2], help="Processes of the service."),
    new_words: bool = typer.Option(
        False, help="Add a word to each text that none has had before."
    ),
    port: int = typer.Option(8765, help="Port of the service."),
) -> None:
    """Print requests per second, latencies, errors and memory."""
    sentences = zipf_sentences(limit) if conll is None else real_sentences(conll)
    texts = [" ".join(words) for words in sentences[:limit]]
    nlp = with_probabilities(spacy.load("en_elmo_ner_sm"))
    # with new words, what is found is not known before
    expected = None if new_words else [entities(nlp(text)) for text in texts]
    print(
        f"{'Made' if conll is None else conll.name}: {len(texts):,} texts; {clients} "
        f"clients; {seconds:g} s; CPUs: {usable_cpus()}.\n\n"
        "| workers | requests/s | words/s | p50, ms | p95, ms | largest, ms | errors "
        "| memory at the start, MB | at the end, MB |\n"
        "|--:|--:|--:|--:|--:|--:|--:|--:|--:|"
    )
    words = statistics.mean(len(text.split()) for text in texts)
    for number in workers:
        process = start(port, number)
        try:
            put_under_load(texts, expected, clients, port, seconds=warm_up)
            before = memory(process)
            load = put_under_load(
                texts, expected, clients, port, seconds=seconds, new_words=new_words
            )
            after = memory(process)
        finally:
            process.terminate()
            process.wait()
        rate = len(load.latencies) / load.seconds
        cuts = statistics.quantiles([1000 * one for one in load.latencies], n=20)
        print(
            f"| {number} | {rate:,.0f} | {rate * words:,.0f} | {cuts[9]:,.0f} "
            f"| {cuts[18]:,.0f} | {1000 * max(load.latencies):,.0f} "
            f"| {len(load.errors)} | {before:,.0f} | {after:,.0f} |"
        )
        for error in load.errors[:3]:
            print(error, file=sys.stderr)
        if load.errors:
            raise typer.Exit(1)


def start(port: int, workers: int) -> "subprocess.Popen[bytes]":
    """The service, once it answers."""
    process = subprocess.Popen(
        [sys.executable, "-m", "spacy_elmo_ner", "serve", "en_elmo_ner_sm"]
        + ["--port", str(port), "--workers", str(workers)],
        stderr=subprocess.DEVNULL,
    )
    for _ in range(600):
        try:
            connection = http.client.HTTPConnection(HOST, port, timeout=5)
            connection.request("GET", "/health")
            assert connection.getresponse().status == 200
            # the other workers, which nobody can ask alone
            time.sleep(3.0 * (workers > 1))
            return process
        except OSError:
            time.sleep(0.1)
    process.terminate()
    raise RuntimeError("The service has not started within a minute.")


def put_under_load(
    texts: List[str],
    expected: Optional[List[List[Any]]],
    clients: int,
    port: int,
    *,
    seconds: float,
    new_words: bool = False,
) -> Load:
    latencies: List[float] = []
    errors: List[str] = []
    begin = time.perf_counter()
    numbers = count()

    def ask() -> None:
        connection = http.client.HTTPConnection(HOST, port, timeout=60)
        while time.perf_counter() < begin + seconds:
            number = next(numbers)
            place = number % len(texts)
            text = texts[place] + f" Q{number}x" * new_words
            start = time.perf_counter()
            try:
                connection.request("POST", "/entities", json.dumps({"text": text}))
                response = connection.getresponse()
                answer = json.loads(response.read())
            except (OSError, http.client.HTTPException) as error:
                errors.append(repr(error))
                connection.close()
                continue
            latencies.append(time.perf_counter() - start)
            if response.status != 200:
                errors.append(f"{response.status}: {answer}")
            elif expected and not are_same(answer["entities"], expected[place]):
                errors.append(f"{text}: {answer['entities']}, alone {expected[place]}")

    threads = [threading.Thread(target=ask) for _ in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return Load(time.perf_counter() - begin, latencies, errors)


def are_same(found: List[Dict[str, Any]], expected: List[Dict[str, Any]]) -> bool:
    """Whether the entities are the same, and their probabilities nearly so."""
    return len(found) == len(expected) and all(
        {**one, "probability": None} == {**other, "probability": None}
        and abs(one["probability"] - other["probability"]) <= TOLERANCE
        for one, other in zip(found, expected, strict=True)
    )


def memory(process: "subprocess.Popen[bytes]") -> float:
    """Resident megabytes of a process and its children."""
    first = psutil.Process(process.pid)
    family = [first, *first.children(recursive=True)]
    return float(sum(one.memory_info().rss for one in family)) / 2**20


if __name__ == "__main__":
    app()
