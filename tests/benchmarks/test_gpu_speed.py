import re
import subprocess
import sys
from pathlib import Path

import pytest
import torch


def run(repository: Path, options: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "benchmarks.gpu_speed", *options.split()],
        cwd=repository,
        capture_output=True,
        text=True,
    )


def test_rows_are_printed_once_vectors_agree(repository: Path) -> None:
    # before torch 2 a CPU cannot do all that it takes in half precision
    precisions = ["float32"] if torch.__version__ < "2" else ["float32", "bfloat16"]
    options = "--device cpu --size sample --batch 4 --batch 8 --sentences 16 --rounds 1"
    for precision in precisions:
        options += f" --precision {precision}"
    done = run(repository, options)
    assert done.returncode == 0, done.stderr
    assert "thinc runs with" in done.stdout
    assert "<!-- nlp.pipe: largest difference" in done.stdout
    for precision in precisions:
        assert f"<!-- biLM, {precision}: largest difference" in done.stdout
        for batch in ("4", "8", "50 × 64 tokens"):
            setting = rf"^\| sample \| {batch} \| {precision}"
            speeds = r" \| [\d,]+ \| [\d,]+ \| [\d,–]+ \|$"
            assert re.search(setting + speeds, done.stdout, re.MULTILINE)
    assert "AllenNLP on a V100" in done.stdout


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a CUDA device")
def test_without_a_gpu_it_says_how_to_run(repository: Path) -> None:
    done = run(repository, "")
    assert done.returncode == 1
    assert "no CUDA device" in done.stdout
    assert "--device cpu" in done.stdout
