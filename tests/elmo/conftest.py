from typing import Any, Callable, Dict, List

import pytest
import spacy
import torch
from spacy.language import Language
from spacy.tokens import Doc
from thinc.api import Model

# the tok2vec's model
Elmo = Model[List[Doc], List[Any]]
SMALL = {
    "lstm_width": 24,
    "projection_width": 8,
    "filters": [[1, 8], [2, 8], [3, 16]],
    "char_embedding_width": 4,
}


@pytest.fixture(scope="session")
def sizes() -> Dict[str, Any]:
    """Arguments of a biLM that is quick to compute."""
    return SMALL


@pytest.fixture
def elmo_pipeline(sizes: Dict[str, Any]) -> Callable[..., Language]:
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
