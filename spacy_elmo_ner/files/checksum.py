"""A checksum that tells a saved model from a damaged copy of it."""

import json
from hashlib import sha256
from typing import Any, Mapping

import torch
from torch import Tensor


def checksum(description: Any, tensors: Mapping[str, Tensor]) -> str:
    """SHA-256 of tensors and of what is saved with them.

    Args:
        description: Anything that JSON can hold.
        tensors: The tensors by name; names, types and shapes count, too.
    """
    digest = sha256(json.dumps(description, sort_keys=True).encode())
    for name, tensor in sorted(tensors.items()):
        digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode())
        digest.update(tensor.contiguous().flatten().view(torch.uint8).numpy().data)
    return digest.hexdigest()
