"""What probabilities cost, measured for real on the sample."""

import re
from pathlib import Path
from typing import Callable


def test_a_row_for_each_way(repository: Path, printed_by: Callable[..., str]) -> None:
    conll = repository / "assets" / "sample" / "dev.conll"
    printed = printed_by("probability_cost", "--conll", conll, "--rounds", "1")
    rows = re.findall(r"^\| (.+) \| ([1-9][\d,]*) \| ([+-]\d+%) \|$", printed, re.M)
    assert len(rows) == len({name for name, *_ in rows}) == 4
    assert rows[0][0] == "none" and rows[0][2] == "+0%"
