"""The benchmark of few sentences, run for real on the sample."""

import re
from pathlib import Path
from typing import Callable


def test_table(repository: Path, printed_by: Callable[..., str]) -> None:
    sample = repository / "assets" / "sample"
    options = ["--sentences", "20", "--updates", "1", "--updates", "5"]
    printed = printed_by(
        "few_sentences", sample / "train.conll", sample / "dev.conll", *options
    )
    rows = dict(re.findall(r"^\| 20 \| (.+?) \| (.+) \|$", printed, re.M))
    assert len(rows) == 3
    trained, fresh = (
        float(rows[name].split(" | ")[1])
        for name in ("elmo_ner", "elmo_ner, trained_tagger = false")
    )
    # the labels are those of the default pipeline, which knows them already
    assert trained > 50 > fresh
