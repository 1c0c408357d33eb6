from typing import Any, Dict, cast

import pytest
import torch
from torch import Tensor, nn

from spacy_elmo_ner.bilm.char_cnn import CharCnn
from spacy_elmo_ner.bilm.char_ids import encode_words
from spacy_elmo_ner.bilm.options import ElmoOptions

WIDTHS = tuple((width, width + 1) for width in range(1, 8))


def char_cnn(**changes: Any) -> CharCnn:
    sizes: Dict[str, Any] = dict(
        char_embedding_width=5,
        filters=WIDTHS,
        n_highway=2,
        lstm_width=4,
        projection_width=6,
    )
    torch.manual_seed(3)
    module = CharCnn(ElmoOptions(**{**sizes, **changes}))
    for parameter in module.parameters():
        torch.nn.init.normal_(parameter, std=0.5)
    return module.double()


def over_all_windows(module: CharCnn, char_ids: Tensor) -> Tensor:
    """Torch's own convolution over all 50 ids, padding and all."""
    vectors = module.char_embed[char_ids - 1].transpose(1, 2)
    pooled = []
    for convolution in module.convolutions:
        weight, bias = cast(Tensor, convolution.W_cnn), cast(Tensor, convolution.b_cnn)
        values = torch.nn.functional.conv1d(vectors, weight[0].permute(2, 1, 0), bias)
        pooled.append(values.max(dim=2).values)
    return torch.cat(pooled, 1)


# around the lengths where padding runs out for one filter after another
@pytest.mark.parametrize("length", [0, 1, 2, 7, 40, 41, 42, 43, 44, 45, 46, 47, 48])
@pytest.mark.parametrize("is_learnt", [True, False])
def test_maxima_are_those_over_all_windows(length: int, is_learnt: bool) -> None:
    module = char_cnn()
    for seed in range(5):
        torch.manual_seed(seed)
        word = "".join(chr(int(c)) for c in torch.randint(32, 127, (length,)))
        char_ids = torch.from_numpy(encode_words([word, word[:-1]]))
        with torch.set_grad_enabled(is_learnt):
            maxima = module.maxima(char_ids)
            torch.testing.assert_close(maxima, over_all_windows(module, char_ids))


@torch.no_grad()
def test_a_change_of_weights_is_seen() -> None:
    module = char_cnn()
    char_ids = torch.from_numpy(encode_words(["of", "course"]))
    module.maxima(char_ids)
    for weight in (module.char_embed, cast(Tensor, module.convolutions[2].b_cnn)):
        weight.mul_(-1.5)
        expected = over_all_windows(module, char_ids)
        torch.testing.assert_close(module.maxima(char_ids), expected)


@torch.no_grad()
def test_maxima_are_exact_under_autocast() -> None:
    module = char_cnn().float()
    char_ids = torch.from_numpy(encode_words(["of", "course"]))
    expected = over_all_windows(module, char_ids)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        maxima = module.maxima(char_ids)
    torch.testing.assert_close(maxima, expected)


@pytest.mark.parametrize("activation", ["relu", "tanh"])
@pytest.mark.parametrize("n_highway", [0, 1, 2])
def test_a_word_has_one_vector_in_any_company(activation: str, n_highway: int) -> None:
    module = char_cnn(activation=activation, n_highway=n_highway)
    words = ["", "a", "of", "x" * 60, "Größe", "\0", "日本語"]
    words += [f"w{i}" * (i % 9) for i in range(300)]
    together = module(torch.from_numpy(encode_words(words)))
    for word, vector in list(zip(words, together, strict=True))[:20]:
        alone = module(torch.from_numpy(encode_words([word])))[0]
        torch.testing.assert_close(vector, alone)


def test_gradients_agree_with_finite_differences() -> None:
    module = char_cnn(
        activation="tanh", n_highway=1, filters=((1, 2), (3, 2)), char_embedding_width=1
    )
    char_ids = torch.from_numpy(encode_words(["ab", "a" * 50]))
    names = [name for name, _ in module.named_parameters()]
    parameters = [p.detach().clone().requires_grad_() for p in module.parameters()]

    def vectors(*values: Tensor) -> Tensor:
        state = dict(zip(names, values, strict=True))
        for name, value in state.items():
            owner: nn.Module = module
            *path, last = name.split(".")
            for part in path:
                owner = getattr(owner, part)
            owner._parameters.pop(last, None)
            setattr(owner, last, value)
        found: Tensor = module(char_ids)
        return found

    assert torch.autograd.gradcheck(vectors, parameters)


@torch.no_grad()
@pytest.mark.parametrize("n_threads", [1, 2])
def test_few_words_have_the_vectors_that_they_have_among_many(n_threads: int) -> None:
    module = char_cnn()
    char_ids = torch.from_numpy(encode_words([f"w{i}" * (i % 9) for i in range(300)]))
    together = module(char_ids)
    before = torch.get_num_threads()
    torch.set_num_threads(n_threads)
    try:
        for few in (1, 2, 31, 32, 33):
            torch.testing.assert_close(module(char_ids[:few]), together[:few])
    finally:
        torch.set_num_threads(before)
