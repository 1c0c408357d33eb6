from typing import Any

import pytest
import spacy
import torch

SMALL = {
    "lstm_width": 24,
    "projection_width": 8,
    "filters": [[1, 8], [2, 8], [3, 16]],
    "char_embedding_width": 4,
}


@pytest.fixture(scope="session")
def sizes():
    """Arguments of a biLM that is quick to compute."""
    return SMALL


@pytest.fixture
def elmo_pipeline(sizes):
    """Makes an initialized pipeline of a tok2vec component that holds ELMo."""

    def make(*, seed: int = 0, **arguments: Any) -> spacy.Language:
        model = {
            "@architectures": "spacy_elmo_ner.Elmo.v1",
            **sizes,
            **arguments,
        }
        torch.manual_seed(seed)
        nlp = spacy.blank("en")
        nlp.add_pipe("tok2vec", config={"model": model})
        nlp.initialize()
        return nlp

    return make
