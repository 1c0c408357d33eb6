"""Arrays in safetensors files (shards), each small enough to be sent separately."""

from pathlib import Path
from typing import Dict, List, Tuple

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

# bytes of a file, its header included
MAX_SHARD_BYTES = 16_000_000
HEADER_BYTES = 100_000


def save_shards(arrays: Dict[str, Tensor], folder: Path, name: str) -> None:
    """Write arrays to NAME-000.safetensors, NAME-001.safetensors and so on.

    An array larger than a shard is split between rows (along the first axis).
    """
    shards: List[Dict[str, Tensor]] = [{}]
    free = MAX_SHARD_BYTES - HEADER_BYTES
    for key, part in _parts(arrays):
        size = part.numel() * part.element_size()
        if size > free:
            shards.append({})
            free = MAX_SHARD_BYTES - HEADER_BYTES
        shards[-1][key] = part
        free -= size
    for i, shard in enumerate(shards):
        save_file(shard, str(folder / f"{name}-{i:03}.safetensors"))


def load_shards(folder: Path, name: str) -> Dict[str, Tensor]:
    """Read the arrays that `save_shards` wrote."""
    parts: Dict[str, Dict[int, Tensor]] = {}
    for file in folder.glob(f"{name}-*.safetensors"):
        for key, part in load_file(str(file)).items():
            array, row = key.rsplit("@", 1)
            parts.setdefault(array, {})[int(row)] = part
    return {
        array: (
            torch.cat([by_row[row] for row in sorted(by_row)])
            if len(by_row) > 1
            else by_row[0]
        )
        for array, by_row in parts.items()
    }


def _parts(arrays: Dict[str, Tensor]) -> List[Tuple[str, Tensor]]:
    """Parts that fit into a shard, each with the name "array@first row"."""
    found: List[Tuple[str, Tensor]] = []
    for key, array in arrays.items():
        n_bytes = array.numel() * array.element_size()
        if n_bytes <= MAX_SHARD_BYTES - HEADER_BYTES:
            found.append((f"{key}@0", array.contiguous()))
            continue
        rows = max((MAX_SHARD_BYTES - HEADER_BYTES) * len(array) // n_bytes, 1)
        for start in range(0, len(array), rows):
            # a copy, or the shard would hold the memory of the whole array
            part = array[start : start + rows].clone().contiguous()
            found.append((f"{key}@{start}", part))
    return found
