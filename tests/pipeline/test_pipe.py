"""A stream of Docs, several batches at a time: as one after the other."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any, Iterator, List, Tuple

import pytest
import spacy
from spacy.language import Language
from spacy.tokens import Doc

from spacy_elmo_ner.kernels.threads import SETTING
from spacy_elmo_ner.pipeline.default_pipeline import load_default_pipeline

PEOPLE = ["Anna", "Boris", "Clara Novak", "David", "Emma"]
TEXTS = [
    (
        f"{PEOPLE[i % 5]} flew from Oslo to Lima.  Firm{i} Inc. said no."
        if i % 7
        else "  " * (i % 2)
    )
    for i in range(60)
]

Found = List[Tuple[int, int, str]]


def entities(doc: Doc) -> Found:
    return [(ent.start, ent.end, ent.label_) for ent in doc.ents]


def scores(doc: Doc) -> Any:
    return doc.spans["found"].attrs["scores"]


@pytest.fixture(scope="module")
def nlp() -> Language:
    nlp = load_default_pipeline()
    nlp.get_pipe("elmo_ner").cfg["scores_key"] = "found"
    return nlp


@pytest.fixture(params=["1", "2", "3"])
def setting(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv(SETTING, request.param)
    return str(request.param)


@pytest.mark.parametrize("batch_size", [1, 7, 1000])
def test_a_batch_is_read_alike_in_any_thread(
    nlp: Language, batch_size: int, threads: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    found, probabilities = [], []
    for n in ["1", "3"]:
        monkeypatch.setenv(SETTING, n)
        docs = list(nlp.pipe(TEXTS, batch_size=batch_size))
        assert [doc.text for doc in docs] == TEXTS
        found.append([entities(doc) for doc in docs])
        probabilities.append([score for doc in docs for score in scores(doc)])
    assert found[0] == found[1]
    # BLAS promises float32 within rounding, and on some CPUs keeps to no more
    assert probabilities[0] == pytest.approx(probabilities[1], abs=1e-5)
    assert len(probabilities[0]) > 100


def test_a_batch_that_fails_is_handed_to_the_error_handler(
    nlp: Language, setting: str
) -> None:
    ner = nlp.get_pipe("elmo_ner")
    failed: List[Any] = []
    ner.set_error_handler(lambda name, pipe, docs, error: failed.append((name, docs)))
    stream: List[Any] = [nlp.make_doc(text) for text in TEXTS[:9]]
    stream[4] = "no Doc"
    try:
        done = list(ner.pipe(stream, batch_size=2))
    finally:
        ner.set_error_handler(raise_error)
    assert failed == [("elmo_ner", ["no Doc", stream[5]])]
    assert done == stream[:4] + stream[6:]
    assert all(doc.has_annotation("ENT_IOB") for doc in done)
    assert not stream[5].has_annotation("ENT_IOB")


def raise_error(name: str, pipe: Any, docs: List[Doc], error: Exception) -> None:
    raise error


def test_without_a_handler_what_came_before_an_error_is_not_lost(
    nlp: Language, setting: str
) -> None:
    def texts() -> Iterator[str]:
        yield from TEXTS[1:5]
        raise OSError("the file ends here")

    done = []
    with pytest.raises(OSError, match="the file ends here"):
        for doc in nlp.pipe(texts(), batch_size=2):
            done.append(doc.text)
    assert done == TEXTS[1:5]


def test_several_streams_at_once(nlp: Language, setting: str) -> None:
    expected = [entities(nlp(text)) for text in TEXTS]

    def read(worker: int) -> List[Found]:
        return [entities(doc) for doc in nlp.pipe(TEXTS, batch_size=1 + worker)]

    with ThreadPoolExecutor(6) as pool:
        assert list(pool.map(read, range(6))) == [expected] * 6


@pytest.mark.skipif(
    not hasattr(spacy.Language, "memory_zone"), reason="this spaCy has no memory zones"
)
def test_a_stream_that_is_left_in_a_memory_zone(nlp: Language, setting: str) -> None:
    expected = entities(nlp(TEXTS[1]))
    for i in range(20):
        with nlp.memory_zone():
            stream = nlp.pipe([*TEXTS[1:], f"Neu{i} wort{i} in Zone{i}."], batch_size=1)
            assert entities(next(stream)) == expected
