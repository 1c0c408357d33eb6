"""Everything that training needs to resume in another process."""

import json
import random
from pathlib import Path
from typing import Any, Dict, List, Optional

import numpy
import torch
from safetensors.numpy import load_file, save_file
from spacy.language import Language
from thinc.api import Config, Optimizer

from ..files.atomic import replacing_folder
from ..files.manifest import check_whole, damage_told, list_beside
from .optimizer_state import optimizer_from_arrays, optimizer_to_arrays
from .progress import HISTORY, Progress

PROGRESS, PIPELINE, PUBLISHED = "progress.json", "pipeline", "published"
OPTIMIZER, GENERATOR = "optimizer.safetensors", "rng.safetensors"

REMEDY = "Put a copy of it back, or train from the start with --force or into another --output."


class Checkpoint:
    """A folder with the raw weights, the optimizer and the random generators.

    It is written next to its final path and then moved there, so that a kill at any
    moment leaves either the old checkpoint or the new one. It is written before the
    training's outputs, which are made from it, and it knows whether these are up to
    date.

    Args:
        folder: Where it is, or will be.
        corpora: Checksums of the files that are trained on, by path.
    """

    def __init__(self, folder: Path, corpora: Optional[Dict[str, str]] = None) -> None:
        self.folder, self.corpora = folder, corpora or {}

    def exists(self) -> bool:
        """Whether there is a checkpoint."""
        return (self.folder / PROGRESS).is_file()

    def save(
        self,
        nlp: Language,
        optimizer: Optimizer,
        progress: Progress,
        *,
        force: bool = False,
    ) -> None:
        """Write a checkpoint in place of the previous one.

        Args:
            nlp: The pipeline.
            optimizer: Its optimizer.
            progress: How far training has come.
            force: Replace a folder even if it is not one of our checkpoints.
        """
        state = {
            "progress": progress._asdict(),
            "random": _random_states(),
            "corpora": self.corpora,
        }
        torch_state = {"torch": torch.get_rng_state().numpy()}
        with replacing_folder(
            self.folder, force=force, later=[PUBLISHED], beside=[HISTORY]
        ) as fresh:
            nlp.to_disk(fresh / PIPELINE)
            arrays = optimizer_to_arrays(optimizer, nlp)
            save_file(arrays, fresh / OPTIMIZER)
            save_file(torch_state, fresh / GENERATOR)
            (fresh / PROGRESS).write_text(json.dumps(state), encoding="utf8")

    @property
    def is_published(self) -> bool:
        """Whether the outputs are those of this checkpoint."""
        return (self.folder / PUBLISHED).exists()

    def set_published(self) -> None:
        """Record that the outputs are those of this checkpoint."""
        list_beside(self.folder, PUBLISHED)

    def config(self) -> Config:
        """The config of the pipeline that is trained.

        Raises:
            ValueError: If the checkpoint is damaged.
        """
        with damage_told(self.folder, REMEDY):
            check_whole(self.folder)
            return Config().from_disk(self.folder / PIPELINE / "config.cfg")

    def changed_corpora(self) -> List[str]:
        """Paths of the corpora that differ from those trained on so far.

        Raises:
            ValueError: If the checkpoint is damaged.
        """
        with damage_told(self.folder, REMEDY):
            saved = self._state()["corpora"]
            return [path for path, one in self.corpora.items() if saved[path] != one]

    def _state(self) -> Dict[str, Any]:
        text = (self.folder / PROGRESS).read_text(encoding="utf8")
        state: Dict[str, Any] = json.loads(text)
        return state

    def load(self, nlp: Language, optimizer: Optimizer) -> Progress:
        """Restore the weights, the optimizer and the random generators; return the
        progress.

        Raises:
            ValueError: If the checkpoint is damaged.
        """
        with damage_told(self.folder, REMEDY):
            nlp.from_disk(self.folder / PIPELINE)
            state = self._state()
            progress = Progress(**state["progress"])
            arrays = load_file(self.folder / OPTIMIZER)
            optimizer_from_arrays(optimizer, arrays, nlp, step=progress.step)
            _set_random_states(state["random"])
            rng = load_file(self.folder / GENERATOR)["torch"]
            torch.set_rng_state(torch.from_numpy(rng))
        return progress


def _random_states() -> Dict[str, Any]:
    name, keys, position, has_gauss, gauss = numpy.random.get_state()
    version, internal, gauss_next = random.getstate()
    return {
        "numpy": [name, [int(key) for key in keys], position, has_gauss, gauss],
        "python": [version, list(internal), gauss_next],
    }


def _set_random_states(states: Dict[str, Any]) -> None:
    name, keys, position, has_gauss, gauss = states["numpy"]
    array = numpy.asarray(keys, dtype="uint32")
    numpy.random.set_state((name, array, position, has_gauss, gauss))
    version, internal, gauss_next = states["python"]
    random.setstate((version, tuple(internal), gauss_next))
