"""Arrays in safetensors files small enough to be sent one by one."""

from pathlib import Path
from typing import Dict, List, Tuple

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

# bytes of a file, its header included
LARGEST = 16_000_000
HEADER = 100_000


def save_pieces(arrays: Dict[str, Tensor], folder: Path, name: str) -> None:
    """Write arrays to name-000.safetensors and so on, cut between rows (first axis)
    where one is larger than a file."""
    pieces: List[Dict[str, Tensor]] = [{}]
    free = LARGEST - HEADER
    for key, part in _parts(arrays):
        size = part.numel() * part.element_size()
        if size > free:
            pieces.append({})
            free = LARGEST - HEADER
        pieces[-1][key] = part
        free -= size
    for i, piece in enumerate(pieces):
        save_file(piece, str(folder / f"{name}-{i:03}.safetensors"))


def load_pieces(folder: Path, name: str) -> Dict[str, Tensor]:
    """What `save_pieces` wrote."""
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
    """By "array@first row"."""
    found: List[Tuple[str, Tensor]] = []
    for key, array in arrays.items():
        n_bytes = array.numel() * array.element_size()
        if n_bytes <= LARGEST - HEADER:
            found.append((f"{key}@0", array.contiguous()))
            continue
        rows = max((LARGEST - HEADER) * len(array) // n_bytes, 1)
        for start in range(0, len(array), rows):
            # a part of its own, or the file would hold the whole array
            part = array[start : start + rows].clone().contiguous()
            found.append((f"{key}@{start}", part))
    return found
