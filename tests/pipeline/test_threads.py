"""One pipeline, several threads: each text gets what it gets alone."""

import multiprocessing
import os
import pickle
import subprocess
import sys
import textwrap
import threading
from concurrent.futures import ThreadPoolExecutor
from copy import deepcopy
from typing import Any, Dict, Iterator, List, Tuple

import pytest
import spacy
import torch
from spacy.language import Language
from spacy.tokens import Doc
from spacy.training import Example

from spacy_elmo_ner.pipeline.default_pipeline import load_default_pipeline

NAMES = ["Anna", "Boris", "Clara", "David", "Emma", "Felix", "Greta", "Hugo"]
CITIES = ["Oslo", "Lima", "Cairo", "Delhi", "Perth"]
THREADS = 8

# a text's entities: their text, label and probability
Found = List[Tuple[str, str, float]]


def texts(n: int) -> List[str]:
    """Half of them have words that no other text has."""
    return [
        (
            f"{NAMES[i % 8]} Novak{i} went from {CITIES[i % 5]} to Acme Corp in Quito."
            if i % 2
            else f"{NAMES[i % 8]} Novak went from {CITIES[i % 5]} to {CITIES[i % 3]} by bus."
        )
        for i in range(n)
    ]


def entities(doc: Doc) -> List[Tuple[str, str]]:
    return [(ent.text, ent.label_) for ent in doc.ents]


def with_probabilities(nlp: Language, text: str) -> Found:
    doc = nlp(text)
    group = doc.spans["found"]
    return [
        (span.text, span.label_, score)
        for span, score in zip(group, group.attrs["scores"], strict=True)
    ]


def assert_equal(found: List[List[Tuple[str, str, float]]], expected: Any) -> None:
    for one, other in zip(found, expected, strict=True):
        assert [span[:2] for span in one] == [span[:2] for span in other]
        assert [p for *_, p in one] == pytest.approx([p for *_, p in other], abs=1e-4)


@pytest.fixture(scope="module")
def expected() -> List[Found]:
    nlp = load_default_pipeline()
    nlp.get_pipe("elmo_ner").cfg["scores_key"] = "found"
    return [with_probabilities(nlp, text) for text in texts(500)]


@pytest.fixture(params=[1, 2])
def torch_threads(request: pytest.FixtureRequest) -> Iterator[int]:
    before = torch.get_num_threads()
    torch.set_num_threads(request.param)
    yield request.param
    torch.set_num_threads(before)


@pytest.fixture
def shared() -> Language:
    nlp = load_default_pipeline()
    nlp.get_pipe("elmo_ner").cfg["scores_key"] = "found"
    return nlp


def run_in_threads(nlp: Language, some: List[str]) -> List[Found]:
    found: List[Found] = [[] for _ in some]
    barrier = threading.Barrier(THREADS)

    def serve(worker: int) -> None:
        barrier.wait()
        for i in range(worker, len(some), THREADS):
            found[i] = with_probabilities(nlp, some[i])

    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(serve, range(THREADS)))
    return found


def test_many_threads_find_what_one_finds(
    shared: Language, expected: Any, torch_threads: int
) -> None:
    settings = torch.get_num_threads(), torch.backends.quantized.engine
    assert_equal(run_in_threads(shared, texts(500)), expected)
    assert_equal(
        [with_probabilities(shared, text) for text in texts(80)], expected[:80]
    )
    assert settings == (torch.get_num_threads(), torch.backends.quantized.engine)


def test_many_threads_with_a_small_cache_of_words(expected: Any) -> None:
    # it is emptied while others read it
    nlp = load_default_pipeline()
    nlp.get_pipe("elmo_ner").cfg["scores_key"] = "found"
    for node in nlp.get_pipe("elmo_ner").model.walk():
        for shim in node.shims:
            if hasattr(shim.module, "cached_words"):
                shim.module.cached_words = 15
    assert_equal(run_in_threads(nlp, texts(160)), expected[:160])


def test_while_another_thread_trains_a_copy(shared: Language, expected: Any) -> None:
    copy = deepcopy(shared)
    optimizer = copy.resume_training()
    doc = copy.make_doc("Anna works for Acme Corp in Oslo.")
    gold = {"entities": [(0, 4, "PER"), (15, 24, "ORG"), (28, 32, "LOC")]}
    stop = threading.Event()
    losses = []

    def learn() -> None:
        while not stop.is_set():
            update = copy.update(
                [Example.from_dict(doc, gold)], sgd=optimizer, drop=0.5
            )
            losses.append(update["elmo_ner"])

    learner = threading.Thread(target=learn)
    learner.start()
    try:
        found = run_in_threads(shared, texts(160))
        while len(losses) < 3 and learner.is_alive():
            found = run_in_threads(shared, texts(160))
    finally:
        stop.set()
        learner.join()
    assert len(losses) > 2
    assert_equal(found, expected[:160])


def test_a_thread_may_outlive_the_main_one() -> None:
    program = """
        import threading, time, torch
        from spacy_elmo_ner.pipeline.default_pipeline import load_default_pipeline

        torch.set_num_threads(2)
        nlp = load_default_pipeline()
        nlp("Anna lives in Oslo .")

        def work():
            threading.main_thread().join()
            print([ent.text for ent in nlp("Anna lives in Lima .").ents])

        threading.Thread(target=work).start()
    """
    run = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program)], capture_output=True, text=True
    )
    assert run.stdout.strip() == "['Anna', 'Lima']", run.stderr


# Processes and copies


def find(text: str) -> List[Tuple[str, str]]:
    return entities(PARENT["nlp"](text))


def load_and_find(some: List[str]) -> List[List[Tuple[str, str]]]:
    nlp = load_default_pipeline()
    return [entities(nlp(text)) for text in some]


# what forked processes have from their parent
PARENT: Dict[str, Language] = {}


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this platform does not fork")
def test_forked_processes_while_threads_predict(
    shared: Language, expected: Any, torch_threads: int
) -> None:
    PARENT["nlp"] = shared
    stop = threading.Event()

    def predict() -> None:
        while not stop.is_set():
            for text in texts(40):
                shared(text)

    thread = threading.Thread(target=predict)
    thread.start()
    try:
        for _ in range(3):
            with multiprocessing.get_context("fork").Pool(2) as pool:
                found = pool.map(find, texts(20))
            assert found == [[tuple(span[:2]) for span in one] for one in expected[:20]]
    finally:
        stop.set()
        thread.join()


@pytest.mark.parametrize("method", ["spawn", "forkserver"])
def test_other_kinds_of_processes(method: str, expected: Any) -> None:
    if method not in multiprocessing.get_all_start_methods():
        pytest.skip(f"this platform has no {method}")
    # the tests' modules have no names by which a new process could import them
    program = f"""
        import multiprocessing
        import spacy_elmo_ner.pipeline.default_pipeline as default_pipeline

        if __name__ == "__main__":
            context = multiprocessing.get_context({method!r})
            with context.Pool(1) as pool:
                nlp = pool.apply(default_pipeline.load_default_pipeline)
            print([ent.text for ent in nlp("Anna lives in Lima .").ents])
    """
    run = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program)], capture_output=True, text=True
    )
    assert run.stdout.strip() == "['Anna', 'Lima']", run.stderr


def test_two_processes_after_a_first_call(shared: Language, expected: Any) -> None:
    shared(texts(1)[0])
    docs = shared.pipe(texts(30), n_process=2, batch_size=8)
    assert [entities(doc) for doc in docs] == [
        [span[:2] for span in one] for one in expected[:30]
    ]


@pytest.mark.parametrize("copied", [deepcopy, lambda x: pickle.loads(pickle.dumps(x))])
def test_copies_after_a_first_call(
    shared: Language, expected: Any, copied: Any
) -> None:
    shared(texts(1)[0])
    nlp = copied(shared)
    assert_equal([with_probabilities(nlp, text) for text in texts(20)], expected[:20])


@pytest.mark.skipif(
    not hasattr(spacy.Language, "memory_zone"), reason="this spaCy has no memory zones"
)
def test_in_memory_zones(shared: Language, expected: Any) -> None:
    for _ in range(2):
        for text, alone in zip(texts(20), expected, strict=False):
            with shared.memory_zone():
                assert_equal([with_probabilities(shared, text)], [alone])
