import subprocess
import sys
from pathlib import Path
from typing import Callable, List

import pytest

FOLDER = Path(__file__).parent


def pytest_collection_modifyitems(items: List[pytest.Item]) -> None:
    """A benchmark that runs for real is slow, however small its options are."""
    for item in items:
        if item.path.parent == FOLDER:
            item.add_marker(pytest.mark.slow)


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
