"""All that is to know of a GPU, in one report: `python -m benchmarks.gpu_check`.

Are vectors and entities those of the CPU, how fast are the pipeline, the biLM and its
pre-training, and how near do they come to what the card can multiply? Beside the
package's plain loop stand the ways of `gpu_variants`. Weights are random and sentences
made. No variant's speed is printed unless its vectors are those of the plain loop.
"""

import copy
import math
import signal
import statistics
import tempfile
import time
import traceback
import warnings
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Callable, Dict, Iterator, List, Optional, Tuple

import numpy as np
import spacy
import torch
import typer
from spacy.tokens import Doc
from spacy.util import load_config
from thinc.api import use_ops
from torch import Tensor

from spacy_elmo_ner.bilm.char_ids import index_types
from spacy_elmo_ner.bilm.lstm import ProjectedLstm
from spacy_elmo_ner.bilm.options import ElmoOptions
from spacy_elmo_ner.elmo.network import ElmoNetwork
from spacy_elmo_ner.pretraining.language_model import LanguageModel, make_batch
from spacy_elmo_ner.pretraining.loop import pretrain
from spacy_elmo_ner.pretraining.processes import Processes
from spacy_elmo_ner.pretraining.settings import Settings, read_settings
from spacy_elmo_ner.pretraining.softmax import Candidates
from spacy_elmo_ner.pretraining.token_corpus import write_corpus
from spacy_elmo_ner.pretraining.tokenization import tokenize_files

from .gpu_variants import (
    FusedLoop,
    GraphLoop,
    Loop,
    Unsuitable,
    cell_step,
    fused_training,
)
from .pipelines import (
    BATCH,
    RATE,
    TOK2VECS,
    bilm_of,
    elmo_pipeline,
    forget_words,
    initialize,
    made_examples,
)
from .texts import Sentences, zipf_sentences

SECTIONS = ["vectors", "bilm", "pipeline", "pretraining", "compiled"]
# float32: the largest difference; half precision: the norm of all differences, as a
# share of the norm of the vectors
EXACT, ROUNDED = 1e-4, 1e-2
BAR = 200_000
# "Faster Elmo", github.com/allenai/allennlp/pull/1347: on an AWS P3, whose GPU is a V100
ALLENNLP = "25,000 tokens/s, with kept words 33,055"
# so many that what is called a batch is one
BATCH_TOKENS = 2**17
COMPARED = 64
TAUGHT = 40
# updates of a pre-training: first those that are not measured
WARM, MEASURED = 2, 5
# of a cell; and sentences that are read for it, in whole batches
CELL_SECONDS, CELL_SENTENCES = 1.5, 1024

app = typer.Typer(add_completion=False)


class TimeUp(BaseException):
    """Not an Exception, which a compiler would take for a failure of its own."""


class Enough(Exception):
    """Ends a pre-training."""


class Report:
    """Prints each line at once, and keeps the file as long as what was printed."""

    def __init__(self, output: Optional[Path], seconds: float) -> None:
        self.output, self.lines = output, []  # type: Optional[Path], List[str]
        self.end = time.monotonic() + seconds

    def __call__(self, line: str = "") -> None:
        print(line, flush=True)
        self.lines.append(line)
        if self.output is not None:
            self.output.write_text("\n".join(self.lines) + "\n", encoding="utf8")

    @property
    def seconds_left(self) -> float:
        return self.end - time.monotonic()

    def cell(self, make: Callable[[], str]) -> str:
        """What `make` returns, or why there is nothing."""
        if self.seconds_left <= 0:
            return "no time left"
        try:
            return make()
        except Unsuitable as error:
            return str(error)
        except Exception as error:
            traceback.print_exc()
            first = next(iter(str(error).splitlines()), "")
            return f"failed: {type(error).__name__}: {first[:120]}".replace("|", "/")


@app.command()
def main(
    device: str = typer.Option("cuda", help="In torch's words: cuda, cuda:1 or cpu."),
    section: List[str] = typer.Option(SECTIONS, help="What to do, in this order."),
    size: List[str] = typer.Option(["original", "small"], help="Sizes of the biLM."),
    batch: List[int] = typer.Option([1024, 512, 128, 32], help="Sentences a batch."),
    precision: List[str] = typer.Option(
        ["float32", "bfloat16", "tf32", "float16"], help="Of the biLM."
    ),
    variants: List[str] = typer.Option(
        ["graphs", "fused"], help="Beside the plain loop; none for none."
    ),
    sentences: int = typer.Option(4096, help="Sentences to make."),
    rounds: int = typer.Option(3, help="Rounds; the median counts."),
    update_tokens: List[int] = typer.Option(
        [16384, 65536, 2048], help="Tokens of an update of the pre-training."
    ),
    update_precision: List[str] = typer.Option(["float32", "bfloat16"]),
    config: Path = typer.Option(Path("configs/pretrain.cfg"), help="To pre-train."),
    compile_seconds: int = typer.Option(60, help="Most that torch.compile may take."),
    seconds: float = typer.Option(480.0, help="Most that all may take."),
    output: Optional[Path] = typer.Option(None, help="File for the report, too."),
) -> None:
    """Print the report, section by section."""
    on = torch.device(device)
    if on.type == "cuda" and not torch.cuda.is_available():
        print(
            "torch finds no CUDA device here; to run the same on the CPU, add --device "
            "cpu --size sample --precision float32 --batch 32 --sentences 64 "
            "--update-tokens 512."
        )
        raise typer.Exit(1)
    unknown = sorted({*section} - {*SECTIONS})
    if unknown:
        raise typer.BadParameter(f"no section {unknown[0]}; use {', '.join(SECTIONS)}")
    warnings.filterwarnings("ignore", message=".*(RNN module|weights are random).*")
    report = Report(output, seconds)
    check = Check(
        report, on, size, batch, precision, variants, zipf_sentences(sentences), rounds
    )
    check.introduce()
    bodies: Dict[str, Callable[[], None]] = {
        "vectors": check.vectors,
        "bilm": check.bilm,
        "pipeline": check.pipeline,
        "pretraining": lambda: pretraining(
            check, config, update_tokens, update_precision
        ),
        "compiled": lambda: check.compiled(compile_seconds),
    }
    for name in section:
        report()
        if report.seconds_left <= 0:
            report(f"*{name}*: skipped, the {seconds:.0f} seconds are over.")
            continue
        started = time.monotonic()
        try:
            bodies[name]()
        except Exception as error:
            traceback.print_exc()
            report(f"\n*{name}* ended early: {type(error).__name__}: {error}")
        report(f"\n({name}: {time.monotonic() - started:.0f} s)")


class Check:
    """What the sections share."""

    def __init__(
        self,
        report: Report,
        device: torch.device,
        sizes: List[str],
        batches: List[int],
        precisions: List[str],
        variants: List[str],
        sentences: Sentences,
        rounds: int,
    ) -> None:
        self.report, self.device, self.sizes = report, device, sizes
        self.batches, self.precisions, self.rounds = batches, precisions, rounds
        self.variants, self.sentences = variants, sentences
        self._exact: Dict[str, ElmoNetwork] = {}
        self._peaks: Dict[str, float] = {}

    def introduce(self) -> None:
        on = self.device
        name = torch.cuda.get_device_name(on) if on.type == "cuda" else "CPU"
        words = sum(map(len, self.sentences))
        self.report(
            f"# {name}\n\ntorch {torch.__version__}, spaCy {spacy.__version__}, "
            f"numpy {np.__version__}, {torch.get_num_threads()} threads; {words:,} made "
            f"words in {len(self.sentences):,} sentences; medians of up to "
            f"{self.rounds} rounds. Largest products, TFLOP/s:"
        )
        for precision in self.precisions:
            self.report(
                f"- {precision}: "
                + self.report.cell(lambda p=precision: f"{self.peak(p) / 1e12:,.1f}")  # type: ignore[misc]
            )

    def peak(self, precision: str) -> float:
        """Operations a second of a large product."""
        if precision not in self._peaks:
            self.set_tf32(precision)
            side = 8192 if self.device.type == "cuda" else 512
            one = torch.randn(side, side, device=self.device).to(dtype_of(precision))
            run = lambda: torch.mm(one, one)  # noqa: E731
            run()
            self._peaks[precision] = 2 * side**3 / min(map(self.time, [run] * 5))
        return self._peaks[precision]

    def set_tf32(self, precision: str) -> None:
        if precision == "tf32" and self.device.type != "cuda":
            raise Unsuitable("a GPU's")
        torch.backends.cuda.matmul.allow_tf32 = precision == "tf32"
        torch.backends.cudnn.allow_tf32 = precision == "tf32"

    def time(self, run: Callable[[], Any]) -> float:
        self.wait()
        start = time.perf_counter()
        run()
        self.wait()
        return time.perf_counter() - start

    def wait(self) -> None:
        if self.device.type == "cuda":
            torch.cuda.synchronize(self.device)

    def median(self, run: Callable[[], Any]) -> float:
        """Seconds; run was called before."""
        times: List[float] = []
        while len(times) < self.rounds and sum(times) < CELL_SECONDS:
            times.append(self.time(run))
        return statistics.median(times)

    def exact(self, size: str) -> ElmoNetwork:
        """The network on the CPU."""
        if size not in self._exact:
            torch.manual_seed(0)
            network = ElmoNetwork(
                options=options_of(size),
                layer="elmo",
                frozen=True,
                batch_tokens=BATCH_TOKENS,
                cached_words=100_000,
                precision="float32",
                start_state="zeros",
            )
            self._exact[size] = network.eval()
        return self._exact[size]

    def on_device(self, size: str, precision: str) -> ElmoNetwork:
        self.set_tf32(precision)
        network = copy.deepcopy(self.exact(size)).to(self.device)
        network.encoder.to(dtype_of(precision))
        return network

    # Sections

    def vectors(self) -> None:
        self.report(
            f"## Vectors against the CPU's\n\nBars: float32 {EXACT:.0e}, the others "
            f"{ROUNDED:.0e} of the norm.\n\n| size | precision | largest difference "
            "| norm of differences / norm | within |\n|---|---|--:|--:|---|"
        )
        some = self.sentences[:COMPARED]
        for size in self.sizes:
            expected = encode(self.exact(size), some)
            for precision in self.precisions:

                def row(size: str = size, precision: str = precision) -> str:
                    found = encode(self.on_device(size, precision), some)
                    largest, share = differences(found, expected)  # noqa: B023
                    within = "yes" if is_within(largest, share, precision) else "NO"
                    return f"{largest:.1e} | {share:.1e} | {within}"

                self.report(f"| {size} | {precision} | {self.report.cell(row)} |")

    def bilm(self) -> None:
        self.report(
            f"## biLM, tokens/s\n\nBar: {BAR:,} on a current data-centre card; "
            f"AllenNLP published {ALLENNLP}. Plain: the package; it alone also with all "
            "words new. Share: of the peak, by the products of recurrence and "
            "projection and of the upper layers' inputs.\n"
        )
        names = {"graphs": "CUDA graphs", "fused": "fused LSTM"}
        self._table({name: names[name] for name in self.variants if name in names})

    def compiled(self, limit: int) -> None:
        if not hasattr(torch, "compile"):
            self.report("*compiled*: skipped, this torch has no torch.compile.")
            return
        self.report(
            "## biLM with a cell by torch.compile, tokens/s\n\nIn a loop, and in CUDA "
            "graphs.\n"
        )
        seconds = max(1, int(min(limit, self.report.seconds_left)))
        try:
            with time_limit(seconds):
                self._compile()
                self._table({"compiled": "compiled", "both": "compiled, in graphs"})
        except TimeUp:
            self.report(f"\nEnded after {seconds} s, of which compiling takes most.")

    def _compile(self) -> None:
        self._cell = torch.compile(cell_step, dynamic=True)
        for size in self.sizes:
            width = options_of(size).lstm_width
            for precision in self.precisions:
                for rows in (8, 24, 128):
                    gates = torch.randn(2, rows, 4 * width, device=self.device)
                    cell = torch.zeros(2, rows + 8, width, device=self.device)
                    with torch.no_grad():
                        for some in (cell[:, :rows], cell[:, 8:].contiguous()):
                            self._cell(gates.to(dtype_of(precision)), some, 3.0)

    def _table(self, variants: Dict[str, str]) -> None:
        self.report(
            "| size | precision | batch | plain, words new | plain | "
            + "".join(f"{name} | " for name in variants.values())
            + "share, plain | share, best |\n|---|---|--:|--:|--:|"
            + "--:|" * (len(variants) + 2)
        )
        for size in self.sizes:
            for precision in self.precisions:
                if self.report.seconds_left <= 0:
                    self.report("\nThe time is over; the other rows are left out.")
                    return
                try:
                    reader = Reader(self, size, precision)
                except Unsuitable:
                    continue
                for n in self.batches:
                    self.report(reader.row(n, list(variants)))
                del reader
                if self.device.type == "cuda":
                    torch.cuda.empty_cache()

    def pipeline(self) -> None:
        if self.device.type == "cuda":
            if find_spec("cupy") is None:
                self.report("*pipeline*: skipped, CuPy is not installed.")
                return
            spacy.require_gpu(self.device.index or 0)
        # as a user has it
        torch.backends.cuda.matmul.allow_tf32 = False
        torch.backends.cudnn.allow_tf32 = True
        try:
            self._entities()
            self._pipes()
        finally:
            # what follows reads with spaCy in processes of its own
            spacy.require_cpu()

    def _pipes(self) -> None:
        self.report(
            "\n### nlp.pipe, words/s\n\n| size | batch | words new | words kept |\n"
            "|---|--:|--:|--:|"
        )
        for size in self.sizes:
            nlp = elmo_pipeline(size, batch_tokens=BATCH_TOKENS)
            initialize(nlp, made_examples(nlp, [["Rome", "fell"]]))
            for n in self.batches:

                def row(nlp: Any = nlp, n: int = n) -> str:
                    some = self.sentences[: max(n, CELL_SENTENCES)]
                    words = sum(map(len, some))
                    docs = [Doc(nlp.vocab, words=sentence) for sentence in some]
                    run = lambda: list(nlp.pipe(docs, batch_size=n))  # noqa: E731
                    list(nlp.pipe(docs[:n], batch_size=n))
                    forget_words(bilm_of(nlp))
                    new = self.time(run)
                    return f"{words / new:,.0f} | {words / self.median(run):,.0f}"

                self.report(f"| {size} | {n} | {self.report.cell(row)} |")

    def _entities(self) -> None:
        """Taught on the device, found there and, by a copy, on the CPU."""
        size = self.sizes[-1]
        nlp = elmo_pipeline(size)
        examples = made_examples(nlp, self.sentences[: 4 * BATCH])
        optimizer = initialize(nlp, examples)
        optimizer.learn_rate = RATE
        taught = self.time(
            lambda: [
                nlp.update(examples[i % 4 * BATCH :][:BATCH] or examples, sgd=optimizer)
                for i in range(TAUGHT)
            ]
        )
        saved = nlp.to_bytes()
        with use_ops("numpy"):
            on_cpu = elmo_pipeline(size).from_bytes(saved)
        some = self.sentences[: 8 * COMPARED]

        def found(one: Any) -> Tuple[List[Any], Tensor]:
            docs = [Doc(one.vocab, words=words) for words in some]
            pipe = one.get_pipe("elmo_ner")
            emissions = pipe.model.predict(docs).emissions.detach().float().cpu()
            docs = list(one.pipe(docs))
            entities = [
                (i, entity.start, entity.end, entity.label_)
                for i, doc in enumerate(docs)
                for entity in doc.ents
            ]
            return entities, emissions

        here, emissions = found(nlp)
        with use_ops("numpy"):
            there, expected = found(on_cpu)
        largest, share = differences(emissions, expected)
        same = len({*here} & {*there})
        self.report(
            f"## Entities against the CPU's, {size}\n\n{TAUGHT} updates on the device "
            f"took {taught:.1f} s; then of {len(there):,} entities found on the CPU and "
            f"{len(here):,} on the device {same:,} are the same; the tagger's scores "
            f"differ by up to {largest:.1e} ({share:.1e} of their norm)."
        )


class Reader:
    """A biLM on the device, and the ways through it."""

    def __init__(self, check: Check, size: str, precision: str) -> None:
        self.check, self.size, self.precision = check, size, precision
        self.network = check.on_device(size, precision)
        self.loops: Dict[str, Any] = {}
        options = options_of(size)
        projected, width = options.projection_width, options.lstm_width
        layers = options.n_layers
        # of a token: a multiplication and an addition are two
        self.operations = (
            2 * 2 * (layers * (projected * 4 * width + width * projected))
        ) + 2 * 2 * (layers - 1) * projected * 4 * width

    def row(self, n: int, variants: List[str]) -> str:
        check, speeds = self.check, {}  # type: Check, Dict[str, float]
        sentences = check.sentences[: max(n, CELL_SENTENCES)]
        batches = [sentences[i : i + n] for i in range(0, len(sentences), n)]
        types, indexed = index_types(sentences)
        words = sum(map(len, sentences))
        with torch.no_grad():
            vectors = self.network._word_vectors(types)

        def read() -> List[Tensor]:
            encoder, mix = self.network.encoder, self.network.mix
            with torch.no_grad():
                return [
                    mix(encoder.layers(vectors, indexed[i : i + n]))
                    for i in range(0, len(indexed), n)
                ]

        def new() -> str:
            # kernels were loaded by the words' vectors above
            forget_words(self.network)
            taken = check.time(lambda: [encode(self.network, some) for some in batches])
            return f"{words / taken:,.0f}"

        def plain() -> str:
            read()
            speeds["plain"] = words / check.median(read)
            return f"{speeds['plain']:,.0f}"

        def variant(name: str) -> str:
            loop = self.loop(name)
            expected = torch.cat(read())
            with self.taken(loop):
                found = torch.cat(read())
                largest, share = differences(found, expected)
                if not is_within(largest, share, self.precision, 2):
                    raise Unsuitable(f"differs by {largest:.1e} ({share:.1e})")
                speeds[name] = words / check.median(read)
            return f"{speeds[name]:,.0f}"

        def prove_idle() -> None:
            loop = self.loop("loop")
            loop.watch, loop.largest = True, [0.0, 0.0]
            with self.taken(loop):
                read()
            clips = (
                options_of(self.size).cell_clip,
                options_of(self.size).projection_clip,
            )
            for value, clip, what in zip(loop.largest, clips, "ch", strict=True):
                if clip and not value < clip:
                    raise Unsuitable(f"clips: |{what}| up to {value:.1f}; plain loop")

        def fused() -> str:
            prove_idle()
            return variant("fused")

        report = check.report
        cells = [report.cell(new), report.cell(plain)]
        for name in variants:
            make = fused if name == "fused" else (lambda name=name: variant(name))  # type: ignore[misc]
            cells.append(report.cell(make))
        shares = [
            report.cell(
                lambda speed=speed: (  # type: ignore[misc]
                    f"{speed * self.operations / check.peak(self.precision):.0%}"
                )
            )
            for speed in (speeds.get("plain", 0), max(speeds.values(), default=0))
        ]
        check.set_tf32(self.precision)
        return (
            f"| {self.size} | {self.precision} | {n} | {' | '.join(cells + shares)} |"
        )

    def loop(self, name: str) -> Any:
        if name not in self.loops:
            bilm = self.network.encoder.bilm
            with torch.no_grad():
                self.loops[name] = {
                    "loop": lambda: Loop(bilm),
                    "graphs": lambda: GraphLoop(bilm),
                    "fused": lambda: FusedLoop(bilm),
                    "compiled": lambda: Loop(bilm, self.check._cell),
                    "both": lambda: GraphLoop(bilm, self.check._cell),
                }[name]()
        return self.loops[name]

    @contextmanager
    def taken(self, loop: Any) -> Iterator[None]:
        """Let the network go that way for a while."""
        self.network.encoder.bilm.forward = loop  # type: ignore[method-assign]
        try:
            yield
        finally:
            del self.network.encoder.bilm.forward


def pretraining(
    check: Check, config: Path, update_tokens: List[int], precisions: List[str]
) -> None:
    """Words a second of whole updates."""
    check.report(
        "## Pre-training, words/s\n\n"
        f"{config}, updates of made text; {MEASURED} of them after {WARM}. Fused: "
        "torch's LSTM, with the difference of the gradients from the plain loop's, as a "
        "share of their norm. CUDA graphs and torch.compile have no column: the loop's "
        "backward pass is written out for packed steps of any number.\n\n"
        "| precision | tokens an update | plain | fused LSTM | its gradients differ by "
        "| share of the peak, plain |\n|---|--:|--:|--:|--:|--:|"
    )
    settings = read_settings(load_config(config).interpolate())
    with tempfile.TemporaryDirectory() as folder:
        most = (WARM + MEASURED + 1) * max(update_tokens)
        repeated = -(-most // (sum(map(len, check.sentences)) or 1))
        settings = made_corpus(Path(folder), settings, check.sentences * repeated)
        for precision in precisions:
            check.set_tf32(precision)
            for n in update_tokens:
                training = replace(
                    settings.training, batch_tokens=n, precision=precision
                )
                one = replace(settings, training=training)
                speeds: List[float] = []

                def plain(one: Settings = one, speeds: List[float] = speeds) -> str:
                    speeds.append(update_speed(one, check))
                    return f"{speeds[0]:,.0f}"

                def fused(one: Settings = one) -> str:
                    with fused_lstms():
                        return f"{update_speed(one, check):,.0f}"

                def gradients(one: Settings = one) -> str:
                    return f"{gradient_difference(one, check):.1e}"

                def share(one: Settings = one, speeds: List[float] = speeds) -> str:
                    if not speeds:
                        return "–"
                    done = speeds[0] * operations_per_word(one, check)
                    return f"{done / check.peak(one.training.precision):.1%}"

                cells = [check.report.cell(plain)]
                if "fused" in check.variants:
                    cells += [check.report.cell(fused), check.report.cell(gradients)]
                else:
                    cells += ["–", "–"]
                cells.append(check.report.cell(share))
                check.report(f"| {precision} | {n:,} | {' | '.join(cells)} |")


def made_corpus(folder: Path, settings: Settings, sentences: Sentences) -> Settings:
    text, tokens = folder / "text.txt", folder / "tokens"
    text.write_text("\n\n".join(map(" ".join, sentences)), "utf8")
    lang = settings.text.lang
    write_corpus(tokenize_files([text], lang=lang, held_out=0.0, processes=1), tokens)
    return replace(
        settings,
        text=replace(settings.text, tokens=str(tokens)),
        training=replace(settings.training, epochs=1.0),
    )


def updates(settings: Settings, check: Check, count: int) -> List[Tuple[float, int]]:
    """When each of so many updates had ended, and how many words were read by then."""
    marks: List[Tuple[float, int]] = []

    def tell(entry: Dict[str, Any]) -> None:
        if "perplexity_forward" in entry:
            return
        check.wait()
        marks.append((time.perf_counter(), entry["words"]))
        if len(marks) == count:
            raise Enough

    with tempfile.TemporaryDirectory() as folder:
        try:
            pretrain(settings, Path(folder), Processes(check.device), tell)
        except Enough:
            pass
    return marks


def update_speed(settings: Settings, check: Check) -> float:
    marks = updates(settings, check, WARM + MEASURED)
    (start, before), (end, after) = marks[WARM - 1], marks[-1]
    return (after - before) / (end - start)


def operations_per_word(settings: Settings, check: Check) -> float:
    """Of all products of an update, as torch counts them."""
    try:
        from torch.utils.flop_counter import FlopCounterMode
    except ImportError as error:
        raise Unsuitable("this torch counts none") from error
    with FlopCounterMode(display=False) as counter:
        marks = updates(settings, check, 1)
    return counter.get_total_flops() / marks[-1][1]


@contextmanager
def fused_lstms() -> Iterator[None]:
    own = ProjectedLstm.forward
    ProjectedLstm.forward = fused_training  # type: ignore[method-assign, assignment]
    try:
        yield
    finally:
        ProjectedLstm.forward = own  # type: ignore[method-assign]


def gradient_difference(settings: Settings, check: Check) -> float:
    """Of the biLM's gradients by torch's LSTM from those by the package's."""
    sentences = check.sentences[: 4 * COMPARED]
    words, indexed = index_types(sentences)
    n_softmax = len(words) + 3
    torch.manual_seed(0)
    model = LanguageModel(settings.model, n_softmax).to(check.device)
    batch = make_batch(indexed, words, n_softmax).to(check.device)

    def gradients() -> Tensor:
        model.zero_grad(set_to_none=True)
        candidates = Candidates(settings.softmax.candidates, n_softmax, [0])
        kind = dtype_of(settings.training.precision)
        is_exact = kind == torch.float32
        on = check.device.type
        with nullcontext() if is_exact else torch.autocast(on, dtype=kind):
            losses = model.sampled_losses(batch, candidates.to(check.device))
        sum(losses).backward()  # type: ignore[union-attr, attr-defined]
        return torch.cat(
            [p.grad.flatten() for p in model.encoder.parameters() if p.grad is not None]
        )

    expected = gradients()
    with fused_lstms():
        found = gradients()
    return differences(found, expected)[1]


@contextmanager
def time_limit(seconds: int) -> Iterator[None]:
    """Raises TimeUp in what takes longer."""

    def over(*_: Any) -> None:
        raise TimeUp

    before = signal.signal(signal.SIGALRM, over)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def options_of(size: str) -> ElmoOptions:
    settings = {"n_highway": 1, **TOK2VECS[size]}
    settings["filters"] = tuple(map(tuple, settings["filters"]))
    return ElmoOptions(**settings)


def dtype_of(precision: str) -> torch.dtype:
    return torch.float32 if precision == "tf32" else getattr(torch, precision)


@torch.no_grad()
def encode(network: ElmoNetwork, sentences: Sentences) -> Tensor:
    """Vectors of all words, which stay on the device: (n_words, width)."""
    types, indexed = index_types(sentences)
    ends = np.cumsum([0] + [len(sentence) for sentence in sentences])
    places = [np.arange(*ends[i : i + 2]) for i in range(len(sentences))]
    return network(types, indexed, places, int(ends[-1]))


def differences(found: Tensor, expected: Tensor) -> Tuple[float, float]:
    """The largest, and the norm of all as a share of the norm expected."""
    found, expected = found.float().cpu(), expected.float().cpu()
    difference = found - expected
    largest, norm = difference.abs().max().item(), expected.norm().item()
    share = difference.norm().item() / norm if norm else math.inf
    return largest, share


def is_within(largest: float, share: float, precision: str, times: float = 1) -> bool:
    if precision == "float32":
        return largest <= EXACT
    return share <= times * ROUNDED


if __name__ == "__main__":
    app()
