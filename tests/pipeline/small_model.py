"""A tagger that learns a few sentences in seconds, for the tests of the component."""

from typing import Any, Dict, List, Tuple

from spacy.language import Language
from spacy.training import Example

SMALL_MODEL: Dict[str, Any] = {
    "@architectures": "spacy_elmo_ner.CrfTagger.v1",
    "hidden_width": 24,
    "depth": 1,
    "tok2vec": {
        "@architectures": "spacy_elmo_ner.CharCnn.v1",
        "char_width": 12,
        "filters": [[1, 12], [3, 24]],
    },
}

TEXTS: List[Tuple[str, Dict[str, Any]]] = [
    ("Who is Shaka Khan?", {"entities": [(7, 17, "PERSON")]}),
    ("I like London and Berlin.", {"entities": [(7, 13, "LOC"), (18, 24, "LOC")]}),
    ("Nothing is said here.", {"entities": []}),
]


def examples_of(nlp: Language, texts: List[Any] = TEXTS) -> List[Example]:
    return [Example.from_dict(nlp.make_doc(text), gold) for text, gold in texts]


def train(nlp: Language, examples: List[Example], steps: int = 60) -> Dict[str, float]:
    optimizer = nlp.initialize(lambda: examples)
    optimizer.learn_rate = 0.01
    losses: Dict[str, float] = {}
    for _ in range(steps):
        losses = {}
        nlp.update(examples, sgd=optimizer, losses=losses)
    return losses
