"""Python code in a process of its own that has little memory and time."""

import os
import subprocess
import sys
from pathlib import Path
from typing import List

import pytest

REPOSITORY = Path(__file__).resolve().parent.parent.parent
# what it may take beyond what it has after its imports
ROOM = 500_000_000

HEAD = f"""
import resource, sys
from pathlib import Path
import spacy_elmo_ner.pipeline.elmo_ner, spacy_elmo_ner.corpus.docbins
from spacy_elmo_ner.bilm.options import read_options
from spacy_elmo_ner.bilm.weight_files import read_weights
import spacy
with open("/proc/self/statm") as file:
    used = int(file.read().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (used + {ROOM}, used + {ROOM}))
for call in sys.argv[1:]:
    try:
        eval(call)
        print("no error")
    except (ValueError, OSError) as error:
        print(" ".join(str(error).split()))
"""


def limited(calls: List[str], *, seconds: int = 60) -> List[str]:
    """For each call, an expression, the ValueError or OSError that it ends with.

    Raises AssertionError if one ends otherwise, subprocess.TimeoutExpired if they hang.
    """
    if sys.platform != "linux":
        pytest.skip("limits memory as Linux does, and reads /proc")
    done = subprocess.run(
        [sys.executable, "-c", HEAD, *calls],
        capture_output=True,
        text=True,
        timeout=seconds,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY), "OMP_NUM_THREADS": "1"},
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()
