from random import Random
from typing import Any, List, Optional, Tuple

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from spacy_elmo_ner.bilm.char_ids import encode_words, index_types
from spacy_elmo_ner.bilm.encoder import (
    START_STATES,
    WARM_UP_TIMES,
    WARM_UP_WORD,
    ElmoEncoder,
)
from spacy_elmo_ner.bilm.lstm import BiLMState
from spacy_elmo_ner.bilm.options import ElmoOptions

WORDS = ["a", "of", "London", "x" * 60, "Größe", "日本語", "\0", ""]
words = st.sampled_from(WORDS)
sentences_of_words = st.lists(st.lists(words, max_size=12), min_size=1, max_size=20)
sentences_with_words = st.lists(
    st.lists(words, min_size=1, max_size=12), min_size=1, max_size=20
)


def encoder(
    *,
    seed: int = 0,
    dtype: torch.dtype = torch.float32,
    start_state: str = "zeros",
    **changes: Any,
) -> ElmoEncoder:
    sizes = dict(
        filters=((1, 8), (2, 8), (3, 16)),
        n_highway=1,
        lstm_width=24,
        projection_width=8,
        n_layers=2,
    )
    torch.manual_seed(seed)
    options = ElmoOptions(**{**sizes, **changes})
    module = ElmoEncoder(options, start_state=start_state).to(dtype)
    if start_state == "trained":
        for start in (module.start_hidden, module.start_cell):
            torch.nn.init.normal_(start)
    return module


def encode(
    module: ElmoEncoder, sentences: List[List[str]], **options: Any
) -> Tuple[List[Tensor], BiLMState]:
    """The layers of each sentence, (depth + 1, tokens, width), and the end state."""
    types, indexed = index_types(sentences)
    layers, end = module(torch.from_numpy(encode_words(types)), indexed, **options)
    lengths = [len(sentence) for sentence in sentences]
    split = [layer.split(lengths) for layer in layers]
    return [torch.stack(one) for one in zip(*split, strict=True)], end


@settings(deadline=None, max_examples=40)
@given(sentences_of_words, st.randoms(use_true_random=False))
def test_a_sentence_has_the_same_vectors_in_any_batch_and_order(
    sentences: List[List[str]], random: Random
) -> None:
    module = encoder(lstm_width=64, projection_width=32)
    with torch.no_grad():
        together, _ = encode(module, sentences)
        order = list(range(len(sentences)))
        random.shuffle(order)
        shuffled, _ = encode(module, [sentences[i] for i in order])
        for sentence, vectors in zip(sentences, together, strict=True):
            alone, _ = encode(module, [sentence])
            torch.testing.assert_close(vectors, alone[0], rtol=0, atol=1e-6)
        for i, vectors in zip(order, shuffled, strict=True):
            torch.testing.assert_close(vectors, together[i], rtol=0, atol=1e-6)


@settings(deadline=None, max_examples=25)
@given(sentences_of_words, st.sampled_from([None, 0.2]), st.booleans())
def test_overwriting_changes_nothing(
    sentences: List[List[str]], clip: Optional[float], skip_connections: bool
) -> None:
    """Without autograd, memory is reused; the results are those of autograd."""
    module = encoder(
        cell_clip=clip, projection_clip=clip, skip_connections=skip_connections
    )
    recorded, recorded_end = encode(module, sentences)
    with torch.no_grad():
        reused, reused_end = encode(module, sentences)
    for one, other in zip(recorded, reused, strict=True):
        torch.testing.assert_close(one, other)
    torch.testing.assert_close(recorded_end, reused_end)


def test_the_given_state_is_left_as_it_was() -> None:
    module = encoder()
    with torch.no_grad():
        _, state = encode(module, [["a"], ["of", "a"]])
        kept = [tensor.clone() for tensor in state]
        encode(module, [["London"] * 3, ["of"]], state=state)
    assert all(torch.equal(one, other) for one, other in zip(state, kept, strict=True))


def test_zeros_are_the_state_that_is_left_out() -> None:
    module = encoder()
    sentences = [["a", "of"], ["London"]]
    with torch.no_grad():
        plain, end = encode(module, sentences)
        zeros = type(end)(*(torch.zeros_like(tensor) for tensor in end))
        given_zeros, _ = encode(module, sentences, state=zeros)
    for one, other in zip(plain, given_zeros, strict=True):
        assert torch.equal(one, other)


@pytest.mark.parametrize("records", [False, True])
def test_a_warm_start_is_what_reading_the_warm_up_ends_in(records: bool) -> None:
    cold, warm = encoder(), encoder(start_state="warm")
    sentences = [["a", "of", "London"], ["London"], []]
    with torch.set_grad_enabled(records):
        ends: List[Optional[BiLMState]] = [None]
        for _ in range(WARM_UP_TIMES):
            ends.append(encode(cold, [[WARM_UP_WORD]], state=ends[-1])[1])
        for sentence, vectors in zip(
            sentences, encode(warm, sentences)[0], strict=True
        ):
            expected, _ = encode(cold, [sentence], state=ends[-1])
            torch.testing.assert_close(vectors, expected[0])
        plain, _ = encode(cold, sentences[:1])
        assert not torch.allclose(plain[0][1:], encode(warm, sentences[:1])[0][0][1:])


@pytest.mark.parametrize("records", [False, True])
def test_a_warm_start_follows_the_weights(records: bool) -> None:
    """Also those that an optimizer writes without autograd's seeing it."""
    warm, fresh = encoder(start_state="warm"), encoder(start_state="warm")
    with torch.set_grad_enabled(records):
        encode(warm, [["a"]])
    with torch.no_grad():
        for module in (warm, fresh):
            for parameter in module.parameters():
                if records:
                    parameter.data.mul_(1.5)
                else:
                    parameter.mul_(1.5)
        ours, theirs = (encode(one, [["a"]])[0][0] for one in (warm, fresh))
    assert torch.equal(ours, theirs)


def test_a_trained_start_is_the_state_that_every_sentence_gets() -> None:
    plain, trained = encoder(), encoder(start_state="trained")
    plain.load_state_dict(trained.state_dict(), strict=False)
    sentences = [["a", "of"], ["London"], []]
    hidden, cell = trained.start_hidden, trained.start_cell
    state = BiLMState(hidden.expand(-1, -1, 3, -1), cell.expand(-1, -1, 3, -1))
    expected, _ = encode(plain, sentences, state=state)
    for one, other in zip(encode(trained, sentences)[0], expected, strict=True):
        torch.testing.assert_close(one, other)
    assert not torch.allclose(expected[0][1:], encode(plain, sentences)[0][0][1:])


@settings(deadline=None, max_examples=40)
@given(sentences_with_words, st.sampled_from(START_STATES), st.sampled_from([0, 1, 2]))
def test_boundaries_need_not_be_read_again(
    sentences: List[List[str]], start_state: str, depth: int
) -> None:
    """The layers, and their gradients, are those of reading BEGIN and END each time."""
    module = encoder(start_state=start_state, dtype=torch.float64)
    types, indexed = index_types(sentences)
    type_ids = torch.from_numpy(encode_words(types))
    outcomes = []
    for read_again in (True, False):
        module.zero_grad()
        if read_again:
            layers, _ = module(type_ids, indexed, depth=depth)
        else:
            vectors = module.word_vectors(type_ids)
            layers = module.layers(vectors, indexed, depth=depth)
        sum((layer * layer).sum() for layer in layers).backward()
        with torch.no_grad():
            vectors = module.word_vectors(type_ids)
            for _ in range(2):
                layers += module.layers(vectors, indexed, depth=depth)
        for parameter in module.parameters():
            unused = torch.zeros_like(parameter)
            layers.append(unused if parameter.grad is None else parameter.grad)
        outcomes.append(layers)
    torch.testing.assert_close(*outcomes)


def test_states_belong_to_sentences_not_to_rows() -> None:
    """Sentences are sorted inside: each must get its own state, and hand on its own."""
    module = encoder()
    first = [["a"], ["of", "a", "London"], []]
    second = [["London", "a"], ["of"], ["a", "a", "a"]]
    with torch.no_grad():
        _, state = encode(module, first)
        together, end = encode(module, second, state=state)
        for i in range(3):
            _, own = encode(module, [first[i]])
            alone, own_end = encode(module, [second[i]], state=own)
            torch.testing.assert_close(together[i], alone[0])
            torch.testing.assert_close(end.hidden[:, :, i], own_end.hidden[:, :, 0])
            torch.testing.assert_close(end.cell[:, :, i], own_end.cell[:, :, 0])


def test_depth_stops_early_and_changes_nothing_below() -> None:
    module = encoder(n_layers=3)
    sentences = [["a", "of", "a"], ["London"]]
    with torch.no_grad():
        full, _ = encode(module, sentences)
        for depth in range(4):
            some, end = encode(module, sentences, depth=depth)
            assert end.cell.shape[1] == depth
            for one, other in zip(full, some, strict=True):
                assert torch.equal(one[: depth + 1], other)


def test_first_layer_is_the_word_vector_twice() -> None:
    module = encoder()
    layers, _ = encode(module, [["a", "of", "a"]])
    vectors = module.word_vectors(torch.from_numpy(encode_words(["a", "of"])))[2:]
    torch.testing.assert_close(
        layers[0][0], torch.cat([vectors, vectors], 1)[[0, 1, 0]]
    )


def test_sentences_without_words_have_no_vectors() -> None:
    layers, end = encode(encoder(), [[], []])
    assert [tuple(one.shape) for one in layers] == [(3, 0, 16), (3, 0, 16)]
    assert end.hidden.shape == (2, 2, 2, 8)


@pytest.mark.parametrize("skip_connections", [True, False])
def test_gradients_agree_with_finite_differences(skip_connections: bool) -> None:
    module = encoder(
        dtype=torch.float64,
        filters=((1, 2), (2, 2)),
        char_embedding_width=2,
        lstm_width=3,
        projection_width=2,
        skip_connections=skip_connections,
        activation="tanh",
    )
    types, sentences = index_types([["ab", "c"], [], ["c", "c", "ab"]])
    type_ids = torch.from_numpy(encode_words(types))
    weights = [torch.randn(5, 4, dtype=torch.float64) for _ in range(3)]

    def loss() -> Tensor:
        layers, _ = module(type_ids, sentences)
        pairs = zip(weights, layers, strict=True)
        return torch.stack([(w * layer).sum() for w, layer in pairs]).sum()

    module.zero_grad()
    loss().backward()
    random = np.random.default_rng(0)
    for name, parameter in module.named_parameters():
        direction = torch.from_numpy(random.normal(size=parameter.shape))
        step = 1e-6
        with torch.no_grad():
            parameter.add_(direction, alpha=step)
            above = loss()
            parameter.add_(direction, alpha=-2 * step)
            below = loss()
            parameter.add_(direction, alpha=step)
        slope = (above - below) / (2 * step)
        assert parameter.grad is not None
        gradient = (parameter.grad * direction).sum()
        torch.testing.assert_close(gradient, slope, rtol=1e-5, atol=1e-7, msg=name)
