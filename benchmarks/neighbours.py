"""Processes at work beside what is measured: `python -m benchmarks.neighbours KIND`."""

import os
import subprocess
import sys
import threading
from contextlib import ExitStack, contextmanager
from typing import Any, Callable, Dict, Iterator, Mapping, NoReturn

# rows and columns of the matrices
SIZE = 512


@contextmanager
def at_work(kind: str, count: int, environment: Mapping[str, str]) -> Iterator[int]:
    """So many processes of a kind, killed at the end; yields how many threads they keep
    busy together. They also end when this process does, even if it is killed."""
    with ExitStack() as stack:
        processes = [
            subprocess.Popen(
                [sys.executable, "-m", "benchmarks.neighbours", kind],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                env=environment,
                text=True,
            )
            for _ in range(count)
        ]
        for process in processes:
            stack.callback(end, process)
        threads = []
        for process in processes:
            assert process.stdout
            line = process.stdout.readline()
            if not line:
                raise RuntimeError(f"A neighbour of kind {kind!r} ended too early.")
            threads.append(int(line))
        yield sum(threads)


def end(process: "subprocess.Popen[Any]") -> None:
    process.kill()
    # waits for it, and closes its pipes
    with process:
        pass


def multiply_in_torch() -> NoReturn:
    """Matrix products, with the threads that torch takes."""
    import torch

    matrix = torch.randn(SIZE, SIZE)
    product = matrix @ matrix
    print(torch.get_num_threads(), flush=True)
    while True:
        torch.mm(matrix, matrix, out=product)


def loop_in_python() -> NoReturn:
    """One thread that does nothing, as fast as it can."""
    print(1, flush=True)
    while True:
        pass


KINDS: Dict[str, Callable[[], NoReturn]] = {
    "torch": multiply_in_torch,
    "loop": loop_in_python,
}


def end_with_parent() -> None:
    # the other end of the pipe is closed when the parent ends, in whatever way
    sys.stdin.read()
    os._exit(0)


if __name__ == "__main__":
    threading.Thread(target=end_with_parent, daemon=True).start()
    KINDS[sys.argv[1]]()
