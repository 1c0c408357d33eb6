"""Modules whose `forward` runs as one call outside of Python.

A thread that calls torch from Python gives Python's lock (the GIL) back and takes it again
at every operation. Where operations are small, two threads spend most of their time on that.
"""

import sys
import warnings
from threading import Lock
from typing import TypeVar, cast

import torch
from torch import nn

AnyModule = TypeVar("AnyModule", bound=nn.Module)

# compiling is not made for two threads, and filters of warnings belong to all of them
_LOCK = Lock()


def without_gil(module: AnyModule) -> AnyModule:
    """The module, with the same values, compiled where torch can do so by itself.

    That is torch.jit.script: deprecated for torch.compile, which needs a C++ compiler
    wherever it runs. The module itself is the fallback.
    """
    if not can_compile():
        return module
    with _LOCK, warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        try:
            return cast(AnyModule, torch.jit.script(module))
        except OSError:
            # it reads the Python source, which a frozen application leaves out
            return module


def can_compile() -> bool:
    """Whether this torch compiles by itself, without a change of the values."""
    # torch 1 rounds otherwise from the second call on
    is_exact = torch.__version__ >= "2"
    return is_exact and hasattr(torch.jit, "script") and sys.version_info < (3, 14)
