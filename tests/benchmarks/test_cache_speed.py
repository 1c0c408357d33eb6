"""The benchmark of the cache, run for real on a few sentences."""

import re
import subprocess
import sys
from pathlib import Path


def test_table_and_ratios(repository: Path) -> None:
    options = "--size small --limit 40 --epochs 3 --threads 1"
    sample = repository / "assets" / "sample" / "train.conll"
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.cache_speed", "--conll", sample]
        + options.split(),
        cwd=repository,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert "in 40 sentences; biLM of the small size, 256 values" in done.stdout
    rows = dict(
        re.findall(r"^\| (cached ELMo|static vectors) \|(.+) \|$", done.stdout, re.M)
    )
    assert len(rows) == 2
    assert all(len(row.split("|")) == 3 for row in rows.values())
    words = int(re.search(r": ([\d,]+) words", done.stdout)[1].replace(",", ""))
    kilobytes = float(re.search(r"takes ([\d.]+) kB on disk", done.stdout)[1])
    # 5 times 128 values of half precision, and what SQLite needs
    assert kilobytes > 1.28
    assert kilobytes * words < 10_000
