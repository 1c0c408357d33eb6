import copy
import pickle
from typing import Any, Callable, Dict, List, Optional, Union

import numpy as np
import pytest
import spacy
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from spacy.language import Language
from spacy.tokens import Doc
from thinc.api import Adam, set_dropout_rate

from spacy_elmo_ner.bilm.char_ids import encode_words, index_types
from spacy_elmo_ner.elmo.architecture import build_elmo_v1
from spacy_elmo_ner.elmo.network import sub_batches
from spacy_elmo_ner.kernels.int8_products import has_int8
from spacy_elmo_ner.kernels.packed_products import has_bfloat16
from tests.elmo.conftest import Elmo


def elmo_of(nlp: Language) -> Elmo:
    model: Elmo = nlp.get_pipe("tok2vec").model
    return model


def doc_of(
    nlp: Language,
    words: List[str],
    sent_starts: Optional[List[Union[bool, int, None]]] = None,
) -> Doc:
    return Doc(nlp.vocab, words=words, sent_starts=sent_starts)


def layers_of(nlp: Language, sentence: List[str]) -> np.ndarray:
    """The encoder's layers of one sentence: (depth + 1, tokens, nO)."""
    types, indexed = index_types([sentence])
    encoder = elmo_of(nlp).shims[0].module.encoder
    with torch.no_grad():
        layers, _ = encoder(torch.from_numpy(encode_words(types)), indexed)
    return torch.stack(layers).numpy()


@pytest.mark.parametrize(
    "layer,pick",
    [
        ("elmo", lambda layers: layers.mean(0)),
        ("word_emb", lambda layers: layers[0]),
        ("lstm_outputs1", lambda layers: layers[1]),
        ("lstm_outputs2", lambda layers: layers[2]),
    ],
)
def test_vectors_are_the_layer_that_was_asked_for(
    elmo_pipeline: Callable[..., Language],
    layer: str,
    pick: Callable[[np.ndarray], np.ndarray],
) -> None:
    nlp = elmo_pipeline(layer=layer)
    first, second = ["My", "name", "is", "John"], ["Hello", "!"]
    starts: List[Union[bool, int, None]] = [True, False, False, False, True, False]
    (vectors,) = elmo_of(nlp).predict([doc_of(nlp, first + second, starts)])
    expected = [pick(layers_of(nlp, sentence)) for sentence in (first, second)]
    np.testing.assert_allclose(vectors, np.vstack(expected), rtol=0, atol=1e-6)


def test_long_sentences_are_encoded_in_windows(
    elmo_pipeline: Callable[..., Language],
) -> None:
    nlp = elmo_pipeline(max_sentence_length=3)
    words = "one two three four five six seven".split()
    (vectors,) = elmo_of(nlp).predict([doc_of(nlp, words)])
    windows = [doc_of(nlp, words[i : i + 3]) for i in (0, 3, 6)]
    expected = np.vstack(elmo_of(nlp).predict(windows))
    np.testing.assert_allclose(vectors, expected, rtol=0, atol=1e-6)


@pytest.mark.parametrize("batch_tokens", [1, 7, 30])
def test_sub_batches_change_no_vector(
    elmo_pipeline: Callable[..., Language], batch_tokens: int
) -> None:
    texts = ["a b c d e f", "a", "", "  ", "b c d", "x y"] * 4
    plain, cut = elmo_pipeline(), elmo_pipeline(batch_tokens=batch_tokens)
    for one, other in zip(plain.pipe(texts), cut.pipe(texts), strict=True):
        np.testing.assert_allclose(one.tensor, other.tensor, rtol=0, atol=1e-6)


@settings(deadline=None)
@given(st.lists(st.integers(0, 30), max_size=20), st.integers(1, 100))
def test_sub_batches_hold_each_sentence_once_and_fit(
    lengths: List[int], batch_tokens: int
) -> None:
    batches = sub_batches(lengths, batch_tokens)
    assert sorted(i for batch in batches for i in batch) == list(range(len(lengths)))
    for batch in batches:
        padded = len(batch) * (max(lengths[i] for i in batch) + 2)
        assert padded <= batch_tokens or len(batch) == 1


def test_white_space_is_no_word(elmo_pipeline: Callable[..., Language]) -> None:
    nlp = elmo_pipeline()
    spaced, plain = nlp("a  b"), nlp("a b")
    assert [token.is_space for token in spaced] == [False, True, False]
    np.testing.assert_array_equal(spaced.tensor[1], np.zeros(16))
    np.testing.assert_allclose(spaced.tensor[[0, 2]], plain.tensor, atol=1e-6)


@pytest.mark.parametrize("texts", [[], [""], ["", "", ""], ["   "], ["", " \n ", "a"]])
def test_docs_without_words_have_zero_vectors(
    elmo_pipeline: Callable[..., Language], texts: List[str]
) -> None:
    nlp = elmo_pipeline()
    docs = [nlp.make_doc(text) for text in texts]
    vectors = elmo_of(nlp).predict(docs)
    assert [v.shape for v in vectors] == [(len(doc), 16) for doc in docs]
    for doc, rows in zip(docs, vectors, strict=True):
        for token, row in zip(doc, rows, strict=True):
            assert row.any() != token.is_space
    again, backprop = elmo_of(nlp).begin_update(docs)
    backprop(again)


def test_model_knows_its_width_before_it_has_weights(sizes: Dict[str, Any]) -> None:
    model = build_elmo_v1(**sizes)
    assert model.name == "elmo"
    assert model.get_dim("nO") == 2 * sizes["projection_width"]


def test_without_weights_it_says_what_to_do(sizes: Dict[str, Any]) -> None:
    model = build_elmo_v1(**sizes)
    with pytest.raises(ValueError, match="initialize"):
        model.predict([Doc(spacy.blank("en").vocab, words=["a"])])


@pytest.mark.parametrize(
    "arguments,message",
    [
        ({"layer": "lstm_outputs9"}, "no layer named 'lstm_outputs9'"),
        ({"activation": "gelu"}, "activation is 'gelu'"),
        ({"batch_tokens": 0}, "batch_tokens is 0"),
        ({"max_sentence_length": 0}, "max_sentence_length is 0"),
        ({"dropout": 1.0}, "dropout is 1.0"),
        ({"filters": [[3]]}, "filters"),
        ({"precision": "int4"}, "int4.*float32, bfloat16, int8"),
        ({"cached_words": -1}, "cached_words is -1"),
        ({"start_state": "cold"}, "no start state 'cold'; use one of zeros, warm"),
    ],
)
def test_arguments_that_make_no_sense_are_named(
    sizes: Dict[str, Any], arguments: Dict[str, Any], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        build_elmo_v1(**{**sizes, **arguments})


def test_frozen_bilm_gets_no_gradient_but_the_mix_does(
    elmo_pipeline: Callable[..., Language],
) -> None:
    nlp = elmo_pipeline(frozen=True)
    model = elmo_of(nlp)
    vectors, backprop = model.begin_update([nlp.make_doc("My name is John")])
    backprop([np.ones_like(vectors[0])])
    gradients = {
        name: parameter.grad
        for name, parameter in model.shims[0].module.named_parameters()
    }
    assert all(
        (gradient is not None) == name.startswith("mix")
        for name, gradient in gradients.items()
    )
    assert gradients["mix.weights"].abs().sum() > 0


def test_frozen_single_layer_has_nothing_to_learn(
    elmo_pipeline: Callable[..., Language],
) -> None:
    nlp = elmo_pipeline(frozen=True, layer="lstm_outputs1")
    vectors, backprop = elmo_of(nlp).begin_update([nlp.make_doc("My name")])
    backprop(vectors)
    module = elmo_of(nlp).shims[0].module
    assert all(parameter.grad is None for parameter in module.parameters())


@pytest.mark.parametrize("frozen", [True, False])
def test_backprop_is_the_slope_of_the_vectors(
    elmo_pipeline: Callable[..., Language], frozen: bool
) -> None:
    """Gradients through Thinc against finite differences, white space and all."""
    nlp = elmo_pipeline(frozen=frozen, activation="tanh", batch_tokens=8)
    model = elmo_of(nlp)
    module = model.shims[0].module.double()
    docs = [nlp.make_doc(text) for text in ("My  name. Is John", "", "a", "b c d e")]
    random = np.random.default_rng(0)
    weights = [random.normal(size=(len(doc), 16)) for doc in docs]

    def loss() -> float:
        vectors = model.predict(docs)
        return float(sum((w * v).sum() for w, v in zip(weights, vectors, strict=True)))

    _, backprop = model.begin_update(docs)
    backprop(weights)
    learning = {n: p for n, p in module.named_parameters() if p.requires_grad}
    assert ("encoder.char_cnn.char_embed" in learning) != frozen
    for parameter in learning.values():
        direction = torch.from_numpy(random.normal(size=parameter.shape))
        step = 1e-6
        with torch.no_grad():
            parameter.add_(direction, alpha=step)
            above = loss()
            parameter.add_(direction, alpha=-2 * step)
            below = loss()
            parameter.add_(direction, alpha=step)
        slope = float((parameter.grad * direction).sum())
        assert (above - below) / (2 * step) == pytest.approx(slope, rel=1e-5, abs=1e-6)


def test_dropout_is_its_own_and_spares_prediction(
    elmo_pipeline: Callable[..., Language],
) -> None:
    """The layers that read the vectors drop them at training.dropout already."""
    rate = 0.4
    nlp = elmo_pipeline(dropout=rate)
    model = elmo_of(nlp)
    doc = nlp.make_doc("one two three four five six seven eight nine ten")
    predicted = model.predict([doc])[0]
    assert predicted.all()
    set_dropout_rate(model, 0.9)
    torch.manual_seed(1)
    vectors = model.begin_update([doc])[0][0]
    kept = vectors != 0
    assert kept.mean() == pytest.approx(1 - rate, abs=0.12)
    np.testing.assert_allclose(vectors[kept], predicted[kept] / (1 - rate), rtol=1e-5)
    np.testing.assert_array_equal(model.predict([doc])[0], predicted)


def test_copies_give_the_same_vectors(elmo_pipeline: Callable[..., Language]) -> None:
    nlp = elmo_pipeline()
    model, doc = elmo_of(nlp), nlp.make_doc("My name is John")
    (vectors,) = model.predict([doc])
    for other in (copy.deepcopy(model), pickle.loads(pickle.dumps(model))):
        np.testing.assert_array_equal(other.predict([doc])[0], vectors)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="There is no CUDA device.")
def test_gpu_gives_the_vectors_of_the_cpu(
    elmo_pipeline: Callable[..., Language],
) -> None:
    nlp = elmo_pipeline()
    model = elmo_of(nlp)
    docs = [nlp.make_doc(text) for text in ("My name  is John", "", "Hello !")]
    before = model.predict(docs)
    model.shims[0].module.to("cuda")
    vectors, backprop = model.begin_update(docs)
    for one, other in zip(before, vectors, strict=True):
        np.testing.assert_allclose(
            one, torch.as_tensor(other, device="cpu"), rtol=0, atol=1e-5
        )
    backprop(vectors)


def test_predictions_follow_the_weights(elmo_pipeline: Callable[..., Language]) -> None:
    """What prediction keeps ready must not outlive the weights it was made from."""
    nlp = elmo_pipeline(frozen=False)
    model = elmo_of(nlp)
    docs = [nlp.make_doc("My name is John"), nlp.make_doc("John")]
    shares = {}

    def assert_fresh() -> None:
        recorded, backprop = model.begin_update(docs)
        backprop(recorded)
        for one, other in zip(model.predict(docs), recorded, strict=True):
            np.testing.assert_allclose(one, other, atol=1e-6)

    assert_fresh()
    before = model.predict(docs)[0]
    # as Adam of Thinc does: the memory is written, torch does not see it
    optimizer = Adam(0.05, use_averages=True)
    for _ in range(3):
        model.finish_update(optimizer)
        shares.update(optimizer.averages)
        assert_fresh()
    moved = model.predict(docs)[0]
    assert np.abs(moved - before).max() > 1e-3
    with model.use_params(shares):
        averaged = model.predict(docs)[0]
        assert np.abs(averaged - moved).max() > 1e-4
    np.testing.assert_array_equal(model.predict(docs)[0], moved)


@pytest.mark.parametrize(
    "precision",
    [
        pytest.param(precision, marks=pytest.mark.skipif(not there, reason=reason))
        for precision, there, reason in (
            ("bfloat16", has_bfloat16(), "this machine has no fast bfloat16"),
            ("int8", has_int8(), "this machine has no fast int8"),
        )
    ],
)
def test_less_precision_is_near_the_exact_vectors_in_any_batch(
    elmo_pipeline: Callable[..., Language], precision: str
) -> None:
    texts = ["My name is John!", "a", "I live in  Berlin.", "b " * 40]
    sizes = dict(lstm_width=256, projection_width=64)
    exact = elmo_pipeline(**sizes)
    rounded = elmo_pipeline(**sizes, precision=precision)
    together = [doc.tensor for doc in rounded.pipe(texts)]
    for text, vectors in zip(texts, together, strict=True):
        expected = exact(text).tensor
        assert not np.array_equal(vectors, expected)
        words = np.abs(expected).sum(1) > 0
        cosine = (vectors * expected).sum(1)[words]
        cosine /= np.linalg.norm(vectors, axis=1)[words]
        cosine /= np.linalg.norm(expected, axis=1)[words]
        assert cosine.min() > 0.999
        np.testing.assert_array_equal(rounded(text).tensor, vectors)


def test_a_pipe_that_has_predicted_is_copied_pickled_and_saved(
    elmo_pipeline: Callable[..., Language],
) -> None:
    nlp = elmo_pipeline()
    model = elmo_of(nlp)
    doc = nlp.make_doc("My name is John")
    expected = model.predict([doc])[0]
    for twin in (model.copy(), pickle.loads(pickle.dumps(model))):
        np.testing.assert_array_equal(twin.predict([doc])[0], expected)
    assert len(model.to_bytes()) == len(elmo_of(elmo_pipeline()).to_bytes())


@pytest.mark.parametrize("cached_words", [0, 2, 1000])
def test_cached_words_change_no_vector(
    elmo_pipeline: Callable[..., Language], cached_words: int
) -> None:
    plain = elmo_pipeline()
    nlp = elmo_pipeline(cached_words=cached_words)
    for text in ("My name is John", "is it?", "", "My name is My name"):
        np.testing.assert_array_equal(nlp(text).tensor, plain(text).tensor)
