import os
from pathlib import Path
from typing import Iterator

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
