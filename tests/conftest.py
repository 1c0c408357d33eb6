import os
import subprocess
import sys
from pathlib import Path
from typing import Callable, Dict, Iterator

import pytest
import torch

REPOSITORY = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def repository() -> Path:
    """The checkout's root: project.yml, configs/ and assets/ lie here."""
    return REPOSITORY


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """CoNLL-2003, reference fixtures and scorer cases, which are not ours to ship."""
    folder = os.environ.get("SPACY_ELMO_NER_SHARED")
    path = Path(folder) if folder else REPOSITORY.parent / "shared" / "data"
    if not path.is_dir():
        pytest.skip(
            f"The shared test data is not at {path}; "
            "set SPACY_ELMO_NER_SHARED to the folder that holds it."
        )
    return path


@pytest.fixture(params=[1, 2, 3, 5])
def threads(request: pytest.FixtureRequest) -> Iterator[int]:
    """torch's threads, as many as it is given in turn."""
    before = torch.get_num_threads()
    torch.set_num_threads(request.param)
    yield request.param
    torch.set_num_threads(before)


@pytest.fixture
def killed_runs(tmp_path: Path) -> Callable[[str, int], Dict[str, Dict[str, bytes]]]:
    """Runs code that defines run(output) whole, and killed at n moments and then again;
    see `killed_runs.py`. Returns the files of each output, "whole" and "0", "1" …"""
    if not hasattr(os, "fork"):
        pytest.skip("processes are forked here")

    def run(code: str, n: int) -> Dict[str, Dict[str, bytes]]:
        file, folder = tmp_path / "code.py", tmp_path / "outputs"
        file.write_text(code, encoding="utf8")
        folder.mkdir()
        for name in ["whole", *map(str, range(n))]:
            (folder / name).mkdir()
        script = REPOSITORY / "tests" / "killed_runs.py"
        done = subprocess.run(
            [sys.executable, str(script), str(file), str(folder), str(n)],
            # forked processes do without the threads of the first one
            env={**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(REPOSITORY)},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        assert done.returncode == 0, done.stdout[-3000:]
        return {
            output.name: {
                path.relative_to(output).as_posix(): path.read_bytes()
                for path in output.rglob("*")
                if path.is_file()
            }
            for output in folder.iterdir()
            if any(output.iterdir())
        }

    return run
