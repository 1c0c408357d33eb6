"""What holds of every tok2vec of ours, alone under spaCy's own components."""

import copy
import pickle
from pathlib import Path
from typing import Iterator, List, Tuple

import numpy as np
import pytest
import torch
from spacy.language import Language
from spacy.tokens import Doc
from thinc.api import Adam

from tests.features.conftest import Gold, Pipelines

NAMES = [
    "spacy_elmo_ner.LexemeFeatures.v1",
    "spacy_elmo_ner.CharCnn.v1",
    "spacy_elmo_ner.StaticVectors.v1",
]
pytestmark = pytest.mark.parametrize("name", NAMES)
TEXT = "In 1996 John met a Zürich-based \n  IBMer — saw  Paris ."


def found(nlp: Language, texts: List[str]) -> List[List[Tuple[str, str]]]:
    return [
        [(ent.text, ent.label_) for ent in doc.ents]
        for doc in nlp.pipe(texts, batch_size=2)
    ]


def reloaded(
    pipelines: Pipelines, name: str, nlp: Language, folder: Path
) -> List[Language]:
    by_disk = pipelines.blank(ner={"@architectures": name})
    nlp.to_disk(folder)
    by_disk.from_disk(folder)
    by_bytes = pipelines.blank(ner={"@architectures": name})
    by_bytes.from_bytes(nlp.to_bytes())
    return [by_disk, by_bytes]


def test_overfits_and_survives_saving(
    pipelines: Pipelines, name: str, gold: Gold, tmp_path: Path
) -> None:
    nlp = pipelines.ner(name)
    texts = [text for text, _ in gold]
    assert found(nlp, texts) == [entities for _, entities in gold]
    (before,) = pipelines.tok2vec(nlp).predict([nlp.make_doc(TEXT)])
    for other in reloaded(pipelines, name, nlp, tmp_path / "saved"):
        assert found(other, texts) == [entities for _, entities in gold]
        (after,) = pipelines.tok2vec(other).predict([other.make_doc(TEXT)])
        np.testing.assert_array_equal(before, after)


@pytest.fixture
def one_thread() -> Iterator[None]:
    """Forked processes hang on a torch that has used several threads before."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def test_two_processes_find_the_same(
    pipelines: Pipelines, name: str, gold: Gold, one_thread: None
) -> None:
    nlp = pipelines.ner(name)
    docs = nlp.pipe([text for text, _ in gold], n_process=2, batch_size=1)
    assert [[(e.text, e.label_) for e in doc.ents] for doc in docs] == [
        entities for _, entities in gold
    ]


def test_trains_in_a_component_that_others_listen_to(
    pipelines: Pipelines, name: str, gold: Gold
) -> None:
    width = pipelines.tok2vec(pipelines.ner(name)).get_dim("nO")
    listener = {"@architectures": "spacy.Tok2VecListener.v1", "width": width}
    nlp = pipelines.blank(shared={"@architectures": name}, ner=listener)
    pipelines.train(nlp)
    assert found(nlp, [text for text, _ in gold]) == [entities for _, entities in gold]
    assert pipelines.tok2vec(nlp, component="tok2vec").get_dim("nO") == width


def test_copies_give_the_same_vectors(pipelines: Pipelines, name: str) -> None:
    nlp = pipelines.ner(name)
    model = pipelines.tok2vec(nlp)
    (vectors,) = model.predict([nlp.make_doc(TEXT)])
    for other in (copy.deepcopy(model), pickle.loads(pickle.dumps(model))):
        np.testing.assert_array_equal(other.predict([nlp.make_doc(TEXT)])[0], vectors)


def test_a_text_has_one_value_in_any_batch(pipelines: Pipelines, name: str) -> None:
    nlp = pipelines.ner(name)
    model = pipelines.tok2vec(nlp)
    long_word = nlp.make_doc("Donaudampfschifffahrtsgesellschaft " * 3)
    docs = [nlp.make_doc(TEXT), long_word, nlp.make_doc("Paris"), nlp.make_doc("")]
    alone = [model.predict([doc])[0] for doc in docs]
    together = model.predict(docs)
    backwards = model.predict(docs[::-1])[::-1]
    for one, two, three, doc in zip(alone, together, backwards, docs, strict=True):
        assert one.shape == (len(doc), model.get_dim("nO"))
        assert one.dtype == "float32"
        np.testing.assert_allclose(two, one, atol=1e-6)
        np.testing.assert_allclose(three, one, atol=1e-6)


@pytest.mark.parametrize("n_docs", [0, 1, 3])
def test_docs_without_tokens(pipelines: Pipelines, name: str, n_docs: int) -> None:
    nlp = pipelines.ner(name)
    model = copy.deepcopy(pipelines.tok2vec(nlp))
    docs = [Doc(nlp.vocab) for _ in range(n_docs)]
    shapes = [(0, model.get_dim("nO"))] * n_docs
    assert [vectors.shape for vectors in model.predict(docs)] == shapes
    vectors, backprop = model.begin_update(docs)
    assert [array.shape for array in vectors] == shapes
    backprop(vectors)
    model.finish_update(Adam(0.1))
    (after,) = model.predict([nlp.make_doc(TEXT)])
    (before,) = pipelines.tok2vec(nlp).predict([nlp.make_doc(TEXT)])
    np.testing.assert_array_equal(after, before)


def test_odd_tokens_have_finite_vectors(pipelines: Pipelines, name: str) -> None:
    nlp = pipelines.ner(name)
    words = ["\n", "\t \t", "é" * 60, "a\0b", "👩‍👩‍👧", "\u200b", "．", "İ", "ß", "²"]
    (vectors,) = pipelines.tok2vec(nlp).predict([Doc(nlp.vocab, words=words)])
    assert np.isfinite(vectors).all()
    assert vectors.shape[0] == len(words)
