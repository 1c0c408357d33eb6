"""What only another sentence of the Doc can tell."""

from typing import Any, Dict, List

import pytest
import spacy
from spacy.training import Example

from tests.pipeline.small_model import SMALL_MODEL, train

TEXTS = {
    "Football. Leeds is here.": "ORG",
    "Travel. Leeds is here.": "LOC",
}


@pytest.mark.parametrize("document_width, expected", [(0, False), (16, True)])
def test_a_sentence_is_read_by_the_light_of_its_doc(
    document_width: int, expected: Any
) -> None:
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
    every: List[Dict[str, int]] = [{}, {"batch_size": 1}, {"n_process": 2}]
    for options in every:
        docs = nlp.pipe(list(TEXTS), **options)  # type: ignore[call-overload]
        found = [[ent.label_ for ent in doc.ents] for doc in docs]
        assert (found == [[label] for label in TEXTS.values()]) == expected
