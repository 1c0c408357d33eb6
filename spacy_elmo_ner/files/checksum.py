"""What tells a file or a saved model from a damaged copy of it."""

import json
from hashlib import sha256
from pathlib import Path
from typing import Any, Mapping

import torch
from torch import Tensor

BLOCK = 1 << 20


def checksum(description: Any, tensors: Mapping[str, Tensor]) -> str:
    """SHA-256 of tensors and of what is saved with them.

    Args:
        description: Anything that JSON can hold.
        tensors: By their names, which count, as their types and shapes do.
    """
    digest = sha256(json.dumps(description, sort_keys=True).encode())
    for name, tensor in sorted(tensors.items()):
        digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode())
        digest.update(tensor.contiguous().flatten().view(torch.uint8).numpy().data)
    return digest.hexdigest()


def file_checksum(path: Path) -> str:
    """SHA-256 of a file, or of all files in a folder."""
    digest = sha256()
    for file in sorted(path.rglob("*")) if path.is_dir() else [path]:
        if file.is_dir():
            continue
        with file.open("rb") as opened:
            while block := opened.read(BLOCK):
                digest.update(block)
    return digest.hexdigest()
