"""One ELMo for several components: spaCy's tok2vec component and its listeners."""

from pathlib import Path

import numpy
import spacy
from spacy.language import Language

from tests.pipeline.small_model import SMALL_MODEL, TEXTS, examples_of, train

TINY_ELMO = {
    "@architectures": "spacy_elmo_ner.Elmo.v1",
    "lstm_width": 24,
    "projection_width": 12,
    "filters": [[1, 8], [2, 8], [3, 16]],
    "frozen": False,
}
LISTENER = {"@architectures": "spacy.Tok2VecListener.v1", "width": 24}


def shared_pipeline() -> Language:
    nlp = spacy.blank("en")
    nlp.add_pipe("tok2vec", config={"model": TINY_ELMO})
    for name in ("first", "second"):
        model = {**SMALL_MODEL, "tok2vec": LISTENER}
        nlp.add_pipe("elmo_ner", name=name, config={"model": model})
    return nlp


def test_two_components_learn_from_one_elmo(tmp_path: Path) -> None:
    nlp = shared_pipeline()
    before_training = None
    examples = examples_of(nlp)
    nlp.initialize(lambda: examples)
    elmo = nlp.get_pipe("tok2vec").model
    docs = [nlp.make_doc(text) for text, _ in TEXTS]
    before_training = elmo.predict(docs)[0].copy()
    losses = train(nlp, examples, 60)
    assert losses["first"] < 1 and losses["second"] < 1
    assert not numpy.allclose(elmo.predict(docs)[0], before_training)
    doc = nlp("I like London.")
    assert [ent.text for ent in doc.ents] == ["London"]
    nlp.to_disk(tmp_path)
    loaded = spacy.load(tmp_path)
    assert [ent.text for ent in loaded("I like London.").ents] == ["London"]
    assert numpy.array_equal(
        loaded.get_pipe("tok2vec").model.predict(docs)[0], elmo.predict(docs)[0]
    )


def test_listener_can_be_replaced() -> None:
    nlp = shared_pipeline()
    examples = examples_of(nlp)
    train(nlp, examples, 40)
    before = [ent.text for ent in nlp("I like London.").ents]
    nlp.replace_listeners("tok2vec", "first", ["model.tok2vec"])
    assert [ent.text for ent in nlp("I like London.").ents] == before
