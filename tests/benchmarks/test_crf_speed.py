"""The benchmark of the CRF, run for real on a few sentences."""

import os
import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

RIVALS = {"AllenNLP": "allennlp", "pytorch-crf": "torchcrf"}
# pytorch-crf's interface, with a likelihood that is wrong
WRONG_CRF = """
import torch

class CRF(torch.nn.Module):
    def __init__(self, num_tags, batch_first):
        super().__init__()
        self.start_transitions = torch.nn.Parameter(torch.empty(num_tags))
        self.end_transitions = torch.nn.Parameter(torch.empty(num_tags))
        self.transitions = torch.nn.Parameter(torch.empty(num_tags, num_tags))

    def forward(self, emissions, tags, mask):
        return emissions.sum() + sum(one.sum() for one in self.parameters())
"""


def run(repository: Path, path: str = "") -> "subprocess.CompletedProcess[str]":
    options = "--tags 9 --batch 3 --batch 5 --batches 2 --threads 1 --rounds 1"
    paths = [path, os.environ.get("PYTHONPATH", "")]
    return subprocess.run(
        [sys.executable, "-m", "benchmarks.crf_speed", *options.split()],
        cwd=repository,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, paths))},
        capture_output=True,
        text=True,
    )


def test_those_that_are_installed_agree_and_are_timed(repository: Path) -> None:
    done = run(repository)
    assert done.returncode == 0, done.stderr
    found = re.findall(r"^\| (.+) \| 9 \| ([35]) \| 1 \| (.+) \|$", done.stdout, re.M)
    rows = {(operation, batch): cells.split(" | ") for operation, batch, cells in found}
    operations = ("likelihood with gradient", "Viterbi", "marginals")
    assert list(rows) == [(one, batch) for one in operations for batch in "35"]
    installed = [find_spec(module) is not None for module in RIVALS.values()]
    for name, there in zip(RIVALS, installed, strict=True):
        assert done.stdout.count(f": {name} differs by ") == (6 if there else 0)
    for *theirs, ours, to_allennlp, to_faster in rows.values():
        assert float(ours) > 0
        assert [cell != "not installed" for cell in theirs] == installed
        assert (to_allennlp != "–") == installed[0]
        assert (to_faster != "–") == any(installed)


def test_no_speed_is_printed_when_results_differ(
    repository: Path, tmp_path: Path
) -> None:
    (tmp_path / "torchcrf.py").write_text(WRONG_CRF, encoding="utf8")
    done = run(repository, str(tmp_path))
    assert done.returncode != 0
    message = " ".join(done.stderr.split())
    assert "our results differ from those of pytorch-crf" in message
    assert "|" not in done.stdout
