"""A process that keeps systems ready, in the environment it was started in.

Reads one JSON object a line, and answers with one:

    {"system": …, "threads": …, "batch": …, "sentences": file, "keep": bool}
        → {"seconds": …}; with "vectors": file, the vectors are written there too.
"""

import json
import os
import sys
import time
from pathlib import Path
from typing import Any, Dict

import numpy as np
import torch

from .systems import SYSTEMS


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
            systems[name] = SYSTEMS[name](folder)
        answers.write(json.dumps(run(systems[name], request)) + "\n")


def run(system: Any, request: Dict[str, Any]) -> Dict[str, float]:
    torch.set_num_threads(request["threads"])
    sentences = json.loads(Path(request["sentences"]).read_text(encoding="utf8"))
    size = request["batch"]
    batches = [sentences[i : i + size] for i in range(0, len(sentences), size)]
    with torch.no_grad():
        # weights are laid out at the first call, threads started
        system(batches[0])
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


if __name__ == "__main__":
    serve(Path(sys.argv[1]))
