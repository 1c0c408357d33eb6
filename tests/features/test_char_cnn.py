from typing import Any, Dict, List, cast

import numpy as np
import pytest
import spacy
import torch
from spacy.tokens import Doc
from spacy.vocab import Vocab
from thinc.api import Adam
from thinc.types import Floats2d
from torch import Tensor, nn

from spacy_elmo_ner.features.char_cnn import (
    TrainableCharCnn,
    build_char_cnn_v1,
)
from tests.arrays import as_numpy

WORDS = ["a", "Zürich", "\n", "the", "a", "x" * 70, "I", "the", "日本"]


@pytest.fixture(scope="module")
def vocab() -> Vocab:
    return spacy.blank("en").vocab


def naive_vector(module: TrainableCharCnn, word: str) -> List[float]:
    """The network's sums, one word, one filter and one place at a time.

    A word's bytes stand between 259 and 260, all ids being shifted by one.
    """
    ids = [259] + [byte + 1 for byte in word.encode("utf8")[:48]] + [260]
    embedding = module.embedding.weight.detach().numpy()
    values = []
    for convolution in module.convolutions:
        assert isinstance(convolution, nn.Conv1d) and convolution.bias is not None
        weight = convolution.weight.detach().numpy()
        bias = convolution.bias.detach().numpy()
        count, _, width = weight.shape
        for f in range(count):
            best = 0.0
            for place in range(len(ids)):
                total = bias[f]
                for k in range(width):
                    at = place - (width - 1) // 2 + k
                    if 0 <= at < len(ids):
                        total += weight[f, :, k] @ embedding[ids[at]]
                best = max(best, total)
            values.append(best)
    return values


@pytest.mark.parametrize(
    "filters", [[[3, 8]], [[1, 3], [2, 4], [5, 2]], [[4, 3], [7, 2]]]
)
def test_agrees_with_naive_sums(vocab: Vocab, filters: List[List[int]]) -> None:
    torch.manual_seed(0)
    model = build_char_cnn_v1(char_width=5, filters=filters)
    model.initialize()
    docs = [Doc(vocab, words=WORDS[:4]), Doc(vocab, words=WORDS[4:])]
    vectors = np.concatenate([as_numpy(one) for one in model.predict(docs)])
    expected = [naive_vector(model.shims[0].module, word) for word in WORDS]
    np.testing.assert_allclose(vectors, expected, atol=1e-5)
    assert vectors.shape[1] == model.get_dim("nO") == sum(n for _, n in filters)


def test_module_passes_autograds_check() -> None:
    torch.manual_seed(0)
    module = TrainableCharCnn(char_width=3, filters=[(3, 2), (2, 2)]).double()
    # the check varies the padding's row too, which is otherwise held at 0
    module.embedding.padding_idx = None
    ids = torch.full((3, 7), 261)
    ids[0, :3] = torch.tensor([259, 98, 260])
    ids[1, :6] = torch.tensor([259, 98, 99, 100, 98, 260])
    ids[2, :2] = torch.tensor([259, 260])
    index = torch.tensor([1, 0, 1, 2])

    def run(*parameters: Tensor) -> Tensor:
        # the check moves the module's own parameters
        return module.maxima(ids).index_select(0, index)

    assert torch.autograd.gradcheck(run, tuple(module.parameters()))


def test_gradients_reach_the_weights_through_thinc(vocab: Vocab) -> None:
    torch.manual_seed(0)
    model = build_char_cnn_v1(char_width=5, filters=[[3, 8]])
    model.initialize()
    docs = [Doc(vocab, words=WORDS[:4]), Doc(vocab, words=WORDS[4:])]
    rng = np.random.default_rng(0)
    vectors, backprop = model.begin_update(docs)
    slopes = [rng.normal(size=array.shape).astype("f") for array in vectors]
    backprop([cast(Floats2d, slope) for slope in slopes])
    module = model.shims[0].module

    def objective() -> float:
        predicted = model.predict(docs)
        pairs = zip(predicted, slopes, strict=True)
        return float(sum((as_numpy(v) * s).sum() for v, s in pairs))

    # one step along a weight of every table, compared with its slope
    for parameter, place in [
        (module.embedding.weight, (ord("t") + 1, 2)),
        (module.convolutions[0].weight, (1, 2, 0)),
        (module.convolutions[0].bias, (3,)),
    ]:
        kept = parameter[place].item()
        values = []
        for step in (1e-3, -1e-3):
            with torch.no_grad():
                parameter[place] = kept + step
            values.append(objective())
        with torch.no_grad():
            parameter[place] = kept
        slope = (values[0] - values[1]) / 2e-3
        assert parameter.grad[place].item() == pytest.approx(slope, rel=0.02, abs=0.02)


@pytest.mark.parametrize(
    "arguments",
    [{"char_width": 0}, {"filters": []}, {"filters": [[3]]}, {"filters": [[3, 0]]}],
)
def test_senseless_sizes(arguments: Dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="char_width of at least 1"):
        build_char_cnn_v1(**arguments)


def test_prediction_before_initialization(vocab: Vocab) -> None:
    with pytest.raises(ValueError, match="nlp.initialize"):
        build_char_cnn_v1().predict([Doc(vocab, words=WORDS)])


def test_a_word_has_its_vector_again_until_the_weights_change(vocab: Vocab) -> None:
    model = build_char_cnn_v1(char_width=5, filters=[[3, 8]])
    model.initialize()
    # two of them are seen as one word
    docs = [Doc(vocab, words=["don\u00adt", "dont", "word", "dont"])]
    first, again = (as_numpy(model.predict(docs)[0]) for _ in range(2))
    assert np.array_equal(first, again)
    assert np.array_equal(first[0], first[1])
    # alone a word has the vector that was kept
    alone = as_numpy(model.predict([Doc(vocab, words=["word"])])[0])
    assert np.array_equal(alone[0], first[2])
    _, backprop = model.begin_update(docs)
    # another component of the pipeline may want vectors before the weights change
    model.predict(docs)
    backprop([cast(Floats2d, np.ones_like(first))])
    model.finish_update(Adam(0.1))
    changed = as_numpy(model.predict(docs)[0])
    assert not np.allclose(changed, first)
    model.shims[0].module._known.forget()
    np.testing.assert_allclose(changed, as_numpy(model.predict(docs)[0]), atol=1e-6)
