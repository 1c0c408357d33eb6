"""The benchmark of calibration, run for real on the sample."""

import re
from pathlib import Path
from typing import Callable


def test_table_and_picture(
    tmp_path: Path, repository: Path, printed_by: Callable[..., str]
) -> None:
    picture = tmp_path / "reliability.svg"
    # a document for each half has to have right and wrong guesses
    conll = repository / "assets" / "sample" / "train.conll"
    printed = printed_by("calibration", picture, "--conll", conll, "--bins", "5")
    rows = re.findall(
        r"^\| (first .+|every .+) \| (.+), (as .+|fitted) \| (.+) \|$", printed, re.M
    )
    assert len(rows) == 12 and len({name for _, name, *_ in rows}) == 3
    for *_, numbers in rows:
        values = [float(value) for value in re.split(r" [|/] ", numbers)]
        assert min(values[:2]) > 0 and all(0 <= value <= 1 for value in values[2:])
    assert "<svg" in picture.read_text(encoding="utf8")
