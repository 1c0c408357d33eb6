import re
import subprocess
import sys
from pathlib import Path


def test_each_trick_has_a_row(repository: Path) -> None:
    options = "--sentences 1 --sentences 3 --rounds 1 --seconds 0"
    printed = subprocess.run(
        [sys.executable, "-m", "benchmarks.tricks", *options.split()],
        cwd=repository,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert printed.count("| loop outside of Python | ELMo's LSTM, float32") == 2
    for name in ("table of convolutions", "cache of word vectors", "exactness"):
        assert re.search(
            rf"^\| .*{name}.* \| [\d.]+ \| [\d.]+ \| [\d.]+ \|$", printed, re.M
        )
