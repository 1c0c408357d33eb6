"""What only another sentence of the Doc can tell."""

import pytest
import spacy
from tests.pipeline.small_model import SMALL_MODEL, train
from spacy.training import Example

TEXTS = {
    "Football. Leeds is here.": "ORG",
    "Travel. Leeds is here.": "LOC",
}


@pytest.mark.parametrize("document_width, expected", [(0, False), (16, True)])
def test_a_sentence_is_read_by_the_light_of_its_doc(document_width, expected):
    nlp = spacy.blank("en")
    architecture = {"@architectures": "spacy_elmo_ner.CrfTagger.v2"}
    model = {**SMALL_MODEL, **architecture, "document_width": document_width}
    nlp.add_pipe("elmo_ner", config={"model": model})
    examples = []
    for text, label in TEXTS.items():
        start = text.index("Leeds")
        annotation = {"entities": [(start, start + len("Leeds"), label)]}
        examples.append(Example.from_dict(nlp.make_doc(text), annotation))
    train(nlp, examples, steps=200)
    for options in ({}, {"batch_size": 1}, {"n_process": 2}):
        found = [[ent.label_ for ent in doc.ents] for doc in nlp.pipe(TEXTS, **options)]
        assert (found == [[label] for label in TEXTS.values()]) == expected
