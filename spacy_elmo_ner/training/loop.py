"""spaCy's training, with a checkpoint at every evaluation."""

import os
import random
import sys
from contextlib import contextmanager
from pathlib import Path
from timeit import default_timer
from typing import Any, Callable, Dict, Iterator, List, Optional, Sequence, Tuple

import numpy
from spacy.language import Language
from spacy.schemas import ConfigSchemaTraining
from spacy.training import Example
from spacy.training.initialize import init_nlp
from spacy.training.loop import (
    create_before_to_disk_callback,
    create_evaluation_callback,
    subdivide_batch,
    update_meta,
)
from spacy.util import load_model_from_config, registry, resolve_dot_names
from thinc.api import Config, Optimizer, constant

from ..files.atomic import check_writable, recover, replacing_folder
from ..files.replaceable import check_is_no_file, check_replaceable
from .checkpoint import Checkpoint
from .progress import HISTORY, Progress, write_history
from .same_training import check_same, inputs_of

# computes the gradients of a batch, from a pipeline, examples, and the keyword
# arguments drop, losses, exclude and annotates of `nlp.update`
Update = Callable[..., None]

BEST, LAST = "model-best", "model-last"


def train(
    config: Config,
    output: Path,
    *,
    use_gpu: int = -1,
    force: bool = False,
    say: Callable[[str], None] = print,
    update: Optional[Update] = None,
) -> Language:
    """Train the pipeline of `config`, or resume where the last run stopped.

    It does what `spacy train` does with a config: it reads the same sections and writes
    the same folders, `model-best` and `model-last`. The order of the examples depends
    only on the seed and the epoch, and each evaluation saves a checkpoint. So a run
    that was killed and restarted ends with the weights of an uninterrupted run, unless
    max_epochs is -1 and an augmenter draws random numbers from a stream that restarts.
    A finished run continues if max_steps, max_epochs or patience is raised; otherwise
    it ends at once.

    Args:
        config: The pipeline's config.
        output: The folder for the pipelines, the history and the checkpoint.
        use_gpu: The GPU's number, or -1 for the CPU.
        force: Train from scratch, and replace what is in `output`.
        say: Is called with a sentence on where training starts.
        update: Computes the gradients of a batch; `nlp.update` if None.

    Returns:
        The trained pipeline.

    Raises:
        ValueError: If the checkpoint in `output` is damaged or belongs to another
            config or corpus; if there are outputs in it but no checkpoint.
    """
    check_is_no_file(output)
    checkpoint = Checkpoint(output / "checkpoint", inputs_of(config))
    outputs = [checkpoint.folder, output / LAST, output / BEST]
    for folder in outputs:
        # whether a checkpoint was changed is checked when it is resumed
        is_checkpoint = folder == checkpoint.folder
        check_replaceable(folder, force=force, names_only=is_checkpoint)
    recover(output / HISTORY)
    check_writable(output / HISTORY)
    continues = checkpoint.exists() and not force
    if continues:
        saved = checkpoint.config()
        nlp = load_model_from_config(config, auto_fill=True)
        check_same(saved, nlp.config, checkpoint.folder)
        changed = checkpoint.changed_corpora()
        if changed:
            raise ValueError(
                f"The corpus {changed[0]} has changed since the checkpoint in "
                f"{checkpoint.folder} was written. Choose another --output, or give "
                "--force to train from the start."
            )
    else:
        if not force:
            _check_empty(output)
        nlp = init_nlp(config, use_gpu=use_gpu)
    run = _Run(
        nlp,
        output,
        checkpoint,
        continues=continues,
        force=force,
        update=update or _update,
    )
    run.train(say)
    return nlp


class _Run:
    def __init__(
        self,
        nlp: Language,
        output: Path,
        checkpoint: Checkpoint,
        *,
        continues: bool,
        force: bool,
        update: Update,
    ):
        config = nlp.config.interpolate()
        self.nlp = nlp
        self.output = output
        self.checkpoint, self.force, self.update = checkpoint, force, update
        self.settings: Dict[str, Any] = registry.resolve(
            config["training"], schema=ConfigSchemaTraining
        )
        self.optimizer: Optimizer = self.settings["optimizer"]
        names = [self.settings["train_corpus"], self.settings["dev_corpus"]]
        self.train_corpus, dev_corpus = resolve_dot_names(config, names)
        self.evaluate = create_evaluation_callback(
            nlp, dev_corpus, self.settings["score_weights"]
        )
        self.prepare = create_before_to_disk_callback(self.settings["before_to_disk"])
        self.progress = Progress()
        if continues:
            self.progress = checkpoint.load(nlp, self.optimizer)
            if not checkpoint.is_published or not (output / LAST).exists():
                self._publish()
        self.saved = self.progress

    def train(self, say: Callable[[str], None]) -> None:
        """Train from the checkpoint to the end."""
        if self._is_finished():
            if not (self.output / BEST).exists():
                raise ValueError(
                    f"The training in {self.output} is finished, but its {BEST} is "
                    "gone. Give --force to train from the start."
                )
            say(
                f"The training in {self.output} is finished, after step "
                f"{self.progress.step - 1}. Raise training.max_steps, max_epochs or "
                "patience to continue, or give --force to train from the start."
            )
            return
        if self.progress.step:
            say(f"Continuing at step {self.progress.step}.")
        settings = self.settings
        frozen = settings["frozen_components"]
        rate = settings["dropout"]
        dropouts: Any = constant(rate) if isinstance(rate, float) else rate
        for _ in range(self.progress.step):
            next(dropouts)
        with self.nlp.select_pipes(disable=frozen):
            log_step, finish_log = settings["logger"](self.nlp, sys.stdout, sys.stderr)
        history = list(self.progress.history)
        results = _results(history)
        losses: Dict[str, float] = dict(self.progress.losses)
        words = self.progress.words
        started = default_timer() - self.progress.seconds
        try:
            for step, epoch, batch in self._batches():
                if settings.get("before_update"):
                    settings["before_update"](self.nlp, {"step": step, "epoch": epoch})
                self._update(batch, losses, next(dropouts))
                words += sum(len(example) for example in batch)
                score, other_scores = None, None
                if step % settings["eval_frequency"] == 0:
                    with self.nlp.use_params(self.optimizer.averages or {}):
                        score, other_scores = self.evaluate()
                    results.append((score, step))
                info: Dict[str, Any] = {
                    "epoch": epoch,
                    "step": step,
                    "score": score,
                    "other_scores": other_scores,
                    "losses": losses,
                    "checkpoints": results,
                    "seconds": int(default_timer() - started),
                    "words": words,
                }
                if score is not None:
                    keys = ("step", "epoch", "seconds", "words", "score")
                    history.append({key: info[key] for key in keys})
                    # spaCy's own components return numpy's numbers
                    history[-1]["losses"] = {k: float(v) for k, v in losses.items()}
                    with self.nlp.select_pipes(disable=frozen):
                        update_meta(settings, self.nlp, info)
                log_step(info if score is not None else None)
                if score is not None:
                    losses.clear()
                self.progress = Progress(
                    step=step + 1,
                    epoch=epoch,
                    words=words,
                    seconds=info["seconds"],
                    history=history,
                    losses={k: float(v) for k, v in losses.items()},
                )
                if score is not None:
                    self._save()
                if _is_over(step, results, settings):
                    break
            else:
                # all epochs have been read
                self.progress = self.progress._replace(epoch=settings["max_epochs"])
        finally:
            finish_log()
        if self.progress != self.saved:
            self._save()

    def _is_finished(self) -> bool:
        epochs, results = self.settings["max_epochs"], _results(self.progress.history)
        return bool(results) and (
            _is_over(self.progress.step - 1, results, self.settings)
            or 0 < epochs <= self.progress.epoch
        )

    def _batches(self) -> Iterator[Tuple[int, int, List[Example]]]:
        """Yield the step, the epoch and the batch, starting at the current progress."""
        settings = self.settings
        streamed = settings["max_epochs"] == -1
        examples = []
        if not streamed:
            # an augmenter draws the same numbers when training is resumed
            with _seeded(settings["seed"]):
                examples = list(self.train_corpus(self.nlp))
        if not streamed and not examples:
            raise ValueError(
                f"The corpus {settings['train_corpus']} holds no examples. Check the "
                "path in the config's [paths] and [corpora]."
            )
        step, epoch = 0, 0
        while settings["max_epochs"] < 1 or epoch < settings["max_epochs"]:
            if streamed:
                epoch_examples = self.train_corpus(self.nlp)
            else:
                epoch_examples = list(examples)
                random.Random(f"{settings['seed']}/{epoch}").shuffle(epoch_examples)
            # counted from the first batch: the batch size may follow a schedule
            for batch in settings["batcher"](epoch_examples):
                if step >= self.progress.step:
                    yield step, epoch, list(batch)
                step += 1
            epoch += 1

    def _update(
        self, batch: List[Example], losses: Dict[str, float], dropout: float
    ) -> None:
        exclude = self.settings["frozen_components"]
        for part in subdivide_batch(batch, self.settings["accumulate_gradient"]):
            self.update(
                self.nlp,
                part,
                drop=dropout,
                losses=losses,
                exclude=exclude,
                annotates=self.settings["annotating_components"],
            )
        for name, pipe in self.nlp.pipeline:
            if name not in exclude and getattr(pipe, "is_trainable", False):
                pipe.finish_update(self.optimizer)  # type: ignore[attr-defined]
        self.optimizer.step_schedules()

    def _save(self) -> None:
        """Save a checkpoint first: after a kill, everything else can be made from it."""
        self.checkpoint.save(self.nlp, self.optimizer, self.progress, force=self.force)
        self.saved = self.progress
        self._publish()

    def _publish(self) -> None:
        """Write the history, model-last and, if it is the best, model-best from the
        checkpoint.
        """
        names = [LAST, BEST] if self._is_best() else [LAST]
        with self.nlp.use_params(self.optimizer.averages or {}):
            nlp = self.prepare(self.nlp)
            for name in names:
                with replacing_folder(self.output / name, force=self.force) as fresh:
                    nlp.to_disk(fresh)
        write_history(self.output, self.progress.history)
        self.checkpoint.set_published()

    def _is_best(self) -> bool:
        history = self.progress.history
        last = history[-1]
        best = max(entry["score"] for entry in history)
        return bool(last["step"] == self.progress.step - 1 and last["score"] == best)


@contextmanager
def _seeded(seed: int) -> Iterator[None]:
    """Seed Python's and NumPy's random generators; restore their states afterwards."""
    states = random.getstate(), numpy.random.get_state()
    random.seed(seed)
    numpy.random.seed(seed)
    try:
        yield
    finally:
        random.setstate(states[0])
        numpy.random.set_state(states[1])


def _update(nlp: Language, examples: List[Example], **settings: Any) -> None:
    nlp.update(examples, sgd=False, **settings)  # type: ignore[arg-type]


def _results(history: Sequence[Dict[str, Any]]) -> List[Tuple[float, int]]:
    return [(entry["score"], entry["step"]) for entry in history]


def _is_over(
    step: int, results: List[Tuple[float, int]], settings: Dict[str, Any]
) -> bool:
    best_step = -max((score, -at) for score, at in results)[1]
    patience, max_steps = settings["patience"], settings["max_steps"]
    return bool(
        (patience and step - best_step >= patience) or (max_steps and step >= max_steps)
    )


def _check_empty(output: Path) -> None:
    for name in (LAST, BEST, HISTORY):
        if os.path.lexists(output / name):
            raise ValueError(
                f"{output} already holds {name}, but no checkpoint to continue from. "
                "Choose another --output, or give --force to train from the start and "
                "replace it."
            )
