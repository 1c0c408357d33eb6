import os
import subprocess
import sys
import threading

import pytest
import torch

from spacy_elmo_ner.kernels.one_thread import one_thread

# Prints how many threads have begun in the products, where `one_thread` is in force and then
# where it is not.
PRODUCTS = """
import os
import threading
import torch
from spacy_elmo_ner.kernels.one_thread import one_thread

torch.set_num_threads(4)

def begun():
    before = len(os.listdir("/proc/self/task"))
    for _ in range(20):
        torch.ones(400, 1024) @ torch.ones(1024, 1024)
        torch.ones(2**22).exp().sum()
    return len(os.listdir("/proc/self/task")) - before

def work():
    with one_thread():
        print(begun())
    print(begun() > 0)

work()
thread = threading.Thread(target=work)
thread.start()
thread.join()
"""


@pytest.mark.skipif(
    not os.path.isdir("/proc/self/task"), reason="the system does not list threads"
)
@pytest.mark.skipif(
    not (torch.backends.mkl.is_available() and torch.backends.openmp.is_available()),
    reason="this torch has no MKL or no OpenMP",
)
def test_products_begin_no_threads_whatever_torch_was_told_for_all() -> None:
    run = subprocess.run(
        [sys.executable, "-c", PRODUCTS], capture_output=True, text=True, check=True
    )
    assert run.stdout.split() == ["0", "True"] * 2


def test_one_within_another_and_an_error_leave_what_was(threads: int) -> None:
    with one_thread():
        with pytest.raises(KeyError), one_thread():
            raise KeyError
        seen = [torch.get_num_threads()]
        thread = threading.Thread(target=lambda: seen.append(torch.get_num_threads()))
        thread.start()
        thread.join()
    assert torch.get_num_threads() == threads
    if torch.backends.openmp.is_available():
        assert seen == [1, threads]
