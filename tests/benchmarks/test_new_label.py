"""The benchmark of a new label, run for real on the sample."""

import re
from pathlib import Path
from typing import Callable


def test_table(repository: Path, printed_by: Callable[..., str]) -> None:
    train, dev = (
        repository / "assets/sample" / name for name in ("train.conll", "dev.conll")
    )
    options = "--sentences 20 --updates 2 --updates 10 --limit 20".split()
    printed = printed_by("new_label", train, dev, train, *options)
    rows = re.findall(
        r"^\| 0.001 \| (yes|no) \| (\d+) \| (\S+) \| (\S+) \|$", printed, re.M
    )
    assert [row[:2] for row in rows] == [
        ("no", "2"),
        ("no", "10"),
        ("yes", "2"),
        ("yes", "10"),
    ]
    # with a PER that is a ROLE, too
    assert all(0 <= float(f1) <= 100 for row in rows for f1 in row[2:])
