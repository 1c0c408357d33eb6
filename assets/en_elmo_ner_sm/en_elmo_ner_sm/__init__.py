"""A trained pipeline: English named entities."""

from pathlib import Path
from typing import Any

from spacy.language import Language
from spacy.util import get_model_meta, load_model_from_init_py

__version__ = get_model_meta(Path(__file__).parent)["version"]


def load(**overrides: Any) -> Language:
    """The pipeline; `spacy.load("en_elmo_ner_sm")` comes here."""
    return load_model_from_init_py(__file__, **overrides)
