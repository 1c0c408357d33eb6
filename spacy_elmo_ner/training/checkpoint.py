"""Everything that is needed to go on training in another process."""

import json
import random
import shutil
from pathlib import Path
from typing import Any, Dict

import numpy
import torch
from safetensors.numpy import load_file, save_file
from spacy.language import Language
from thinc.api import Config, Optimizer

from ..atomic import recover_folder, replacing_folder
from ..progress import Progress
from .optimizer_state import optimizer_from_arrays, optimizer_to_arrays


class Checkpoint:
    """A folder with the raw weights, the optimizer, and the random generators.

    Written beside and moved into place, so that a kill at any moment leaves
    either the old checkpoint or the new one.
    """

    def __init__(self, folder: Path):
        self.folder = folder

    def exists(self) -> bool:
        recover_folder(self.folder)
        return (self.folder / "progress.json").is_file()

    def remove(self) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)

    def save(self, nlp: Language, optimizer: Optimizer, progress: Progress) -> None:
        state = {"progress": progress._asdict(), "random": _random_states()}
        torch_state = {"torch": torch.get_rng_state().numpy()}
        with replacing_folder(self.folder) as fresh:
            nlp.to_disk(fresh / "pipeline")
            arrays = optimizer_to_arrays(optimizer, nlp)
            save_file(arrays, fresh / "optimizer.safetensors")
            save_file(torch_state, fresh / "rng.safetensors")
            (fresh / "progress.json").write_text(json.dumps(state), encoding="utf8")

    def config(self) -> Config:
        return Config().from_disk(self.folder / "pipeline" / "config.cfg")

    def load(self, nlp: Language, optimizer: Optimizer) -> Progress:
        """Put weights, optimizer and random generators back where they were."""
        nlp.from_disk(self.folder / "pipeline")
        state = json.loads((self.folder / "progress.json").read_text(encoding="utf8"))
        progress = Progress(**state["progress"])
        arrays = load_file(self.folder / "optimizer.safetensors")
        optimizer_from_arrays(optimizer, arrays, nlp, step=progress.step)
        _set_random_states(state["random"])
        rng = load_file(self.folder / "rng.safetensors")["torch"]
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
