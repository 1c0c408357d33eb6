import multiprocessing
import shutil
import sqlite3
import warnings
from pathlib import Path
from typing import Any, Callable, List, Sequence

import numpy as np
import pytest
import spacy
import torch
from hypothesis import given
from hypothesis import strategies as st
from spacy.language import Language
from thinc.api import SGD

from spacy_elmo_ner.elmo.cache_loader import create_elmo_cache_v1
from spacy_elmo_ner.elmo.layer_cache import (
    PAGE_SIZE,
    LayerCache,
    fingerprint,
    sentence_key,
)
from tests.elmo.conftest import Elmo

TEXTS = ["My name is John! I live in  Berlin.", "", "And you?", "  ", "a b c " * 30]
TEXTS += ["And you?", "My name is John!"]
# of values of about 1
HALF_PRECISION = 2e-3

texts = st.text(max_size=3)


def elmo_of(nlp: Language) -> Elmo:
    model: Elmo = nlp.get_pipe("tok2vec").model
    return model


def module_of(nlp: Language) -> Any:
    return elmo_of(nlp).shims[0].module


def vectors_of(nlp: Language) -> List[Any]:
    return elmo_of(nlp).predict([nlp.make_doc(text) for text in TEXTS])


def assert_near(vectors: Sequence[Any], exact: Sequence[Any]) -> None:
    for one, other in zip(vectors, exact, strict=True):
        np.testing.assert_allclose(one, other, atol=HALF_PRECISION)


def only_file(folder: Path, suffix: str = ".sqlite") -> Path:
    (path,) = folder.glob(f"*{suffix}")
    return path


def in_pages(path: Path, change: Callable[[bytearray], bytes]) -> None:
    """Damage what is past the first pages, which say what the file is."""
    data = bytearray(path.read_bytes())
    path.write_bytes(change(data))


@pytest.fixture
def cached(
    elmo_pipeline: Callable[..., Language], tmp_path: Path
) -> Callable[..., Language]:
    """Makes a pipeline with a cache in the same folder each time."""

    def make(
        *, max_gigabytes: float = 1.0, folder: Path = tmp_path, **arguments: Any
    ) -> Language:
        nlp = elmo_pipeline(**arguments)
        return create_elmo_cache_v1(folder=folder, max_gigabytes=max_gigabytes)(nlp)

    return make


@pytest.mark.parametrize("layer", ["elmo", "word_emb", "lstm_outputs1"])
def test_vectors_are_those_without_it_within_half_precision(
    cached: Callable[..., Language], elmo_pipeline: Callable[..., Language], layer: str
) -> None:
    exact = vectors_of(elmo_pipeline(layer=layer))
    nlp = cached(layer=layer)
    first = vectors_of(nlp)
    assert_near(first, exact)
    # the first epoch already sees what the later ones will
    for again in (vectors_of(nlp), vectors_of(cached(layer=layer))):
        for one, other in zip(again, first, strict=True):
            np.testing.assert_array_equal(one, other)


def test_a_sentence_is_encoded_once(cached: Callable[..., Language]) -> None:
    nlp = cached()
    calls = []
    module_of(nlp).encoder.bilm.register_forward_hook(lambda *_: calls.append(1))
    vectors_of(nlp)
    n_first = len(calls)
    assert n_first > 0
    vectors_of(nlp)
    doc = nlp.make_doc(TEXTS[0])
    _, backprop = elmo_of(nlp).begin_update([doc])
    backprop([np.ones((len(doc), 16), dtype="f")])
    assert len(calls) == n_first
    assert module_of(nlp).mix.weights.grad.abs().sum() > 0
    vectors_of(cached())
    assert len(calls) == n_first


def test_other_weights_have_another_file(
    cached: Callable[..., Language],
    elmo_pipeline: Callable[..., Language],
    tmp_path: Path,
) -> None:
    vectors_of(cached(seed=1))
    assert_near(vectors_of(cached(seed=2)), vectors_of(elmo_pipeline(seed=2)))
    assert len(list(tmp_path.glob("*.sqlite"))) == 2


def test_the_mix_goes_on_learning(
    cached: Callable[..., Language], elmo_pipeline: Callable[..., Language]
) -> None:
    def trained(nlp: Language) -> List[Any]:
        model = elmo_of(nlp)
        docs = [nlp.make_doc(text) for text in TEXTS]
        optimizer = SGD(0.01, L2=0.0, grad_clip=0.0)
        for _ in range(3):
            vectors, backprop = model.begin_update(docs)
            backprop(vectors)
            model.finish_update(optimizer)
        return model.predict(docs)

    assert_near(trained(cached()), trained(elmo_pipeline()))


@pytest.mark.parametrize(
    "change",
    [
        lambda data: b"no database at all",
        lambda data: data[: len(data) // 2],
        lambda data: data[: -len(data) // 3] + bytes(len(data) // 3),
        lambda data: bytes(byte ^ (i > 2 * PAGE_SIZE) for i, byte in enumerate(data)),
    ],
    ids=["foreign", "truncated", "zeroed", "flipped"],
)
def test_a_damaged_file_is_set_aside(
    cached: Callable[..., Language],
    elmo_pipeline: Callable[..., Language],
    tmp_path: Path,
    change: Callable[[bytearray], bytes],
) -> None:
    nlp = cached()
    vectors_of(nlp)
    nlp.get_pipe("tok2vec").model.attrs["cache"].close()
    in_pages(only_file(tmp_path), change)
    nlp = cached()
    with pytest.warns(UserWarning, match="damaged or was not written.*is now"):
        vectors = vectors_of(nlp)
    assert_near(vectors, vectors_of(elmo_pipeline()))
    assert only_file(tmp_path, ".damaged").exists()
    with warnings.catch_warnings():
        warnings.filterwarnings("error", message="ELMo.s cache")
        assert_near(vectors_of(cached()), vectors)


def test_another_programs_database_is_set_aside(
    cached: Callable[..., Language],
    elmo_pipeline: Callable[..., Language],
    tmp_path: Path,
) -> None:
    vectors_of(cached())
    path = only_file(tmp_path)
    for file in tmp_path.iterdir():
        file.unlink()
    other = sqlite3.connect(path)
    other.execute("CREATE TABLE recipes (name)")
    other.commit()
    other.close()
    with pytest.warns(UserWarning, match="not written by spacy_elmo_ner"):
        vectors = vectors_of(cached())
    assert_near(vectors, vectors_of(elmo_pipeline()))
    kept = sqlite3.connect(only_file(tmp_path, ".damaged"))
    assert kept.execute("SELECT name FROM sqlite_master").fetchall() == [("recipes",)]


def test_a_full_cache_goes_on(
    cached: Callable[..., Language],
    elmo_pipeline: Callable[..., Language],
    tmp_path: Path,
) -> None:
    size = 10 * PAGE_SIZE
    nlp = cached(max_gigabytes=size / 1e9)
    exact = elmo_pipeline()
    with pytest.warns(UserWarning, match="max_gigabytes"):
        for i in range(30):
            text = f"{i} " * 200
            (vectors,) = elmo_of(nlp).predict([nlp.make_doc(text)])
            assert_near([vectors], elmo_of(exact).predict([exact.make_doc(text)]))
    assert only_file(tmp_path).stat().st_size <= size
    assert_near(vectors_of(nlp), vectors_of(exact))


def test_a_folder_that_cannot_be(
    cached: Callable[..., Language],
    elmo_pipeline: Callable[..., Language],
    tmp_path: Path,
) -> None:
    file = tmp_path / "file"
    file.write_text("in the way")
    nlp = cached(folder=file / "cache")
    with pytest.warns(UserWarning, match="cannot be used.*continues without it"):
        vectors = vectors_of(nlp)
    assert_near(vectors, vectors_of(elmo_pipeline()))
    assert file.read_text() == "in the way"


def test_a_folder_that_goes_during_training(
    cached: Callable[..., Language],
    elmo_pipeline: Callable[..., Language],
    tmp_path: Path,
) -> None:
    folder = tmp_path / "cache"
    nlp = cached(folder=folder)
    vectors_of(nlp)
    shutil.rmtree(folder)
    exact = elmo_pipeline()
    with warnings.catch_warnings():
        # whether the system says so or not, training goes on
        warnings.simplefilter("ignore")
        for text in ("something new", TEXTS[0], "and more"):
            (vectors,) = elmo_of(nlp).predict([nlp.make_doc(text)])
            assert_near([vectors], elmo_of(exact).predict([exact.make_doc(text)]))


def fill(folder: Path, seed: int) -> None:
    cache = LayerCache(Path(folder), 10**9)
    for i in np.random.default_rng(seed).permutation(60):
        key = sentence_key([str(i)])
        (found,) = cache.read("bilm", [key])
        expected = np.full((5, 8), i, dtype=np.float16)
        if found is None:
            cache.write("bilm", {key: expected})
        else:
            assert (found == expected).all()


def test_two_processes_share_a_file(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    processes = [context.Process(target=fill, args=(tmp_path, i)) for i in range(2)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
        assert process.exitcode == 0
    cache = LayerCache(tmp_path, 10**9)
    found = cache.read("bilm", [sentence_key([str(i)]) for i in range(60)])
    assert [int(one[0, 0]) for one in found if one is not None] == list(range(60))


def test_with_two_processes_of_a_pipe(
    cached: Callable[..., Language], elmo_pipeline: Callable[..., Language]
) -> None:
    nlp = cached()
    vectors_of(nlp)
    texts = TEXTS * 3
    exact = [doc.tensor for doc in elmo_pipeline().pipe(texts)]
    found = [doc.tensor for doc in nlp.pipe(texts, n_process=2, batch_size=4)]
    assert_near(found, exact)


def test_a_saved_pipeline_knows_nothing_of_it(
    cached: Callable[..., Language],
    elmo_pipeline: Callable[..., Language],
    tmp_path: Path,
) -> None:
    nlp = cached(folder=tmp_path / "cache")
    vectors_of(nlp)
    nlp.to_disk(tmp_path / "saved")
    elmo_pipeline().to_disk(tmp_path / "plain")
    files = ["tok2vec/model", "config.cfg"]
    for name in files:
        saved, plain = tmp_path / "saved" / name, tmp_path / "plain" / name
        assert saved.read_bytes() == plain.read_bytes()
    loaded = spacy.load(tmp_path / "saved")
    assert "cache" not in elmo_of(loaded).attrs
    # as when training is resumed: the weights come back, the cache stays
    nlp.from_disk(tmp_path / "saved")
    assert "cache" in elmo_of(nlp).attrs


def test_from_the_config(
    elmo_pipeline: Callable[..., Language], tmp_path: Path
) -> None:
    config = elmo_pipeline().config.copy()
    config["initialize"]["after_init"] = {
        "@callbacks": "spacy_elmo_ner.ElmoCache.v1",
        "folder": str(tmp_path / "cache"),
    }
    nlp = spacy.util.load_model_from_config(config, auto_fill=True)
    torch.manual_seed(0)
    nlp.initialize()
    vectors_of(nlp)
    assert only_file(tmp_path / "cache").stat().st_size > 0


def test_where_a_cache_makes_no_sense(cached: Callable[..., Language]) -> None:
    with pytest.raises(ValueError, match="frozen = true"):
        cached(frozen=False)
    with pytest.raises(ValueError, match="no ELMo"):
        create_elmo_cache_v1(folder=Path("cache"))(spacy.blank("en"))
    with pytest.raises(ValueError, match="max_gigabytes above 0"):
        create_elmo_cache_v1(folder=Path("cache"), max_gigabytes=0)


@given(st.lists(texts), st.lists(texts))
def test_sentences_have_keys_of_their_own(words: List[str], others: List[str]) -> None:
    assert (sentence_key(words) == sentence_key(others)) == (words == others)


def test_fingerprints_tell_shapes_and_settings_apart() -> None:
    array = np.arange(6, dtype="f")
    names = [
        fingerprint([array], "a"),
        fingerprint([array], "b"),
        fingerprint([array.reshape(2, 3)], "a"),
        fingerprint([array[:3], array[3:]], "a"),
        fingerprint([array + 1], "a"),
    ]
    assert len(set(names)) == len(names)
    assert names[0] == fingerprint([array.copy()], "a")


def test_what_was_set_aside_before_stays(tmp_path: Path) -> None:
    for content in ("first", "second"):
        (tmp_path / "bilm.sqlite").write_text(content * 100)
        with pytest.warns(UserWarning, match="is now .*damaged"):
            cache = LayerCache(tmp_path, 10**7)
            cache.read("bilm", [b"key"])
        cache.close()
    kept = {path.read_text()[:5] for path in tmp_path.glob("*.damaged")}
    assert kept == {"first", "secon"}
