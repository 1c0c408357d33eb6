"""On a CPU: what would be captured, step for step. On a GPU: the graphs themselves."""

import copy
import threading
from functools import partial
from typing import Any, List, Tuple

import hypothesis.strategies as st
import pytest
import torch
from hypothesis import given, settings
from torch import Tensor

from spacy_elmo_ner.bilm.lstm import BiLM, ProjectedLstm
from spacy_elmo_ner.bilm.options import ElmoOptions
from spacy_elmo_ner.kernels.cuda_graphs import MOST_ROWS, SWITCH, GraphedLstm
from spacy_elmo_ner.kernels.lstm_inference import InferenceLstm
from spacy_elmo_ner.kernels.packed_products import PlainProduct
from spacy_elmo_ner.kernels.packing import pack
from spacy_elmo_ner.kernels.segments import segments_of

DEVICES = ["cpu", *(["cuda"] if torch.cuda.is_available() else [])]
INPUTS, WIDTH, PROJECTED = 12, 24, 8


def made_lstm(device: str, projected: bool = True) -> InferenceLstm:
    random = torch.Generator().manual_seed(0)

    def product(n: int, m: int, has_bias: bool = False) -> PlainProduct:
        W = (torch.randn(n, m, generator=random) / n**0.5).to(device)
        b = torch.randn(m, generator=random).to(device)
        return PlainProduct(W, b if has_bias else None)

    outputs = PROJECTED if projected else WIDTH
    return InferenceLstm(
        product(INPUTS, 4 * WIDTH, True),
        product(outputs, 4 * WIDTH),
        product(WIDTH, PROJECTED) if projected else None,
        cell_clip=0.5,
        projection_clip=0.3,
    )


def batch_of(lengths: List[int], lstm: InferenceLstm) -> Tuple[Any, ...]:
    """Arguments for the LSTM: a state, and inputs of which some occur more than once."""
    assert isinstance(lstm.input_gates, PlainProduct)
    device = lstm.input_gates.W.device
    random = torch.Generator().manual_seed(0)

    def normal(*sizes: int) -> Tensor:
        return torch.randn(sizes, generator=random).to(device)

    outputs = WIDTH if lstm.projection is None else PROJECTED
    steps = pack(lengths).steps
    types = normal(5, INPUTS)
    rows = torch.randint(5, (sum(lengths),), generator=random).to(device)
    state = normal(len(lengths), outputs), normal(len(lengths), WIDTH)
    return types, rows, steps, *state


@pytest.mark.parametrize("device", DEVICES)
@settings(max_examples=60, deadline=None)
@given(
    lengths=st.lists(st.integers(1, 40), min_size=1, max_size=70),
    projected=st.booleans(),
    distinct=st.booleans(),
)
@torch.no_grad()
def test_outputs_and_last_states_are_those_of_the_plain_loop(
    device: str, lengths: List[int], projected: bool, distinct: bool
) -> None:
    lstm = made_lstm(device, projected=projected)
    types, rows, *rest = batch_of(lengths, lstm)
    inputs = (types, rows) if distinct else (types[rows], None)
    expected = lstm(*inputs, *rest)
    graphed = GraphedLstm(lstm)
    for _ in range(2):
        for found, one in zip(graphed(*inputs, *rest), expected, strict=True):
            torch.testing.assert_close(found, one, rtol=0, atol=1e-6)


@given(lengths=st.lists(st.integers(1, 60), min_size=1, max_size=300))
def test_segments_hold_each_row_once_and_end_each_sentence_once(
    lengths: List[int],
) -> None:
    packing = pack(lengths)
    segments = segments_of(tuple(packing.steps))
    packed = [segment.packed[segment.filled] for segment in segments]
    assert [row for part in packed for row in part] == list(range(sum(lengths)))
    assert sum(len(segment.ended) for segment in segments) == len(lengths)
    for segment in segments:
        assert {len(segment.packed)} == {segment.n_rows * segment.n_steps}


def test_few_numbers_of_rows_and_so_few_graphs() -> None:
    usual = {n: segments_of((n,))[0].n_rows for n in range(1, MOST_ROWS + 1)}
    assert len({*usual.values()}) == 32
    assert all(n <= rows < n + max(8, n / 4) for n, rows in usual.items())


@torch.no_grad()
def test_what_cannot_be_captured_goes_on_by_the_plain_loop(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fails(*_: Any) -> None:
        raise RuntimeError("operation not permitted when stream is capturing")

    monkeypatch.setattr(GraphedLstm, "_make", fails)
    lstm = made_lstm("cpu")
    batch = batch_of([3, 1, 2], lstm)
    graphed = GraphedLstm(lstm)
    with pytest.warns(UserWarning, match="without CUDA graphs.*not permitted"):
        found = graphed(*batch)
    for one, other in zip(found, lstm(*batch), strict=True):
        assert torch.equal(one, other)
    graphed(*batch)  # and says so once


@torch.no_grad()
def test_a_switch_for_the_plain_loop(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    lstm = made_lstm("cpu")
    graphed = GraphedLstm(lstm)
    monkeypatch.setenv(SWITCH, "0")
    graphed(*batch_of([3, 1, 2], lstm))
    assert not graphed._graphs
    monkeypatch.setenv(SWITCH, "1")
    graphed(*batch_of([3, 1, 2], lstm))
    assert graphed._graphs


# The biLM on a GPU

needs_cuda = pytest.mark.skipif(len(DEVICES) == 1, reason="there is no CUDA device")
OPTIONS = ElmoOptions(
    filters=((1, 8),), n_highway=1, lstm_width=96, projection_width=40
)
LENGTHS = [1, 30, 7, 7, 2, 19, 4, 11, 26, 3]


def made_bilm(dtype: torch.dtype = torch.float32) -> BiLM:
    torch.manual_seed(0)
    return BiLM(OPTIONS, "float32").to("cuda", dtype)


def some_words(
    bilm: BiLM, lengths: List[int] = LENGTHS, seed: int = 1
) -> Tuple[Tensor, Tensor, List[int]]:
    random = torch.Generator().manual_seed(seed)
    types = torch.randn(50, OPTIONS.projection_width, generator=random)
    tokens = torch.randint(50, (sum(lengths),), generator=random)
    return types.to("cuda", next(bilm.parameters()).dtype), tokens.cuda(), lengths


@torch.no_grad()
def read(bilm: BiLM, words: Tuple[Tensor, Tensor, List[int]]) -> Tensor:
    layers, _ = bilm(*words)
    return torch.cat(layers, 1)


def graphs_of(bilm: BiLM) -> List[Any]:
    layers = [one for one in bilm.modules() if isinstance(one, ProjectedLstm)]
    return [layer._inference._made for layer in layers]


def new_stream() -> torch.cuda.Stream:
    return torch.cuda.Stream()


@needs_cuda
@pytest.mark.parametrize(
    "dtype, bound",
    [(torch.float32, 1e-6), (torch.bfloat16, 2e-2), (torch.float16, 2e-3)],
)
def test_the_bilm_by_graphs_and_by_the_plain_loop(
    monkeypatch: pytest.MonkeyPatch, dtype: torch.dtype, bound: float
) -> None:
    bilm = made_bilm(dtype)
    words = some_words(bilm)
    with torch.no_grad():
        layers, end = [bilm(*words) for _ in range(2)][1]
        assert all(
            isinstance(one, GraphedLstm) and one._graphs for one in graphs_of(bilm)
        )
        monkeypatch.setenv(SWITCH, "0")
        expected_layers, expected_end = bilm(*words)
    for found, expected in zip(
        [*layers, *end], [*expected_layers, *expected_end], strict=True
    ):
        torch.testing.assert_close(found, expected, rtol=0, atol=bound)


@needs_cuda
def test_weights_that_were_changed_or_moved_after_a_capture() -> None:
    bilm = made_bilm()
    words = some_words(bilm)
    read(bilm, words)
    first = graphs_of(bilm)

    def fresh() -> Tensor:
        return read(copy.deepcopy(bilm), words)

    with torch.no_grad():
        for weight in bilm.parameters():
            weight.mul_(1.5)
    assert torch.equal(read(bilm, words), fresh())
    assert not {*map(id, first)} & {*map(id, graphs_of(bilm))}
    bilm.cpu()
    with torch.no_grad():
        for weight in bilm.parameters():
            weight.mul_(0.5)
    bilm.cuda()
    assert torch.equal(read(bilm, words), fresh())
    bilm.bfloat16()
    words = some_words(bilm)
    assert torch.equal(read(bilm, words), fresh())
    bilm.float()
    words = some_words(bilm)
    # and by an update
    optimizer = torch.optim.Adam(bilm.parameters())
    sum(layer.square().sum() for layer in bilm(*words)[0]).backward()
    optimizer.step()
    assert torch.equal(read(bilm, words), fresh())


@needs_cuda
def test_threads_with_streams_of_their_own_beside_work_that_learns() -> None:
    bilm = made_bilm()
    batches = [
        some_words(bilm, LENGTHS[i % 5 :] * (1 + 3 * i), seed=i) for i in range(6)
    ]
    expected = [read(made_bilm(), words) for words in batches]
    errors: List[float] = []
    ready = threading.Barrier(8)

    def predict(i: int) -> None:
        # another stream goes by the plain loop
        default, own = torch.cuda.default_stream(), new_stream()
        own.wait_stream(default)
        stream = [default, own][i % 2]
        ready.wait()
        with torch.cuda.stream(stream):
            for k in range(12):
                number = (i + k) % len(batches)
                found = read(bilm, batches[number])
                stream.synchronize()
                errors.append(float((found - expected[number]).abs().max()))

    def learn() -> None:
        other = made_bilm()
        ready.wait()
        for k in range(12):
            sum(layer.sum() for layer in other(*batches[k % 6])[0]).backward()
            torch.randn(1000 + k, 1000, device="cuda").sum().item()

    threads = [threading.Thread(target=partial(predict, i)) for i in range(7)]
    threads.append(threading.Thread(target=learn))
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(errors) == 7 * 12 and max(errors) < 1e-6


@needs_cuda
def test_other_ways_to_call_it() -> None:
    bilm = made_bilm()
    words = some_words(bilm)
    with torch.inference_mode():
        found = bilm(*words)[0]
    assert torch.equal(torch.cat(found, 1).clone(), read(bilm, words))
    graphs = [len(one._graphs) for one in graphs_of(bilm)]
    with torch.autocast("cuda", dtype=torch.bfloat16):
        rounded = read(bilm, words)
    torch.testing.assert_close(rounded.float(), read(bilm, words), rtol=0, atol=2e-2)
    assert [len(one._graphs) for one in graphs_of(bilm)] == graphs
    # inside of a larger graph
    read(bilm, words)
    large, stream = torch.cuda.CUDAGraph(), new_stream()
    static = torch.zeros(4, OPTIONS.projection_width, device="cuda")
    lstm = graphs_of(bilm)[0]
    state = static, static.new_zeros(4, OPTIONS.lstm_width)
    with torch.no_grad():
        lstm.lstm(static, None, [4], *state)
        torch.cuda.synchronize()
        with torch.cuda.graph(large, stream=stream):
            output = lstm(static, None, [4], *state)[0]
        large.replay()
        assert torch.equal(output, lstm.lstm(static, None, [4], *state)[0])


@needs_cuda
def test_a_capture_that_fails_on_the_device(monkeypatch: pytest.MonkeyPatch) -> None:
    lstm = made_lstm("cuda")
    own = lstm._step

    def step(*args: Any) -> Tensor:
        if torch.cuda.is_current_stream_capturing():
            torch.zeros(1).cuda()  # waits for the stream
        return own(*args)

    monkeypatch.setattr(lstm, "_step", step)
    batch = batch_of([3, 1, 2], lstm)
    graphed = GraphedLstm(lstm)
    with torch.no_grad():
        with pytest.warns(UserWarning, match="without CUDA graphs"):
            found = graphed(*batch)
        for one, other in zip(found, lstm(*batch), strict=True):
            assert torch.equal(one, other)
        # others can still
        other = GraphedLstm(made_lstm("cuda"))
        other(*batch)
        assert other._graphs


@needs_cuda
def test_memory_stays_level() -> None:
    bilm = made_bilm()
    read(bilm, some_words(bilm, [40] * 600))

    def used() -> int:
        torch.cuda.synchronize()
        return torch.cuda.memory_allocated()

    levels = []
    for _ in range(4):
        for n in (1, 17, 150, 600):
            read(bilm, some_words(bilm, [1 + (7 * i) % 40 for i in range(n)], seed=n))
        levels.append(used())
    assert len({*levels[1:]}) == 1
    with torch.no_grad():
        for _ in range(3):
            for weight in bilm.parameters():
                weight.add_(0)
            read(bilm, some_words(bilm, [40] * 600))
            levels.append(used())
    assert max(levels[-2:]) <= levels[0]
