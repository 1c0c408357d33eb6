import os
import subprocess
import sys
from pathlib import Path
from typing import Callable, Dict, Iterator

import pytest
import torch

from spacy_elmo_ner.kernels import threads as own_threads

# writer → "whole", "0", "1" … → file → content
Outputs = Dict[str, Dict[str, Dict[str, bytes]]]
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
def threads(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> Iterator[int]:
    """torch's threads, as many as it is given in turn, and a CPU for each."""
    monkeypatch.setattr(own_threads, "usable_cpus", lambda: 5)
    # its size is that of the machine that it began on
    own_threads._EXECUTORS.clear()
    before = torch.get_num_threads()
    torch.set_num_threads(request.param)
    yield request.param
    torch.set_num_threads(before)
    own_threads._EXECUTORS.clear()


@pytest.fixture
def killed_runs(tmp_path: Path) -> Callable[[str, int], Outputs]:
    """Runs each function of RUNS, which the code defines, whole, and killed at n moments
    and then again; see `killed_runs.py`. Returns the files that they have written."""
    if not hasattr(os, "fork"):
        pytest.skip("processes are forked here")

    def run(code: str, n: int) -> Outputs:
        file, folder = tmp_path / "code.py", tmp_path / "outputs"
        file.write_text(code, encoding="utf8")
        folder.mkdir()
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
            writer.name: {output.name: files_in(output) for output in writer.iterdir()}
            for writer in folder.iterdir()
        }

    return run


def files_in(folder: Path) -> Dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }
