"""The benchmark of how cost grows, run for real on a few words."""

import re
from pathlib import Path
from typing import Callable


def test_table_and_picture(tmp_path: Path, printed_by: Callable[..., str]) -> None:
    picture = tmp_path / "growth.svg"
    options = (
        "--words 200 --length 5 --length 60 --batch 1 --batch 16 --usual-batch 4 "
        "--rounds 1"
    )
    printed = printed_by("growth", picture, *options.split())
    assert "; 200 words, " in printed
    rows = re.findall(r"^\| (.+) \| (\d+) \| (\S+) \| (\S+) \|$", printed, re.M)
    lengths = [length for length, *_ in rows]
    assert lengths[:2] == ["5", "60"]
    assert all(length.endswith(" on average") for length in lengths[2:])
    assert [batch for _, batch, *_ in rows] == ["4", "4", "1", "16"]
    assert all(float(cost) > 0 for _, _, *costs in rows for cost in costs)
    assert "<svg" in picture.read_text(encoding="utf8")
