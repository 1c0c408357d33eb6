"""The benchmark of the cache, run for real on a few sentences."""

import re
from pathlib import Path
from typing import Callable


def test_table_and_ratios(repository: Path, printed_by: Callable[..., str]) -> None:
    options = "--size small --limit 40 --epochs 3 --threads 1"
    sample = repository / "assets" / "sample" / "train.conll"
    printed = printed_by("cache_speed", "--conll", sample, *options.split())
    assert "in 40 sentences; biLM of the small size, 256 values" in printed
    rows = dict(
        re.findall(r"^\| (cached ELMo|static vectors) \|(.+) \|$", printed, re.M)
    )
    assert len(rows) == 2
    assert all(len(row.split("|")) == 3 for row in rows.values())
    (count,) = re.findall(r": ([\d,]+) words", printed)
    words = int(count.replace(",", ""))
    (size,) = re.findall(r"takes ([\d.]+) kB on disk", printed)
    kilobytes = float(size)
    # 5 times 128 values of half precision, and what SQLite needs
    assert kilobytes > 1.28
    assert kilobytes * words < 10_000
