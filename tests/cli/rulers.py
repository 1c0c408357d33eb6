"""Pipelines of rules, whose entities are known without a trained model."""

from pathlib import Path
from typing import Dict

import spacy


def save_ruler(folder: Path, labels: Dict[str, str]) -> Path:
    """Save a pipeline that gives these names, words with spaces between, their labels."""
    nlp = spacy.blank("en")
    patterns = [
        {"label": label, "pattern": [{"ORTH": word} for word in name.split()]}
        for name, label in labels.items()
    ]
    nlp.add_pipe("entity_ruler").add_patterns(patterns)
    nlp.to_disk(folder)
    return folder
