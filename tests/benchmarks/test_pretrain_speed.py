import re
from pathlib import Path
from typing import Callable

import pytest
import torch

pytestmark = pytest.mark.skipif(
    torch.__version__ < "2", reason="torch counts operations since version 2"
)


def test_operations_are_those_of_the_equations(
    printed_by: Callable[..., str], repository: Path, tmp_path: Path
) -> None:
    config = tmp_path / "small.cfg"
    settings = (repository / "configs" / "pretrain.cfg").read_text("utf8")
    for name, value in {
        "filters": "[[1,4]]",
        "n_highway": 1,
        "lstm_width": 64,
        "projection_width": 32,
        "candidates": 100,
        "batch_tokens": 500,
    }.items():
        settings = re.sub(rf"^{name} = .*$", f"{name} = {value}", settings, flags=re.M)
    config.write_text(settings, "utf8")
    options = "--precision float32 --updates 2 --rounds 1 --side 64"
    printed = printed_by("pretrain_speed", config, *options.split())
    row = r"^\| float32 \| [\d,]+ \| ([\d.]+) \| [\d.]+ G \| [\d,.]+ G \| \d+% \|$"
    found = re.search(row, printed, re.MULTILINE)
    assert found, printed
    # Peters et al. 2018: each of 2 directions has 2 layers of 4 gates, which read input
    # and state, and a projection; then the softmax. Two operations a weight, and twice
    # as many again for the gradients.
    width, projected, candidates = 64, 32, 100
    weights = 2 * (2 * (4 * width * 2 * projected + width * projected))
    weights += 2 * candidates * projected
    # beside them the words' characters, and rows that fill up a product
    assert 1 <= float(found[1]) * 1e6 / (3 * 2 * weights) < 1.5
