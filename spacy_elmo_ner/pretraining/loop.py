"""Pre-training: reads batches, learns, evaluates and saves checkpoints."""

import math
from contextlib import nullcontext
from pathlib import Path
from timeit import default_timer
from typing import Any, Callable, ContextManager, Dict, Iterator, List, Tuple

import numpy as np
import torch
from torch import nn
from torch.optim import Adagrad, Adam, Optimizer, SparseAdam

from ..bilm.weight_files import write_safetensors
from ..bilm.weights import to_weights
from ..files.atomic import check_writable, recover
from ..files.replaceable import check_is_no_file, check_replaceable
from ..training.progress import HISTORY, Progress, write_history
from .batches import batches, first_batches
from .checkpoint import WEIGHTS, PretrainingCheckpoint
from .gradient_scaler import make_scaler
from .language_model import N_SPECIAL, LanguageModel, make_batch
from .precision import usable_training_precision
from .processes import Processes
from .settings import Settings, TrainingSettings, difference
from .softmax import Candidates
from .start import load_start
from .token_corpus import SentenceStore, TokenCorpus

# the initial value of Adagrad's sums in bilm-tf
ADAGRAD_START = 1.0

Reporter = Callable[[Dict[str, Any]], None]


def pretrain(
    settings: Settings, output: Path, processes: Processes, report: Reporter
) -> LanguageModel:
    """Pre-train a biLM, or resume where the last run stopped.

    A run that was killed and resumed ends with the weights of an uninterrupted run.

    Args:
        settings: The config.
        output: The folder for the checkpoint, the history and, after each evaluation,
            the weights so far.
        processes: In each update every process learns from a batch of its own; all have
            the same weights, and the first process writes. A different number of
            processes reads the text in a different order.
        report: Is called with every update ("loss", "words", …) and every evaluation
            ("perplexity_forward", "perplexity_backward").

    Returns:
        The trained model.

    Raises:
        ValueError: If the weights to start from do not fit; if the checkpoint is
            damaged or belongs to other settings; if `output` has weights but no
            checkpoint; if the loss is no longer a number. The last checkpoint is kept.
    """
    if processes.rank == 0:
        check_output(output)
    processes.wait()
    torch.manual_seed(settings.training.seed)
    corpus = TokenCorpus(Path(settings.text.tokens))
    n_softmax = min(settings.softmax.words, len(corpus.words)) + N_SPECIAL
    model = LanguageModel(
        settings.model, n_softmax, start_state=settings.training.start_state
    ).to(processes.device)
    run = _Run(
        settings=settings,
        output=output,
        corpus=corpus,
        model=model,
        processes=processes,
        report=report,
    )
    run.train()
    return model


class _Run:
    def __init__(
        self,
        *,
        settings: Settings,
        output: Path,
        corpus: TokenCorpus,
        model: LanguageModel,
        processes: Processes,
        report: Reporter,
    ) -> None:
        self.settings, self.training = settings, settings.training
        self.output, self.corpus, self.model = output, corpus, model
        self.processes, self.device = processes, processes.device
        self.report = report
        self.n_softmax = len(model.softmax.bias.weight)
        self.total_words = settings.training.epochs * int(
            corpus.train.lengths.sum(dtype=np.int64)
        )
        self.optimizers = make_optimizers(model, settings.training)
        self.precision = usable_training_precision(self.training.precision, self.device)
        self.scaler = make_scaler(self.precision, self.device)
        self.checkpoint = PretrainingCheckpoint(output / "checkpoint")
        self.progress = Progress()
        if self.checkpoint.exists():
            _check_same(self.checkpoint.settings(), settings, self.checkpoint.folder)
            self.progress = self.checkpoint.load(model, self.optimizers, self.scaler)
            is_published = self.checkpoint.is_published and (output / WEIGHTS).exists()
            if processes.rank == 0 and not is_published:
                self._publish()
        elif self.training.start is not None:
            load_start(model, corpus.words, Path(self.training.start))
        # all processes have read the checkpoint before the first one writes the next
        processes.wait()
        self.contexts = processes.share(model.contexts)

    def train(self) -> None:
        """Train from the checkpoint to the end."""
        progress = self.progress
        started = default_timer() - progress.seconds
        if progress.step == 0 and self.training.start is not None:
            # the initial weights
            progress = self._evaluate_and_save(
                progress, {"step": 0, "words": 0}, started
            )
        for epoch, next_batch, indices in self._batches():
            if progress.words >= self.total_words:
                break
            done = progress.words / self.total_words
            rate = learn_rate(self.training, progress.step, done)
            loss, n_words = self._update(indices, progress.step, rate)
            progress = progress._replace(
                step=progress.step + 1,
                epoch=epoch,
                batch=next_batch,
                words=progress.words + n_words,
                seconds=default_timer() - started,
            )
            so_far = {
                "step": progress.step,
                "words": progress.words,
                "seconds": progress.seconds,
                "loss": loss,
            }
            self.report({**so_far, "total_words": self.total_words, "learn_rate": rate})
            if progress.step % self.training.eval_frequency == 0:
                progress = self._evaluate_and_save(progress, so_far, started)
        if progress.step > self.progress.step:
            self._evaluate_and_save(progress, so_far, started)

    def _evaluate_and_save(
        self, progress: Progress, so_far: Dict[str, Any], started: float
    ) -> Progress:
        """Evaluate, report and save a checkpoint."""
        found = {**self.evaluate(), **so_far, "seconds": default_timer() - started}
        self.report(found)
        self.progress = progress._replace(
            seconds=found["seconds"], history=[*progress.history, found]
        )
        if self.processes.rank == 0:
            self._save()
        return self.progress

    def evaluate(self) -> Dict[str, Any]:
        """Exact perplexities of the first held-out sentences, NaN if there are none."""
        store = self.corpus.held_out
        sums, n_words = np.zeros(2), 0
        for indices in first_batches(
            store,
            batch_tokens=self.training.batch_tokens,
            n_tokens=self.training.eval_tokens,
        ):
            batch = self._batch(store, indices)
            with self._autocast():
                losses = self.model.full_losses(batch)
            sums += [float(loss) for loss in losses]
            n_words += len(batch.before)
        forward, backward = np.exp(sums / n_words) if n_words else (math.nan, math.nan)
        return {"perplexity_forward": forward, "perplexity_backward": backward}

    def _batches(self) -> Iterator[Tuple[int, int, np.ndarray]]:
        """Yield batches, starting from the current progress.

        An epoch ends when one of the processes would have no batch.

        Yields:
            The epoch, the number of the next update's first batch, and the indices of
            this process's sentences.
        """
        count, rank = self.processes.count, self.processes.rank
        skip = self.progress.batch
        for epoch in range(self.progress.epoch, math.ceil(self.training.epochs)):
            of_epoch = batches(
                self.corpus.train.lengths,
                batch_tokens=self.training.batch_tokens,
                seed=self.training.seed,
                epoch=epoch,
            )
            mine = None
            for number, indices in enumerate(of_epoch):
                if number % count == rank:
                    mine = indices
                if number % count == count - 1 and number >= skip:
                    assert mine is not None
                    yield epoch, number + 1, mine
            skip = 0

    def _update(self, indices: np.ndarray, step: int, rate: float) -> Tuple[float, int]:
        """Learn from a batch; return the loss per word and the number of words.

        A boundary counts as one word.
        """
        batch = self._batch(self.corpus.train, indices)
        candidates = Candidates(
            self.settings.softmax.candidates,
            self.n_softmax,
            [self.training.seed, step],
        ).to(self.device)
        with self._autocast():
            forward, backward = self.model.sampled_losses(
                batch, candidates, self.contexts
            )
        total = forward + backward
        n_words = int(sum(batch.lengths)) - 2 * len(batch.lengths)
        total_of_all, n_losses, words_of_all = self.processes.sum(
            total.item(), 2 * len(batch.before), n_words
        )
        value = total_of_all / n_losses
        if not math.isfinite(value):
            raise ValueError(
                f"The loss of update {step} is {value}. The checkpoint in "
                f"{self.checkpoint.folder} is from before it; continue with a lower "
                "learn_rate or grad_clip in another output folder."
            )
        # gradients are averaged over the processes; this makes it the loss per word
        self.scaler.scale(total * (self.processes.count / n_losses)).backward()
        self.processes.share_sparse(self.model.softmax.parameters())
        for optimizer in self.optimizers:
            self.scaler.unscale_(optimizer)
        nn.utils.clip_grad_norm_(
            self.model.encoder.parameters(), self.training.grad_clip
        )
        for optimizer in self.optimizers:
            for group in optimizer.param_groups:
                group["lr"] = rate
            self.scaler.step(optimizer)
            optimizer.zero_grad(set_to_none=True)
        self.scaler.update()
        return value, int(words_of_all)

    def _batch(self, store: SentenceStore, indices: np.ndarray) -> Any:
        sentences = [store[i] for i in indices]
        return make_batch(sentences, self.corpus.words, self.n_softmax).to(self.device)

    def _autocast(self) -> ContextManager[object]:
        if self.precision == "float32":
            return nullcontext()
        dtype = getattr(torch, self.precision)
        return torch.autocast(self.device.type, dtype=dtype)

    def _save(self) -> None:
        # the checkpoint comes first: everything else can be made from it after a kill
        self.checkpoint.save(
            self.model, self.optimizers, self.scaler, self.progress, self.settings
        )
        self._publish()

    def _publish(self) -> None:
        write_history(self.output, self.progress.history)
        write_safetensors(to_weights(self.model.encoder), self.output / WEIGHTS)
        self.checkpoint.set_published()


def make_optimizers(
    model: LanguageModel, training: TrainingSettings
) -> List[Optimizer]:
    """Make an optimizer for the biLM, and one for the softmax's sparse gradients."""
    bilm, softmax = list(model.encoder.parameters()), list(model.softmax.parameters())
    if training.optimizer == "adam":
        return [Adam(bilm), SparseAdam(softmax)]
    return [
        Adagrad(some, initial_accumulator_value=ADAGRAD_START)
        for some in (bilm, softmax)
    ]


def learn_rate(training: TrainingSettings, step: int, done: float) -> float:
    """The learning rate of an update.

    Args:
        training: The settings.
        step: The update's number.
        done: The share of all words read before it.
    """
    warm = min(1.0, (step + 1) / max(training.warmup_steps, 1))
    left = min(1.0, (1 - done) / training.cooldown) if training.cooldown else 1.0
    return training.learn_rate * warm * max(left, 0.0)


def check_output(output: Path) -> None:
    """Check the output folder before anything is computed; remove what killed runs left
    behind.

    Raises:
        ValueError: If something is in the way that was not written by pre-training.
        WriteError: If the folder cannot be written.
    """
    check_is_no_file(output)
    checkpoint = PretrainingCheckpoint(output / "checkpoint")
    # whether it was changed is checked when it is resumed
    check_replaceable(checkpoint.folder, names_only=True)
    for name in (HISTORY, WEIGHTS):
        recover(output / name)
        if (output / name).exists() and not checkpoint.exists():
            raise ValueError(
                f"{output} already holds {name}, but no checkpoint to continue from; "
                "choose another --output, or move that file away."
            )
    check_writable(output / WEIGHTS)


def _check_same(saved: Dict[str, Any], settings: Settings, folder: Path) -> None:
    found = difference(saved, settings)
    if found:
        raise ValueError(
            f"The checkpoint in {folder} is from a pre-training with other settings: "
            f"{found}. Change that back to continue, choose another --output, or "
            "delete the checkpoint to start again."
        )
