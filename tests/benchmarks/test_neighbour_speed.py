import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.neighbour_speed import fair_share

# longer than any of these takes, unless a process is left
PATIENCE = 300
AT_WORK = """
import os, sys
from benchmarks.neighbours import at_work
with at_work("loop", 2, os.environ) as threads:
    print(threads, flush=True)
    if sys.stdin.readline() == "fail":
        raise RuntimeError
"""


def test_rows_are_printed_and_nobody_is_left(repository: Path) -> None:
    conll = repository / "assets" / "sample" / "dev.conll"
    options = "--limit 6 --batch 1 --batch 4 --rounds 1 --seconds 0.1 --conll"
    with subprocess.Popen(
        [sys.executable, "-m", "benchmarks.neighbour_speed", *options.split(), conll],
        cwd=repository,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # so that whoever is left is in its group
        start_new_session=True,
    ) as process:
        printed, error = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0, error
    if hasattr(os, "killpg"):
        with pytest.raises(ProcessLookupError):
            os.killpg(process.pid, 0)
    assert "dev.conll: 6 sentences" in printed
    speeds = r"[1-9][\d,]* \| [1-9][\d,]* \| \d+\.\d\d"
    share = r"\d+\.\d\d"
    for batch in (1, 4):
        for where in ("alone", "two processes, together"):
            row = rf"^\| {where} \| – \| {batch} \| {speeds} \| – \| – \|$"
            assert re.search(row, printed, re.MULTILINE)
        for where in ("products in torch", "plain loops"):
            row = (
                rf"^\| beside {where} \| [1-9]\d* \| {batch} \| {speeds} "
                rf"\| {share} \| {share} \|$"
            )
            assert re.search(row, printed, re.MULTILINE)
    assert len(re.findall(r"^\|", printed, re.MULTILINE)) == 2 + 8


@pytest.mark.parametrize("way", ["done", "fail", "killed"])
def test_neighbours_end_with_who_started_them(repository: Path, way: str) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", AT_WORK],
        cwd=repository,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout
        assert process.stdout.readline() == "2\n"
        if way == "killed":
            process.kill()
        # neighbours have the same standard error: it is closed when all have ended
        _, error = process.communicate(way, timeout=PATIENCE)
    assert ("RuntimeError" in error) == (way == "fail")


def test_fair_share() -> None:
    # beside nobody, with CPUs enough, and with two threads beside two on two CPUs
    assert [fair_share(1, 0, 2), fair_share(2, 2, 8), fair_share(2, 2, 2)] == [
        1,
        1,
        0.5,
    ]
