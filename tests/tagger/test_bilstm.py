from typing import List

import pytest
import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_sequence

from spacy_elmo_ner.kernels.int8_products import has_int8
from spacy_elmo_ner.tagger.bilstm import BiLstm
from spacy_elmo_ner.tagger.sentence_rows import SentenceRows

FEW, MANY = [3, 9, 1, 4, 4], [7] * 10


def read(layer: BiLstm, sentences: List[Tensor]) -> Tensor:
    lengths = [len(sentence) for sentence in sentences]
    ends = torch.tensor(lengths).cumsum(0).tolist()
    rows = SentenceRows([(end - n, end) for n, end in zip(lengths, ends, strict=True)])
    x = torch.cat(sentences)[rows.packed]
    found: Tensor = layer(x, rows.batch_sizes, rows.reversed)
    return found[rows.unpacked]


def expected(layer: BiLstm, sentences: List[Tensor]) -> Tensor:
    """What torch's own LSTM makes of each sentence by itself."""
    own = nn.LSTM(layer.input_size, layer.hidden_size, bidirectional=True)
    own.load_state_dict(layer.state_dict())
    return torch.cat([own(sentence)[0] for sentence in sentences])


@pytest.mark.parametrize("lengths", [[1], FEW, MANY])
def test_prediction_gives_what_torchs_lstm_gives(
    threads: int, lengths: List[int]
) -> None:
    torch.manual_seed(0)
    layer = BiLstm(6, 5)
    sentences = [torch.randn(n, 6) for n in lengths]
    with torch.no_grad():
        found = read(layer, sentences)
        torch.testing.assert_close(found, expected(layer, sentences))


def test_prediction_without_torchs_function(monkeypatch: pytest.MonkeyPatch) -> None:
    torch.manual_seed(0)
    layer = BiLstm(6, 5)
    sentences = [torch.randn(n, 6) for n in FEW]
    with torch.no_grad():
        before = read(layer, sentences)
        monkeypatch.delattr(torch, "lstm")
        torch.testing.assert_close(read(layer, sentences), before)


def test_gradients_are_those_of_torchs_lstm(threads: int) -> None:
    torch.manual_seed(0)
    layer = BiLstm(6, 5)
    sentences = [torch.randn(n, 6) for n in FEW]
    own = nn.LSTM(6, 5, bidirectional=True)
    own.load_state_dict(layer.state_dict())
    packed = pack_sequence(sentences, enforce_sorted=False)
    own(packed)[0].data.pow(2).sum().backward()
    read(layer, sentences).pow(2).sum().backward()
    for found, wanted in zip(layer.parameters(), own.parameters(), strict=True):
        torch.testing.assert_close(found.grad, wanted.grad)


def test_weights_that_change_are_seen() -> None:
    layer = BiLstm(6, 5)
    sentences = [torch.randn(4, 6)]
    with torch.no_grad():
        read(layer, sentences)
        for parameter in layer.parameters():
            parameter.data = torch.randn_like(parameter)
        torch.testing.assert_close(read(layer, sentences), expected(layer, sentences))


@pytest.mark.skipif(not has_int8(), reason="this torch or machine has no fast int8")
def test_int8_is_near_and_the_same_bits_alone_and_in_a_batch() -> None:
    torch.manual_seed(0)
    layer = BiLstm(70, 64, precision="int8")
    sentences = [torch.randn(n, 70) for n in [*FEW, *range(1, 50)]]
    with torch.no_grad():
        found = read(layer, sentences)
        exact = expected(layer, sentences)
        alone = torch.cat([read(layer, [sentence]) for sentence in sentences])
        assert torch.equal(found, alone)
        assert not torch.equal(found, exact)
        torch.testing.assert_close(found, exact, rtol=0, atol=0.03)


def test_weights_that_learnt_are_seen_in_any_precision() -> None:
    layer = BiLstm(6, 5, precision="auto")
    sentences = [torch.randn(4, 6)]
    with torch.no_grad():
        read(layer, sentences)
    read(layer, sentences).sum().backward()
    with torch.no_grad():
        for parameter in layer.parameters():
            # as an optimizer does that leaves no trace
            assert parameter.grad is not None
            parameter.data.sub_(parameter.grad)
        found = read(layer, sentences)
        torch.testing.assert_close(found, expected(layer, sentences), rtol=0, atol=0.03)
