"""A process that keeps systems ready, in the environment it was started in.

Reads one JSON object a line, and answers with one:

    {"system": …, "threads": …, "batch": …, "sentences": file, "keep": bool}
        → {"seconds": …}; with "vectors": file, the vectors are written there too.
    {"system": …, "batch": …, "sentences": file, "for_seconds": …, "whole": bool,
     "stream": bool}
        → {"speed": words per second, "cpu_speed": words per second of CPU time,
           "threads": of torch, "peak": MB resident at most so far}

Without "threads" torch has those of the process. With "whole" all sentences are read
equally often, and the last time may take longer. With "stream" the system takes its
batches from a stream that does not end.
"""

import json
import os
import subprocess
import sys
import time
from importlib import import_module
from pathlib import Path
from typing import Any, Dict, List, Mapping, Optional, cast

import numpy as np
import torch

from .fresh_process import peak
from .texts import Sentences


class Worker:
    """Such a process, from outside."""

    def __init__(
        self,
        python: Path,
        module: str,
        folder: Path,
        environment: Optional[Mapping[str, str]] = None,
    ) -> None:
        """module: of benchmarks, whose SYSTEMS are asked for.

        folder: what each of them is read from.
        """
        command = [str(python), "-m", "benchmarks.worker", module, str(folder)]
        self.command = " ".join(command)
        self.process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=environment,
            text=True,
        )

    def run(self, **request: Any) -> Dict[str, float]:
        self.ask(**request)
        return self.answer()

    def ask(self, **request: Any) -> None:
        assert self.process.stdin
        self.process.stdin.write(json.dumps(request) + "\n")
        self.process.stdin.flush()

    def answer(self) -> Dict[str, float]:
        """What it answers to the request that was made first of those without answer."""
        assert self.process.stdout
        answer = self.process.stdout.readline()
        if not answer:
            raise RuntimeError(
                "A process that measures ended; start it alone to see why: "
                f"{self.command}"
            )
        return cast(Dict[str, float], json.loads(answer))


def serve(module: str, folder: Path) -> None:
    """Answer requests until the input ends."""
    # libraries print to standard output as they please; the answers get their own
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)
    readers = import_module(f"benchmarks.{module}").SYSTEMS
    systems: Dict[str, Any] = {}
    for line in sys.stdin:
        request = json.loads(line)
        name = request["system"]
        if name not in systems:
            systems[name] = readers[name](folder)
        answers.write(json.dumps(answer_to(request, systems[name])) + "\n")


def answer_to(request: Dict[str, Any], system: Any) -> Dict[str, float]:
    if "threads" in request:
        torch.set_num_threads(request["threads"])
    sentences = json.loads(Path(request["sentences"]).read_text(encoding="utf8"))
    size = request["batch"]
    batches = [sentences[i : i + size] for i in range(0, len(sentences), size)]
    with torch.no_grad():
        # weights are laid out at the first call, threads started
        system(batches[0])
        if request.get("stream"):
            return read_stream(system, sentences, size, request["for_seconds"])
        if "for_seconds" in request:
            whole = request.get("whole", False)
            return read_again(system, batches, request["for_seconds"], whole=whole)
        if request.get("keep"):
            system.meet(sentences)
        else:
            system.forget()
        start = time.perf_counter()
        results = [system(batch) for batch in batches]
        seconds = time.perf_counter() - start
    if "vectors" in request:
        np.save(request["vectors"], np.concatenate(results))
    return {"seconds": seconds}


def read_again(
    system: Any, batches: List[Sentences], seconds: float, *, whole: bool
) -> Dict[str, float]:
    """Read the batches over and over for so long, and the last one to its end."""
    words, taken = 0, 0.0
    start, cpu_start = time.perf_counter(), time.process_time()
    while taken < seconds:
        system.forget()
        for batch in batches:
            system(batch)
            words += sum(len(sentence) for sentence in batch)
            taken = time.perf_counter() - start
            if taken >= seconds and not whole:
                break
    return speeds(words, taken, time.process_time() - cpu_start)


def read_stream(
    system: Any, sentences: Sentences, size: int, seconds: float
) -> Dict[str, float]:
    """Read a stream of the sentences for so long."""
    words, taken = 0, 0.0
    start, cpu_start = time.perf_counter(), time.process_time()
    docs = system.stream(sentences, size)
    while taken < seconds:
        words += len(next(docs))
        taken = time.perf_counter() - start
    answer = speeds(words, taken, time.process_time() - cpu_start)
    # what it has read ahead is not counted
    docs.close()
    return answer


def speeds(words: int, taken: float, cpu_taken: float) -> Dict[str, float]:
    return {
        "speed": words / taken,
        "cpu_speed": words / cpu_taken,
        "threads": torch.get_num_threads(),
        "peak": peak(),
    }


if __name__ == "__main__":
    serve(sys.argv[1], Path(sys.argv[2]))
