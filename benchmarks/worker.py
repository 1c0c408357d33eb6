"""A process that keeps systems ready, in the environment it was started in.

Reads one JSON object a line, and answers with one:

    {"system": …, "threads": …, "batch": …, "sentences": file, "keep": bool}
        → {"seconds": …}; with "vectors": file, the vectors are written there too.
    {"system": …, "batch": …, "sentences": file, "for_seconds": …}
        → {"speed": words per second, "threads": of torch}

Without "threads" torch has those of the process.
"""

import json
import os
import sys
import time
from pathlib import Path
from typing import Any, Callable, Dict, List

import numpy as np
import torch

from .pipelines import Default
from .systems import SYSTEMS
from .texts import Sentences

READERS: Dict[str, Callable[[Path], Any]] = {
    **SYSTEMS,
    # it has weights of its own
    "default": lambda folder: Default(),
}


def serve(folder: Path) -> None:
    """Answer requests until the input ends. folder: holds the biLM's weights."""
    # libraries print to standard output as they please; the answers get their own
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)
    systems: Dict[str, Any] = {}
    for line in sys.stdin:
        request = json.loads(line)
        name = request["system"]
        if name not in systems:
            systems[name] = READERS[name](folder)
        answers.write(json.dumps(run(systems[name], request)) + "\n")


def run(system: Any, request: Dict[str, Any]) -> Dict[str, float]:
    if "threads" in request:
        torch.set_num_threads(request["threads"])
    sentences = json.loads(Path(request["sentences"]).read_text(encoding="utf8"))
    size = request["batch"]
    batches = [sentences[i : i + size] for i in range(0, len(sentences), size)]
    with torch.no_grad():
        # weights are laid out at the first call, threads started
        system(batches[0])
        if "for_seconds" in request:
            return read_again(system, batches, request["for_seconds"])
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
    system: Any, batches: List[Sentences], seconds: float
) -> Dict[str, float]:
    """Read the batches over and over for so long, and the last one to its end."""
    words, taken = 0, 0.0
    start = time.perf_counter()
    while taken < seconds:
        system.forget()
        for batch in batches:
            system(batch)
            words += sum(len(sentence) for sentence in batch)
            taken = time.perf_counter() - start
            if taken >= seconds:
                break
    return {"speed": words / taken, "threads": torch.get_num_threads()}


if __name__ == "__main__":
    serve(Path(sys.argv[1]))
