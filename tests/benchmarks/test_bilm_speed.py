"""The benchmark of the biLM, run for real on a few sentences."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("allennlp.modules.elmo")


def test_both_systems_agree_and_are_timed(repository: Path) -> None:
    command = [sys.executable, "-m", "benchmarks.bilm_speed", "--size", "small"]
    command += ["--batch", "4", "--threads", "1", "--rounds", "1", "--seconds", "0.2"]
    command += ["--allennlp-python", sys.executable, "--python", sys.executable]
    result = subprocess.run(command, cwd=repository, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    differences = re.findall(r"largest difference in .*: (\S+) -->", result.stdout)
    assert len(differences) == 2
    assert all(float(difference) < 1e-5 for difference in differences)
    (row,) = [line for line in result.stdout.splitlines() if "| small |" in line]
    assert len(re.findall(r"\d×", row)) == 6
