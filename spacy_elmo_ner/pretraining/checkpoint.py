"""A pre-training's weights, optimizers and progress on disk."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any, Dict, Sequence

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from ..files.atomic import replacing_folder
from ..files.manifest import check_whole, damage_told, list_beside
from ..training.progress import HISTORY, Progress
from .gradient_scaler import GradientScaler
from .settings import Settings
from .shards import load_shards, save_shards

PROGRESS, MODEL, OPTIMIZERS = "progress.json", "model", "optimizers"
PUBLISHED = "published"
# the biLM alone, which pre-training writes next to its checkpoint
WEIGHTS = "elmo.safetensors"
REMEDY = (
    "Put a copy of it back, choose another --output, or delete the folder above it to "
    "start again."
)


class PretrainingCheckpoint:
    """A folder that is complete at any moment: written next to its final path, then
    moved there.

    It is written before the weights and the history, which are made from it, and it
    knows whether these are up to date.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def exists(self) -> bool:
        """Whether there is a checkpoint."""
        return (self.folder / PROGRESS).is_file()

    def save(
        self,
        model: nn.Module,
        optimizers: Sequence[Optimizer],
        scaler: GradientScaler,
        progress: Progress,
        settings: Settings,
    ) -> None:
        """Write a checkpoint in place of the previous one."""
        described = {
            "progress": progress._asdict(),
            "scaler": scaler.state_dict(),
            "settings": asdict(settings),
        }
        with replacing_folder(
            self.folder, later=[PUBLISHED], beside=[HISTORY, WEIGHTS]
        ) as fresh:
            save_shards(model.state_dict(), fresh, MODEL)
            save_shards(_optimizer_arrays(optimizers), fresh, OPTIMIZERS)
            (fresh / PROGRESS).write_text(json.dumps(described), encoding="utf8")

    @property
    def is_published(self) -> bool:
        """Whether the weights and the history are those of this checkpoint."""
        return (self.folder / PUBLISHED).exists()

    def set_published(self) -> None:
        """Record that the weights and the history are those of this checkpoint."""
        list_beside(self.folder, PUBLISHED)

    def settings(self) -> Dict[str, Any]:
        """The settings of the pre-training, as read back from JSON.

        Raises:
            ValueError: If the checkpoint is damaged.
        """
        with damage_told(self.folder, REMEDY):
            check_whole(self.folder)
            settings: Dict[str, Any] = self._described()["settings"]
            return settings

    def load(
        self,
        model: nn.Module,
        optimizers: Sequence[Optimizer],
        scaler: GradientScaler,
    ) -> Progress:
        """Restore the model, the optimizers and the scaler; return the progress.

        Raises:
            ValueError: If the checkpoint is damaged.
        """
        self.load_model(model)
        with damage_told(self.folder, REMEDY):
            _set_optimizer_arrays(optimizers, load_shards(self.folder, OPTIMIZERS))
            described = self._described()
            scaler.load_state_dict(described["scaler"])
            return Progress(**described["progress"])

    def load_model(self, model: nn.Module) -> None:
        """Restore the model alone.

        Raises:
            ValueError: If the checkpoint is damaged.
        """
        with damage_told(self.folder, REMEDY):
            model.load_state_dict(load_shards(self.folder, MODEL))

    def _described(self) -> Dict[str, Any]:
        text = (self.folder / PROGRESS).read_text(encoding="utf8")
        described: Dict[str, Any] = json.loads(text)
        return described


def _optimizer_arrays(optimizers: Sequence[Optimizer]) -> Dict[str, Tensor]:
    """The optimizers' states by "optimizer/parameter/kind"."""
    return {
        f"{i}/{parameter}/{kind}": torch.as_tensor(value)
        for i, optimizer in enumerate(optimizers)
        for parameter, state in optimizer.state_dict()["state"].items()
        for kind, value in state.items()
    }


def _set_optimizer_arrays(
    optimizers: Sequence[Optimizer], arrays: Dict[str, Tensor]
) -> None:
    for i, optimizer in enumerate(optimizers):
        state: Dict[int, Dict[str, Any]] = {}
        for name, array in arrays.items():
            number, parameter, kind = name.split("/")
            if int(number) == i:
                # torch's sparse optimizers count steps in a plain number
                is_count = kind == "step" and array.dtype == torch.int64
                value = int(array) if is_count else array
                state.setdefault(int(parameter), {})[kind] = value
        groups = optimizer.state_dict()["param_groups"]
        optimizer.load_state_dict({"state": state, "param_groups": groups})
