"""The biLM's speed, by the package and by other ways through its recurrence."""

from functools import partial
from typing import Any, Callable, Dict, List

import torch
from torch import Tensor

from spacy_elmo_ner.bilm.char_ids import index_types

from ..pipelines import forget_words
from ..texts import Sentences
from . import variants
from .device import Device
from .networks import differences, encode, is_within, on_device, options_of
from .report import Report, Unsuitable

BAR = 200_000
# "Faster Elmo", github.com/allenai/allennlp/pull/1347: on an AWS P3, whose GPU is a V100
ALLENNLP = "25,000 tokens/s, with kept words 33,055"
# that are read for a cell, in whole batches
SENTENCES = 1024


def time_recurrence(
    report: Report,
    device: Device,
    sizes: List[str],
    precisions: List[str],
    batches: List[int],
    sentences: Sentences,
) -> None:
    report(
        f"## biLM, tokens/s\n\nBar: {BAR:,} on a current data-centre card; AllenNLP "
        f"published {ALLENNLP}. On a CUDA device the package goes by CUDA graphs: it "
        "alone also with all words new. Share: of the peak, by the products of "
        "recurrence and projection and of the upper layers' inputs."
    )
    report.table(
        *("size", "precision", "batch", "words new", "plain loop", "CUDA graphs"),
        *("fused LSTM", "share, plain", "share, best"),
        n_names=2,
    )
    for size in sizes:
        for precision in precisions:
            for n in batches:
                cells = ["no time left"]
                if report.seconds_left > 0:
                    reader = Reader(device, size, precision, n, sentences)
                    cells = [report.cell(reader.words_new)]
                    for way in ("plain", "graphs", "fused"):
                        cells.append(report.cell(partial(reader.speed, way)))
                    for of in (reader.speeds.get("plain", 0), reader.best):
                        cells.append(report.cell(partial(reader.share, of)))
                report.row(size, precision, str(n), *cells)


def time_compiled(
    report: Report,
    device: Device,
    sizes: List[str],
    precisions: List[str],
    batches: List[int],
    sentences: Sentences,
) -> None:
    report("## A step by torch.compile, tokens/s")
    ways = "plain loop", "it compiled", "CUDA graphs", "they compiled"
    report.table("size", "precision", "batch", *ways, n_names=2)
    for size in sizes:
        for precision in precisions:
            for n in batches:
                cells = ["no time left"]
                if report.seconds_left > 0:
                    reader = Reader(device, size, precision, n, sentences)
                    cells = [
                        report.cell(partial(reader.speed, way, is_compiled))
                        for way in ("plain", "graphs")
                        for is_compiled in (False, True)
                    ]
                report.row(size, precision, str(n), *cells)


class Reader:
    """Reads sentences by a biLM on the device, n at a time."""

    def __init__(
        self, device: Device, size: str, precision: str, n: int, sentences: Sentences
    ) -> None:
        self.device, self.precision, self.n = device, precision, n
        self.network = on_device(size, precision, device)
        self.sentences = sentences[: max(n, SENTENCES)]
        self.n_words = sum(map(len, self.sentences))
        types, self.indexed = index_types(self.sentences)
        with torch.no_grad():
            self.vectors = self.network._word_vectors(types)
        self.speeds: Dict[str, float] = {}
        options = options_of(size)
        projected, width = options.projection_width, options.lstm_width
        layers = options.n_layers
        # of a token, in both directions: a multiplication and an addition are two
        recurrence = layers * (projected * 4 * width + width * projected)
        upper_inputs = (layers - 1) * projected * 4 * width
        self.operations = 2 * 2 * (recurrence + upper_inputs)

    @torch.no_grad()
    def read(self) -> List[Tensor]:
        network = self.network
        return [
            network.mix(
                network.encoder.layers(self.vectors, self.indexed[i : i + self.n])
            )
            for i in range(0, len(self.indexed), self.n)
        ]

    def words_new(self) -> str:
        self.read()
        # kernels were loaded by the words' vectors above
        forget_words(self.network)
        taken = self.device.seconds(
            lambda: [
                encode(self.network, self.sentences[i : i + self.n])
                for i in range(0, len(self.sentences), self.n)
            ]
        )
        return f"{self.n_words / taken:,.0f}"

    def speed(self, name: str, is_compiled: bool = False) -> str:
        """Of a variant, after a comparison with the plain loop."""
        with variants.plain():
            expected = torch.cat(self.read())
        if name == "fused":
            variants.check_clips_are_idle(self.network, self.read)
        way: Callable[[], Any] = getattr(variants, name)
        if is_compiled:
            if not self.device.is_cuda:
                raise Unsuitable("a GPU's: a CPU has its weights packed")
            way = partial(variants.compiled, self.network, way)
        with way():
            difference = differences(torch.cat(self.read()), expected)
            if not is_within(difference, self.precision, 2):
                raise Unsuitable("differs by {:.1e} ({:.1e})".format(*difference))
            speed = self.n_words / self.device.median(self.read)
        self.speeds[name] = speed
        return f"{speed:,.0f}"

    @property
    def best(self) -> float:
        return max(self.speeds.values(), default=0)

    def share(self, speed: float) -> str:
        peak = self.device.peak(self.precision)
        self.device.set_tf32(self.precision)
        return f"{speed * self.operations / peak:.0%}"
