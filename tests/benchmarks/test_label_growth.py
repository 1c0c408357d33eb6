"""The benchmark of how cost grows with labels, run for real on a few sentences."""

import re
from pathlib import Path
from typing import Callable


def test_table_and_picture(tmp_path: Path, printed_by: Callable[..., str]) -> None:
    picture = tmp_path / "labels.svg"
    options = "--labels 2 --labels 40 --batch 3 --length 7 --rounds 1"
    printed = printed_by("label_growth", picture, *options.split())
    assert "a batch of 3 sentences of 7 tokens; " in printed
    row = r"^\| (BILUO|BIO) \| (\d+) \| (\d+) \| (\S+) \| (\S+) \| (\S+) \|$"
    rows = re.findall(row, printed, re.M)
    assert [(scheme, labels, tags) for scheme, labels, tags, *_ in rows] == [
        ("BILUO", "2", "9"),
        ("BILUO", "40", "161"),
        ("BIO", "2", "5"),
        ("BIO", "40", "81"),
    ]
    assert all(float(cost) > 0 for *_, a, b, c in rows for cost in (a, b, c))
    assert "<svg" in picture.read_text(encoding="utf8")
