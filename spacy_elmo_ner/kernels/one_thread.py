"""Let the libraries under torch use one thread, only in the thread that asks for it."""

import ctypes
import os
from contextlib import contextmanager
from functools import lru_cache
from typing import Callable, Iterator, Optional

import torch
from threadpoolctl import ThreadpoolController


@contextmanager
def one_thread() -> Iterator[None]:
    """OpenMP, and with it torch's own loops and oneDNN, and MKL use one thread here.

    torch.set_num_threads would be a setting for all threads that start later. It also
    sets MKL's number for all threads of the process, and from then on MKL does not ask
    OpenMP.
    """
    # torch sets a thread's number when the thread first asks for it
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
    """MKL's function that sets the calling thread's number and returns the previous
    one, 0 for none (Intel oneMKL reference, "mkl_set_num_threads_local"). None if torch
    has no MKL, or does not export it."""
    if not torch.backends.mkl.is_available():
        return None
    folder = os.path.join(os.path.dirname(torch.__file__), "lib")
    for name in ("libtorch_cpu.so", "torch_cpu.dll", "libtorch_cpu.dylib"):
        path = os.path.join(folder, name)
        if not os.path.exists(path):
            continue
        try:
            # from the library that is already loaded, and those that it needs
            function = ctypes.CDLL(path).MKL_Set_Num_Threads_Local
        except (OSError, AttributeError):
            continue
        function.argtypes, function.restype = [ctypes.c_int], ctypes.c_int
        return function
    return None
