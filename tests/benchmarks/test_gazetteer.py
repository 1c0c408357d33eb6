"""The benchmark of lists of names, run for real on the sample."""

from pathlib import Path
from typing import Callable


def test_table(
    repository: Path, printed_by: Callable[..., str], tmp_path: Path
) -> None:
    (tmp_path / "PLACE.txt").write_text("London\nNew York\n", encoding="utf8")
    sample = repository / "assets" / "sample"
    options = ["--train", sample / "train.conll", "--cache", tmp_path / "cache"]
    for name in ("conll", "wikigold", "btc", "wnut17"):
        options += [f"--{name}", sample / "dev.conll"]
    printed = printed_by("gazetteer", tmp_path, *options, "--further", "--updates", 1)
    none, lists = printed.splitlines()[2:]
    assert none.startswith("| none | 0 |") and lists.startswith("| dropout 0.3 | 0 |")
    # one update leaves the tagger nearly as it was, beside lists of which it knows nothing
    for row in (none, lists):
        assert float(row.split(" | ")[2]) > 50
