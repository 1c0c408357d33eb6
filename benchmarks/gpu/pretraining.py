"""Pre-training on the device: words a second of whole updates."""

import tempfile
import time
from contextlib import nullcontext
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, Dict, List, Tuple

import torch
from spacy.util import load_config
from torch import Tensor

from spacy_elmo_ner.bilm.char_ids import index_types
from spacy_elmo_ner.pretraining.language_model import LanguageModel, make_batch
from spacy_elmo_ner.pretraining.loop import pretrain
from spacy_elmo_ner.pretraining.processes import Processes
from spacy_elmo_ner.pretraining.settings import Settings, read_settings
from spacy_elmo_ner.pretraining.softmax import Candidates

from ..corpora import made_corpus
from ..texts import Sentences
from .device import Device, dtype_of
from .networks import differences
from .report import Report, Unsuitable
from .variants import fused

# updates: first those that are not measured
WARM, MEASURED = 2, 5
# whose gradients are compared
SENTENCES = 256


class Enough(Exception):
    """Ends a pre-training."""


def time_pretraining(
    report: Report,
    device: Device,
    config: Path,
    precisions: List[str],
    update_tokens: List[int],
    sentences: Sentences,
) -> None:
    report(
        "## Pre-training, words/s\n\n"
        f"{config}, updates of made text; {MEASURED} of them after {WARM}. Fused: "
        "torch's LSTM, with the difference of the gradients from the plain loop's, as a "
        "share of their norm. CUDA graphs and torch.compile have no column: the loop's "
        "backward pass is written out for packed steps of any number."
    )
    report.table(
        *("precision", "tokens an update", "plain", "fused LSTM"),
        *("its gradients differ by", "share of the peak, plain"),
        n_names=1,
    )
    with tempfile.TemporaryDirectory() as folder:
        most = (WARM + MEASURED + 1) * max(update_tokens)
        repeated = -(-most // sum(map(len, sentences)))
        settings = read_settings(load_config(config).interpolate())
        settings = made_corpus(Path(folder), settings, sentences * repeated)
        for n in update_tokens:
            for precision in precisions:
                training = replace(
                    settings.training, batch_tokens=n, precision=precision
                )
                trial = Trial(
                    replace(settings, training=training), device, sentences[:SENTENCES]
                )
                columns = trial.plain, trial.fused, trial.gradients, trial.share
                cells = [report.cell(partial(column)) for column in columns]
                report.row(precision, f"{n:,}", *cells)


class Trial:
    """A pre-training with these settings, and the cells of its row."""

    def __init__(self, settings: Settings, device: Device, some: Sentences) -> None:
        self.settings, self.device, self.sentences = settings, device, some
        self.precision = settings.training.precision
        self.words_per_second = 0.0

    def plain(self) -> str:
        self.device.set_tf32(self.precision)
        self.words_per_second = self._speed()
        return f"{self.words_per_second:,.0f}"

    def fused(self) -> str:
        with fused():
            return f"{self._speed():,.0f}"

    def gradients(self) -> str:
        expected = self._gradients()
        with fused():
            return f"{differences(self._gradients(), expected)[1]:.1e}"

    def share(self) -> str:
        """Of the peak, by all products of an update, as torch counts them."""
        try:
            from torch.utils.flop_counter import FlopCounterMode
        except ImportError as error:
            raise Unsuitable("this torch counts none") from error
        with FlopCounterMode(display=False) as counter:
            ((_, words),) = self._updates(1)
        operations = counter.get_total_flops() / words * self.words_per_second
        return f"{operations / self.device.peak(self.precision):.1%}"

    def _speed(self) -> float:
        marks = self._updates(WARM + MEASURED)
        (start, before), (end, after) = marks[WARM - 1], marks[-1]
        return (after - before) / (end - start)

    def _updates(self, count: int) -> List[Tuple[float, int]]:
        """When each of so many updates ended, and how many words were read by then."""
        marks: List[Tuple[float, int]] = []

        def tell(entry: Dict[str, Any]) -> None:
            if "perplexity_forward" in entry:
                return
            self.device.wait()
            marks.append((time.perf_counter(), entry["words"]))
            if len(marks) == count:
                raise Enough

        with tempfile.TemporaryDirectory() as folder:
            try:
                pretrain(
                    self.settings, Path(folder), Processes(self.device.torch), tell
                )
            except Enough:
                pass
        return marks

    def _gradients(self) -> Tensor:
        """The biLM's."""
        words, indexed = index_types(self.sentences)
        n_softmax = len(words) + 3
        torch.manual_seed(0)
        device = self.device.torch
        model = LanguageModel(self.settings.model, n_softmax).to(device)
        batch = make_batch(indexed, words, n_softmax).to(device)
        candidates = Candidates(self.settings.softmax.candidates, n_softmax, [0])
        dtype = dtype_of(self.precision)
        is_exact = dtype == torch.float32
        with nullcontext() if is_exact else torch.autocast(device.type, dtype=dtype):
            losses = model.sampled_losses(batch, candidates.to(device))
        torch.stack(list(losses)).sum().backward()
        grads = [weight.grad for weight in model.encoder.parameters()]
        return torch.cat([grad.flatten() for grad in grads if grad is not None])
