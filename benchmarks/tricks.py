"""What each trick of prediction on a CPU earns: `python -m benchmarks.tricks`.

With and without it in turn, in one process with one thread, on random weights in the sizes
of the packaged ELMo; the medians of the rounds count. A trick that takes less than a tenth
of the time off in all rows, and is not there for exactness or memory, is not worth its code.
"""

import itertools
import statistics
import time
from typing import Any, Callable, Iterator, List, NamedTuple, Optional

import torch
import typer
from torch import Tensor

from spacy_elmo_ner.bilm.char_cnn import CharCnn
from spacy_elmo_ner.bilm.char_convolution import ConvolutionTable
from spacy_elmo_ner.bilm.char_ids import MASK, encode_words
from spacy_elmo_ner.bilm.options import ElmoOptions
from spacy_elmo_ner.bilm.word_cache import WordCache
from spacy_elmo_ner.kernels.int8_products import (
    Int8Product,
    VnniKernel,
    has_fbgemm,
    has_int8,
    has_vnni,
)
from spacy_elmo_ner.kernels.lstm_inference import InferenceLstm
from spacy_elmo_ner.kernels.packed_products import (
    OneDnnMultiply,
    OneDnnProduct,
    PlainProduct,
    Product,
    has_onednn,
    prepare_product,
)
from spacy_elmo_ner.kernels.packing import pack
from spacy_elmo_ner.kernels.scripting import without_gil
from spacy_elmo_ner.kernels.steady_product import steady_product

from .texts import zipf_sentences

OPTIONS = ElmoOptions(
    filters=((1, 32), (2, 32), (3, 64), (4, 128), (5, 128), (6, 128)),
    n_highway=1,
    lstm_width=768,
    projection_width=256,
)
# W and b → a product with them
Prepare = Callable[[Tensor, Optional[Tensor]], Product]


class Trick(NamedTuple):
    """A call that uses a trick, and one that gives the same without it.

    Attributes:
        name: The trick.
        where: What is timed.
        used: The call with the trick.
        left_out: The call without it.
    """

    name: str
    where: str
    used: Callable[[], Any]
    left_out: Callable[[], Any]


app = typer.Typer(add_completion=False)


@app.command()
def main(
    sentences: List[int] = typer.Option(
        [1, 32, 256], help="That an LSTM reads at once."
    ),
    rounds: int = typer.Option(15, help="Rounds; the median counts."),
    seconds: float = typer.Option(0.05, help="How long each is timed in a round."),
) -> None:
    """Print the time with and without each trick."""
    torch.set_num_threads(1)
    torch.manual_seed(0)
    print("| trick | where | with, ms | without, ms | without / with |")
    print("|---|---|--:|--:|--:|")
    with torch.no_grad():
        for trick in tricks(sentences):
            used, left_out = measure(trick, rounds, seconds)
            print(
                f"| {trick.name} | {trick.where} | {used * 1e3:.3f} "
                f"| {left_out * 1e3:.3f} | {left_out / used:.2f} |",
                flush=True,
            )


def measure(trick: Trick, rounds: int, seconds: float) -> List[float]:
    """Seconds of CPU time that a call takes with and without a trick."""
    calls = [trick.used, trick.left_out]
    times: List[List[float]] = [[], []]
    for call in calls:
        # weights are laid out, and code is compiled
        for _ in range(3):
            call()
    for _ in range(rounds):
        for call, of_call in zip(calls, times, strict=True):
            n, start = 0, time.process_time()
            while n == 0 or time.process_time() - start < seconds:
                call()
                n += 1
            of_call.append((time.process_time() - start) / n)
    return [statistics.median(of_call) for of_call in times]


def tricks(sentences: List[int]) -> Iterator[Trick]:
    """All that this machine's torch and CPU can do."""
    yield from of_recurrences(sentences)
    yield from of_products()
    yield from of_words()


def of_recurrences(sentences: List[int]) -> Iterator[Trick]:
    """What makes an LSTM faster."""
    for n in sentences:
        precisions = ["float32", *(["int8"] if has_int8() else [])]
        for precision in precisions:
            lstm = projected_lstm(precision)
            yield Trick(
                "loop outside of Python",
                f"ELMo's LSTM, {precision}, {n} sentences",
                reading(without_gil(lstm), n),
                reading(lstm, n),
            )
        at_once = projected_lstm("float32")
        at_once.rows_at_a_time = 10**9  # type: ignore[misc]
        yield Trick(
            "input gates for 384 rows at a time",
            f"ELMo's LSTM, float32, {n} sentences",
            reading(without_gil(projected_lstm("float32")), n),
            reading(without_gil(at_once), n),
        )
        if has_vnni() and has_fbgemm():
            yield Trick(
                "FBGEMM for steps in int8",
                f"ELMo's LSTM, int8, {n} sentences",
                reading(without_gil(projected_lstm("int8")), n),
                reading(without_gil(projected_lstm("int8", steps=vnni_product)), n),
            )


def of_products() -> Iterator[Trick]:
    """What makes products faster, or the same in any batch."""
    W, b = torch.randn(256, 3072), torch.zeros(3072)
    plain = PlainProduct(W, b)
    for rows in (1, 16, 384):
        x = torch.randn(rows, 256)
        if has_onednn():
            packed = OneDnnProduct(W, b)
            yield Trick(
                "weights in oneDNN's layout",
                f"{rows} × 256 × 3072, float32",
                bound(packed, x),
                bound(plain, x),
            )
    x = torch.randn(13, 256)
    yield Trick(
        "rows filled up to a tile (exactness)",
        "13 × 256 × 3072, float32",
        lambda: steady_product(x, W, b),
        lambda: torch.addmm(b, x, W),
    )
    if has_onednn():
        # each number of rows is new to oneDNN: it keeps the code of a thousand
        numbers, again = itertools.count(1), itertools.count(1)
        packed = OneDnnProduct(W, b)
        of_any_rows = OneDnnMultiply(packed.W, b)
        yield Trick(
            "few numbers of rows (memory)",
            "1 to 384 × 256 × 3072, float32",
            lambda: packed(torch.zeros(next(numbers) % 384 + 1, 256)),
            lambda: of_any_rows(torch.zeros(next(again) % 384 + 1, 256)),
        )


def of_words() -> Iterator[Trick]:
    """What makes word vectors faster."""
    words = sorted({word for one in zipf_sentences(256) for word in one})
    char_cnn = CharCnn(OPTIONS)
    for n in (8, 256):
        ids = torch.from_numpy(encode_words(words[:n]))
        table = ConvolutionTable(char_cnn.char_embed, list(char_cnn.convolutions))  # type: ignore[arg-type]
        yield Trick(
            "table of convolutions",
            f"convolutions of {n} words",
            bound(table.maxima, ids),
            lambda ids=ids: maxima_of_windows(char_cnn, ids),  # type: ignore[misc]
        )
        cache = WordCache(torch.zeros(2, OPTIONS.projection_width), 50_000)

        def vectors(known: WordCache, n: int = n) -> Tensor:
            return known.vectors(
                words[:n], lambda new: char_cnn(torch.from_numpy(encode_words(new)))
            )

        yield Trick(
            "cache of word vectors",
            f"{n} words, all known",
            bound(vectors, cache),
            lambda ids=ids, n=n: char_cnn(torch.from_numpy(encode_words(words[:n]))),  # type: ignore[misc]
        )


def bound(call: Callable[[Any], Any], argument: Any) -> Callable[[], Any]:
    return lambda: call(argument)


def projected_lstm(precision: str, steps: Optional[Prepare] = None) -> InferenceLstm:
    """One of ELMo's layers in one direction. steps: prepares products of single steps."""
    width, projected = OPTIONS.lstm_width, OPTIONS.projection_width

    def of_step(W: Tensor, b: Optional[Tensor]) -> Product:
        return prepare_product(W, b, precision=precision, few_rows=True)

    random = torch.Generator().manual_seed(0)
    W = torch.randn(2 * projected, 4 * width, generator=random) / 20
    P = torch.randn(width, projected, generator=random) / 20
    prepare = steps or of_step
    return InferenceLstm(
        prepare_product(W[:projected], torch.zeros(4 * width), precision=precision),
        prepare(W[projected:], None),
        prepare(P, None),
        cell_clip=OPTIONS.cell_clip,
        projection_clip=OPTIONS.projection_clip,
    )


def vnni_product(W: Tensor, b: Optional[Tensor]) -> Product:
    return Int8Product(W, b, VnniKernel)


def reading(lstm: InferenceLstm, n: int) -> Callable[[], Any]:
    """Let an LSTM read n sentences."""
    lengths = [len(sentence) for sentence in zipf_sentences(n)]
    packing = pack(lengths)
    inputs = torch.randn(sum(lengths), OPTIONS.projection_width)
    hidden = torch.zeros(n, OPTIONS.projection_width)
    cell = torch.zeros(n, OPTIONS.lstm_width)
    return lambda: lstm(inputs, None, packing.steps, hidden, cell)


def maxima_of_windows(char_cnn: CharCnn, ids: Tensor) -> Tensor:
    """The convolutions as products with windows of character vectors."""
    characters = char_cnn.char_embed[ids - MASK]
    maxima = []
    for convolution in char_cnn.convolutions:
        W: Tensor = convolution.W_cnn[0]  # type: ignore[index]
        windows = characters.unfold(1, len(W), 1).transpose(2, 3).flatten(2)
        maxima.append((windows @ W.flatten(0, 1) + convolution.b_cnn).amax(1))  # type: ignore[operator]
    return torch.cat(maxima, 1)


if __name__ == "__main__":
    app()
