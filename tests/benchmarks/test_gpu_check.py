import re
import subprocess
import sys
from pathlib import Path

import pytest
import torch

NUMBER = r"[\d,.e%+-]+"


def run(repository: Path, *options: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "benchmarks.gpu_check", *options],
        cwd=repository,
        capture_output=True,
        text=True,
    )


def small(output: Path, seconds: int) -> "list[str]":
    options = "--device cpu --size sample --precision float32 --batch 8 --sentences 24"
    options += " --rounds 1 --update-tokens 128 --update-precision float32"
    options += f" --seconds {seconds} --output {output}"
    return options.split()


def test_the_whole_report_on_a_cpu(repository: Path, tmp_path: Path) -> None:
    output = tmp_path / "report.md"
    done = run(repository, *small(output, 480))
    assert done.returncode == 0, done.stderr
    assert output.read_text("utf8").strip() == done.stdout.strip()
    assert "failed" not in done.stdout and "ended early" not in done.stdout
    # vectors, and the variants' speeds, which come after a comparison with the plain loop
    assert re.search(
        r"^\| sample \| float32 \| \S+ \| \S+ \| yes \|$", done.stdout, re.M
    )
    speeds = rf"^\| sample \| float32 \| 8 (\| {NUMBER} ){{6}}\|$"
    assert re.search(speeds, done.stdout, re.M)
    found = re.search(
        r"of ([\d,]+) entities found on the CPU and ([\d,]+) on the device ([\d,]+)",
        done.stdout,
    )
    assert found and len({*found.groups()}) == 1
    trained = re.search(
        r"^\| float32 \| 128 \| \S+ \| \S+ \| (\S+) \|", done.stdout, re.M
    )
    assert trained and float(trained[1]) < 1e-4


def test_what_time_does_not_allow_is_said(repository: Path, tmp_path: Path) -> None:
    done = run(repository, *small(tmp_path / "report.md", 0))
    assert done.returncode == 0, done.stderr
    assert "*pretraining*: skipped, no time is left." in done.stdout


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a CUDA device")
def test_without_a_gpu_it_says_how_to_run(repository: Path) -> None:
    done = run(repository)
    assert done.returncode == 1
    assert "no CUDA device" in done.stdout
    assert "--device cpu" in done.stdout
