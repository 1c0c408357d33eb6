"""What examples say about the entities to learn, before training."""

from typing import Iterable, List, Set, Tuple

from spacy.tokens import Doc
from spacy.training import Example
from spacy.vocab import Vocab

from ..text.words import is_no_name


def no_examples(vocab: Vocab) -> List[Example]:
    """Two words about which nothing is known, to infer sizes from."""
    doc = Doc(vocab, words=["a", "word"])
    return [Example(doc, doc.copy())]


def gold_labels(examples: Iterable[Example]) -> Tuple[List[str], bool]:
    """The labels of the gold entities, sorted, and whether any gold Doc is
    annotated."""
    labels: Set[str] = set()
    annotated = False
    for example in examples:
        labels.update(ent.label_ for ent in example.reference.ents)
        annotated = annotated or example.reference.has_annotation("ENT_IOB")
    return sorted(labels), annotated


def has_addresses(examples: Iterable[Example]) -> bool:
    """Whether a gold entity has only tokens that would not be taken for a name."""
    return any(
        all(is_no_name(token.text) for token in ent)
        for example in examples
        for ent in example.reference.ents
    )
