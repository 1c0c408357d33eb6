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
        r"^\| 0.001 \| (yes|no) \| (\d+) \| (1.0|0.7) \| (\S+) \| (\S+) \|$",
        printed,
        re.M,
    )
    assert [row[:3] for row in rows] == [
        (rehearsal, updates, share)
        for rehearsal in ("no", "yes")
        for updates in ("2", "10")
        for share in ("1.0", "0.7")
    ]
    # with a PER that is a ROLE, too
    assert all(0 <= float(f1) <= 100 for row in rows for f1 in row[3:])
