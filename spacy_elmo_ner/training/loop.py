"""spaCy's training, with a checkpoint at every evaluation."""

import random
import sys
from pathlib import Path
from timeit import default_timer
from typing import Any, Dict, Iterator, List, Tuple

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

from ..atomic import replacing_folder
from ..progress import Progress, write_history
from .checkpoint import Checkpoint


def train(config: Config, output: Path, *, use_gpu: int = -1) -> Language:
    """Train the pipeline of `config`, or go on where the last run was killed.

    What `spacy train` does with a config is done here too: same sections, same
    folders `model-best` and `model-last` in `output`. The order of the examples
    depends only on the seed and the epoch, and each evaluation leaves a
    checkpoint, so a run that was killed and started again ends with the weights
    of a run that was not. A finished run leaves no checkpoint.

    Raises ValueError if the checkpoint in `output` belongs to another config.
    """
    output.mkdir(parents=True, exist_ok=True)
    checkpoint = Checkpoint(output / "checkpoint")
    if checkpoint.exists():
        nlp = load_model_from_config(config, auto_fill=True)
        _check_same(checkpoint.config(), nlp.config, checkpoint.folder)
    else:
        nlp = init_nlp(config, use_gpu=use_gpu)
    run = _Run(nlp, output, checkpoint)
    run.train()
    return nlp


class _Run:
    def __init__(self, nlp: Language, output: Path, checkpoint: Checkpoint):
        config = nlp.config.interpolate()
        self.nlp = nlp
        self.output = output
        self.checkpoint = checkpoint
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
        if checkpoint.exists():
            self.progress = checkpoint.load(nlp, self.optimizer)
            print(f"Going on at step {self.progress.step}.", flush=True)

    def train(self) -> None:
        settings = self.settings
        frozen = settings["frozen_components"]
        rate = settings["dropout"]
        dropouts: Any = constant(rate) if isinstance(rate, float) else rate
        for _ in range(self.progress.step):
            next(dropouts)
        with self.nlp.select_pipes(disable=frozen):
            log_step, finish_log = settings["logger"](self.nlp, sys.stdout, sys.stderr)
        history = list(self.progress.history)
        results = [(entry["score"], entry["step"]) for entry in history]
        losses: Dict[str, float] = {}
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
                    # spaCy's own components give numpy's numbers
                    history[-1]["losses"] = {k: float(v) for k, v in losses.items()}
                    write_history(self.output, history)
                    with self.nlp.select_pipes(disable=frozen):
                        update_meta(settings, self.nlp, info)
                    self._save(is_best=score == max(results)[0])
                    self.progress = Progress(
                        step=step + 1,
                        words=words,
                        seconds=info["seconds"],
                        history=history,
                    )
                    self.checkpoint.save(self.nlp, self.optimizer, self.progress)
                log_step(info if score is not None else None)
                if score is not None:
                    losses.clear()
                if _is_over(step, results, settings):
                    break
        finally:
            finish_log()
        self._save(is_best=False)
        self.checkpoint.remove()

    def _batches(self) -> Iterator[Tuple[int, int, List[Example]]]:
        """(step, epoch, batch) from where training stands."""
        settings = self.settings
        streamed = settings["max_epochs"] == -1
        examples = [] if streamed else list(self.train_corpus(self.nlp))
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
            # from the very first: the size of a batch may follow a schedule
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
            self.nlp.update(
                part,
                drop=dropout,
                losses=losses,
                sgd=False,  # type: ignore[arg-type]
                exclude=exclude,
                annotates=self.settings["annotating_components"],
            )
        for name, pipe in self.nlp.pipeline:
            if name not in exclude and getattr(pipe, "is_trainable", False):
                pipe.finish_update(self.optimizer)  # type: ignore[attr-defined]
        self.optimizer.step_schedules()

    def _save(self, *, is_best: bool) -> None:
        """Write model-last, and model-best if it is, whole or not at all."""
        with self.nlp.use_params(self.optimizer.averages or {}):
            nlp = self.prepare(self.nlp)
            for name in ["model-last"] + (["model-best"] if is_best else []):
                with replacing_folder(self.output / name) as fresh:
                    nlp.to_disk(fresh)


def _is_over(
    step: int, results: List[Tuple[float, int]], settings: Dict[str, Any]
) -> bool:
    best_step = -max((score, -at) for score, at in results)[1]
    patience, max_steps = settings["patience"], settings["max_steps"]
    return bool(
        (patience and step - best_step >= patience) or (max_steps and step >= max_steps)
    )


def _check_same(saved: Config, given: Config, folder: Path) -> None:
    differences = sorted(_differences(saved.interpolate(), given.interpolate()))
    if differences:
        raise ValueError(
            f"The checkpoint in {folder} belongs to a training with other settings "
            f"({', '.join(differences)}). Train with the old settings to go on, "
            "choose another --output, or delete the checkpoint to start anew."
        )


def _differences(saved: Any, given: Any, place: str = "") -> Iterator[str]:
    if isinstance(saved, dict) and isinstance(given, dict):
        for key in {*saved, *given}:
            inner = f"{place}.{key}" if place else str(key)
            yield from _differences(saved.get(key), given.get(key), inner)
    elif saved != given:
        yield place
