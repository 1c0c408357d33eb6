from typing import cast

import numpy as np
import pytest
import spacy
import srsly
from spacy.tokens import Doc
from spacy.vectors import Vectors
from spacy.vocab import Vocab
from thinc.api import SGD
from thinc.types import Floats1d

from spacy_elmo_ner.features.static_vectors import build_static_vectors_v1
from tests.arrays import as_numpy

# the gradient itself, whatever its size
SUBTRACT = SGD(1.0, L2=0.0, grad_clip=0.0)


@pytest.fixture
def vocab() -> Vocab:
    vocab = spacy.blank("en").vocab
    rng = np.random.default_rng(0)
    for word in ["london", "paris", "Paris", "in", "not"]:
        vocab.set_vector(word, cast(Floats1d, rng.normal(size=6).astype("f")))
    return vocab


def test_own_form_then_lower_case_then_zeros(vocab: Vocab) -> None:
    words = ["London", "in", "Paris", "PARIS", "Rome", "in", "\n"]
    model = build_static_vectors_v1()
    model.initialize(X=[Doc(vocab, words=words)])
    docs = [Doc(vocab, words=words[:3]), Doc(vocab), Doc(vocab, words=words[3:])]
    vectors = np.concatenate([as_numpy(one) for one in model.predict(docs)])
    names = ["london", "in", "Paris", "paris", None, "in", None]
    expected = [np.zeros(6) if n is None else vocab[n].vector for n in names]
    np.testing.assert_array_equal(vectors, np.array(expected, dtype="f"))
    assert model.get_dim("nO") == 6


def test_another_attribute() -> None:
    nlp = spacy.blank("en")
    nlp.vocab.set_vector("not", cast(Floats1d, np.ones(4, dtype="f")))
    doc = nlp("I don't")
    (by_norm,) = build_static_vectors_v1(attr="NORM").initialize(X=[doc]).predict([doc])
    (by_lower,) = build_static_vectors_v1().initialize(X=[doc]).predict([doc])
    assert by_norm[2].tolist() == [1.0] * 4
    assert by_lower[2].tolist() == [0.0] * 4


def test_vectors_in_use_do_not_change_the_table(vocab: Vocab) -> None:
    doc = Doc(vocab, words=["unknown", "in"])
    model = build_static_vectors_v1().initialize(X=[doc])
    before = vocab.vectors.data.copy()
    vectors, backprop = model.begin_update([doc])
    vectors[0][:] = 7.0
    assert backprop(vectors) == []
    np.testing.assert_array_equal(vocab.vectors.data, before)


def test_fine_tuning_moves_the_words_that_training_met(vocab: Vocab) -> None:
    words = ["London", "in", "London", "unknown", "Paris"]
    doc = Doc(vocab, words=words)
    table = vocab.vectors.data.copy()
    model = build_static_vectors_v1(fine_tuned_words=10).initialize(X=[doc])
    (plain,) = build_static_vectors_v1().initialize(X=[doc]).predict([doc])
    (vectors,), backprop = model.begin_update([doc])
    np.testing.assert_array_equal(vectors, plain)
    gradient = np.arange(30, dtype="f").reshape(5, 6)
    backprop([gradient])
    model.finish_update(SUBTRACT)
    (moved,) = model.predict([doc])
    london = gradient[0] + gradient[2]
    expected = [london, gradient[1], london, 0 * london, gradient[4]]
    np.testing.assert_allclose(plain - moved, expected, atol=1e-5)
    others = Doc(vocab, words=["not", "paris", "Rome"])
    expected = [vocab["not"].vector, vocab["paris"].vector, 0 * london]
    np.testing.assert_array_equal(model.predict([others])[0], expected)
    np.testing.assert_array_equal(vocab.vectors.data, table)
    again = build_static_vectors_v1(fine_tuned_words=10).from_bytes(model.to_bytes())
    np.testing.assert_array_equal(again.predict([doc])[0], moved)


def test_fine_tuning_ends_with_the_words_it_has_room_for(vocab: Vocab) -> None:
    first = Doc(vocab, words=["in", "london"])
    second = Doc(vocab, words=["not", "in", "Paris", "paris"])
    model = build_static_vectors_v1(fine_tuned_words=3).initialize(X=[first])
    # rows: london 0, paris 1, Paris 2, in 3, not 4
    for doc in (first, second, first):
        _, backprop = model.begin_update([doc])
        backprop([np.ones((len(doc), 6), dtype="f")])
    assert model.attrs["differences"][:5].tolist() == [0, 2, -1, 1, -1]
    model.finish_update(SUBTRACT)
    (vectors,) = model.predict([second])
    plain = np.array([vocab[word.text].vector for word in second])
    steps = (plain - vectors).round(4)
    assert (steps == np.array([[0.0], [3.0], [0.0], [1.0]])).all()


def test_a_saved_model_learns_new_words(vocab: Vocab) -> None:
    london, paris = Doc(vocab, words=["london"]), Doc(vocab, words=["paris"])
    model = build_static_vectors_v1(fine_tuned_words=3).initialize(X=[london])
    model.begin_update([london])
    again = build_static_vectors_v1(fine_tuned_words=3).from_bytes(model.to_bytes())
    _, backprop = again.begin_update([paris])
    backprop([np.ones((1, 6), dtype="f")])
    again.finish_update(SUBTRACT)
    assert again.attrs["differences"][:5].tolist() == [0, 1, -1, -1, -1]
    np.testing.assert_allclose(
        again.predict([paris])[0][0], as_numpy(vocab["paris"].vector) - 1
    )
    np.testing.assert_array_equal(again.predict([london])[0][0], vocab["london"].vector)


def test_fine_tuning_of_impossible_rows(floret_vocab: Vocab) -> None:
    with pytest.raises(ValueError, match="fine_tuned_words to 0"):
        build_static_vectors_v1(fine_tuned_words=-1)
    model = build_static_vectors_v1(fine_tuned_words=5)
    with pytest.raises(ValueError, match="fine_tuned_words to 0"):
        model.initialize(X=[Doc(floret_vocab, words=["in"])])


@pytest.fixture
def floret_vocab() -> Vocab:
    vocab = Vocab()
    rng = np.random.default_rng(0)
    vocab.vectors = Vectors(
        strings=vocab.strings,
        data=rng.normal(size=(50, 5)).astype("f"),
        mode="floret",
        hash_count=2,
        minn=3,
        maxn=5,
    )
    return vocab


def test_floret_vectors(floret_vocab: Vocab) -> None:
    vocab = floret_vocab
    doc = Doc(vocab, words=["London", "xyzzy", "London"])
    model = build_static_vectors_v1().initialize(X=[doc])
    vectors, empty = model.predict([doc, Doc(vocab)])
    expected = np.stack([as_numpy(vocab[word.text].vector) for word in doc])
    np.testing.assert_allclose(vectors, expected, atol=1e-6)
    assert empty.shape == (0, 5)
    (nothing,) = model.predict([Doc(vocab)])
    assert nothing.shape == (0, 5)


def test_no_vectors() -> None:
    doc = Doc(Vocab(), words=["London"])
    with pytest.raises(ValueError, match="(?s)vectors.*\\[initialize\\]"):
        build_static_vectors_v1().initialize(X=[doc])


@pytest.mark.parametrize("kind", ["vocab", "floret_vocab"])
def test_the_table_is_the_models_own(kind: str, request: pytest.FixtureRequest) -> None:
    vocab = request.getfixturevalue(kind)
    words = ["London", "in", "nowhere"]
    model = build_static_vectors_v1().initialize(X=[Doc(vocab, words=words)])
    expected = model.predict([Doc(vocab, words=words)])[0]
    assert np.abs(expected).sum() > 0
    again = build_static_vectors_v1().from_bytes(model.to_bytes())
    vocab.vectors = Vectors(shape=(1, 3))
    other = spacy.blank("en").vocab
    other.set_vector("in", cast(Floats1d, np.ones(3, dtype="f")))
    for one in (model, again, model.copy()):
        for some in (vocab, other, spacy.blank("en").vocab):
            vectors = one.predict([Doc(some, words=words)])[0]
            np.testing.assert_array_equal(vectors, expected)


def test_a_model_of_version_0_1_0_takes_the_vectors_of_its_vocab(vocab: Vocab) -> None:
    doc = Doc(vocab, words=["London", "in"])
    model = build_static_vectors_v1(fine_tuned_words=2).initialize(X=[doc])
    expected = model.predict([doc])[0]
    # it saved no table
    message = model.to_dict()
    for attrs in message["attrs"]:
        attrs.pop("vectors", None)
    saved = srsly.msgpack_dumps(message)
    again = build_static_vectors_v1(fine_tuned_words=2).from_bytes(saved)
    np.testing.assert_array_equal(again.predict([doc])[0], expected)
    moved = Doc(spacy.blank("en").vocab, words=["London", "in"])
    np.testing.assert_array_equal(again.predict([moved])[0], expected)
    lost = build_static_vectors_v1(fine_tuned_words=2).from_bytes(saved)
    other = spacy.blank("en").vocab
    other.set_vector("in", cast(Floats1d, np.ones(3, dtype="f")))
    with pytest.raises(ValueError, match="6 wide.*this vocab are 3 wide"):
        lost.predict([Doc(other, words=["in"])])
    np.testing.assert_array_equal(lost.predict([doc])[0], expected)


def test_prediction_before_initialization(vocab: Vocab) -> None:
    with pytest.raises(ValueError, match="nlp.initialize"):
        build_static_vectors_v1().predict([Doc(vocab, words=["in"])])
