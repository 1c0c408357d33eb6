"""Modules whose `forward` runs as one call outside of Python.

A thread that calls torch from Python releases Python's lock (the GIL) and acquires it
again at every operation. If operations are small, two threads spend most of their time
on that.
"""

import sys
from typing import TypeVar, cast

import torch
from torch import nn

from .fork_safe_lock import ForkSafeLock

AnyModule = TypeVar("AnyModule", bound=nn.Module)

# compiling is not thread-safe
_LOCK = ForkSafeLock()
# what torch.jit.script calls after its deprecation warning; a warnings filter would
# apply to all threads
_SCRIPT = getattr(torch.jit._script, "_script_impl", None) or torch.jit.script


def without_gil(module: AnyModule) -> AnyModule:
    """The module, with the same values, compiled if torch can do so by itself.

    It uses torch.jit.script: deprecated for torch.compile, which needs a C++ compiler
    wherever it runs. The module itself is the fallback.
    """
    if not can_compile():
        return module
    with _LOCK:
        try:
            return cast(AnyModule, _SCRIPT(module))
        except OSError:
            # it reads the Python source, which a frozen application leaves out
            return module


def can_compile() -> bool:
    """Whether this torch compiles by itself, without changing the values."""
    # torch 1 rounds differently from the second call on
    is_exact = torch.__version__ >= "2"
    return is_exact and hasattr(torch.jit, "script") and sys.version_info < (3, 14)
