from typing import Any, Dict, List, Tuple, cast

import numpy as np
import pytest
from spacy.language import Language
from spacy.lookups import Lookups
from spacy.training import Example
from spacy.util import fix_random_seed, load_model_from_config, registry
from thinc.api import Config
from thinc.types import Floats1d

from spacy_elmo_ner.features.tables import AnyModel

# texts, each with its entities and their labels
Gold = List[Tuple[str, List[Tuple[str, str]]]]
FEATURES = ("lexeme_features", "char_cnn", "static_vectors")
TRAINING = [
    ("John lives in London .", [(0, 4, "PER"), (14, 20, "LOC")]),
    ("Mary saw Paris", [(0, 4, "PER"), (9, 14, "LOC")]),
    ("She wrote to IBM in 1996", [(13, 16, "ORG")]),
]
WORDS = sorted({word for text, _ in TRAINING for word in text.split()})


@registry.misc("spacy_elmo_ner_tests.lookups")  # type: ignore[untyped-decorator]
def make_lookups() -> Lookups:
    """A cluster for the words of the training texts, one of them 0."""
    lookups = Lookups()
    clusters = {word: 3 * i for i, word in enumerate(WORDS)}
    lookups.add_table("lexeme_cluster", clusters)
    return lookups


class Pipelines:
    """Pipelines where spaCy's own ner stands on a tok2vec of ours."""

    def __init__(self) -> None:
        self.trained: Dict[str, Language] = {}

    def blank(
        self, *, lookups: str = "spacy_elmo_ner_tests.lookups", **tok2vecs: Any
    ) -> Language:
        """A pipeline of ner and, where the config says so, a tok2vec before it."""
        components: Dict[str, Any] = {}
        if "shared" in tok2vecs:
            model = tok2vecs["shared"]
            components["tok2vec"] = {"factory": "tok2vec", "model": model}
        ner = {
            "@architectures": "spacy.TransitionBasedParser.v2",
            "state_type": "ner",
            "extra_state_tokens": False,
            "hidden_width": 32,
            "maxout_pieces": 2,
            "use_upper": True,
            "nO": None,
            "tok2vec": tok2vecs["ner"],
        }
        components["ner"] = {"factory": "ner", "model": ner}
        arguments: Dict[str, Any] = {"@misc": lookups}
        if lookups == "spacy.LookupsDataLoader.v1":
            arguments.update(lang="en", tables=["lexeme_norm", "lexeme_cluster"])
        config = {
            "nlp": {"lang": "en", "pipeline": list(components)},
            "components": components,
            "initialize": {"lookups": arguments},
        }
        return load_model_from_config(Config(config), auto_fill=True)

    def train(self, nlp: Language) -> Language:
        fix_random_seed(0)
        rng = np.random.default_rng(0)
        for word in WORDS:
            nlp.vocab.set_vector(
                word.lower(), cast(Floats1d, rng.normal(size=20).astype("f"))
            )
        examples = [
            Example.from_dict(nlp.make_doc(text), {"entities": entities})
            for text, entities in TRAINING
        ]
        optimizer = nlp.initialize(lambda: examples)
        optimizer.learn_rate = 0.01
        for _ in range(60):
            nlp.update(examples, sgd=optimizer)
        return nlp

    def ner(self, name: str) -> Language:
        """A trained pipeline, the same for all tests."""
        if name not in self.trained:
            nlp = self.blank(ner={"@architectures": name})
            self.trained[name] = self.train(nlp)
        return self.trained[name]

    def tok2vec(self, nlp: Language, *, component: str = "ner") -> AnyModel:
        """Our model within a component's."""
        model: AnyModel = nlp.get_pipe(component).model
        (own,) = [node for node in model.walk() if node.name in FEATURES]
        return own


@pytest.fixture(scope="session")
def pipelines() -> Pipelines:
    return Pipelines()


@pytest.fixture(scope="session")
def gold() -> Gold:
    """Texts that the pipelines were trained on, and their entities."""
    return [
        (text, [(text[start:end], label) for start, end, label in entities])
        for text, entities in TRAINING
    ]
