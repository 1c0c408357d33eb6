"""The benchmark of how cost grows, run for real on a few words."""

import re
import subprocess
import sys
from pathlib import Path


def test_table_and_picture(repository: Path, tmp_path: Path) -> None:
    picture = tmp_path / "growth.svg"
    options = (
        "--words 200 --length 5 --length 60 --batch 1 --batch 16 --usual-batch 4 "
        "--rounds 1"
    )
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.growth", picture, *options.split()],
        cwd=repository,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert "; 200 words, " in done.stdout
    rows = re.findall(r"^\| (.+) \| (\d+) \| (\S+) \| (\S+) \|$", done.stdout, re.M)
    lengths = [length for length, *_ in rows]
    assert lengths[:2] == ["5", "60"]
    assert all(length.endswith(" on average") for length in lengths[2:])
    assert [batch for _, batch, *_ in rows] == ["4", "4", "1", "16"]
    assert all(float(cost) > 0 for _, _, *costs in rows for cost in costs)
    assert "<svg" in picture.read_text(encoding="utf8")
