"""Let the libraries under torch use one thread in the thread that asks for it, alone."""

import ctypes
import os
from contextlib import contextmanager
from functools import lru_cache
from typing import Callable, Iterator, Optional

import torch
from threadpoolctl import ThreadpoolController


@contextmanager
def one_thread() -> Iterator[None]:
    """OpenMP, and with it torch's own loops and oneDNN, and MKL have one thread here.

    torch.set_num_threads would be a setting for all threads that start later. It also tells
    MKL a number for all threads of the process, which from then on does not ask OpenMP.
    """
    # torch gives a thread its number when it first asks for it
    torch.get_num_threads()
    set_mkl = _mkl_set_num_threads_local()
    before = set_mkl(1) if set_mkl else 0
    try:
        with _openmp().limit(limits=1):
            yield
    finally:
        if set_mkl:
            set_mkl(before)


@lru_cache(maxsize=None)
def _openmp() -> ThreadpoolController:
    return ThreadpoolController().select(user_api="openmp")


@lru_cache(maxsize=None)
def _mkl_set_num_threads_local() -> Optional[Callable[[int], int]]:
    """MKL's function that sets the calling thread's number and returns the one before, 0 for
    none (Intel oneMKL reference, "mkl_set_num_threads_local"). None where torch has no MKL,
    or keeps it to itself."""
    if not torch.backends.mkl.is_available():
        return None
    folder = os.path.join(os.path.dirname(torch.__file__), "lib")
    for name in ("libtorch_cpu.so", "torch_cpu.dll", "libtorch_cpu.dylib"):
        path = os.path.join(folder, name)
        if not os.path.exists(path):
            continue
        try:
            # of the library that is loaded already, and of those that it needs
            function = ctypes.CDLL(path).MKL_Set_Num_Threads_Local
        except (OSError, AttributeError):
            continue
        function.argtypes, function.restype = [ctypes.c_int], ctypes.c_int
        return function
    return None
