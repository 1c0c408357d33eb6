import pytest
import spacy
from spacy.language import Language
from thinc.api import fix_random_seed

from tests.pipeline.small_model import SMALL_MODEL, examples_of, train


@pytest.fixture
def nlp() -> Language:
    """A blank English pipeline with a small, untrained `elmo_ner`."""
    fix_random_seed(0)
    pipeline = spacy.blank("en")
    pipeline.add_pipe("elmo_ner", config={"model": SMALL_MODEL})
    return pipeline


@pytest.fixture(scope="session")
def trained_bytes() -> bytes:
    fix_random_seed(0)
    pipeline = spacy.blank("en")
    pipeline.add_pipe("elmo_ner", config={"model": SMALL_MODEL})
    losses = train(pipeline, examples_of(pipeline))
    assert losses["elmo_ner"] < 0.1
    return pipeline.to_bytes()


@pytest.fixture
def trained(trained_bytes: bytes) -> Language:
    """A pipeline that has learnt the texts of small_model."""
    pipeline = spacy.blank("en")
    pipeline.add_pipe("elmo_ner", config={"model": SMALL_MODEL})
    return pipeline.from_bytes(trained_bytes)
