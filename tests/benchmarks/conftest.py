import subprocess
import sys
from pathlib import Path
from typing import Callable

import pytest


@pytest.fixture
def printed_by(repository: Path) -> Callable[..., str]:
    """Runs a benchmark for real; returns what it printed."""

    def run(name: str, *options: object) -> str:
        done = subprocess.run(
            [sys.executable, "-m", f"benchmarks.{name}", *map(str, options)],
            cwd=repository,
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run
