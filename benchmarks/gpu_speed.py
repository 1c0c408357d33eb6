"""The biLM on a GPU: `python -m benchmarks.gpu_speed`.

Beside it stand the LSTMs' matrix products alone, which bound what any exact biLM can
reach on that GPU, nlp.pipe with all of elmo_ner, which needs CuPy on a GPU, and what
AllenNLP published. Weights are random, sentences made, and no word was met before a
measurement. No speed is printed unless the vectors agree with those of the CPU: to
rounding in float32, in direction in half precision, which is that of all but the mix
of the layers.
"""

import copy
import statistics
import time
from importlib.util import find_spec
from typing import Any, Callable, Dict, List

import numpy as np
import spacy
import torch
import typer
from spacy.tokens import Doc
from thinc.api import get_current_ops
from torch import Tensor

from spacy_elmo_ner.bilm.char_ids import index_types
from spacy_elmo_ner.bilm.lstm import ProjectedLstm
from spacy_elmo_ner.elmo.loader import elmo_nodes
from spacy_elmo_ner.elmo.network import ElmoNetwork
from spacy_elmo_ner.kernels.packing import pack

from .bilm_speed import BETWEEN_VERSIONS, COMPARED_SENTENCES
from .pipelines import bilm_of, elmo_pipeline, forget_words, initialize, made_examples
from .texts import Sentences, zipf_sentences

# so many that what is called a batch is one: a GPU wants many rows at a time
BATCH_TOKENS = 2**17
LEAST_COSINE = 0.99
# "Faster Elmo", github.com/allenai/allennlp/pull/1347: these 3,200 tokens took 128.00 ms,
# and 96.81 ms with the words' vectors made before, on an AWS P3, whose GPU is a V100
ALLENNLP_BATCH, ALLENNLP_LENGTH = 50, 64
ALLENNLP_SPEED = "25,000; with kept words 33,055"

app = typer.Typer(add_completion=False)


@app.command()
def main(
    device: str = typer.Option("cuda", help="In torch's words: cuda, cuda:1 or cpu."),
    size: List[str] = typer.Option(["original", "small"], help="Sizes of the biLM."),
    batch: List[int] = typer.Option([32, 128, 512], help="Sentences a batch."),
    precision: List[str] = typer.Option(
        ["float32", "float16", "bfloat16"],
        help="In torch's words; before torch 2 a CPU has float32 alone.",
    ),
    sentences: int = typer.Option(4096, help="Sentences to read."),
    rounds: int = typer.Option(5, help="Rounds; the median counts."),
) -> None:
    """Print tokens per second of the biLM, its products alone, and nlp.pipe."""
    on = torch.device(device)
    if on.type == "cuda" and not torch.cuda.is_available():
        print(
            "torch finds no CUDA device here; to run the same on the CPU, add "
            "--device cpu --size small --precision float32 --sentences 512."
        )
        raise typer.Exit(1)
    has_cupy = find_spec("cupy") is not None
    if on.type == "cuda" and has_cupy:
        spacy.require_gpu(on.index or 0)
    measured = {one: Measured(one, on, on.type == "cpu" or has_cupy) for one in size}
    made = zipf_sentences(sentences)
    words = [word for sentence in made for word in sentence]
    name = torch.cuda.get_device_name(on) if on.type == "cuda" else "CPU"
    cupy = "CuPy is installed" if has_cupy else "CuPy is not installed"
    print(
        f"{name}; torch {torch.__version__}, spaCy {spacy.__version__}; {cupy}, thinc "
        f"runs with {type(get_current_ops()).__name__}; {len(words):,} words; medians "
        f"of {rounds} rounds.\n"
    )
    for one in measured.values():
        for kind in precision:
            one.set_precision(kind)
            one.compare(made[:COMPARED_SENTENCES])
    print(
        "| size | batch | precision | biLM, tokens/s | products alone, tokens/s "
        "| nlp.pipe, tokens/s |"
    )
    print("|---|--:|---|--:|--:|--:|")
    shape = f"{ALLENNLP_BATCH} × {ALLENNLP_LENGTH} tokens"
    long = [
        words[i : i + ALLENNLP_LENGTH] for i in range(0, len(words), ALLENNLP_LENGTH)
    ]
    for which, one in measured.items():
        for kind in precision:
            one.set_precision(kind)
            for n in batch:
                speeds = one.speeds(made, n, rounds)
                print(f"| {which} | {n} | {kind} | {speeds} |", flush=True)
            speeds = one.speeds(long, ALLENNLP_BATCH, rounds)
            print(f"| {which} | {shape} | {kind} | {speeds} |", flush=True)
    print(
        f"| original | {shape} | AllenNLP on a V100, published | {ALLENNLP_SPEED} "
        "| – | – |"
    )


class Measured:
    """A biLM on the device, its products, and the pipeline that it is from."""

    def __init__(self, size: str, device: torch.device, has_pipe: bool) -> None:
        self.device, self.has_pipe = device, has_pipe
        self.nlp = elmo_pipeline(size, batch_tokens=BATCH_TOKENS)
        initialize(self.nlp, made_examples(self.nlp, [["Rome", "fell"]]))
        self.exact = copy.deepcopy(bilm_of(self.nlp)).cpu().eval()

    def set_precision(self, precision: str) -> None:
        self.precision = precision
        self.network = copy.deepcopy(self.exact).to(self.device)
        self.network.encoder.to(getattr(torch, precision))
        self.products = ProductsOnDevice(self.network)

    @property
    def runs_pipe(self) -> bool:
        return self.has_pipe and self.precision == "float32"

    def compare(self, sentences: Sentences) -> None:
        """Raise RuntimeError unless the vectors are those of the CPU."""
        expected = encode(self.exact, sentences)
        found = {f"biLM, {self.precision}": encode(self.network, sentences)}
        if self.runs_pipe:
            (node,) = elmo_nodes(self.nlp)
            arrays = map(node.ops.to_numpy, node.predict(self._docs(sentences)))
            found["nlp.pipe"] = torch.from_numpy(np.concatenate(list(arrays)))
        for name, vectors in found.items():
            vectors = vectors.float().cpu()
            difference = (vectors - expected).abs().max().item()
            cosine = torch.cosine_similarity(vectors, expected).mean().item()
            print(
                f"<!-- {name}: largest difference {difference:.1e}, "
                f"mean cosine {cosine:.5f} -->"
            )
            exact = self.precision == "float32"
            if not (
                difference <= BETWEEN_VERSIONS if exact else cosine >= LEAST_COSINE
            ):
                raise RuntimeError(
                    f"The vectors of {name} on {self.device} are not those of the CPU: "
                    "its speed would mean nothing."
                )

    def speeds(self, sentences: Sentences, size: int, rounds: int) -> str:
        """The last three cells of a row."""
        batches = [sentences[i : i + size] for i in range(0, len(sentences), size)]
        docs = self._docs(sentences)
        systems: List[Callable[[], Any]] = [
            lambda: [encode(self.network, batch) for batch in batches],
            lambda: [self.products(batch) for batch in batches],
        ]
        if self.runs_pipe:
            systems.append(lambda: list(self.nlp.pipe(docs, batch_size=size)))
        times: Dict[int, List[float]] = {}
        # a round more: at the first call kernels are loaded and memory is taken
        for i in range(rounds + 1):
            for column, run in enumerate(systems):
                forget_words(self.network)
                forget_words(bilm_of(self.nlp))
                taken = self._seconds(run)
                if i > 0:
                    times.setdefault(column, []).append(taken)
        words = sum(len(sentence) for sentence in sentences)
        cells = [f"{words / statistics.median(many):,.0f}" for many in times.values()]
        return " | ".join([*cells, "–"][:3])

    def _docs(self, sentences: Sentences) -> List[Doc]:
        return [Doc(self.nlp.vocab, words=words) for words in sentences]

    def _seconds(self, run: Callable[[], Any]) -> float:
        self._wait()
        start = time.perf_counter()
        run()
        self._wait()
        return time.perf_counter() - start

    def _wait(self) -> None:
        if self.device.type == "cuda":
            torch.cuda.synchronize(self.device)


@torch.no_grad()
def encode(network: ElmoNetwork, sentences: Sentences) -> Tensor:
    """Vectors of all words, which stay on the device: (n_words, width)."""
    types, indexed = index_types(sentences)
    ends = np.cumsum([0] + [len(sentence) for sentence in sentences])
    places = [np.arange(*ends[i : i + 2]) for i in range(len(sentences))]
    return network(types, indexed, places, int(ends[-1]))


class ProductsOnDevice:
    """As systems.ProductsAlone, in plain torch where and as the network is."""

    def __init__(self, network: ElmoNetwork) -> None:
        self.options = network.encoder.options
        projected = self.options.projection_width
        self.layers = [
            (layer.W_0[:projected], layer.W_0[projected:], layer.W_P_0)
            for layer in network.encoder.bilm.modules()
            if isinstance(layer, ProjectedLstm)
        ]

    @torch.no_grad()
    def __call__(self, sentences: Sentences) -> None:
        packing = pack([len(sentence) + 2 for sentence in sentences])
        n_types = len({word for sentence in sentences for word in sentence}) + 2
        like = self.layers[0][0]
        rows = like.new_zeros(sum(packing.steps), self.options.projection_width)
        cells = like.new_zeros(packing.steps[0], self.options.lstm_width)
        for i, (inputs, recurrence, projection) in enumerate(self.layers):
            is_first = i % self.options.n_layers == 0
            torch.mm(rows[:n_types] if is_first else rows, inputs)
            for alive in packing.steps:
                torch.mm(rows[:alive], recurrence)
                torch.mm(cells[:alive], projection)


if __name__ == "__main__":
    app()
